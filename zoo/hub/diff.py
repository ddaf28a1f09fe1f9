"""`zoo.diff`: what two runs differ in: specs, what they were made of, tensors, scores, and by how much."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.raw import Raw
from zoo.checkpoint.verify import read_json, read_lock
from zoo.document.source import MAX_BYTES
from zoo.errors import CorruptError, UsageError
from zoo.hub.pull import pull
from zoo.hub.raw_run import LOCK, raw_weights
from zoo.hub.reference import read_reference
from zoo.hub.watch import Watch

SPEC, METRICS = "zoo.yaml", "metrics.json"
FACTS = ("python", "plugins", "libraries", "weights", "data", "seed")
"""What of a lock is compared."""

_READ = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8", "BOOL": "?", "U8": "<u1", "I8": "<i1", "I16": "<i2"},
    **{"U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8"},
}


@dataclass(frozen=True)
class Part:
    """The tensors of a part in both runs.

    Args:
        name: The part: `backbones.photo`.
        equal: How many are bitwise the same.
        changed: How many differ.
        gone: How many the first run alone has, or has in another shape or type.
        new: How many the second run alone has, or has in another shape or type.
        largest: The largest change of a tensor, relative to it: |b - a| / |a|, Euclidean norms. None where none
            changed, or it cannot be told, as of types that numpy has not.
        where: The tensor that this is of.
    """

    name: str
    equal: int
    changed: int
    gone: int
    new: int
    largest: float | None
    where: str | None


@dataclass(frozen=True)
class Score:
    """A metric of both runs.

    Args:
        subset: Which modalities were there.
        head: The head.
        metric: The metric.
        before: Its value, and the ends of its interval, in the first run; None where that has none.
        after: The same in the second run.
    """

    subset: str
    head: str
    metric: str
    before: tuple[float | None, ...] | None
    after: tuple[float | None, ...] | None


@dataclass(frozen=True)
class Difference:
    """What two runs differ in.

    Args:
        spec: Lines of a unified diff of the canonical specs; none where they are equal.
        facts: What the locks tell differently, by key: what the first tells, and the second.
        parts: The tensors, part by part.
        scores: The metrics that differ.
        remarks: What the user should know of how the runs were found.
    """

    spec: tuple[str, ...]
    facts: Mapping[str, tuple[Any, Any]]
    parts: tuple[Part, ...]
    scores: tuple[Score, ...]
    remarks: tuple[str, ...] = ()

    @property
    def same_weights(self) -> bool:
        """Whether all tensors are bitwise the same."""
        return not any(each.changed or each.gone or each.new for each in self.parts)


def diff(one: str | Path, other: str | Path, watch: Watch | None = None) -> Difference:
    """Compares two runs.

    Args:
        one: A run folder, or a shared run.
        other: Another one.
        watch: Hears how far it is.

    Raises:
        ZooError: One cannot be read, or pulled.
    """
    remarks: list[str] = []
    with ExitStack() as stack:
        first, second = (run_folder(each, stack, remarks, watch) for each in (one, other))
        locks = [read_lock(each / LOCK) for each in (first, second)]
        before, after = (_lines(each / SPEC) for each in (first, second))
        spec = difflib.unified_diff(before, after, fromfile=str(one), tofile=str(other), lineterm="", n=1)
        facts = dict(_facts("", *_without_same_tables(*({key: lock.get(key) for key in FACTS} for lock in locks))))
        parts = tuple(_parts(raw_weights(first), raw_weights(second)))
        return Difference(tuple(spec), facts, parts, tuple(_scores(first, second)), tuple(remarks))


def run_folder(run: str | Path, stack: ExitStack, remarks: list[str], watch: Watch | None = None) -> Path:
    """The folder of a run; a shared one is pulled into a folder that goes with the stack.

    Args:
        run: A run folder, or a shared run.
        stack: What the folder goes with.
        remarks: Gets what the user should know of how it was found.
        watch: Hears how far it is.

    Raises:
        ZooError: It is no run, or cannot be pulled.
    """
    if Path(run).is_dir():
        if not (Path(run) / LOCK).is_file() or not (Path(run) / SPEC).is_file():
            raise UsageError(f"`{run}` is no run folder: it has no {LOCK} or no {SPEC}")
        return Path(run)
    reference = read_reference(str(run))
    pulled = pull(reference, stack.enter_context(passing_folder("zoo-diff")) / "run", watch=watch)
    remarks += (each if reference.place in each else f"`{run}`: {each}" for each in pulled.remarks)
    return pulled.folder


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise CorruptError(f"`{path}` cannot be read: it is larger than {MAX_BYTES // 1024} KiB")
        return data.decode().splitlines()
    except UnicodeDecodeError as error:
        raise CorruptError(f"`{path}` cannot be read: byte 0x{data[error.start]:02x} is not UTF-8") from None
    except OSError as error:
        raise CorruptError(f"`{path}` cannot be read: {error.strerror}") from None


def _without_same_tables(one: dict[str, Any], other: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts without tables of the same digest in the same place, whatever each run calls them."""
    first, second = one["data"], other["data"]
    if not isinstance(first, dict) or not isinstance(second, dict):
        return one, other
    names = zip(first, second, strict=False)
    same = [pair for pair in names if first[pair[0]] and first[pair[0]] == second[pair[1]]]
    before = {name: told for name, told in first.items() if name not in {name for name, _ in same}}
    after = {name: told for name, told in second.items() if name not in {name for _, name in same}}
    return {**one, "data": before}, {**other, "data": after}


def _facts(place: str, one: Any, other: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _facts(f"{place}.{key}" if place else key, one.get(key), other.get(key))
    elif one != other:
        yield place, (one, other)


def _parts(one: Mapping[str, Raw], other: Mapping[str, Raw]) -> Iterator[Part]:
    names: dict[str, list[str]] = {}
    for name in dict.fromkeys([*one, *other]):
        names.setdefault(".".join(name.split(".")[:2]), []).append(name)
    for part, mine in names.items():
        both = [name for name in mine if name in one and name in other and _alike(one[name], other[name])]
        changed = [name for name in both if one[name].data() != other[name].data()]
        sizes = {name: size for name in changed if (size := _change(one[name], other[name])) is not None}
        where = max(sizes, key=lambda name: sizes[name], default=None)
        gone, new = (len([name for name in mine if name in each and name not in both]) for each in (one, other))
        largest = None if where is None else sizes[where]
        yield Part(part, len(both) - len(changed), len(changed), gone, new, largest, where)


def _alike(one: Raw, other: Raw) -> bool:
    return (one.dtype, one.shape) == (other.dtype, other.shape)


def _change(one: Raw, other: Raw) -> float | None:
    """How far a tensor is from another, relative to it."""
    import numpy as np

    def read(raw: Raw) -> Any:
        if raw.dtype == "BF16":  # the upper half of a float32
            return (np.frombuffer(raw.data(), "<u2").astype("<u4") << 16).view("<f4").astype("f8")
        numbers = np.frombuffer(raw.data(), np.dtype(_READ[raw.dtype]))
        return numbers if raw.dtype == "C64" else numbers.astype("f8")

    if one.dtype != "BF16" and one.dtype not in _READ:
        return None
    before, after = read(one), read(other)
    length = float(np.linalg.norm(before))
    moved = float(np.linalg.norm(after - before))
    return moved / length if length else float("inf") if moved else 0.0


def _scores(one: Path, other: Path) -> Iterator[Score]:
    first, second = (measured(each) for each in (one, other))
    for key in dict.fromkeys([*first, *second]):
        if first.get(key) != second.get(key):
            yield Score(*key, first.get(key), second.get(key))


def measured(run: Path) -> dict[tuple[str, str, str], tuple[float | None, ...]]:
    """Value and interval of every metric, by modalities, head and name; nothing of a run that was not measured.

    Raises:
        CorruptError: One is no number.
    """
    if not (run / METRICS).is_file():
        return {}
    subsets = read_json(run / METRICS).get("subsets")
    found: dict[tuple[str, str, str], tuple[float | None, ...]] = {}
    for subset, heads in subsets.items() if isinstance(subsets, dict) else ():
        for head, metrics in heads.items() if isinstance(heads, dict) else ():
            for metric, each in metrics.items() if isinstance(metrics, dict) else ():
                if isinstance(each, dict):
                    values = tuple(each.get(key) for key in ("value", "low", "high"))
                    if not all(map(_is_score, values)):
                        named = f"{metric[:80]!r} of {head[:80]!r}, {subset[:80]!r}"
                        raise CorruptError(f"`{run / METRICS}`: the value of {named} is no number, or its interval not")
                    found[subset, head, metric] = values
    return found


def _is_score(value: Any) -> bool:
    """Whether it is None, or a number that a float can hold; of JSON's, none is a NaN."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return -sys.float_info.max <= value <= sys.float_info.max
    return value is None
