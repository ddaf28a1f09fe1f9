"""Where a part's weights come from: a file or folder; elsewhere a Hub repository, an address, a part of a run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.shards import CONVERT, INDEX, PICKLES, shard_names
from zoo.checkpoint.tensors import read_tensors
from zoo.errors import CorruptError, UsageError
from zoo.files import file_digest


class Source(ABC):
    """Weights, and the small files beside them."""

    def path(self, name: str) -> Path | None:
        """Where a file that came with the weights is on this machine, fetched if need be; None if there is none."""
        found = self._found(name)
        if found is not None:
            self._taken[name] = found
        return found

    @abstractmethod
    def _found(self, name: str) -> Path | None:
        """What `path` gives."""

    @cached_property
    def _taken(self) -> dict[str, Path]:
        """The files that were asked for and are there, by name."""
        return {}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each file that was asked for and is there, by name: what a model was made of."""
        with ThreadPoolExecutor() as pool:
            names = sorted(self._taken)
            return dict(zip(names, pool.map(file_digest, (self._taken[name] for name in names)), strict=True))

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What `zoo.lock` keeps of it: a repository and its commit, an address, a path."""

    @property
    def remarks(self) -> Sequence[str]:
        """What the user should know of how it was found."""
        return ()

    def tensors(self, names: Sequence[str]) -> Mapping[str, Tensor]:
        """The weights, mapped from the first of the files that is there.

        Args:
            names: What the file may be called, best first. An index of shards is looked for too.

        Raises:
            UsageError: There are no weights.
            CorruptError: The file is damaged, or a pickle, which cannot be read safely.
        """
        for name in names:
            if (found := self.path(name)) is not None:
                return read_tensors(found)
        if (index := self.path(INDEX)) is not None:
            return self._sharded(index)
        if pickles := self.pickles():
            raise CorruptError(
                f"{self} has its weights as a pickle alone (`{pickles[0]}`), which could run code when it is read; "
                f"{CONVERT}, or name another with safetensors"
            )
        raise UsageError(f"{self} has no weights: none of {', '.join([*names, INDEX])} is there")

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The weights, as `tensors` gives them, without a fetch; None where they are not on this machine yet."""
        return self.tensors(names)

    def pickles(self) -> list[str]:
        """The files beside that are pickles by their names, which are never read."""
        return []

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """Bytes of the weights that are not on this machine yet; None where nobody tells, as without a network."""
        return 0

    def fitted(self) -> Mapping[str, Any]:
        """What was learnt from data before the part was built; only a part of a run knows it."""
        return {}

    def _sharded(self, index: Path) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for file, names in shard_names(index).items():
            shard = self.path(file)
            if shard is None:
                raise CorruptError(f"{self} lacks `{file}`, which its index names")
            found = read_tensors(shard)
            if lacking := sorted(names - found.keys()):
                raise CorruptError(f"`{file}` of {self} lacks `{lacking[0]}`, which its index says is in it")
            tensors |= {name: each for name, each in found.items() if name in names}
        return tensors


class Folder(Source):
    """A folder on this machine, as a library saves a model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return f"`{self.folder}`"

    def _found(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None

    def pickles(self) -> list[str]:
        """Those in the folder itself."""
        return sorted(each.name for each in self.folder.iterdir() if each.name.endswith(PICKLES))

    def record(self) -> dict[str, Any]:
        """The path."""
        return {"path": str(self.folder)}


class File(Folder):
    """One safetensors file; what stands beside it belongs to it."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent)
        self.file = file

    def __str__(self) -> str:
        return f"`{self.file}`"

    def record(self) -> dict[str, Any]:
        """The path."""
        return {"path": str(self.file)}

    def tensors(self, names: Sequence[str]) -> Mapping[str, Tensor]:
        """The weights in the file, whatever it is called."""
        if self.file.name.endswith(PICKLES):
            raise CorruptError(f"{self} is a pickle, which could run code when it is read; {CONVERT}")
        if self.file.suffix != ".safetensors":
            raise UsageError(f"{self} is no .safetensors file; weights in other formats are not read")
        self._taken[self.file.name] = self.file
        return read_tensors(self.file)
