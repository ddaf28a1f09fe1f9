"""A run folder: everything that a model needs to be built, used, checked and shared again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from zoo import __version__
from zoo.checkpoint.dataset import pinned
from zoo.checkpoint.learnt import read_learnt
from zoo.checkpoint.lock import FORMAT, fingerprint, lock, tables, untested
from zoo.checkpoint.source import Folder
from zoo.checkpoint.tensors import align
from zoo.checkpoint.verify import (
    changed_versions,
    check_files,
    check_format,
    check_plugins,
    read_json,
    read_lock,
    section,
)
from zoo.checkpoint.weights import check_tensors, run_weights, write_weights
from zoo.component import Component
from zoo.errors import BuildError, CorruptError, UsageError
from zoo.files import finite, json_text, replace_file, writing
from zoo.model.build import restore
from zoo.model.calibration import Calibration
from zoo.model.card import card
from zoo.model.model import ZooModel
from zoo.spec.load import as_spec
from zoo.spec.paths import moved
from zoo.spec.render import render_spec
from zoo.spec.sections import Spec
from zoo.spec.sources import is_local

SPEC, LOCK, CONFIG, PREPROCESSING = "zoo.yaml", "zoo.lock", "config.json", "preprocessing.json"
METRICS, HISTORY, CARD = "metrics.json", "history.jsonl", "README.md"


def write_run(model: ZooModel, folder: Path, final: Path, metrics: Mapping[str, Any]) -> None:
    """Writes a run into a new folder.

    Args:
        model: The model.
        folder: Where to write.
        final: Where the folder will stand in the end, which the relative paths in its spec start from.
        metrics: What was measured; nothing is written of an empty one.
    """
    align(model)
    spec = pinned(model.spec)
    tensors = model.state_dict()
    aliases = write_weights(folder, tensors)
    files = {
        SPEC: render_spec(moved(spec, final)),
        CONFIG: json_text(config(model)),
        PREPROCESSING: json_text(model.fitted),
    }
    for part, backbone in model.backbone_parts().items():
        beside = f"parts/{part.partition('.')[2]}"
        files |= {f"{beside}/{name}": text for name, text in backbone.files().items()}
    for name, text in files.items():
        _write(folder / name, text)
    made_of = lock(spec, model.sources, tensors, aliases, files)
    _write(folder / LOCK, json_text(made_of))
    if metrics:
        _write(folder / METRICS, json_text(metrics))
    _write(folder / CARD, card(model, made_of["weights"], metrics))


def write_metrics(model: ZooModel, folder: Path, metrics: Mapping[str, Any]) -> None:
    """Adds to a run what was measured, and tells it in the run's card.

    Args:
        model: The run's model.
        folder: The run.
        metrics: What was measured.
    """
    replace_file(folder / METRICS, json_text(metrics))
    weights = section(read_json(folder / LOCK), "weights", f"`{folder / LOCK}`")
    replace_file(folder / CARD, card(model, weights, metrics))


class Trained(Protocol):
    """What has a model: a finished training."""

    @property
    def model(self) -> ZooModel:
        """The model."""


def model_of(run: ZooModel | Trained | str | Path, components: Iterable[Component] = ()) -> ZooModel:
    """The model that is meant by a run folder, a finished training, or itself.

    Args:
        run: Any of these.
        components: As for `read_run`.

    Raises:
        ZooError: A folder cannot be read, as `read_run` says.
    """
    if isinstance(run, (str, Path)):
        return read_run(Path(run), components)
    return run if isinstance(run, ZooModel) else run.model


def read_run(folder: Path, components: Iterable[Component] = ()) -> ZooModel:
    """The model of a run folder, in eval mode, its tensors mapped from the file.

    Args:
        folder: The folder.
        components: Components that the run was made with and that no installed plugin has.

    Raises:
        UsageError: There is no run in the folder.
        PluginError: A plugin that it was made with is not installed.
        CorruptError: Its files are damaged, or do not belong together.
        DigestError: A file or tensor is not the one that was written.
    """
    if not (folder / SPEC).is_file():
        raise UsageError(f"`{folder}` is no run folder: it has no {SPEC}")
    run = Folder(folder)
    told = read_json(folder / CONFIG)
    check_format(told, f"`{folder}`")
    lock = read_lock(folder / LOCK)
    check_files(folder, lock)
    check_plugins(f"`{folder}`", section(lock, "plugins", f"`{folder / LOCK}`"))
    spec = as_spec(folder / SPEC, components)
    tensors = run_weights(run, lock)
    check_tensors(tensors, lock, f"`{folder}`")
    names = {"inputs": {*spec.inputs}, "backbones": {*spec.inputs}, "heads": {*spec.heads}}
    learnt = read_learnt(folder / PREPROCESSING, names)
    with _as_written(folder, lock):
        model = restore(spec, learnt, run, tensors, temperatures=told["format"] > 1)
    align(model)
    try:
        lacked = told.get("lacked_in_training")
        model.lacked = None if lacked is None else frozenset(map(str, lacked))
        model.calibration = {name: Calibration(**found) for name, found in told.get("calibration", {}).items()}
    except (TypeError, AttributeError):
        raise CorruptError(f"`{folder / CONFIG}` does not tell what it should of calibration and absence") from None
    return model.eval()


@contextmanager
def _as_written(folder: Path, lock: Mapping[str, Any]) -> Iterator[None]:
    """Parts that were built when the run was written, and cannot be any more, are built from something else."""
    try:
        yield
    except (UsageError, BuildError) as error:
        plugins = {name for name, _, _ in changed_versions(lock)} & {*section(lock, "plugins", "zoo.lock")}
        if isinstance(error, BuildError) and (plugins or isinstance(error.__cause__, ImportError)):
            raise
        what = f"`{folder / PREPROCESSING}`, or another file that the model is built from, is damaged"
        raise CorruptError(f"{what}: {error}") from error


def check_split(folder: Path, spec: Spec) -> None:
    """Looks whether the tables are those of the training, where the validation rows are a share of them.

    Raises:
        UsageError: One was changed since, so that other rows would be set aside now, rows that the model learnt from.
    """
    known = section(read_json(folder / LOCK), "data", f"`{folder / LOCK}`").values()
    for name, before in zip(dict.fromkeys(tables(spec)), known, strict=False):
        now = fingerprint(name, spec.folder, spec.tables)
        shown = spec.folder / name if is_local(name) else name
        if not now:
            told = "which the run learnt from and set its validation rows aside from"
            if not is_local(name):
                told += "; it was in memory: give it again, in Python with `tables`, or name another"
            raise UsageError(f"there is no `{shown}`, {told}; name a table: zoo eval {folder} TABLE")
        if now != before:
            raise UsageError(
                f"`{shown}` is not what the run `{folder}` learnt from any more, so that the rows set "
                f"aside cannot be told; name a table to measure on: zoo eval {folder} TABLE"
            )


def learnt_from(folder: Path, spec: Spec, data: str | Path) -> list[str]:
    """A remark where a table is one that a run learnt from: its numbers then say nothing of other rows.

    Args:
        folder: The run.
        spec: Its spec, perhaps with tables in memory.
        data: The table, from the working folder.
    """
    known = section(read_json(folder / LOCK), "data", f"`{folder / LOCK}`").values()
    trained = [before for _, before in zip(dict.fromkeys(tables(untested(spec))), known, strict=False)]
    if fingerprint(data, Path(), spec.tables) not in trained:
        return []
    return [f"the run learnt from `{data}`, or chose its epoch by it: these numbers say nothing of other rows"]


def config(model: ZooModel) -> dict[str, Any]:
    """`config.json`, by which the Hub knows the library and counts downloads."""
    spec = model.spec
    return {
        "library_name": "zoo",
        "format": FORMAT,
        "zoo_version": __version__,
        "name": spec.name,
        "inputs": {name: section.type for name, section in spec.inputs.items()},
        "heads": {name: section.use for name, section in spec.heads.items()},
        "lacked_in_training": None if model.lacked is None else sorted(model.lacked),
        "calibration": {name: found.as_dict() for name, found in model.calibration.items()},
    }


def write_history(path: Path, record: Mapping[str, Any]) -> None:
    """Appends a record to a file of JSON lines."""
    with writing(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite(record), allow_nan=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())  # the bytes whose digest is in the lock, on every system
