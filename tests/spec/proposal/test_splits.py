from collections.abc import Sequence
from pathlib import Path

import pytest

from zoo.spec.proposal.splits import Tables, find_tables


def made(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x,y\n1,2\n")


def shown(folder: Path, tables: Tables) -> list[str | None]:
    found = (tables.train, tables.validation, tables.test)
    return [each.relative_to(folder).as_posix() if each else None for each in found]


CASES: list[tuple[Sequence[str], str, list[str | None]]] = [
    (["train.csv", "test.csv"], "train.csv", ["train.csv", None, "test.csv"]),
    (["train.csv", "valid.csv", "other.csv"], "train.csv", ["train.csv", "valid.csv", None]),
    (["my-train.csv", "my-dev.csv", "test.csv"], "my-train.csv", ["my-train.csv", "my-dev.csv", None]),
    (["train.csv", "test.parquet"], "train.csv", ["train.csv", None, None]),
    (["training.csv", "test.csv"], "test.csv", ["test.csv", None, None]),
    (["strain.csv", "test.csv"], "strain.csv", ["strain.csv", None, None]),
    (
        ["train-00-of-02.csv", "train-01-of-02.csv", "test-00-of-01.csv"],
        ".",
        ["train-*-of-*.csv", None, "test-00-of-01.csv"],
    ),
    (["train-00.csv", "train-01.csv", "test-00.csv"], "train-*.csv", ["train-*.csv", None, "test-00.csv"]),
    (["README.md", "data/train.csv", "data/test.csv"], ".", ["data/train.csv", None, "data/test.csv"]),
    (["part-1.csv", "part-2.csv"], ".", [".", None, None]),
    (["train/a/1.png", "val/a/2.png", "test/a/3.png"], ".", ["train", "val", "test"]),
    (["train/a/1.png", "val/a/2.png"], "train", ["train", "val", None]),
    (["cats/1.png", "dogs/1.png"], ".", [".", None, None]),
    (
        ["annotations/instances_train.json", "annotations/instances_test.json", "images/train/1.png"],
        ".",
        ["annotations/instances_train.json", None, "annotations/instances_test.json"],
    ),
]


@pytest.mark.parametrize(("names", "given", "found"), CASES, ids=lambda value: str(value)[:40])
def test_tables_beside_a_table(names: Sequence[str], given: str, found: list[str | None], tmp_path: Path) -> None:
    made(tmp_path, *names)
    assert shown(tmp_path, find_tables(tmp_path / given)) == found
