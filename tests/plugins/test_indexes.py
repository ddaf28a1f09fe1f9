import json
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

LIBRARIES = ("timm", "torchaudio", "transformers")
MODALITIES = {"image", "text", "audio"}
TEXTS = ("modality", "input", "data", "license", "weights", "summary")
KINDS = dict.fromkeys(TEXTS, str) | dict.fromkeys(("parameters", "dim", "pooled_dim"), int)


def path(library: str) -> Path:
    return Path(__file__).parents[2] / "plugins" / f"zoo_{library}" / "index.json"


@cache
def index(library: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path(library).read_text(encoding="utf-8"))
    return loaded


def models(library: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = index(library)["models"]
    return found


def same_version(library: str) -> None:
    made, here = index(library)["version"], version(library)
    if made != here:
        pytest.skip(f"the index was made from {library} {made}, installed is {here}")


@pytest.mark.parametrize("library", LIBRARIES)
def test_file_is_small_and_one_model_is_one_line(library: str) -> None:
    content = path(library).read_text(encoding="utf-8")
    assert len(content.encode()) < 900_000
    assert content.endswith("}\n")
    assert re.findall(r'(?m)^"([^"]+)": \{"', content) == list(models(library))
    assert set(index(library)) == {"library", "version", "models"}
    assert index(library)["library"] == library


@pytest.mark.parametrize("library", LIBRARIES)
def test_names_are_sorted_and_can_stand_in_a_spec(library: str) -> None:
    names = list(models(library))
    assert names == sorted(names)
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name)] == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_record_is_well_formed(library: str) -> None:
    for name, record in models(library).items():
        assert set(record) <= set(KINDS), name
        assert all(type(value) is KINDS[key] and value for key, value in record.items()), name
        assert list(record) == sorted(record), name
        assert set(record["modality"].split("+")) <= MODALITIES, name
        assert all(record.get(key, 1) > 0 for key in ("parameters", "dim", "pooled_dim")), name
        assert record.get("license", "") == record.get("license", "").lower(), name
        if "input" in record:
            assert re.fullmatch(r"(\d+x\d+x\d+|\d+ tokens|\d+ Hz)(, \d+ tokens)?", record["input"]), name


def test_timm_knows_architectures_and_tags() -> None:
    known = models("timm")
    assert sum("." not in name for name in known) > 1200
    assert sum("." in name for name in known) > 1200
    assert all(name.partition(".")[0] in known for name in known)
    resnet = known["resnet50"]
    assert (resnet["parameters"], resnet["input"], resnet["dim"]) == (23508032, "3x224x224", 2048)
    assert (resnet["weights"], resnet["license"]) == ("timm/resnet50.a1_in1k", "apache-2.0")
    assert known["vit_base_patch16_224"]["dim"] == 768
    assert known["mobilenetv3_large_100"]["pooled_dim"] == 1280


def test_timm_tells_the_data_of_a_tag_and_no_more() -> None:
    data = import_module("zoo_timm.index").data
    assert data("laion2b_ft_in12k_in1k") == "LAION-2B, then ImageNet-12k and ImageNet-1k"
    assert data("gemma3n") is None
    assert data("") is None
    assert data("ft_in1k") == "ImageNet-1k"
    assert data("fcmae_ft_in22k_in1k_384") == "ImageNet-1k, then ImageNet-22k and ImageNet-1k"
    assert data("mae_in1k_ft_in1k") == "ImageNet-1k"


@pytest.mark.parametrize(
    ("modality", "names"),
    [
        ("text", "bert roberta modernbert deberta-v2 t5 gpt2 llama clip_text_model"),
        ("audio", "wav2vec2 hubert wavlm whisper audio-spectrogram-transformer"),
        ("image", "vit dinov2 convnext swin clip_vision_model"),
        ("image+text", "clip siglip siglip2"),
        ("audio+text", "clap"),
    ],
)
def test_transformers_knows_what_an_architecture_takes(modality: str, names: str) -> None:
    assert {models("transformers")[name]["modality"] for name in names.split()} == {modality}


def test_transformers_leaves_out_what_is_no_encoder_of_one_modality() -> None:
    others = {"detr", "llava", "videomae", "patchtst", "perceiver", "timm_wrapper", "bark", "parakeet_ctc"}
    assert others & set(models("transformers")) == set()


def test_transformers_describes_the_default_configuration() -> None:
    known = models("transformers")
    assert known["bert"] == {"modality": "text", "dim": 768, "input": "512 tokens", "parameters": 109482240}
    assert known["wav2vec2"]["input"] == "16000 Hz"
    assert known["clip"]["input"] == "3x224x224, 77 tokens"


def test_torchaudio_knows_its_pipelines() -> None:
    known = models("torchaudio")
    assert {record["modality"] for record in known.values()} == {"audio"}
    base = known["wav2vec2_base"]
    assert (base["input"], base["dim"], base["data"], base["license"]) == ("16000 Hz", 768, "LibriSpeech", "mit")
    assert base["weights"] == "https://download.pytorch.org/torchaudio/models/wav2vec2_fairseq_base_ls960.pth"
    assert known["hubert_asr_large"]["data"] == "Libri-Light, then transcribed LibriSpeech (960 hours)"
    assert known["voxpopuli_asr_base_10k_de"]["license"] == "cc-by-nc-4.0"
    assert all(set(record) >= {"parameters", "dim", "data", "license", "weights"} for record in known.values())


@pytest.mark.parametrize("library", LIBRARIES)
def test_importing_an_index_module_imports_no_library(library: str) -> None:
    code = f"import sys, zoo_{library}.index; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", *LIBRARIES} & set(done.stdout.split()) == set()


@pytest.mark.slow
@pytest.mark.parametrize("library", ["timm", "transformers"])
def test_names_are_those_of_the_installed_version(library: str) -> None:
    same_version(library)
    assert import_module(f"zoo_{library}.index").names() == list(models(library))


@pytest.mark.slow
def test_torchaudio_index_is_what_build_makes() -> None:
    same_version("torchaudio")
    steps: list[tuple[int, int]] = []
    built = import_module("zoo_torchaudio.index").build(lambda done, total: steps.append((done, total)))
    assert built == index("torchaudio")
    assert steps[-1] == (len(built["models"]),) * 2
