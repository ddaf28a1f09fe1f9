"""What a table named in a spec is made of: files, a folder of pictures or sounds, COCO, the Hub, or Python's memory."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UsageError, nearest
from zoo.spec.headers import header, types

NOT_THERE = "no such file or folder"
HUB = re.compile(r"hf:/+datasets/(?P<repo>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[^@#]+))?(?:#(?P<part>[^@#]+))?")
"""`hf://datasets/owner/name@revision#config/split`; a `Path` made of it has lost a slash."""

MEMORY = "memory:"


@dataclass(frozen=True)
class TableSource:
    """Where the rows of a table come from.

    Args:
        name: What messages call it.
    """

    name: str

    @property
    def folder(self) -> Path:
        """Where relative paths in its cells start."""
        return Path()

    def header(self) -> list[str] | None:
        """The names of its columns, without reading its rows; None where they cannot be told from here.

        Raises:
            UsageError: It cannot be read, or its parts do not fit together.
        """
        return None

    def files(self) -> list[Path]:
        """The files that hold its content, in an order of their names alone."""
        return []


@dataclass(frozen=True)
class Files(TableSource):
    """One file, or several with the same columns that are read as one table.

    Args:
        paths: The files, in the order of their rows.
    """

    paths: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """The folder of the first."""
        return self.paths[0].parent

    def header(self) -> list[str]:
        """The columns of the first file, which the others must have too; of JSON lines, those that any file has."""
        first, *others = self.paths
        columns = header(first)
        for path in others:
            if path.suffix.lower() != first.suffix.lower():
                raise UsageError(f"`{self.name}` is of two kinds: `{first}` and `{path}`; name one of them")
            if first.suffix.lower() == ".jsonl":  # whose rows may leave out what they lack
                columns = list(dict.fromkeys([*columns, *header(path)]))
            else:
                _check_alike(first, columns, path, header(path))
        return columns

    def files(self) -> list[Path]:
        """The files."""
        return list(self.paths)


@dataclass(frozen=True)
class Memory(TableSource):
    """A table that was given in Python, `zoo.train(spec, tables={"reviews": frame})`.

    Args:
        key: The name under which it was given.
    """

    key: str


@dataclass(frozen=True)
class HubTable(TableSource):
    """A split of a data set of the Hub, which nothing is known of without the network.

    Args:
        repo: `owner/name`.
        revision: A commit, branch or tag; the default branch unless said.
        part: `split` or `config/split`; "" where there is one alone.
    """

    repo: str
    revision: str | None
    part: str


def locate(name: str | Path, folder: Path = Path()) -> TableSource:
    """What a table's name means.

    Args:
        name: A file; a glob; a folder; `memory:NAME`; or `hf://datasets/owner/name@revision#split`.
        folder: Where a relative path starts.

    Raises:
        UsageError: Nothing is there, or it is no form of a table.
    """
    text = str(name)
    if text.startswith(MEMORY):
        return Memory(text, text.removeprefix(MEMORY))
    if text.startswith("hf:"):
        return _hub_table(text)
    if "://" in text:
        raise UsageError(f"`{text}` is an address; name a local file, or a data set as hf://datasets/owner/name#split")
    path = folder / text
    if not exists(path):
        return _matching(text, folder)
    if path.is_dir():
        from zoo.spec.folders import folder_source

        return folder_source(path)
    if path.suffix.lower() == ".json":
        from zoo.spec.coco import Coco

        return Coco(str(path), path)
    return Files(str(path), (path,))


def is_local(name: str) -> bool:
    """Whether a table's name is a path, and not in memory or elsewhere."""
    return not name.startswith(MEMORY) and not re.match(r"\w\w+:/", name)  # one letter is a drive


def exists(path: Path) -> bool:
    """Whether a file or folder is there; none has a name too long for the disk, or one in a folder closed to us."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _hub_table(text: str) -> HubTable:
    found = HUB.fullmatch(text)
    if found is None:
        raise UsageError(f"`{text}` is no data set of the Hub; write hf://datasets/owner/name@revision#split")
    shown = re.sub("^hf:/+", "hf://", text)
    return HubTable(shown, found["repo"], found["revision"], found["part"] or "")


def _matching(pattern: str, folder: Path) -> TableSource:
    """The files that a glob matches, sorted by name; hidden ones are not."""
    path = folder / pattern
    if not glob.has_magic(pattern):
        raise UsageError(f"`{path}`: {NOT_THERE}")
    # pathlib's glob takes no absolute pattern, and finds hidden files
    names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207
    found = sorted((folder / each for each in names), key=Path.as_posix)
    if not found:
        beside = (each.name for each in path.parent.glob("*")) if exists(path.parent) else ()
        guess = nearest(path.name, beside)
        raise UsageError(f"`{path}`: no file matches" + (f"; did you mean `{guess}`?" if guess else ""))
    strange = next((each for each in found if not each.is_file()), None)
    if strange is not None:
        raise UsageError(f"`{path}` matches `{strange}`, which is no file; a glob names the files of a table")
    return Files(str(path), tuple(found))


def _check_alike(first: Path, columns: Sequence[str], other: Path, found: Sequence[str]) -> None:
    """Refuses files of a table whose columns differ, by name or, in Parquet, by type."""
    for name in columns:
        if name not in found:
            guess = nearest(name, set(found) - set(columns))
            advice = f"; did you mean `{guess}`?" if guess else ""
            raise UsageError(f"`{other}` has no column `{name}`, which `{first}` has{advice}")
    for name in found:
        if name not in columns:
            raise UsageError(f"`{other}` has a column `{name}`, which `{first}` has not")
    here, there = types(first), types(other)
    for name, kind in here.items():
        if kind != there[name] and "null" not in (kind, there[name]):  # a part may have nothing in a column
            raise UsageError(f"column `{name}` is of type {there[name]} in `{other}`, and {kind} in `{first}`")
