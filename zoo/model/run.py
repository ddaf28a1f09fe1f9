"""A run folder: everything that a model needs to be built, used, checked and shared again."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo import __version__
from zoo.checkpoint.lock import FORMAT, lock
from zoo.checkpoint.source import Folder
from zoo.checkpoint.tensors import SINGLE, align, write_tensors
from zoo.errors import CorruptError, PluginError, UsageError
from zoo.files import finite, json_text, replace_file
from zoo.model.build import restore
from zoo.model.card import card
from zoo.model.model import ZooModel
from zoo.spec.load import load_spec
from zoo.spec.paths import moved
from zoo.spec.render import render_spec

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
    tensors = unshared(model.state_dict())
    write_tensors(folder / SINGLE, tensors)
    _write(folder / SPEC, render_spec(moved(model.spec, final)))
    _write_json(folder / LOCK, lock(model.spec, model.sources, tensors))
    _write_json(folder / CONFIG, config(model))
    _write_json(folder / PREPROCESSING, model.fitted)
    for part, backbone in model.backbone_parts().items():
        for name, text in backbone.files().items():
            path = folder / "parts" / part.partition(".")[2] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text)
    if metrics:
        _write_json(folder / METRICS, metrics)
    _write(folder / CARD, card(model, metrics))


def write_metrics(model: ZooModel, folder: Path, metrics: Mapping[str, Any]) -> None:
    """Adds to a run what was measured, and tells it in the run's card.

    Args:
        model: The run's model.
        folder: The run.
        metrics: What was measured.
    """
    replace_file(folder / METRICS, json_text(metrics))
    replace_file(folder / CARD, card(model, metrics))


def read_run(folder: Path) -> ZooModel:
    """The model of a run folder, in eval mode, its tensors mapped from the file.

    Raises:
        UsageError: There is no run in the folder.
        PluginError: A plugin that it was made with is not installed.
        CorruptError: Its files are damaged, or do not belong together.
    """
    if not (folder / SPEC).is_file():
        raise UsageError(f"`{folder}` is no run folder: it has no {SPEC}")
    run = Folder(folder)
    written = read_json(folder / CONFIG).get("format")
    if written != FORMAT:
        raise UsageError(f"`{folder}` is of format {written}; this zoo, {__version__}, reads format {FORMAT}")
    check_plugins(folder, read_json(folder / LOCK))
    spec = load_spec(folder / SPEC)
    model = restore(spec, read_json(folder / PREPROCESSING), run, run.tensors([SINGLE]))
    align(model)
    return model.eval()


def check_plugins(folder: Path, lock: Mapping[str, Any]) -> None:
    """Looks whether the distributions are installed that a run's parts came from.

    Raises:
        PluginError: One is not; the message has a ready line for pip.
    """
    plugins = lock.get("plugins", {})
    missing = [name for name in plugins if name != "unpackaged" and not _installed(name)]
    if missing:
        wanted = " ".join(f'"{name}=={plugins[name]}"' for name in missing)
        raise PluginError(
            f"`{folder}` was made with {', '.join(missing)}, which is not installed: pip install {wanted}"
        )


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a copy of each that shares memory with one before it, because a file holds each by itself."""
    seen: set[tuple[int, int]] = set()
    result: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        place = (tensor.untyped_storage().data_ptr(), int(tensor.storage_offset()))
        result[name] = tensor.clone() if place in seen and tensor.numel() else tensor
        seen.add(place)
    return result


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
    }


def read_json(path: Path) -> dict[str, Any]:
    """The mapping that a JSON file of a run holds.

    Raises:
        CorruptError: The file is gone, or holds something else.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorruptError(f"`{path}` is missing: the run folder is not whole") from None
    except (ValueError, OSError, RecursionError) as error:
        raise CorruptError(f"`{path}` cannot be read: {error}") from None
    if not isinstance(loaded, dict):
        raise CorruptError(f"`{path}` holds no JSON object")
    return loaded


def write_history(path: Path, record: Mapping[str, Any]) -> None:
    """Appends a record to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite(record), allow_nan=False) + "\n")


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, json_text(value))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
