"""Tensors as bytes: digests are those of torch's tensors, files those that the library reads, and always the same."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from zoo.checkpoint.headers import BYTES
from zoo.checkpoint.raw import TYPES, map_file, write_file
from zoo.checkpoint.tensors import as_raw, digest, write_tensors


def of_type(name: str, shape: tuple[int, ...]) -> Tensor:
    dtype = getattr(torch, name)
    count = torch.Size(shape).numel() * dtype.itemsize
    if dtype is torch.bool:
        return torch.randint(0, 2, shape).bool()
    return torch.randint(0, 256, (count,), dtype=torch.uint8).view(dtype).reshape(shape)


ALL = {f"t.{name}": of_type(name, (3, 2)) for name in TYPES.values()}


def test_every_type_has_its_width() -> None:
    assert TYPES.keys() == BYTES.keys()
    assert {dtype: getattr(torch, name).itemsize for dtype, name in TYPES.items()} == BYTES


def test_a_file_of_every_type_is_read_by_the_library_and_mapped_with_the_digests_of_torch(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", ALL)
    loaded = load_file(tmp_path / "a.safetensors")
    assert loaded.keys() == ALL.keys()
    for name, each in map_file(tmp_path / "a.safetensors").items():
        assert bytes(each.data()) == bytes(as_raw(loaded[name]).data()) == bytes(as_raw(ALL[name]).data())
        assert each.digest() == digest(ALL[name])


def test_a_file_of_the_library_written_again_has_the_same_tensors_in_the_same_order(tmp_path: Path) -> None:
    usual = {name: ALL[f"t.{name}"] for name in ("float32", "float16", "int64", "uint8")}
    save_file(usual, tmp_path / "theirs.safetensors", metadata={"format": "pt"})
    write_file(tmp_path / "ours.safetensors", map_file(tmp_path / "theirs.safetensors"))
    theirs, ours = ((tmp_path / f"{each}.safetensors").read_bytes() for each in ("theirs", "ours"))
    start = [8 + int.from_bytes(each[:8], "little") for each in (theirs, ours)]
    assert theirs[8 : start[0]].rstrip() == ours[8 : start[1]].rstrip()
    assert theirs[start[0] :] == ours[start[1] :]
    assert start[1] % 64 == 0


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, Tensor]:
    names = draw(st.lists(st.sampled_from(["a", "b.c", "größe", "x/y", "z" * 70]), unique=True))
    types = st.sampled_from(sorted(TYPES.values()))
    return {name: of_type(draw(types), draw(st.sampled_from([(), (0,), (1,), (5, 0), (2, 3)]))) for name in names}


@given(given_=tensors())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_is_read_and_the_order_of_tensors_does_not_matter(
    tmp_path: Path, given_: dict[str, Tensor]
) -> None:
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    write_tensors(one, given_)
    write_tensors(two, dict(reversed(given_.items())))
    assert one.read_bytes() == two.read_bytes()
    loaded = load_file(one)
    assert loaded.keys() == given_.keys()
    for name, each in map_file(one).items():
        assert each.digest() == digest(given_[name]) == digest(loaded[name])


def test_a_type_that_the_format_has_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no tensors of type complex128"):
        write_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(1, dtype=torch.complex128)})


def test_tensors_that_are_views_are_written_as_they_are_seen(tmp_path: Path) -> None:
    whole = torch.arange(6.0).reshape(2, 3)
    write_tensors(tmp_path / "a.safetensors", {"turned": whole.T, "part": whole[:, 1], "whole": whole})
    loaded = load_file(tmp_path / "a.safetensors")
    assert torch.equal(loaded["turned"], whole.T) and torch.equal(loaded["part"], whole[:, 1])
