"""Data sets of the Hugging Face Hub: which of their files are a split, fetched at a pinned commit. No script is run."""

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.checkpoint.readme import front_matter
from zoo.checkpoint.repository import COMMIT, Repository
from zoo.errors import NetworkError, UsageError, listed, nearest
from zoo.spec.folders import HIDDEN, METADATA, TABLES, folder_source, kind_of
from zoo.spec.paths import with_tables_named
from zoo.spec.sections import Spec
from zoo.spec.sources import Files, HubTable, TableSource, locate

CARD = "README.md"

LARGEST_HEAD = 1 << 20
"""Bytes of the head of a card, at most: some tell of hundreds of configurations."""

DEFAULT = "default"
DOWNLOADS = 8

KEYWORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
"""Words in the names of files and folders, and the split that they tell."""

Splits = dict[str, list[str]]
"""Split to the names of its files."""


@cache
def repository(repo: str, revision: str | None) -> Repository:
    """A data set, whose revision is resolved once in a process: a training and its lock mean the same commit."""
    return Repository("dataset", repo, revision, "a local file or folder needs no network")


def snapshot(source: HubTable) -> TableSource:
    """The files of a split, fetched, as a table.

    The `configs:` of the data set's card tell which they are, as https://huggingface.co/docs/hub/datasets-manual-configuration
    describes them; without these, words such as `train` in the names of files and folders.

    Raises:
        UsageError: There is no such data set, revision, configuration or split, or no file of it is one that zoo reads.
        NetworkError: It cannot be fetched.
    """
    found = repository(source.repo, source.revision)
    chosen = _chosen(source, found)
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        paths = dict(zip(chosen, pool.map(found.path, chosen), strict=True))
    lost = next((name for name, path in paths.items() if path is None), None)
    if lost is not None:
        raise NetworkError(f"{found} has no file `{lost}`, though it is listed")
    if all(PurePosixPath(name).suffix.lower() in TABLES for name in chosen) and not _metadata(chosen):
        return Files(source.name, tuple(path for path in paths.values() if path is not None))
    folder = os.path.commonpath([PurePosixPath(name).parent for name in chosen])
    return replace(folder_source(found.snapshot / folder), name=source.name)


def pinned(spec: Spec) -> Spec:
    """The spec with the commit in the names of its data sets of the Hub."""
    return with_tables_named(spec, lambda name: at_commit(name, None))


def at_commit(name: str, commit: str | None) -> str:
    """The name of a data set of the Hub at a commit; any other table's as it is.

    Args:
        name: The name; a commit that stands in it is kept.
        commit: The commit; that of its revision now unless given.
    """
    if not name.startswith("hf:"):
        return name
    source = locate(name)
    assert isinstance(source, HubTable)
    if commit is None or COMMIT.fullmatch(source.revision or ""):
        commit = repository(source.repo, source.revision).commit
    return f"hf://datasets/{source.repo}@{commit}" + (f"#{source.part}" if source.part else "")


def _chosen(source: HubTable, found: Repository) -> list[str]:
    """The names of the files of a split."""
    names = [name for name in found.names() if not any(map(HIDDEN.fullmatch, PurePosixPath(name).parts))]
    card = found.path(CARD) if CARD in names else None
    configs = _configs(card, names, str(found)) if card is not None else {}
    config, _, split = source.part.rpartition("/")
    if not configs:
        start = f"{config}/" if config else ""
        configs = {config or DEFAULT: _by_words([name for name in names if name.startswith(start)])}
    if config and config not in configs:
        raise UsageError(f"{found} has no configuration `{config}`; {_advice(config, configs)}")
    splits = configs[config or (DEFAULT if DEFAULT in configs else _only(found, configs))]
    if not any(splits.values()):
        script = next((name for name in names if name.endswith(".py")), None)
        told = f"; its script `{script}` is not run, ever" if script else ""
        raise UsageError(f"{found} has no files that zoo reads: {', '.join(TABLES)}, pictures or sounds{told}")
    if not split:
        split = next(iter(splits)) if len(splits) == 1 else "train"
    if split not in splits:
        if split in configs:
            raise UsageError(
                f"{found}: `{split}` is a configuration; name a split of it too: #{split}/{next(iter(configs[split]))}"
            )
        raise UsageError(f"{found} has no split `{split}`; {_advice(split, splits)}")
    return splits[split]


def _only(found: Repository, configs: Mapping[str, Splits]) -> str:
    if len(configs) > 1:
        first = next(iter(configs))
        raise UsageError(
            f"{found} has several configurations ({listed(configs)}); name one: #{first}/{next(iter(configs[first]))}"
        )
    return next(iter(configs))


def _advice(name: str, known: Mapping[str, Any]) -> str:
    guess = nearest(name, known)
    return f"did you mean `{guess}`?" if guess else f"there are {listed(known)}"


def _configs(card: Path, names: Sequence[str], repo: str) -> dict[str, Splits]:
    """The splits of each configuration that a card tells; one marked as the default is called so too."""
    try:
        told = front_matter(card, LARGEST_HEAD).get("configs") or []
        found: dict[str, Splits] = {}
        for config in told:
            splits = {
                split: [name for pattern in patterns for name in names if re.fullmatch(_regex(pattern), name)]
                for split, patterns in _patterns(config.get("data_files"), config.get("data_dir") or "")
            }
            found[str(config.get("config_name", DEFAULT))] = {key: _readable(files) for key, files in splits.items()}
            if config.get("default"):
                found.setdefault(DEFAULT, found[str(config.get("config_name", DEFAULT))])
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"{repo}: the `configs:` of its {CARD} cannot be read: {error}") from None
    return {name: splits for name, splits in found.items() if splits}


def _patterns(files: Any, folder: str) -> Iterator[tuple[str, list[str]]]:
    """Each split with the globs of its files, from any of the forms that `data_files` has."""
    entries: list[tuple[str, Any]] = []
    if isinstance(files, Mapping):
        entries = list(files.items())
    elif isinstance(files, list) and any(isinstance(each, Mapping) for each in files):
        entries = [(each["split"], each["path"]) for each in files]
    elif files:
        entries = [("train", files)]
    for split, paths in entries:
        listed_paths = [paths] if isinstance(paths, str) else list(paths)
        yield str(split), [f"{folder.strip('/')}/{each}" if folder.strip("/") else each for each in listed_paths]


def _by_words(names: Sequence[str]) -> Splits:
    """Splits as the names of files and folders tell them; all is `train` where none does."""
    readable = _readable(names)
    splits: Splits = {}
    for name in readable:
        path = PurePosixPath(name)
        told = [*path.parts[:-1], path.stem] if path.suffix.lower() in TABLES else path.parts[:-1]
        words = [word for part in told for word in re.split("[^a-z0-9]+", part.lower())]
        split = next((KEYWORDS[word] for word in words if word in KEYWORDS), None)
        if split is not None:
            splits.setdefault(split, []).append(name)
    return splits or {"train": readable}


def _readable(names: Sequence[str]) -> list[str]:
    """The tables among files; where there are none, or they tell about pictures or sounds, these too."""
    unique = list(dict.fromkeys(names))
    tables = [name for name in unique if PurePosixPath(name).suffix.lower() in TABLES]
    metadata = _metadata(tables)
    if tables and not metadata:
        return tables
    return [name for name in unique if name in metadata or kind_of(Path(name))]


def _metadata(names: Sequence[str]) -> list[str]:
    return [name for name in names if PurePosixPath(name).name in METADATA]


def _regex(pattern: str) -> str:
    """A glob as a regular expression: `*` stays inside a folder, `**` does not."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(each) or re.escape(each) for each in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))
