"""Rows 1 to 5, 9: files that are no whole safetensors files, through every verb that reads weights."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.sharing.bad.runs import (
    Bad,
    Cost,
    Files,
    check_bounded,
    cost,
    refused,
    spoiled,
    stored,
    written,
)
from tests.tables import SPEC, write_tables

WEIGHTS = "model.safetensors"
NO_FILE = "is no whole safetensors file"
Place = tuple[str, list[int], int, int]


def header(told: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with a header, and what it says of the header's length."""
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensors(*places: Place, **names: Place) -> dict[str, Any]:
    """The header of tensors, each a type, a shape, and where it begins and ends."""
    known = {**{f"t{number}": place for number, place in enumerate(places)}, **names}
    return {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}
        for name, (dtype, shape, start, stop) in known.items()
    }


ONE: Place = ("F32", [2], 0, 8)
EIGHT = bytes(8)
MANY = {f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(110_000)}
FILES: list[tuple[int, str, Callable[[bytes], bytes], tuple[str, ...]]] = [
    (1, "empty", lambda good: b"", ("it has 0 bytes",)),
    (1, "seven bytes", lambda good: good[:7], ("it has 7 bytes",)),
    (1, "no JSON", lambda good: header(b"{[}"), ("its header is no JSON",)),
    (1, "no UTF-8", lambda good: header(b'{"\xff": 1}'), ("its header is no JSON",)),
    (1, "an array", lambda good: header([]), ("its header is no JSON object",)),
    (1, "a space first", lambda good: header(b" {}"), ("its header is no JSON object",)),
    (2, "a length of 2^63", lambda good: header({}, length=1 << 63), ("9,223,372,036,854,775,808", "at most")),
    (2, "a length of 101 MB", lambda good: header({}, length=101_000_000), ("101,000,000", "8,388,608 are read")),
    (2, "longer than the file", lambda good: header({}, length=5000), ("fewer than its header needs",)),
    (3, "110,000 tensors", lambda good: header(json.dumps(MANY, separators=(",", ":")).encode()), ("110,000 tensors",)),
    (4, "an overlap", lambda good: header(tensors(ONE, ("F32", [2], 4, 12)), bytes(16)), ("`t1` does not begin",)),
    (4, "a hole", lambda good: header(tensors(ONE, ("F32", [2], 12, 20)), bytes(20)), ("`t1` does not begin",)),
    (4, "reversed", lambda good: header(tensors(("F32", [2], 8, 0)), EIGHT), ("`t0` would take 8 bytes and has -8",)),
    (4, "trailing bytes", lambda good: good + b"\0", ("and it has",)),
    (4, "missing bytes", lambda good: good[:-1], ("and it has",)),
    (5, "another shape", lambda good: header(tensors(("F32", [3], 0, 8)), EIGHT), ("`t0` would take 12 bytes",)),
    (5, "another type", lambda good: header(tensors(("F64", [2], 0, 8)), EIGHT), ("`t0` would take 16 bytes",)),
    (5, "dimensions of 2^62", lambda good: header(tensors(("F32", [1 << 62] * 3, 0, 8)), EIGHT), ("`t0` would take",)),
    (5, "a negative dimension", lambda good: header(tensors(("F32", [-1, -2], 0, 8)), EIGHT), ("`t0` has a shape",)),
    (9, "a name that climbs", lambda good: header(tensors(**{"../../x": ONE}), EIGHT), ("'../../x' is no name",)),
    (9, "a name of 10 kB", lambda good: header(tensors(**{"x" * 10_000: ONE}), EIGHT), ("1 to 512 characters",)),
    (9, "a control character", lambda good: header(tensors(**{"a\x1b[2J": ONE}), EIGHT), ("is no name of a tensor",)),
]


def spoil(change: Callable[[bytes], bytes], files: Files) -> None:
    files[WEIGHTS] = change(files[WEIGHTS])


CASES = [Bad(row, what, partial(spoil, change), 4, (WEIGHTS, NO_FILE, *told)) for row, what, change, told in FILES]


def by_pull(files: Files, folder: Path) -> list[object]:
    return ["pull", stored(files, folder), "-o", folder / "mine"]


def by_verify(files: Files, folder: Path) -> list[object]:
    return ["verify", written(files, folder / "run")]


def by_push(files: Files, folder: Path) -> list[object]:
    return ["push", written(files, folder / "run"), f"file://{folder}/store"]


def by_build(files: Files, folder: Path) -> list[object]:
    """As the pretrained weights of a spec."""
    (folder / WEIGHTS).write_bytes(files[WEIGHTS])
    spec = write_tables(folder, SPEC.replace("dropout: 0}", f"dropout: 0, weights: {WEIGHTS}}}", 1))
    return ["build", spec, "-o", folder / "runs" / "mine"]


DOORS = [by_pull, by_verify, by_push, by_build]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_file_that_is_no_whole_safetensors_file(
    bad: Bad, door: Callable[[Files, Path], list[object]], shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    refused(door(spoiled(shared, bad.spoil), place), place, bad.code, bad.words)


@pytest.fixture(scope="module")
def usual(shared: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Cost:
    """What a refusal takes for a reason that costs nothing."""
    folder = tmp_path_factory.mktemp("usual")
    run = written({**shared, "zoo.yaml": b"{}"}, folder / "run")
    return cost(["verify", run], folder / "work", 5, ("zoo.yaml", "digest"))


def sparse(path: Path, length: int) -> None:
    """A file whose header has a length, and is all there."""
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little") + b'{"a":')
        file.truncate(8 + length)


def lists(path: Path, length: int) -> None:
    path.write_bytes(header(b'{"a":[' + b"[]," * (length // 3 - 5) + b"[]]}"))


def many(path: Path, length: int) -> None:
    path.write_bytes(
        header(json.dumps({f"{name}{copy}": told for name, told in MANY.items() for copy in range(7)}).encode())
    )


@pytest.mark.parametrize(
    ("make", "length"),
    [(sparse, 101_000_000), (lists, 8 << 20), (many, 0)],
    ids=["2-a header of 101 MB", "2-a header of 8 MiB of lists", "3-770,000 tensors"],
)
def test_a_large_header_costs_nothing(
    make: Callable[[Path, int], None], length: int, usual: Cost, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    run = written(shared, tmp_path / "run")
    make(run / WEIGHTS, length)
    taken = cost(["verify", run], tmp_path / "work", 4, (WEIGHTS, NO_FILE))
    check_bounded(taken, usual)
