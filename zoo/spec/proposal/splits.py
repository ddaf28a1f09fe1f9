"""The tables beside a table: which are for training, for choosing an epoch, and for the final number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UsageError
from zoo.spec.folders import ABOUT, HIDDEN, TABLES
from zoo.spec.names import TESTING, TRAINING, VALIDATION
from zoo.spec.sources import exists, locate

PARTS: Mapping[str, frozenset[str]] = {"train": TRAINING, "validation": VALIDATION, "test": TESTING}
WORD = r"(?i:(?<![a-z])({})(?![a-z]))"


@dataclass(frozen=True)
class Tables:
    """The tables of a spec.

    Args:
        train: To learn from.
        validation: To choose the best epoch by; None where there is none.
        test: To be looked at once, at the end; None where there is none.
        left: Tables that are there and are not used, each with why.
    """

    train: Path
    validation: Path | None = None
    test: Path | None = None
    left: tuple[str, ...] = ()


def find_tables(path: Path) -> Tables:
    """The tables that a path means: itself, with those beside it that are called like other splits.

    `train.csv` brings `test.csv`, `data/train-*.parquet` brings `data/test-*.parquet`, and a folder with `train` and
    `test` in it means both. A folder with nothing but another in it, or with `data` in it, means that one.

    Raises:
        UsageError: Nothing is there.
    """
    if path.is_dir():
        found = _in_folder(path)
        if found is not None:
            return found
    part = _part(path.name)
    return _beside(path) if part == "train" else Tables(path)


def _in_folder(folder: Path) -> Tables | None:
    """The splits in a folder; None where the folder is a table itself."""
    inside = [each for each in sorted(folder.iterdir()) if not HIDDEN.fullmatch(each.name)]
    inside = [each for each in inside if not ABOUT.fullmatch(each.name)]
    folders = [each for each in inside if each.is_dir()]
    if folders and all(_part(each.name) for each in folders) and len(folders) == len(inside):
        return next((_beside(each) for each in folders if _part(each.name) == "train"), None)
    annotated = sorted((folder / "annotations").glob("instances_*.json"))
    for tables in ([each for each in inside if each.suffix.lower() in TABLES], annotated):
        trained = [each for each in tables if _part(each.stem) == "train"]
        if trained and all(_part(each.stem) for each in tables):
            return _beside(trained[0])
    data = next((each for each in folders if each.name == "data" or len(inside) == 1), None)
    return None if data is None else _in_folder(data) or (Tables(data) if _is_table(data) else None)


def _is_table(folder: Path) -> bool:
    try:
        locate(folder)
    except UsageError:
        return False
    return True


def _part(name: str) -> str:
    """Which split a name tells; "" if none or several."""
    found = [part for part, words in PARTS.items() if re.search(WORD.format("|".join(words)), name)]
    return found[0] if len(found) == 1 else ""


def _skeleton(name: str) -> str:
    """A name without its split and its numbers: the same for `train-00000-of-00002` and `test-00000-of-00001`."""
    words = "|".join(word for words in PARTS.values() for word in words)
    return re.sub(r"\d+|\*", "#", re.sub(WORD.format(words), "<split>", name)).lower()


def _beside(path: Path) -> Tables:
    """The tables of a training table's folder that are called as it is, but for the split and for numbers."""
    wanted = _skeleton(path.name)
    parts: dict[str, list[Path]] = {part: [] for part in PARTS}
    for each in sorted(path.parent.iterdir()) if exists(path.parent) else ():
        if not HIDDEN.fullmatch(each.name) and _skeleton(each.name) == wanted and (part := _part(each.name)):
            parts[part].append(each)
    if not parts["train"]:
        return Tables(path)
    found = {part: _as_one(files) for part, files in parts.items() if files}
    train = path if "*" in path.name or len(parts["train"]) == 1 else found["train"]
    return Tables(train, found.get("validation"), found.get("test"))


def _as_one(files: list[Path]) -> Path:
    """The name of one table: the file's, or a glob that matches all of them."""
    if len(files) == 1:
        return files[0]
    return files[0].with_name(re.sub(r"\d+", "*", files[0].name))
