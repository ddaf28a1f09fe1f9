import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from zoo.data.parquet_files import read_parquet_column
from zoo.data.stored import InMemory, place_of
from zoo.data.tables import ArrowTable, Numbered, Table, open_table
from zoo.errors import UsageError

ROWS: list[dict[str, Any]] = [
    {"name": "ant", "size": 1, "price": 0.5},
    {"name": "bee, the second", "size": 2, "price": None},
    {"name": None, "size": 3, "price": 1.5},
]


def write_csv(path: Path) -> None:
    path.write_text('name,size,price\nant,1,0.5\n"bee, the second",2,\n\n,3,1.5\n')


def write_tsv(path: Path) -> None:
    path.write_text("name\tsize\tprice\nant\t1\t0.5\nbee, the second\t2\t\n\t3\t1.5\n")


def write_json_lines(path: Path) -> None:
    lines = [json.dumps({name: cell for name, cell in row.items() if cell is not None}) for row in ROWS]
    path.write_text("\n".join([*lines[:1], "", *lines[1:], ""]))


def write_parquet(path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=2)


WRITERS: dict[str, Callable[[Path], None]] = {
    "t.csv": write_csv,
    "t.tsv": write_tsv,
    "t.jsonl": write_json_lines,
    "t.parquet": write_parquet,
}


def cells(table: Table, column: str) -> list[Any]:
    """All cells of a column, looked up in both ways, which must agree."""
    found = table.column(column)
    assert [row[column] for row in table.rows(range(len(table)), [column])] == found
    assert table.filled(column).tolist() == [cell is not None for cell in found]
    return found


def csv_column(tmp_path: Path, *written: str, texts: tuple[str, ...] = ()) -> list[Any]:
    (tmp_path / "c.csv").write_text("\n".join(["other,cell", *(f"x,{cell}" for cell in written)]))
    return cells(open_table(tmp_path / "c.csv", ["cell"], texts), "cell")


def error(path: Path, columns: list[str]) -> str:
    with pytest.raises(UsageError) as caught:
        table = open_table(path, columns)
        for column in columns:
            table.column(column)
    return str(caught.value)


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_table_in_every_form(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    table = open_table(tmp_path / name, ["name", "size", "price"])
    assert table.rows([2, 0], ["size", "name", "price"]) == [
        {"size": row["size"], "name": row["name"], "price": row["price"]} for row in (ROWS[2], ROWS[0])
    ]
    for column in ROWS[0]:
        assert cells(table, column) == [row[column] for row in ROWS]
    assert len(table) == 3
    assert table.folder == tmp_path


@pytest.mark.parametrize(
    ("name", "places"), [("t.csv", "line 2, line 3, line 5"), ("t.jsonl", "line 1, line 3, line 4")]
)
def test_rows_of_a_file_of_lines_are_told_by_their_line(name: str, places: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    table = open_table(tmp_path / name, ["name"])
    assert [table.place(row) for row in range(3)] == [f"`{tmp_path / name}`, {each}" for each in places.split(", ")]


def test_rows_of_another_file_are_told_by_their_number(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet")
    assert open_table(tmp_path / "t.parquet", ["name"]).place(1) == f"`{tmp_path / 't.parquet'}`, row 2"


def test_a_line_is_that_on_which_the_row_begins(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n"one\ntwo",1\nthree,2\n')
    places = [place_of([tmp_path / "t.csv"], row) for row in range(2)]
    assert places == [f"`{tmp_path / 't.csv'}`, line {line}" for line in (2, 4)]


def test_only_columns_that_are_read_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"good,bad\n1,\xff\n")
    assert open_table(tmp_path / "t.csv", ["good"]).column("good") == [1]


def test_columns_of_a_parquet_file_wait_until_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet", ["name", "size"])
    read: list[str] = []

    def reader(paths: Sequence[Path], name: str) -> pa.ChunkedArray:
        read.append(name)
        return read_parquet_column(paths, name)

    monkeypatch.setattr("zoo.data.stored.read_parquet_column", reader)
    assert [table.rows([row], ["size"]) for row in (0, 1)] == [[{"size": 1}], [{"size": 2}]]
    assert read == ["size"]


def test_chunked_columns_are_read_like_whole_ones(tmp_path: Path) -> None:
    chunks = pa.chunked_array([[b"a", None], [], [b"c"]])
    table = ArrowTable("t", tmp_path, InMemory({"bytes": chunks}, 3), Numbered("t", "row"))
    assert cells(table, "bytes") == [b"a", None, b"c"]


def test_nan_is_null(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1.0, float("nan"), None]}), tmp_path / "t.parquet")
    assert cells(open_table(tmp_path / "t.parquet", ["x"]), "x") == [1.0, None, None]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["1", "2"], [1, 2]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1", ""], [1, None]),
        ([" 1", "-2 "], [1, -2]),
        (["1e3", "nan"], [1000.0, None]),
        (["1", "NA", "N/A"], [1, None, None]),
        (["NA", "null"], ["NA", "null"]),
        (["1", "two"], ["1", "two"]),
        (["007", "12"], ["007", "12"]),
        (["0", "10"], [0, 10]),
        (["0.5", "1"], [0.5, 1.0]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["true", "no"], ["true", "no"]),
        (["2024-01-31", "2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["12:30", "13:00"], ["12:30", "13:00"]),
        (['"a, ""b"""', "ü"], ['a, "b"', "ü"]),
        (['""', "x"], [None, "x"]),
    ],
)
def test_cells_of_a_csv_file(written: list[str], read: list[Any], tmp_path: Path) -> None:
    found = csv_column(tmp_path, *written)
    assert found == read
    assert [type(cell) for cell in found] == [type(cell) for cell in read]


def test_a_column_of_texts_stays_text(tmp_path: Path) -> None:
    assert csv_column(tmp_path, "1", "2.50", texts=("cell",)) == ["1", "2.50"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-(10**17), 10**17) | st.none(), min_size=1).filter(any))
def test_whole_numbers_come_back(numbers: list[int | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert csv_column(Path(folder), *("" if number is None else str(number) for number in numbers)) == numbers


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("größe,b\n1,2\n".encode("utf-8-sig"))
    assert open_table(tmp_path / "t.csv", ["größe"]).column("größe") == [1]


def test_a_column_that_the_first_lines_lack(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{"a": 2, "late": [1.5]}\n')
    assert open_table(tmp_path / "t.jsonl", ["late"]).column("late") == [None, [1.5]]


WRONG = {
    "t.csv": [
        (b"a,b\n1,\xff\n", "t.csv`, line 2, is not UTF-8; save the file as UTF-8"),
        (b"a,b\n1,2\n3\n", "t.csv`, line 3, has 1 cells; the header has 2: put cells that hold the separator"),
        (b'a,b\n"x\ny",2\n3,4,5\n', "t.csv`, line 4, has 3 cells"),
        (b"a,B\n1,2\n", "t.csv` has no column `b`; did you mean `B`?"),
        (b"a,zzz\n1,2\n", "t.csv` has no column `b`; its columns: a, zzz"),
        (b"a,b\n", "t.csv` has no rows"),
    ],
    "t.jsonl": [
        (b'{"a": 1, "b": 2}\n{"a": 1,\n', "line 2 is not a JSON object"),
        (b'{"a": 1, "b": 2}\n[1]\n', "line 2 is not a JSON object"),
        (b'{"a": 1, "b": 2}\n\n{"b": "x"}\n', "t.jsonl`, line 3, column `b`: cells differ in type"),
        (b'{"a": 1, "b": [1]}\n{"b": ["x"]}\n', "t.jsonl`, column `b`: cells differ in type"),
        (b'{"a": 1}\n', "t.jsonl` has no column `b`; its columns: a"),
        (b'{"a": 1, "b": 99999999999999999999}\n', "t.jsonl`, column `b`"),
    ],
}


@pytest.mark.parametrize(
    ("name", "content", "told"), [(name, *each) for name, every in WRONG.items() for each in every]
)
def test_what_is_wrong_is_told_with_its_place(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert told in error(tmp_path / name, ["a", "b"])


def test_a_line_far_behind_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n' * 200_000 + "{\n")
    assert "line 200001, is no JSON" in error(tmp_path / "t.jsonl", ["a"])


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(path)
    path.write_bytes(path.read_bytes()[:4] + bytes(60) + path.read_bytes()[64:])
    assert "column `name`, cannot be read" in error(path, ["name"])


def test_an_empty_folder_is_no_table(tmp_path: Path) -> None:
    assert "is no table: it is empty" in error(tmp_path, ["a"])


def test_a_large_table_of_numbers_is_read_in_one_piece(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(0, 1000, 200_000)
    (tmp_path / "t.csv").write_text("n\n" + "\n".join(map(str, numbers)))
    table = open_table(tmp_path / "t.csv", ["n"])
    assert [row["n"] for row in table.rows([199_999, 5], ["n"])] == [numbers[-1], numbers[5]]


def test_a_mapping_of_nulls_is_not_filled(tmp_path: Path) -> None:
    cells = [{"bytes": b"a", "path": None}, {"bytes": None, "path": None}, None, {"bytes": None, "path": "a.png"}]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    parquet.write_table(pa.table({"photo": pa.array(cells, kind)}), tmp_path / "a.parquet")
    table = open_table(tmp_path / "a.parquet", ["photo"])
    assert table.filled("photo").tolist() == [True, False, False, True]
