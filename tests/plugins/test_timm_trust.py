"""What a `config.json` beside weights says is a stranger's word: it decides neither what is read nor from where."""

import json
from pathlib import Path
from typing import Any

import pytest
import timm

from tests.plugins.tiny_timm import Folder, make


def written(folder: Path, arguments: dict[str, Any], pretrained: dict[str, Any]) -> Folder:
    known = {"input_size": [3, 32, 32], "mean": [0.5] * 3, "std": [0.5] * 3}
    said = {"architecture": "test_resnet", "model_args": arguments, "pretrained_cfg": known | pretrained}
    (folder / "config.json").write_text(json.dumps(said))
    return Folder(folder)


def test_arguments_of_how_timm_loads_weights_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, Any]] = []
    real = timm.create_model

    def heard(*names: str, **arguments: Any) -> Any:
        said.append(arguments)
        return real(*names, **arguments)

    monkeypatch.setattr(timm, "create_model", heard)
    (tmp_path / "weights.pth").write_bytes(b"cposix\nsystem\n(Vtrue\ntR.")
    hostile = {"checkpoint_path": str(tmp_path / "weights.pth"), "cache_dir": str(tmp_path), "act_layer": "gelu"}
    make("test_resnet", files=written(tmp_path, hostile, {}))
    assert said and all(each["act_layer"] == "gelu" for each in said)
    assert not {"checkpoint_path", "cache_dir"} & {name for each in said for name in each}


@pytest.mark.parametrize("name", ["../secret.bin", "/secret.bin", "sub/../../secret.bin", "..\\secret.bin"])
def test_weights_are_looked_for_in_their_folder_alone(name: str, tmp_path: Path) -> None:
    backbone = make("test_resnet", files=written(tmp_path, {}, {"hf_hub_filename": name}))
    assert backbone.weight_files == ("model.safetensors", "open_clip_model.safetensors")


def test_the_name_that_timm_tells_comes_first(tmp_path: Path) -> None:
    backbone = make("test_resnet", files=written(tmp_path, {}, {"hf_hub_filename": "open_clip_pytorch_model.bin"}))
    assert backbone.weight_files[0] == "open_clip_pytorch_model.safetensors"
