"""Tensors in files: bit-identical, mapped, whole or refused; and digests that tell any two apart."""

import hashlib
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zoo.checkpoint.tensors import digest, read_tensors, write_tensors
from zoo.errors import CorruptError

KINDS = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]
SHAPES = [(), (0,), (1,), (3, 4), (2, 0, 5), (2, 3, 4, 5)]


def tensor(kind: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    return (torch.randn(shape) * 10).to(kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_written_is_read_bit_by_bit(kind: torch.dtype, shape: tuple[int, ...], tmp_path: Path) -> None:
    written = {"a": tensor(kind, shape), "b.c": tensor(kind, shape)}
    write_tensors(tmp_path / "x.safetensors", written)
    read = read_tensors(tmp_path / "x.safetensors")
    assert set(read) == set(written)
    for name, each in written.items():
        assert read[name].dtype is kind
        assert read[name].shape == shape
        assert digest(read[name]) == digest(each)


def test_not_a_number_and_infinity_survive(tmp_path: Path) -> None:
    odd = torch.tensor([torch.nan, torch.inf, -torch.inf, -0.0, 1e-45])
    write_tensors(tmp_path / "x.safetensors", {"odd": odd})
    assert digest(read_tensors(tmp_path / "x.safetensors")["odd"]) == digest(odd)


def test_turned_and_sliced_tensors_are_written_as_they_are_seen(tmp_path: Path) -> None:
    whole = torch.arange(24.0).view(4, 6)
    write_tensors(tmp_path / "x.safetensors", {"turned": whole.T, "sliced": whole[1:3, ::2]})
    read = read_tensors(tmp_path / "x.safetensors")
    assert torch.equal(read["turned"], whole.T)
    assert torch.equal(read["sliced"], whole[1:3, ::2])


@pytest.mark.parametrize("kept", [0, 4, 8, 40, -1])
def test_a_file_that_is_cut_off_is_corrupt(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"a": torch.ones(5)})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CorruptError, match=r"x\.safetensors` is no whole safetensors file"):
        read_tensors(path)


def test_a_pickle_is_corrupt_whatever_it_is_called(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(5)}, tmp_path / "x.safetensors")
    with pytest.raises(CorruptError):
        read_tensors(tmp_path / "x.safetensors")


def test_a_digest_is_of_type_shape_and_bytes() -> None:
    expected = hashlib.sha256(b"float32 [2]\n" + b"\x00\x00\x80\x3f\x00\x00\x00\x40").hexdigest()
    assert digest(torch.tensor([1.0, 2.0])) == expected


def test_a_digest_tells_apart_what_is_equal_only_in_part() -> None:
    same = torch.zeros(2, 3)
    others = [same.view(3, 2), same.view(6), same.half(), same.int(), -same, same.bool(), same[:0], same.sum()]
    assert len({digest(each) for each in [same, *others]}) == len(others) + 1
    assert digest(same) == digest(torch.zeros(3, 2).T) == digest(torch.nn.Parameter(same))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 23), st.integers(0, 31))
def test_a_digest_changes_with_any_bit(place: int, bit: int) -> None:
    before = torch.randn(4, 6)
    after = before.clone()
    after.view(-1).view(torch.int32)[place] ^= 1 << bit if bit < 31 else -(1 << 31)
    assert digest(before) != digest(after)
