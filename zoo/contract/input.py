"""Inputs and front ends: from a cell of a table to the value that a backbone prepares."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ValueSpec:
    """What the values of an input are, known before any of them is seen.

    Values are: a picture `(channels, height, width)`, uint8 from 0 to 255 or float32; a text `str`; a sound
    `(samples,)` float32 between -1 and 1; a vector `(columns,)` float32, where NaN is missing and a category is its
    number; a sequence `(steps, features)` float32. A plugin's modality has values of its own.

    Args:
        modality: What the values are.
        shape: Their shape; None where it depends on the value. Of a text `()`.
        rate: Samples per second of a sound, or frames per second of a sequence, in Hz; None where there is none.
        max_length: Most tokens, samples or steps of a value; None where it has no length.
        categories: Of a vector, how many categories each column has; 0 is a column of numbers.
        standardized: Whether a picture has mean 0 and deviation 1 already, so that no colour statistics apply to it.
    """

    modality: str
    shape: tuple[int | None, ...] = ()
    rate: int | None = None
    max_length: int | None = None
    categories: tuple[int, ...] = ()
    standardized: bool = False


@dataclass(frozen=True, kw_only=True)
class InputContext:
    """What an input is built from, beside its options.

    Args:
        name: The input's name in the spec.
        columns: Columns of the table that make up its cell.
        fitted: What the component's `fit` learnt from the training rows; empty where it has none.
    """

    name: str
    columns: tuple[str, ...] = ()
    fitted: Mapping[str, Any] = field(default_factory=dict)


class InputType(ABC):
    """Turns cells into values. It is picked up by worker processes, so it holds no weights and no open files."""

    value: ValueSpec

    @abstractmethod
    def decode(self, cell: Any, folder: Path) -> Any:
        """The value of a cell.

        Args:
            cell: What stands in the table; of several columns, a mapping of column to cell. Never None.
            folder: Where relative paths in the table start.

        Returns:
            A value as `ValueSpec` describes it.

        Raises:
            ValueError: The cell is not what this input takes; zoo adds file, row and column to the message.
        """

    def check(self, cell: Any, folder: Path) -> None:
        """Looks whether a cell can be decoded, as far as that costs next to nothing: whether a file is there.

        zoo calls it for the rows that a training needs last, before it begins.

        Args:
            cell: As for `decode`.
            folder: As for `decode`.

        Raises:
            ValueError: The cell cannot be decoded; zoo adds file, row and column to the message.
        """
        return None

    def identity(self, cell: Any, folder: Path) -> bytes:
        """What tells a cell from others: cells of equal identity decode to equal values.

        Features of frozen backbones are kept by it. A cell that names a file is told by the file's place, size and
        time of change.

        Args:
            cell: As for `decode`.
            folder: As for `decode`.
        """
        return cell if isinstance(cell, bytes) else repr(cell).encode(errors="surrogatepass")

    def is_missing(self, cell: Any) -> bool:
        """Whether the cell says that the sample lacks this input: null, or all columns null."""
        return all(each is None for each in cell.values()) if isinstance(cell, Mapping) else cell is None


@dataclass(frozen=True, kw_only=True)
class FrontendContext:
    """What a front end is built from, beside its options.

    Args:
        name: Name of its input.
        value: The values it takes.
    """

    name: str
    value: ValueSpec


@dataclass(frozen=True, kw_only=True)
class AugmentContext:
    """What an augmentation is built from, beside its options.

    What its factory gives is called with a value, as `value` describes it, and gives a new one that is described by it
    too; what it is given it leaves as it is. It draws random numbers from torch's default generator and from nowhere
    else: zoo gives this generator a seed of the row's own, and puts it back behind. It goes along to worker processes.

    Args:
        name: Name of its input.
        value: The values it takes and gives.
        options: Options of the input or front end that declares it.
        fitted: What that input's `fit` learnt from the training rows; empty for a front end.
    """

    name: str
    value: ValueSpec
    options: Any = None
    fitted: Mapping[str, Any] = field(default_factory=dict)


class Frontend(ABC):
    """Turns a value of one modality into one of another, before the backbone prepares it; it holds no weights."""

    value: ValueSpec
    """What it gives."""

    @abstractmethod
    def __call__(self, value: Any) -> Any:
        """The value turned into the other modality."""
