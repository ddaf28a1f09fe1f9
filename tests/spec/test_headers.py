"""The header of a table in every format, and that nothing behind it is read."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from zoo.spec.headers import header


def write_table(path: Path, columns: list[str]) -> None:
    """A table of one row, in the format that the file's name says."""
    if path.suffix.lower() == ".parquet":
        parquet.write_table(pa.table({name: ["1"] for name in columns}), path)
    elif path.suffix.lower() == ".jsonl":
        path.write_text(json.dumps(dict.fromkeys(columns, "1")) + "\n")
    else:
        mark = "\t" if path.suffix.lower() == ".tsv" else ","
        path.write_text(f"{mark.join(columns)}\n{mark.join('1' for _ in columns)}\n")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "A.CSV", "sub/a.Parquet"])
def test_header_of_every_format(name: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_table(tmp_path / name, ["größe", "a b", "x"])
    assert header(tmp_path / name) == ["größe", "a b", "x"]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
        (b'\xef\xbb\xbf"a","b"\n', ["a", "b"]),
        (b"a,b", ["a", "b"]),
        (b"a,b\r\n1,2\r\n", ["a", "b"]),
        (b"a,b\r1,2\r", ["a", "b"]),
        (b'"a,1","b""2","c\nd"\n1,2,3\n', ["a,1", 'b"2', "c\nd"]),
        (b"\n\na,b\n1,2\n", ["a", "b"]),
        (b"a\n1\n", ["a"]),
        (b"a,b\n\xff\xfe\x00 garbage\n", ["a", "b"]),
        (b'a,b\n"never closed, ' + b"x" * 3_000_000, ["a", "b"]),
    ],
)
def test_header_of_a_csv(content: bytes, columns: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert header(tmp_path / "a.csv") == columns


def test_the_first_row_of_json_lines_may_lack_what_others_have(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"b": 2, "a": null}\n')
    assert header(tmp_path / "a.jsonl") == ["a", "b"]


def test_a_long_row_of_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"a": "x" * 3_000_000, "b": 1}))
    assert header(tmp_path / "a.jsonl") == ["a", "b"]


def test_of_a_parquet_file_only_the_footer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": list(range(9999)), "b": [str(number) for number in range(9999)]}), path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 5000 + content[5004:])
    with pytest.raises(OSError):
        parquet.read_table(path)
    assert header(path) == ["a", "b"]


def test_of_a_large_csv_only_the_start_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(1 << 33)  # eight gigabytes of holes
    assert header(path) == ["a", "b"]
