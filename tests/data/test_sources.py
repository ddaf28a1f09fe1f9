"""Tables of several files, folders and COCO's files are read as one table, and messages tell where a row stands."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.data.test_tables import ROWS, WRITERS, cells, error
from zoo.data.tables import open_table

PETS = ["cat/b.png", "cat/a.png", "dog/9.png"]


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_files_are_one_table(suffix: str, tmp_path: Path) -> None:
    for each in "ba":
        WRITERS[f"t.{suffix}"](tmp_path / f"{each}.{suffix}")
    table = open_table(f"*.{suffix}", ["name", "size", "price"], folder=tmp_path)
    assert len(table) == 6
    for column in ROWS[0]:
        assert cells(table, column) == [row[column] for row in ROWS] * 2
    assert table.rows([4, 1], ["size"]) == [{"size": 2}, {"size": 2}]
    lines = {"parquet": "row 2", "jsonl": "line 3"}.get(suffix, "line 3")
    assert table.place(4) == f"`{tmp_path / f'b.{suffix}'}`, {lines}"
    assert table.name == str(tmp_path / f"*.{suffix}")


def test_a_column_is_numbers_if_it_is_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,1\n")
    (tmp_path / "b.csv").write_text("y,x\n2.5,two\n")
    table = open_table(tmp_path / "*.csv", ["x", "y"])
    assert cells(table, "x") == ["1", "two"]
    assert cells(table, "y") == [1.0, 2.5]


def test_a_wrong_cell_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n')
    (tmp_path / "b.jsonl").write_text('\n{"x": "two"}\n')
    assert f"`{tmp_path / 'b.jsonl'}`, line 2, column `x`: cells differ in type" in error(tmp_path / "*.jsonl", ["x"])
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,y\n1,2\n1\n")
    assert f"`{tmp_path / 'b.csv'}`, line 3, has 1 cells" in error(tmp_path / "*.csv", ["x"])


def test_a_part_with_nothing_in_a_column(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": pa.nulls(2)}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"x": ["1"]}), tmp_path / "b.parquet")
    assert cells(open_table(tmp_path, ["x"]), "x") == [None, None, "1"]


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    table = open_table(touched(tmp_path, *PETS), ["image", "label"])
    assert table.rows(range(3), ["label", "image"]) == [
        {"label": "cat", "image": "cat/a.png"},
        {"label": "cat", "image": "cat/b.png"},
        {"label": "dog", "image": "dog/9.png"},
    ]
    assert cells(table, "image") == sorted(PETS)
    assert table.folder == tmp_path
    assert table.place(1) == f"`{tmp_path / 'cat' / 'b.png'}`"
    assert "has no column `lable`; did you mean `label`?" in error(tmp_path, ["lable"])


def test_a_folder_with_metadata(tmp_path: Path) -> None:
    (touched(tmp_path, "007.png", "8.png") / "metadata.csv").write_text("file_name,label,n\n007.png,cat,1\n8.png,,2\n")
    table = open_table(tmp_path, ["image", "label", "n"])
    assert table.rows([1, 0], ["image", "label", "n"]) == [
        {"image": "8.png", "label": None, "n": 2},
        {"image": "007.png", "label": "cat", "n": 1},
    ]
    assert cells(table, "label") == ["cat", None]
    assert table.place(1) == f"`{tmp_path / 'metadata.csv'}`, line 3"


def coco(folder: Path) -> Path:
    images = [{"id": number, "file_name": f"{number}.png", "width": 9, "height": 9} for number in (5, 4, 6)]
    box = {"image_id": 4, "category_id": 1}
    boxes = [{"id": number, "bbox": [number, 1, 2, 3.5], **box} for number in (1, 2)]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cät"}]}
    touched(folder, "train/5.png")
    (folder / "train.json").write_text(json.dumps(content))
    return folder / "train.json"


def test_a_file_of_coco(tmp_path: Path) -> None:
    table = open_table(coco(tmp_path), ["image", "width", "boxes", "labels"])
    assert cells(table, "image") == ["5.png", "4.png", "6.png"]
    assert cells(table, "width") == [9, 9, 9]
    assert cells(table, "boxes") == [[], [[1.0, 1.0, 2.0, 3.5], [2.0, 1.0, 2.0, 3.5]], []]
    assert cells(table, "labels") == [[], ["cät", "cät"], []]
    assert table.folder.resolve() == tmp_path / "train"
    assert table.place(1) == f"`{tmp_path / 'train.json'}`, image 4"


def test_captions_that_a_picture_lacks_are_null(tmp_path: Path) -> None:
    told = [{"id": 1, "image_id": 2, "caption": "a cat"}]
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(1, 10)]
    touched(tmp_path, "1.png")
    (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": told}))
    assert cells(open_table(tmp_path / "c.json", ["captions"]), "captions") == [None, ["a cat"], *[None] * 7]


READ = """
import sys
from zoo.data.tables import open_table
for name, columns in {tables}:
    table = open_table(name, columns)
    table.rows(range(len(table)), columns)
    [table.filled(column) for column in columns], table.place(0)
print(*{{"pandas", "datasets", "polars", "huggingface_hub", "PIL"}} & set(sys.modules))
"""


def test_reading_imports_no_pandas(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        WRITERS[name](tmp_path / name)
    (tmp_path / "one").mkdir()
    touched(tmp_path / "pets", *PETS)
    (touched(tmp_path / "meta", "a.png") / "metadata.csv").write_text("file_name,label\na.png,cat\n")
    tables: list[tuple[str, list[str]]] = [
        (str(tmp_path / "*.csv"), ["name", "size"]),
        (str(tmp_path / "t.parquet"), ["name", "size"]),
        (str(tmp_path / "pets"), ["image", "label"]),
        (str(tmp_path / "meta"), ["image", "label"]),
        (str(coco(tmp_path / "one")), ["image", "boxes", "labels"]),
    ]
    command = [sys.executable, "-c", READ.format(tables=tables)]
    done: Any = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == ([], "")
