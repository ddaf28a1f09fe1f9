"""Tables in chunks: the same cells and types wherever a chunk begins, whatever pieces the file is made of."""

import csv
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from zoo.data import stream as module
from zoo.data.stream import Stream, open_stream
from zoo.data.tables import open_table
from zoo.errors import UsageError


def cells(stream: Stream, columns: Sequence[str], first: int = 0, last: int | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chunk in stream.chunks(columns, first, last):
        assert chunk.table.schema.field(0).type == stream.schema.field(columns[0]).type
        assert chunk.lines is None or len(chunk.lines) == len(chunk.table)
        assert chunk.start == first * stream.chunk_rows + len(found)
        found += chunk.cells(columns)
    return found


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 40), group=st.integers(1, 50), size=st.integers(1, 12), shares=st.integers(1, 4))
def test_parquet_in_chunks_is_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, size: int, shares: int
) -> None:
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    values = [
        {"id": row, "text": None if row % 5 == 2 else f"r{row}", "ragged": [row] * (row % 3)} for row in range(rows)
    ]
    parquet.write_table(pa.Table.from_pylist(values), path, row_group_size=group)
    stream = open_stream(path)
    stream.chunk_rows = size
    assert stream.rows == rows
    bounds = [stream.count * share // shares for share in range(shares + 1)]
    found = [row for first, last in pairwise(bounds) for row in cells(stream, ["text", "id", "ragged"], first, last)]
    assert found == [{name: row[name] for name in ("text", "id", "ragged")} for row in values]
    lengths = [len(chunk.table) for chunk in stream.chunks(["id"])]
    assert lengths[:-1] == [size] * (len(lengths) - 1)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_cells_are_those_of_the_table_in_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    rows = [
        {
            "id": f"{row:03}",
            "n": None if row == 1 else row,
            "x": row / 2,
            "text": f'a, "b"\n\t{row}',
            "gap": None if row < 300 else row,
        }
        for row in range(600)
    ]
    if suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    names = list(rows[0])
    whole = open_table(path, names)
    found = cells(open_stream(path), names)
    assert found == whole.rows(range(600), names) == rows


def test_a_type_is_that_of_the_whole_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers, then floats; numbers, then a text; NA among numbers, NA alone."""
    monkeypatch.setattr(module, "CHUNK", 2)
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d,e\n1,1,NA,NA,\n2,2,,NA,\n3.5,x,4,,\n")
    stream = open_stream(path, texts=["a"])
    assert stream.schema.types == [
        pa.large_string(),
        pa.large_string(),
        pa.int64(),
        pa.large_string(),
        pa.large_string(),
    ]
    assert open_stream(path).schema.field("a").type == pa.float64()
    names = ["a", "b", "c", "d", "e"]
    assert cells(open_stream(path), names) == open_table(path, names).rows(range(3), names)


def test_json_lines_widen_and_mixed_columns_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    path = tmp_path / "t.jsonl"
    rows = [{"a": 1, "m": 1, "l": [1]}, {"a": 2, "l": []}, {"a": 2.5, "m": "x", "l": [0.5, 1]}, {"late": "y"}]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    stream = open_stream(path)
    assert dict(zip(stream.schema.names, stream.schema.types, strict=True)) == {
        "a": pa.float64(),
        "l": pa.list_(pa.float64()),
        "late": pa.string(),
    }
    assert stream.lengths["l"] == 0.75
    assert cells(stream, ["late", "a"])[0] == {"late": None, "a": 1.0}
    with pytest.raises(UsageError, match="line 3, column `m`: cells differ in type"):
        stream.check(["m"])


LONG = '{"a": "' + "x" * (1 << 20) + '"}\n'
"""A line as long as what is looked at of a file first."""


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("t.csv", "a,b\n1,2\n\n3\n", "line 4, has 1 cells; the header has 2"),
        ("t.csv", "a,b\n", "has no rows"),
        ("t.jsonl", '{"a": 1}\n{"a"\n', "line 2 is not a JSON object"),
        ("t.jsonl", LONG + '{"a"\n', "line 2, is no JSON: "),
        ("t.jsonl", LONG + "[1]\n", "line 2, is no JSON object"),
        ("t.txt", "a", "no table that zoo reads"),
    ],
)
def test_what_is_wrong_is_told_before_a_row_is_given(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=told):
        open_stream(tmp_path / name)


def test_bytes_that_are_no_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,\xff\n")
    with pytest.raises(UsageError, match="line 3, is not UTF-8"):
        open_stream(tmp_path / "t.csv")


def test_a_damaged_parquet_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"a": [f"{row} of many" for row in range(2000)]}), path, use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[100:4000] = bytes(3900)
    path.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read"):
        cells(open_stream(path), ["a"])


def test_chunks_of_heavy_rows_are_short(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"image": [bytes(3 << 20)] * 30}), path, compression="none", use_dictionary=False)
    assert open_stream(path).chunk_rows == 21


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"a,b\n1,{'x' * 200_000}\n")
    assert len(cells(open_stream(path), ["b"])[0]["b"]) == 200_000
