"""Weights of a run in one file or in shards, tied tensors once; indexes and locks that say something else."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from zoo.checkpoint.shards import INDEX, SINGLE, shard_names
from zoo.checkpoint.source import Folder
from zoo.checkpoint.tensors import read_tensors, write_tensors
from zoo.checkpoint.weights import run_weights, tied_names, write_weights
from zoo.errors import CorruptError

TENSORS = {name: torch.full((4,), float(number)) for number, name in enumerate("abcde")}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("most", "files"), [(80, 1), (79, 2), (32, 3), (16, 5), (1, 5)])
def test_weights_are_in_one_file_or_in_shards(tmp_path: Path, most: int, files: int) -> None:
    assert write_weights(tmp_path, TENSORS, most) == {}
    found = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    shards = [f"model-{number:05}-of-{files:05}.safetensors" for number in range(1, files + 1)]
    assert found == ([SINGLE] if files == 1 else shards)
    assert (tmp_path / INDEX).exists() is (files > 1)
    assert equal(run_weights(Folder(tmp_path), {}), TENSORS)
    if files > 1:
        assert json.loads((tmp_path / INDEX).read_text())["metadata"] == {"total_size": 80}


def test_a_tied_tensor_is_stored_once_and_is_one_again(tmp_path: Path) -> None:
    embedding = torch.randn(3, 2)
    tensors = {"embedding": embedding, "output": embedding, "turned": embedding.T, "empty": embedding[:0]}
    aliases = write_weights(tmp_path, tensors)
    assert aliases == {"output": "embedding"}
    assert sorted(read_tensors(tmp_path / SINGLE)) == ["embedding", "empty", "turned"]
    found = run_weights(Folder(tmp_path), {"aliases": aliases})
    assert equal(found, tensors)
    assert found["output"] is found["embedding"]


def test_tensors_without_numbers_are_not_tied() -> None:
    assert tied_names({"a": torch.zeros(0), "b": torch.zeros(0)}) == {}


@pytest.mark.parametrize("aliases", [{"z": "gone"}, {"a": "b"}, ["a"], {"z": ["a"]}, {"z": "y", "y": "a"}])
def test_a_lock_that_ties_what_is_not_there_is_corrupt(tmp_path: Path, aliases: Any) -> None:
    write_weights(tmp_path, TENSORS)
    with pytest.raises(CorruptError, match=r"zoo\.lock of"):
        run_weights(Folder(tmp_path), {"aliases": aliases})


def test_a_shard_that_lacks_what_the_index_says_or_is_not_there(tmp_path: Path) -> None:
    write_weights(tmp_path, TENSORS, 32)
    write_tensors(tmp_path / "model-00001-of-00003.safetensors", {"a": TENSORS["a"]})
    with pytest.raises(CorruptError, match="lacks `b`, which its index says is in it"):
        run_weights(Folder(tmp_path), {})
    (tmp_path / "model-00001-of-00003.safetensors").unlink()
    with pytest.raises(CorruptError, match=r"lacks `model-00001-of-00003\.safetensors`, which"):
        run_weights(Folder(tmp_path), {})


def index(folder: Path, content: Any) -> Path:
    path = folder / "model.safetensors.index.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_an_index_names_the_tensors_of_each_file(tmp_path: Path) -> None:
    shards = {"a": "2.safetensors", "b": "1.safetensors", "c": "2.safetensors"}
    assert shard_names(index(tmp_path, {"weight_map": shards})) == {"1.safetensors": {"b"}, "2.safetensors": {"a", "c"}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": []}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": {"a": "../model.safetensors"}}',
        '{"weight_map": {"a": "/etc/model.safetensors"}}',
        '{"weight_map": {"a": "inner/model.safetensors"}}',
        '{"weight_map": {"a": "pytorch_model.bin"}}',
        '{"weight_map": {"a": [1]}}',
        '{"weight_map": {}}',
        '{"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}}',
        '{"weight_map": {"../a": "1.safetensors"}}',
        '{"weight_map": {"a": "..\\\\1.safetensors"}}',
        '{"weight_map": {"a": "\\u001b[2J.safetensors"}}',
        '{"weight_map": {"a": "' + "x" * 10_000 + '.safetensors"}}',
        '{"weight_map": ' + "[" * 100_000,
        '{"weight_map": {"a": "1.safetensors"}}' + " " * (8 << 20),
    ],
)
def test_an_index_of_anything_else_is_corrupt(content: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=r"model\.safetensors\.index\.json`"):
        shard_names(index(tmp_path, content))
