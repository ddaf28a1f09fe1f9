"""Where a part's weights come from: a file or folder, a Hub repository, an address, or a part of an earlier run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.tensors import INDEX, SINGLE, read_tensors, tensor_files
from zoo.checkpoint.verify import check_file, check_tensors, read_json
from zoo.errors import CorruptError, UsageError


class Source(ABC):
    """Weights, and the small files beside them."""

    @abstractmethod
    def path(self, name: str) -> Path | None:
        """Where a file that came with the weights is on this machine, fetched if need be; None if there is none."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What `zoo.lock` keeps of it: a repository and its commit, an address, a path."""

    def tensors(self, names: Sequence[str]) -> Mapping[str, Tensor]:
        """The weights, mapped from the first of the files that is there.

        Args:
            names: What the file may be called, best first. An index of shards is looked for too.

        Raises:
            UsageError: There are no weights that can be read safely.
            CorruptError: The file is damaged.
        """
        for name in names:
            if (found := self.path(name)) is not None:
                return read_tensors(found)
        if (index := self.path(INDEX)) is not None:
            return self._sharded(index)
        pickles = [name for name in ("pytorch_model.bin", "open_clip_pytorch_model.bin") if self.path(name)]
        if pickles:
            raise UsageError(
                f"{self} has its weights as a pickle alone (`{pickles[0]}`), which could run code when it is read; "
                "name a repository or folder with safetensors"
            )
        raise UsageError(f"{self} has no weights: none of {', '.join([*names, INDEX])} is there")

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The weights, as `tensors` gives them, without a fetch; None where they are not on this machine yet."""
        return self.tensors(names)

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """Bytes of the weights that are not on this machine yet; None where nobody tells, as without a network."""
        return 0

    def fitted(self) -> Mapping[str, Any]:
        """What was learnt from data before the part was built; only a part of a run knows it."""
        return {}

    def _sharded(self, index: Path) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for name in tensor_files(index):
            shard = self.path(name)
            if shard is None:
                raise CorruptError(f"{self} lacks `{name}`, which its index names")
            tensors |= read_tensors(shard)
        return tensors


class Folder(Source):
    """A folder on this machine, as a library saves a model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return f"`{self.folder}`"

    def path(self, name: str) -> Path | None:
        """The file in the folder."""
        path = self.folder / name
        return path if path.is_file() else None

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
        if self.file.suffix != ".safetensors":
            raise UsageError(f"{self} is no .safetensors file; weights in other formats are not read")
        return read_tensors(self.file)


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

    def path(self, name: str) -> Path | None:
        """The file that the run keeps for this part, compared with the run's lock."""
        kept = f"parts/{self.part}/{name}"
        path = self.run.path(kept)
        if path is not None:
            check_file(path, kept, self._lock())
        return path

    def record(self) -> dict[str, Any]:
        """Where the run is, and the part."""
        return {**self.run.record(), "part": self.part}

    def tensors(self, names: Sequence[str]) -> Mapping[str, Tensor]:
        """The tensors of this part, under the names that they have within it."""
        mine = self._mine(self.run.tensors([SINGLE]))
        check_tensors(mine, self._lock(), str(self.run), f"{self.place}.{self.part}.")
        return mine

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The tensors of this part, if the run is on this machine."""
        everything = self.run.cached([SINGLE])
        return None if everything is None else self._mine(everything)

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """Bytes of the whole run's weights, whose file holds those of this part."""
        return self.run.to_fetch([SINGLE])

    def fitted(self) -> Mapping[str, Any]:
        """What the run had learnt for this part before it was built."""
        path = self.run.path("preprocessing.json")
        if path is None:
            raise CorruptError(f"{self.run} has no preprocessing.json: it is no whole run")
        check_file(path, path.name, self._lock())
        fitted: Mapping[str, Any] = read_json(path).get(self.place, {}).get(self.part, {})
        return fitted

    def _lock(self) -> Mapping[str, Any]:
        path = self.run.path("zoo.lock")
        if path is None:
            raise CorruptError(f"{self.run} has no zoo.lock: it is no whole run")
        return read_json(path)

    def _mine(self, everything: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        prefix = f"{self.place}.{self.part}."
        mine = {name.removeprefix(prefix): each for name, each in everything.items() if name.startswith(prefix)}
        if not mine:
            parts = sorted({name.split(".")[1] for name in everything if name.startswith(f"{self.place}.")})
            raise UsageError(f"{self.run} has no `{self.part}` in its {self.place}: {', '.join(parts) or 'none'}")
        return mine
