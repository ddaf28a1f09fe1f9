"""What a table's name means: files, globs, folders; and what is told of those that are none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.spec.test_headers import write_table
from zoo.errors import UsageError
from zoo.spec.folders import ClassFolder, MetadataFolder
from zoo.spec.peek import peek
from zoo.spec.sources import Files, HubTable, Memory, locate

TREE = ["cat/b.png", "cat/a.JPG", "cat/.DS_Store", "dog/10.png", "dog/9.png", "README.md", ".cache/x", "__MACOSX/y"]


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def refusal(name: str | Path, folder: Path = Path()) -> str:
    with pytest.raises(UsageError) as caught:
        locate(name, folder).header()
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_a_glob_names_the_files_of_one_table(name: str, tmp_path: Path) -> None:
    stem, suffix = name.split(".")
    for each in ("2", "10", "1"):
        write_table(tmp_path / f"{stem}-{each}.{suffix}", ["x", "y"])
    touched(tmp_path, f".{stem}-0.{suffix}", "other.txt")
    source = locate(f"{stem}-*.{suffix}", tmp_path)
    assert isinstance(source, Files)
    assert source.name == str(tmp_path / f"{stem}-*.{suffix}")
    assert [path.name for path in source.files()] == [f"{stem}-{each}.{suffix}" for each in ("1", "10", "2")]
    assert source.header() == ["x", "y"]
    assert locate(tmp_path / f"{stem}-[12].{suffix}").files() == [tmp_path / f"{stem}-{each}.{suffix}" for each in "12"]


def test_a_file_whose_name_looks_like_a_glob_is_itself(tmp_path: Path) -> None:
    write_table(tmp_path / "a[1].csv", ["x"])
    assert locate("a[1].csv", tmp_path).files() == [tmp_path / "a[1].csv"]


def test_files_in_folders_of_folders(tmp_path: Path) -> None:
    for name in ("d/year=1/p.parquet", "d/year=2/p.parquet"):
        (tmp_path / name).parent.mkdir(parents=True)
        write_table(tmp_path / name, ["x"])
    assert len(locate("d/**/*.parquet", tmp_path).files()) == 2
    assert f"name one, or all as `{tmp_path / 'd' / '**' / '*.parquet'}`" in refusal("d", tmp_path)


def test_a_folder_of_parts(tmp_path: Path) -> None:
    for number in range(3):
        write_table(tmp_path / f"part-{number}.parquet", ["x"])
    touched(tmp_path, "_SUCCESS", ".part-0.parquet.crc", "README.md")
    assert [path.name for path in locate(tmp_path).files()] == [f"part-{number}.parquet" for number in range(3)]


@pytest.mark.parametrize(
    ("name", "columns", "told"),
    [
        ("b.csv", ["x", "z"], "b.csv` has no column `y`, which `{}/a.csv` has"),
        ("b.csv", ["x", "Y"], "has no column `y`, which `{}/a.csv` has; did you mean `Y`?"),
        ("b.csv", ["x", "y", "z"], "b.csv` has a column `z`, which `{}/a.csv` has not"),
        ("b.tsv", ["x", "y"], "is of two kinds: `{}/a.csv` and `{}/b.tsv`"),
    ],
)
def test_files_that_differ(name: str, columns: list[str], told: str, tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ["x", "y"])
    write_table(tmp_path / name, columns)
    assert told.replace("{}", str(tmp_path)) in refusal("*.*sv", tmp_path)


def test_the_order_of_columns_is_no_difference(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ["x", "y"])
    write_table(tmp_path / "b.csv", ["y", "x"])
    assert locate("*.csv", tmp_path).header() == ["x", "y"]


def test_rows_of_json_lines_may_leave_out_what_they_lack(tmp_path: Path) -> None:
    write_table(tmp_path / "a.jsonl", ["x"])
    write_table(tmp_path / "b.jsonl", ["y"])
    assert locate("*.jsonl", tmp_path).header() == ["x", "y"]


def test_types_of_parquet_files_that_differ(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"x": ["1"]}), tmp_path / "b.parquet")
    assert f"column `x` is of type string in `{tmp_path / 'b.parquet'}`, and int64 in" in refusal("*.parquet", tmp_path)


def test_a_part_with_nothing_in_a_column_is_like_the_others(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": pa.nulls(2)}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    assert locate("*.parquet", tmp_path).header() == ["x"]


def test_a_glob_that_matches_nothing(tmp_path: Path) -> None:
    touched(tmp_path, "train-0.parquet")
    assert f"`{tmp_path / 'trian-*.parquet'}`: no file matches" in refusal("trian-*.parquet", tmp_path)
    (tmp_path / "sub").mkdir()
    assert f"matches `{tmp_path / 'sub'}`, which is no file" in refusal("s*", tmp_path)


def test_names_that_are_no_paths() -> None:
    assert locate("memory:reviews") == Memory("memory:reviews", "reviews")
    assert locate("hf://datasets/a/b.c-d") == HubTable("hf://datasets/a/b.c-d", "a/b.c-d", None, "")
    assert locate("hf://datasets/a/b@v1/x#c/train") == HubTable(
        "hf://datasets/a/b@v1/x#c/train", "a/b", "v1/x", "c/train"
    )
    assert locate(Path("hf://datasets/a/b#train")) == locate("hf://datasets/a/b#train")
    assert locate("hf://datasets/a/b").header() is None


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    source = locate(touched(tmp_path, *TREE))
    assert isinstance(source, ClassFolder)
    assert source.header() == ["image", "label"]
    assert source.cells == {
        "image": ["cat/a.JPG", "cat/b.png", "dog/10.png", "dog/9.png"],
        "label": ["cat", "cat", "dog", "dog"],
    }
    assert source.folder == tmp_path
    assert source.files()[-1] == tmp_path / "dog" / "9.png"


def test_a_folder_of_sounds(tmp_path: Path) -> None:
    assert locate(touched(tmp_path, "yes/a.wav", "no/b.flac")).header() == ["audio", "label"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["cat/a.png", "cat/notes.txt"], "`{}/cat/notes.txt` is neither picture nor sound"),
        (["cat/a.png", "dog/deep/b.png"], "`{}/dog/deep` is a folder inside a class"),
        (["cat/a.png", "b.png"], "`{}/b.png` stands beside the classes of `{}`"),
        (["cat/a.png", "notes.txt"], "`{}/notes.txt` stands beside the classes"),
        (["cat/a.png", "dog/.hidden"], "the class `{}/dog` is empty"),
        (["cat/a.png", "dog/b.wav"], "holds pictures and sounds: `{}/cat/a.png` and `{}/dog/b.wav`"),
        (
            ["train/cat/a.png", "test/cat/a.png"],
            "holds splits, each a table of its own; name one of them: `{}/test`, `{}/train`",
        ),
        (["a.png"], "its files have no labels; put them into a folder for each class, or add metadata.csv"),
        (["a.csv", "b.jsonl"], "it holds tables of different kinds (.csv, .jsonl)"),
        (["a.doc"], "`a.doc` in it is neither table, picture nor sound"),
        ([], "is no table: it is empty"),
        (["metadata.csv", "metadata.jsonl"], "has `metadata.csv` and `metadata.jsonl`; keep one of them"),
    ],
)
def test_folders_that_are_no_table(names: list[str], told: str, tmp_path: Path) -> None:
    assert told.replace("{}", str(tmp_path)) in refusal(touched(tmp_path, *names))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_a_folder_with_metadata(name: str, tmp_path: Path) -> None:
    write_table(touched(tmp_path, "a.png", "deep/b.jpg") / name, ["file_name", "label", "mask_file_name"])
    source = locate(tmp_path)
    assert isinstance(source, MetadataFolder)
    assert source.columns == {"image": "file_name", "label": "label", "mask": "mask_file_name"}
    assert source.header() == ["image", "label", "mask"]
    assert source.folder == tmp_path
    assert [path.name for path in source.files()] == ["a.png", "b.jpg", name]


@pytest.mark.parametrize(
    ("columns", "files", "told"),
    [
        (["file_name", "image"], ["a.png"], "has a column `image`, as `file_name` would be called"),
        (["image", "file_name"], ["a.png"], "has a column `image`, as `file_name` would be called"),
        (["photo_file_name", "photo"], ["a.png"], "has a column `photo`, as `photo_file_name` would be called"),
        (["name", "label"], ["a.png"], "has no column `file_name` or `*_file_name`"),
        (["file_name"], ["a.png", "a.wav"], "holds pictures and sounds, so that `file_name`"),
        (["file_name"], ["a.txt"], "holds no pictures and no sounds"),
    ],
)
def test_metadata_that_does_not_tell(columns: list[str], files: list[str], told: str, tmp_path: Path) -> None:
    write_table(touched(tmp_path, *files) / "metadata.csv", columns)
    assert told in refusal(tmp_path)


def coco(folder: Path) -> None:
    touched(folder, "images/1.png")
    entry = {"id": 1, "file_name": "1.png"}
    caption = {"id": 1, "image_id": 1, "caption": "a cat"}
    (folder / "c.json").write_text(json.dumps({"images": [entry], "annotations": [caption]}))


PEEKED: dict[str, tuple[Callable[[Path], object], dict[str, list[Any]]]] = {
    "*.csv": (lambda folder: (folder / "a.csv").write_text("x\n1\n"), {"x": [1]}),
    ".": (
        lambda folder: touched(folder, "cat/1.png", "dog/2.png"),
        {"image": ["cat/1.png", "dog/2.png"], "label": ["cat", "dog"]},
    ),
    "c.json": (coco, {"image": ["1.png"], "captions": [["a cat"]]}),
}


@pytest.mark.parametrize("name", PEEKED)
def test_the_beginning_of_every_source(name: str, tmp_path: Path) -> None:
    make, cells = PEEKED[name]
    make(tmp_path)
    assert peek(tmp_path / name).cells == cells


def test_the_beginning_of_a_folder_with_metadata(tmp_path: Path) -> None:
    (touched(tmp_path, "a.png") / "metadata.csv").write_text("file_name,label\na.png,cat\n")
    assert peek(tmp_path).cells == {"image": ["a.png"], "label": ["cat"]}
