"""What is told of places of this machine where a run is shared: of weights and tables their last name alone."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from zoo.checkpoint.verify import section
from zoo.document.write import lines_of
from zoo.hub.raw_run import LOCK
from zoo.spec.paths import is_name
from zoo.spec.render import spec_data
from zoo.spec.sections import Spec
from zoo.spec.sources import is_local

Rename = Callable[[str], str]


def public_names(spec: Spec, run: Path) -> dict[str, str]:
    """What is told of each path in a spec that would tell of folders of this machine; no two are told alike.

    That is of absolute paths, and of relative ones that climb to the root of the disk, or over the home folder: those
    name what lies below it. A relative path beside the run, `../tables/train.csv`, is told as it is.

    Args:
        spec: The spec of a run.
        run: The run's folder, where its relative paths start.
    """
    named = list(dict.fromkeys(_paths(spec_data(spec))))
    taken = {each for each in named if not _is_private(each, run)}
    found: dict[str, str] = {}
    for each in named:
        if _is_private(each, run):
            found[each] = _free(PurePath(each).name or "data", taken)
            taken.add(found[each])
    return found


def public_spec(spec: Spec, names: Mapping[str, str]) -> str:
    """The spec in canonical form, with other names of its weights and tables."""
    data = _renamed(spec_data(spec), lambda path: names.get(path, path))
    return "".join(f"{text}\n" for text, _ in lines_of(data))


def public_lock(lock: Mapping[str, Any], spec: Spec, names: Mapping[str, str]) -> dict[str, Any]:
    """A lock without what an earlier push told, and without places of this machine.

    Args:
        lock: The lock of a run.
        spec: Its spec. The tables of both are in the same order.
        names: What `public_names` gave.
    """
    weights = {part: dict(_without_folder(record)) for part, record in section(lock, "weights", LOCK).items()}
    kept = {key: value for key, value in lock.items() if key != "shared"}
    return {**kept, "weights": weights, "data": _data(section(lock, "data", LOCK), spec, names)}


def public_text(text: str, names: Mapping[str, str]) -> str:
    """A text in which paths have their other names."""
    for path in sorted(names, key=len, reverse=True):
        alone = rf"(?<![\w./-]){re.escape(path)}(?![\w/-]|\.\w)"
        text = re.sub(alone, names[path].replace("\\", r"\\"), text)
    return text


def _data(told: Mapping[str, Any], spec: Spec, names: Mapping[str, str]) -> dict[str, Any]:
    """What the lock tells of tables; the name of one that the spec calls by another name now is that of the spec."""
    mine = list(dict.fromkeys(_tables(spec_data(spec)["data"])))
    keys = [names.get(key, key) for key in told]
    if len(mine) == len(keys):
        keys = [names.get(name, key) for name, key in zip(mine, keys, strict=True)]
        if len(set(keys)) < len(keys):
            keys = [names.get(name, name) for name in mine]
    return dict(zip(keys, told.values(), strict=True))


def _without_folder(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        yield key, PurePath(value).name if key == "path" else value


def weights_paths(spec: Spec) -> list[str]:
    """The paths of a spec's weights, in its order."""
    data = spec_data(spec)
    return list(_paths({**data, "data": {"train": [], "validation": None, "test": None}}))


def home_remarks(texts: Mapping[str, str]) -> Iterator[str]:
    """A remark on each file that still names the home folder, as in an option of a component, or in what a user wrote.

    Args:
        texts: By name of the file.
    """
    named = str(home())
    for name, text in texts.items():
        if home() != home().parent and re.search(rf"{re.escape(named)}(?![\w-])", text):
            yield f"`{name}` names your home folder, `{named}`, and is shared as it is"


def home() -> Path:
    """The user's home folder."""
    return Path("~").expanduser()


def _is_private(path: str, run: Path) -> bool:
    if PurePath(path).is_absolute():
        return True
    climbs = PurePath(path).parts.count("..")
    if not climbs:
        return False
    above = run.resolve().parents
    reached = above[min(climbs, len(above)) - 1]
    return reached == reached.parent or reached in home().parents


def _free(name: str, taken: set[str]) -> str:
    """The name, in a numbered folder where another table or folder has it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{number}/{name}"
    return free


def _paths(data: Mapping[str, Any]) -> Iterator[str]:
    """The paths of a spec's weights and tables, in its order."""
    found: list[str] = []

    def keep(path: str) -> str:
        found.append(path)
        return path

    _renamed(data, keep)
    yield from found


def _tables(data: Mapping[str, Any]) -> Iterator[str]:
    yield from (each["path"] for each in data["train"])
    yield from (data[key] for key in ("validation", "test") if isinstance(data[key], str))


def _renamed(data: Mapping[str, Any], rename: Rename) -> dict[str, Any]:
    """A spec's data with other paths of weights and tables."""

    def table(name: Any) -> Any:
        return rename(name) if isinstance(name, str) and is_local(name) else name

    told = data["data"]
    train = [{**each, "path": table(each["path"])} for each in told["train"]]
    tables = {**told, "train": train, "validation": table(told["validation"]), "test": table(told["test"])}
    parts = {key: _with_weights(data[key], rename) for key in ("inputs", "heads")}
    return {**data, **parts, "data": tables}


def _with_weights(value: Any, rename: Rename) -> Any:
    """Data of parts with other paths of their weights, wherever these stand."""
    if isinstance(value, list):
        return [_with_weights(each, rename) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _renamed_weights(each, rename)
        if key == "weights" and isinstance(each, str)
        else _with_weights(each, rename)
        for key, each in value.items()
    }


def _renamed_weights(weights: str, rename: Rename) -> str:
    if is_name(weights):
        return weights
    place, mark, part = weights.partition("#")
    return rename(place) + mark + part
