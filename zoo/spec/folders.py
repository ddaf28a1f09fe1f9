"""Folders as tables: parts of a table, pictures or sounds with metadata beside them, and one folder for each class."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from zoo.errors import UsageError, listed
from zoo.spec.guess import FILES
from zoo.spec.headers import header
from zoo.spec.sources import Files, TableSource

TABLES = (".parquet", ".csv", ".tsv", ".jsonl")
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
SPLITS = ("train", "training", "validation", "valid", "val", "dev", "test", "testing")
HIDDEN = re.compile(r"\..*|Thumbs\.db|desktop\.ini|_SUCCESS|_metadata|_common_metadata|__MACOSX")
"""Names of files that systems leave behind; they are passed over."""

ABOUT = re.compile(r"(?i)(readme|licen[cs]e)(\.\w+)?")
"""Names of files that tell about a folder; they are passed over too."""

NAMED = "file_name"


@dataclass(frozen=True)
class MetadataFolder(TableSource):
    """A folder with a table whose column `file_name`, or a `*_file_name`, names files beside it.

    Args:
        path: The folder.
        table: The table, whose rows are those of the folder.
    """

    path: Path
    table: Path

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.path

    @cached_property
    def columns(self) -> dict[str, str]:
        """Each column by what the table calls it: `image` or `audio` for `file_name`, `photo` for `photo_file_name`.

        Raises:
            UsageError: No column names files, two would have the same name, or nobody can tell what the files are.
        """
        written = header(self.table)
        columns: dict[str, str] = {}
        for name in written:
            shown = self._kind if name == NAMED else name.removesuffix(f"_{NAMED}")
            if shown in columns or (shown != name and shown in written):
                told = f"a column `{shown}`, as `{name}` would be called"
                raise UsageError(f"`{self.table}` has {told}; rename one of them")
            columns[shown] = name
        if not any(shown != name for shown, name in columns.items()):
            told = f"column `{NAMED}` or `*_{NAMED}` that names the files beside it"
            raise UsageError(f"`{self.table}` has no {told}; its columns: {listed(written)}")
        return columns

    @cached_property
    def _kind(self) -> str:
        kinds = {kind_of(path) for path in visible(self.path)} - {""}
        if len(kinds) != 1:
            told = "pictures and sounds" if kinds else "no pictures and no sounds"
            raise UsageError(
                f"`{self.path}` holds {told}, so that `{NAMED}` in `{self.table.name}` cannot be called by what it "
                f"names; call it `image_{NAMED}` or `audio_{NAMED}`"
            )
        return kinds.pop()

    def header(self) -> list[str]:
        """The columns."""
        return list(self.columns)

    def files(self) -> list[Path]:
        """The table, and all that stands beside it."""
        return list(visible(self.path))


@dataclass(frozen=True)
class ClassFolder(TableSource):
    """A folder with one folder of pictures, or of sounds, for each class: columns `image` or `audio`, and `label`.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.path

    @cached_property
    def cells(self) -> dict[str, list[str]]:
        """The cells of each column, sorted by class and name.

        Raises:
            UsageError: A class is empty, a file is neither picture nor sound, or there are both.
        """
        files: list[Path] = []
        for each in _inside(self.path):
            if each.is_dir():
                files += self._of_class(each)
            elif not ABOUT.fullmatch(each.name):
                raise UsageError(f"`{each}` stands beside the classes of `{self.path}`; move it into the folder of one")
        kinds = {kind: path for path in reversed(files) if (kind := kind_of(path))}
        if len(kinds) > 1:
            raise UsageError(f"`{self.path}` holds pictures and sounds: `{kinds['image']}` and `{kinds['audio']}`")
        paths = [each.relative_to(self.path).as_posix() for each in files]
        return {kinds.popitem()[0]: paths, "label": [each.parent.name for each in files]}

    def _of_class(self, folder: Path) -> list[Path]:
        found = list(_inside(folder))
        for each in found:
            if not kind_of(each):
                told = "a folder inside a class" if each.is_dir() else "neither picture nor sound"
                raise UsageError(f"`{each}` is {told}; move it elsewhere")
        if not found:
            raise UsageError(f"the class `{folder}` is empty; remove the folder, or put files into it")
        return found

    def header(self) -> list[str]:
        """`image` or `audio`, and `label`."""
        return list(self.cells)

    def files(self) -> list[Path]:
        """The pictures or sounds."""
        paths, _ = self.cells.values()
        return [self.path / each for each in paths]


def folder_source(path: Path) -> TableSource:
    """What a folder is as a table.

    Raises:
        UsageError: It is none: empty, files without labels, or a folder of splits, of which one is to be named.
    """
    inside = list(_inside(path))
    metadata = [each for each in inside if each.name in METADATA]
    if len(metadata) > 1:
        raise UsageError(f"`{path}` has `{metadata[0].name}` and `{metadata[1].name}`; keep one of them")
    if metadata:
        return MetadataFolder(str(path), path, metadata[0])
    folders = [each for each in inside if each.is_dir()]
    if folders:
        _refuse_splits(path, folders)
        return ClassFolder(str(path), path)
    files = [each for each in inside if not ABOUT.fullmatch(each.name)]
    suffixes = Counter(each.suffix.lower() for each in files)
    if len(suffixes) == 1 and suffixes.keys() <= set(TABLES):
        return Files(str(path), tuple(files))
    raise UsageError(f"`{path}` is no table: {_lacks(files)}")


def visible(path: Path) -> Iterator[Path]:
    """All files in a folder and the folders in it, hidden ones left out, in an order of their names alone."""
    for each in _inside(path):
        if each.is_dir():
            yield from visible(each)
        else:
            yield each


def _inside(path: Path) -> Iterator[Path]:
    for name in sorted(each.name for each in path.iterdir()):
        if not HIDDEN.fullmatch(name):
            yield path / name


def kind_of(path: Path) -> str:
    """`image` or `audio`, by a file's name; "" if it is neither."""
    return next((kind.value for kind, names in FILES.items() if re.fullmatch(names, path.name.lower())), "")


def _refuse_splits(path: Path, folders: list[Path]) -> None:
    """Refuses a folder whose folders are splits, or hold the parts of a table."""
    if all(each.name.lower() in SPLITS for each in folders):
        named = ", ".join(f"`{each}`" for each in folders)
        raise UsageError(f"`{path}` holds splits, each a table of its own; name one of them: {named}")
    tables = next((each for folder in folders for each in visible(folder) if each.suffix.lower() in TABLES), None)
    if tables is not None:
        pattern = path / "**" / f"*{tables.suffix}"
        raise UsageError(f"`{path}` holds folders with tables (`{tables}`); name one, or all as `{pattern}`")


def _lacks(files: list[Path]) -> str:
    if not files:
        return "it is empty"
    if any(map(kind_of, files)):
        return f"its files have no labels; put them into a folder for each class, or add {METADATA[0]} with `{NAMED}`"
    suffixes = {each.suffix.lower() for each in files}
    if suffixes <= set(TABLES):
        return f"it holds tables of different kinds ({listed(suffixes)}); name one, or some with a glob"
    strange = next(each for each in files if each.suffix.lower() not in TABLES)
    return f"`{strange.name}` in it is neither table, picture nor sound"
