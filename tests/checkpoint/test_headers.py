"""Headers of safetensors files: what is refused, and that nothing is refused which the library writes."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from zoo.checkpoint.headers import MOST_BYTES, check_name, read_header
from zoo.errors import CorruptError


def written(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def tensor(dtype: str = "F32", shape: object = (2,), start: int = 0, stop: int = 8) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


EIGHT = bytes(8)
WRONG = {
    "a header that is no JSON": (b"[1, 2", b"", "no JSON"),
    "an array": (b"[]", b"", "no JSON object"),
    "a space before the object": (b" {}", b"", "no JSON object"),
    "bytes that are no UTF-8": (b'{"\xff": 1}', b"", "no JSON"),
    "nesting without end": (b'{"a":' + b"[" * 100_000, b"", "no JSON"),
    "a number of 10,000 digits": (b'{"a":' + b"9" * 10_000 + b"}", b"", "no JSON"),
    "a key twice": (b'{"a":1,"a":2}', b"", "twice"),
    "metadata that are no texts": ({"__metadata__": {"a": 1}}, b"", "metadata"),
    "no shape": ({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, EIGHT, "no type, shape and place"),
    "an unknown type": ({"a": tensor("F33")}, EIGHT, "'F33'"),
    "a type that is a list": ({"a": {**tensor(), "dtype": ["F32"]}}, EIGHT, "which is none"),
    "a negative dimension": ({"a": tensor(shape=[-1, -2])}, EIGHT, "a shape or a place that is none"),
    "a dimension that is a truth value": ({"a": tensor(shape=[True, 2])}, EIGHT, "a shape or a place that is none"),
    "dimensions whose product has no end": ({"a": tensor(shape=[2**62, 2**62, 8])}, EIGHT, "would take"),
    "300 dimensions": ({"a": tensor(shape=[2**62] * 300)}, EIGHT, "a shape or a place that is none"),
    "100,000 dimensions": ({"a": tensor(shape=[2**62] * 100_000)}, EIGHT, "a shape or a place that is none"),
    "a place of three numbers": ({"a": {**tensor(), "data_offsets": [0, 8, 8]}}, EIGHT, "a shape or a place"),
    "fewer bytes than the shape needs": ({"a": tensor(shape=[3])}, EIGHT, "would take 12 bytes and has 8"),
    "a place that ends before it begins": ({"a": tensor(start=8, stop=0)}, EIGHT, "has -8"),
    "an overlap": ({"a": tensor(), "b": tensor(start=4, stop=12)}, EIGHT + EIGHT, "does not begin"),
    "a hole": ({"a": tensor(), "b": tensor(start=12, stop=20)}, bytes(20), "does not begin"),
    "bytes behind the end": ({"a": tensor()}, bytes(9), "take 8 bytes, and it has 9"),
    "bytes that lack": ({"a": tensor()}, bytes(7), "take 8 bytes, and it has 7"),
    "a name that climbs": ({"../../x": tensor()}, EIGHT, "is no name of a tensor"),
    "a name with a control character": ({"a\x1b[2J": tensor()}, EIGHT, "is no name of a tensor"),
    "a name of 10,000 characters": ({"a" * 10_000: tensor()}, EIGHT, "1 to 512 characters"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_header_is_told(tmp_path: Path, case: str) -> None:
    header, data, told = WRONG[case]
    with pytest.raises(CorruptError, match="is no whole safetensors file") as error:
        read_header(written(tmp_path / "a.safetensors", header, data))
    assert told in str(error.value)


@pytest.mark.parametrize("size", [0, 7, 8, 9])
def test_a_file_that_is_hardly_one(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.safetensors").write_bytes(bytes([2]) + bytes(8)[: max(0, size - 1)] if size else b"")
    with pytest.raises(CorruptError, match="fewer than its header needs"):
        read_header(tmp_path / "a.safetensors")


@pytest.mark.parametrize(("length", "told"), [(1 << 63, "are read at most"), (101_000_000, "at most"), (90, "fewer")])
def test_a_header_longer_than_the_file(tmp_path: Path, length: int, told: str) -> None:
    with pytest.raises(CorruptError, match=told):
        read_header(written(tmp_path / "a.safetensors", {}, length=length))


def test_a_header_of_many_empty_tensors_is_refused_at_once(tmp_path: Path) -> None:
    """Of 700,000 the library takes 25 s and 600 MB."""
    many = {f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(110_000)}
    text = json.dumps(many, separators=(",", ":")).encode()
    started = time.process_time()
    with pytest.raises(CorruptError, match="110,000 tensors" if len(text) <= MOST_BYTES else "are read at most"):
        read_header(written(tmp_path / "a.safetensors", text))
    with pytest.raises(CorruptError, match="are read at most"):
        read_header(written(tmp_path / "b.safetensors", text * 7))
    assert time.process_time() - started < 5


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(CorruptError, match="cannot be read"):
            read_header(path)


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    tensors = {
        "a.weight": torch.zeros(3, 4, dtype=torch.bfloat16),
        "b/half": torch.zeros(2, 0, dtype=torch.float16),
        "c": torch.tensor(True),
        "d": torch.zeros(5, dtype=torch.int64),
        "größe": torch.zeros(1, dtype=torch.float8_e4m3fn),
    }
    save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt"})
    header = read_header(tmp_path / "a.safetensors")
    assert {name: each.shape for name, each in header.items()} == {
        name: tuple(each.shape) for name, each in tensors.items()
    }
    assert [header[name].dtype for name in tensors] == ["BF16", "F16", "BOOL", "I64", "F8_E4M3"]


@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_accepted_after_bytes_were_changed_the_library_reads_too(
    tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    from safetensors.torch import load_file

    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(3), "b": torch.ones(2, 2, dtype=torch.int32)}, path)
    content = bytearray(path.read_bytes())
    for place, change in flips:
        content[place % len(content)] ^= change
    path.write_bytes(content)
    try:
        header = read_header(path)
    except CorruptError:
        return
    assert {name: each.shape for name, each in header.items()} == {
        name: tuple(each.shape) for name, each in load_file(path).items()
    }


@pytest.mark.parametrize("name", ["a", "backbones.photo.network.conv.weight", "a/b", "x" * 512, "größe", "a..b"])
def test_names_of_tensors(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 513, "../x", "a/../x", "/x", "a\\b", "a\nb", "a\u202eb", 3])
def test_names_that_are_none(name: object) -> None:
    with pytest.raises(ValueError):
        check_name(name)
