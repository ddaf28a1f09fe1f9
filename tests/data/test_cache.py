"""Large tables: the same cells as small ones, mapped from files that two processes may write, within a bound."""

import json
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.data.test_tables import cells
from zoo.data import cache, stored
from zoo.data.stored import OnDemand, stored_columns
from zoo.data.tables import open_table
from zoo.errors import UsageError
from zoo.files import cache_folder

ROWS: list[dict[str, Any]] = [
    {"text": f"{row}, täxt\n", "code": f"00{row}", "whole": row, "part": row / 4 if row % 3 else None, "none": None}
    for row in range(500)
]
NESTED = [{**row, "image": {"bytes": bytes([number % 256] * 9), "path": None}} for number, row in enumerate(ROWS)]


def write_csv(path: Path) -> None:
    def shown(cell: Any) -> str:
        return "" if cell is None else f'"{cell}"'

    lines = [",".join(map(shown, row.values())) for row in ROWS]
    path.write_text("\n".join([",".join(ROWS[0]), *lines]))


def write_json(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def write_parquet(path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(NESTED), path, row_group_size=300)


WRITERS: dict[str, Callable[[Path], None]] = {"t.csv": write_csv, "t.jsonl": write_json, "t.parquet": write_parquet}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any table is large, and comes in many batches."""
    monkeypatch.setattr(stored, "LARGE", 100)
    for module in ("csv_files", "json_files", "parquet_files"):
        monkeypatch.setattr(f"zoo.data.{module}.BATCH_BYTES", 2000)


def kept() -> list[Path]:
    return sorted((cache_folder() / "tables").glob("*"))


@pytest.mark.parametrize("name", WRITERS)
def test_a_large_table_has_the_same_cells(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    WRITERS[name](tmp_path / name)
    WRITERS[name](tmp_path / f"u{Path(name).suffix}")
    columns = list((NESTED if name == "t.parquet" else ROWS)[0])
    for pattern, texts in ((name, []), (f"*{Path(name).suffix}", ["whole"])):
        small = open_table(tmp_path / pattern, columns, texts)
        expected = {column: cells(small, column) for column in columns}
        request.getfixturevalue("tiny")
        large = open_table(tmp_path / pattern, columns, texts)
        assert {column: cells(large, column) for column in columns} == expected
        assert large.place(len(large) - 1) == small.place(len(small) - 1)
        assert len(large) == len(small)
        request.getfixturevalue("monkeypatch").undo()
        request.getfixturevalue("monkeypatch").setenv("ZOO_CACHE", str(tmp_path / "zoo-cache"))


@pytest.mark.usefixtures("tiny")
def test_cells_of_a_large_table_are_mapped(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet")
    before = pa.total_allocated_bytes()
    column = stored_columns([tmp_path / "t.parquet"], ["image"], ()).column("image")
    assert column.num_chunks > 2
    assert pa.total_allocated_bytes() - before < 500
    assert len(kept()) == 1


@pytest.mark.usefixtures("tiny")
def test_a_column_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "t.parquet")
    first = open_table(tmp_path / "t.parquet", ["text"]).column("text")
    monkeypatch.setattr(stored, "parquet_batches", None)
    (tmp_path / "t.parquet").rename(tmp_path / "moved.parquet")
    assert open_table(tmp_path / "moved.parquet", ["text"]).column("text") == first
    with pytest.raises(TypeError):
        open_table(tmp_path / "moved.parquet", ["whole"]).column("whole")


@pytest.mark.usefixtures("tiny")
def test_a_changed_file_is_another_table(tmp_path: Path) -> None:
    for number in range(2):
        path = tmp_path / "t.csv"
        path.write_text("a\n" + f"{number}\n" * 100)
        assert open_table(path, ["a"]).column("a") == [number] * 100


@pytest.mark.usefixtures("tiny")
def test_a_worker_process_opens_the_map_anew(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet", ["image"])
    first = table.column("image")
    packed = pickle.dumps(table)
    assert len(packed) < 2000
    (tmp_path / "t.parquet").rename(tmp_path / "gone")  # nothing of it is read again
    assert pickle.loads(packed).column("image") == first


@pytest.mark.usefixtures("tiny")
def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet", ["text"])
    first = table.column("text")
    packed = pickle.dumps(table)
    for path in kept():
        path.unlink()
    assert table.column("text") == first
    assert pickle.loads(packed).column("text") == first


def test_a_column_whose_cells_come_often_is_mapped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(pa.table({"x": ["again and again"] * 5000}), tmp_path / "t.parquet")
    monkeypatch.setattr(stored, "LARGE", 2000)
    columns = stored_columns([tmp_path / "t.parquet"], ["x"], ())
    assert isinstance(columns, OnDemand)
    assert columns.column("x").to_pylist() == ["again and again"] * 5000
    assert len(kept()) == 1


def test_a_small_table_leaves_nothing_behind(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        write(tmp_path / name)
        open_table(tmp_path / name, ["text"]).column("text")
    assert kept() == []


@pytest.mark.usefixtures("tiny")
def test_what_was_not_used_for_longest_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "t.parquet")
    names = ["text", "code", "whole"]
    table = open_table(tmp_path / "t.parquet", [*names, "part"])
    for age, name in zip((30, 10, 20), names, strict=True):
        known = set(kept())
        table.column(name)
        (made,) = set(kept()) - known
        os.utime(made, (time.time() - age,) * 2)
    oldest = min(kept(), key=lambda path: path.stat().st_mtime)
    (oldest.parent / ".old.part").touch()
    os.utime(oldest.parent / ".old.part", (0, 0))
    (oldest.parent / ".new.part").touch()
    monkeypatch.setattr(cache, "BOUND", sum(path.stat().st_size for path in kept()))
    table.column("part")
    assert not oldest.exists()
    assert len(list(oldest.parent.glob("*.arrow"))) == 3
    assert [path.name for path in oldest.parent.glob(".*")] == [".new.part"]


@pytest.mark.usefixtures("tiny")
def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n' * 400 + "{\n")
    with pytest.raises(UsageError, match="line 401, is no JSON"):
        stored_columns([tmp_path / "t.jsonl"], ["a"], ())
    (tmp_path / "u.jsonl").write_text('{"a": 1}\n' * 400 + '{"a": "x"}\n')
    with pytest.raises(UsageError, match="differ in type"):
        open_table(tmp_path / "u.jsonl", ["a"])
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 400 + "1\n")
    with pytest.raises(UsageError, match="line 402, has 1 cells"):
        open_table(tmp_path / "t.csv", ["a"])
    assert kept() == []


@pytest.mark.usefixtures("tiny")
def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "t.parquet")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "t.parquet"))
    with pytest.raises(UsageError, match="name a folder with room in the environment variable ZOO_CACHE"):
        open_table(tmp_path / "t.parquet", ["text"]).column("text")


@pytest.mark.parametrize("name", ["ZOO_CACHE", "XDG_CACHE_HOME", "HOME"])
def test_where_the_cache_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ZOO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, str(tmp_path))
    known = {"ZOO_CACHE": tmp_path, "XDG_CACHE_HOME": tmp_path / "zoo"}
    assert cache_folder() == known.get(name, tmp_path / ".cache" / "zoo")
