"""What a folder of another library holds: which files are its weights, which belong to it, and what is left behind."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.checkpoint.shards import INDEX, PICKLES, SINGLE, shard_names
from zoo.errors import CorruptError, UsageError, listed

PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
SAFE = ".safetensors"

NO_WEIGHTS = re.compile(r"(training_args|trainer_state|optimizer|scheduler|scaler|rng_state\w*|random_states\w*)\.\w+")
"""What a training keeps beside weights."""

POINTER = b"version https://git-lfs"
"""What a file begins with that stands for one which git has not fetched."""


@dataclass(frozen=True)
class Foreign:
    """A folder that another library wrote.

    Args:
        folder: The folder.
        weights: Files with weights, and the names of the tensors that an index says are in each; None without one.
        index: The index of those files; None where there is one file alone.
    """

    folder: Path
    weights: Mapping[Path, set[str] | None]
    index: Path | None = None

    @property
    def pickled(self) -> bool:
        """Whether the weights are pickles."""
        return all(path.suffix != SAFE for path in self.weights)

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(path.stat().st_size for path in self.weights)

    def file(self, name: str) -> Path | None:
        """A file of the folder; None where there is none of that name.

        Raises:
            CorruptError: It is a link to somewhere else.
        """
        path = self.folder / name
        if not path.is_file():
            return None
        if not any(path.resolve().is_relative_to(root) for root in _roots(self.folder)):
            raise CorruptError(
                f"`{path}` is a link that leads out of the folder; put the file itself there, if it is yours"
            )
        return path

    def left(self, taken: Iterable[str]) -> list[str]:
        """The names of what is left behind.

        Args:
            taken: The names of files that are taken beside the weights.
        """
        known = {*taken, *(path.name for path in self.weights), *([self.index.name] if self.index else [])}
        there = (f"{path.name}/" if path.is_dir() else path.name for path in self.folder.iterdir())
        return sorted(name for name in there if name not in known)


def look(place: Path) -> Foreign:
    """Which files of a folder, or which file, are weights. Safetensors come before pickles.

    Raises:
        UsageError: There are none, or several of which one must be chosen.
        CorruptError: An index, or a link, leads elsewhere; a file is a pointer of git.
    """
    if place.is_file():
        return _checked(_one(place))
    if not place.is_dir():
        raise UsageError(f"`{place}` is no folder, and no file of weights")
    for name in ("zoo.yaml", "zoo.lock"):
        if (place / name).is_file():
            raise UsageError(
                f"`{place}` is a run of zoo already: a spec takes a part of it with `weights: {place}#PART`, and "
                f"`zoo push {place} REPO` shares it"
            )
    return _checked(_of_folder(place))


def _of_folder(folder: Path) -> Foreign:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    for single, index, suffix in ((SINGLE, INDEX, SAFE), (PICKLE, PICKLE_INDEX, Path(PICKLE).suffix)):
        if single in names:
            return Foreign(folder, {folder / single: None})
        if index in names:
            bare = Foreign(folder, {})
            found = shard_names(bare.file(index) or folder / index, suffix)
            if lacking := sorted(found.keys() - set(names)):
                raise CorruptError(f"`{folder}` lacks `{lacking[0][:80]}`, which its {index} names")
            return Foreign(folder, {folder / name: tensors for name, tensors in found.items()}, folder / index)
        if some := [name for name in names if name.endswith(_suffixes(suffix)) and not NO_WEIGHTS.fullmatch(name)]:
            return _only(folder, some)
    raise UsageError(
        f"`{folder}` has no weights: neither {SINGLE}, {PICKLE} nor another {SAFE} or {', '.join(PICKLES)}"
    )


def _only(folder: Path, names: list[str]) -> Foreign:
    if len(names) > 1:
        raise UsageError(
            f"`{folder}` has several files of weights ({listed(names)}): name one of them instead of the folder"
        )
    if names[0].startswith("adapter_model."):
        raise UsageError(
            f"`{folder}` holds an adapter and not the model that it belongs to; put it into that with peft's "
            "`merge_and_unload`, save the whole, and import it"
        )
    return Foreign(folder, {folder / names[0]: None})


def _one(file: Path) -> Foreign:
    if not file.name.endswith((SAFE, *PICKLES)):
        raise UsageError(f"`{file}` is no file of weights: {', '.join((SAFE, *PICKLES))} are")
    return Foreign(file.parent, {file: None})


def _suffixes(suffix: str) -> tuple[str, ...]:
    return (SAFE,) if suffix == SAFE else PICKLES


def _checked(found: Foreign) -> Foreign:
    """The same, if its weights are files that stand in the folder."""
    for path in found.weights:
        found.file(path.name)
        with path.open("rb") as file:
            if file.read(len(POINTER)) == POINTER:
                raise CorruptError(f"`{path}` is a pointer of git LFS, and not the file: `git lfs pull` fetches it")
    return found


def _roots(folder: Path) -> list[Path]:
    """Where files of a folder may be: in it, and where the Hub's cache keeps those of a snapshot."""
    real = folder.resolve()
    return [real, real.parent.parent / "blobs"] if real.parent.name == "snapshots" else [real]
