"""`zoo.lock`: what a run was made of, so that it can be made, checked and compared again."""

import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.source import Source
from zoo.checkpoint.tensors import digest
from zoo.checkpoint.verify import text_digest
from zoo.spec.sections import Part, Spec

FORMAT = 2
"""Of a run folder. Heads have had a temperature since 2."""

READ = (1, 2)
"""Formats that are read."""

LIBRARIES = (
    "torch",
    "torchvision",
    "torchaudio",
    "timm",
    "transformers",
    "tokenizers",
    "safetensors",
    "numpy",
    "pillow",
)


def lock(
    spec: Spec, sources: Mapping[str, Source], tensors: Mapping[str, Tensor], files: Mapping[str, str]
) -> dict[str, Any]:
    """The lock of a run.

    Args:
        spec: The run's spec.
        sources: Where the weights of its parts came from, by where their tensors stand.
        tensors: All tensors of the model.
        files: Texts of the small files that the model is built from, by their place in the run folder.
    """
    digests = {name: digest(tensor) for name, tensor in tensors.items()}
    return {
        "format": FORMAT,
        "python": platform.python_version(),
        "plugins": {part.registered.plugin.distribution: part.registered.plugin.version for part in parts(spec)},
        "libraries": _versions(),
        "weights": {name: source.record() for name, source in sources.items()},
        "data": {name: fingerprint(spec.folder / name) for name in tables(spec)},
        "seed": spec.train.seed,
        "files": {name: text_digest(text.encode()) for name, text in files.items()},
        "tensors": digests,
        "digest": hashlib.sha256("".join(f"{name} {each}\n" for name, each in digests.items()).encode()).hexdigest(),
    }


def parts(value: Any) -> Iterator[Part]:
    """All parts of a spec that name a component, wherever they stand."""
    if isinstance(value, Part):
        yield value
    if isinstance(value, Mapping):
        children: list[Any] = list(value.values())
    elif isinstance(value, (list, tuple)):
        children = list(value)
    else:
        # A component's options are of its plugin's own class, and may name parts too.
        known = fields(value) if is_dataclass(value) and not isinstance(value, type) else ()
        children = [getattr(value, each.name) for each in known]
    for child in children:
        yield from parts(child)


def tables(spec: Spec) -> list[str]:
    """Paths of the tables that the spec names."""
    paths = [table.path for table in spec.data.train]
    return paths + [path for path in (spec.data.validation, spec.data.test) if isinstance(path, str)]


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file; of a folder, of the list of its files' names and digests; nothing of what is gone."""
    if path.is_file():
        return _of_file(path)
    found = {str(each.relative_to(path)): _of_file(each) for each in sorted(path.rglob("*")) if each.is_file()}
    if not found:
        return {}
    listed = "".join(f"{each['sha256']} {name}\n" for name, each in found.items())
    return {
        "bytes": sum(each["bytes"] for each in found.values()),
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
    }


def _of_file(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
