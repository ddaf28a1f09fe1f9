"""A part of an earlier run as the start of another: its tensors, its files, and what it had learnt from its data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.learnt import read_learnt
from zoo.checkpoint.shards import SINGLE
from zoo.checkpoint.source import Source
from zoo.checkpoint.verify import check_file, read_lock, section, text_digest
from zoo.checkpoint.weights import check_tensors, run_weights, with_aliases
from zoo.errors import CorruptError, UsageError
from zoo.files import json_text


class RunPart(Source):
    """A part of an earlier run.

    Args:
        run: Where the run's files are.
        part: Name of the input whose backbone it was, or of the head.
        place: What it was: `backbones`, or `heads`.
    """

    def __init__(self, run: Source, part: str, place: str = "backbones") -> None:
        self.run, self.part, self.place = run, part, place

    def __str__(self) -> str:
        return f"the part `{self.part}` of {self.run}"

    def _found(self, name: str) -> Path | None:
        """The file that the run keeps for this part, compared with the run's lock."""
        kept = f"parts/{self.part}/{name}"
        path = self.run.path(kept)
        if path is not None:
            check_file(path, kept, self._lock())
        return path

    def digests(self) -> dict[str, str]:
        """One of all tensors of the part, one of what it had learnt from data, and those of the files kept for it.

        The run's own files are not told: whoever shares the run writes its lock anew, and may store its weights apart.
        """
        prefix, lock = f"{self.place}.{self.part}.", self._lock()
        told = sorted((name, each) for name, each in section(lock, "tensors", "").items() if name.startswith(prefix))
        facts = {"tensors": told, "fitted": self.fitted()}
        digests = {name: text_digest(json_text(each).encode()) for name, each in facts.items()}
        return {**digests, **super().digests()}

    def record(self) -> dict[str, Any]:
        """Where the run is, and the part."""
        return {**self.run.record(), "part": self.part}

    @property
    def remarks(self) -> Sequence[str]:
        """Those on the run."""
        return self.run.remarks

    def tensors(self, names: Sequence[str]) -> Mapping[str, Tensor]:
        """The tensors of this part, under the names that they have within it."""
        lock = self._lock()
        mine = self._mine(run_weights(self.run, lock))
        check_tensors(mine, lock, str(self.run), f"{self.place}.{self.part}.")
        return mine

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The tensors of this part, if the run is on this machine."""
        everything = self.run.cached([SINGLE])
        return None if everything is None else self._mine(with_aliases(everything, self._lock(), str(self.run)))

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """Bytes of the whole run's weights, whose file holds those of this part."""
        return self.run.to_fetch([SINGLE])

    def fitted(self) -> Mapping[str, Any]:
        """What the run had learnt for this part before it was built."""
        path = self.run.path("preprocessing.json")
        if path is None:
            raise CorruptError(f"{self.run} has no preprocessing.json: it is no whole run")
        check_file(path, path.name, self._lock())
        fitted: Mapping[str, Any] = read_learnt(path).get(self.place, {}).get(self.part, {})
        return fitted

    def _lock(self) -> Mapping[str, Any]:
        path = self.run.path("zoo.lock")
        if path is None:
            raise CorruptError(f"{self.run} has no zoo.lock: it is no whole run")
        return read_lock(path)

    def _mine(self, everything: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        prefix = f"{self.place}.{self.part}."
        mine = {name.removeprefix(prefix): each for name, each in everything.items() if name.startswith(prefix)}
        if not mine:
            parts = sorted({name.split(".")[1] for name in everything if name.startswith(f"{self.place}.")})
            raise UsageError(f"{self.run} has no `{self.part}` in its {self.place}: {', '.join(parts) or 'none'}")
        return mine
