"""`zoo.lock`: what a run was made of, so that it can be made, checked and compared again."""

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from os.path import commonpath
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.dataset import repository
from zoo.checkpoint.source import Source
from zoo.checkpoint.tensors import digest
from zoo.checkpoint.verify import text_digest
from zoo.errors import UsageError
from zoo.files import file_digest
from zoo.spec.render import spec_data
from zoo.spec.sections import Part, Spec
from zoo.spec.sources import HubTable, Memory, locate

FORMAT = 3
"""Of a run folder. Heads have had a temperature since 2; since 3 tied tensors are stored once."""

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
    spec: Spec,
    sources: Mapping[str, Source],
    tensors: Mapping[str, Tensor],
    aliases: Mapping[str, str],
    files: Mapping[str, str],
) -> dict[str, Any]:
    """The lock of a run.

    Args:
        spec: The run's spec.
        sources: Where the weights of its parts came from, by where their tensors stand.
        tensors: All tensors of the model.
        aliases: Of each tensor that is another one under a second name, that other's name.
        files: Texts of the small files that the model is built from, by their place in the run folder.
    """
    digests = {name: digest(tensor) for name, tensor in tensors.items()}
    return {
        "format": FORMAT,
        **versions(spec),
        "weights": records(sources),
        "data": fingerprints(spec),
        "seed": spec.train.seed,
        "model": model_digest(spec),
        "files": {name: text_digest(text.encode()) for name, text in files.items()},
        "tensors": digests,
        "aliases": dict(aliases),
        "digest": hashlib.sha256("".join(f"{name} {each}\n" for name, each in digests.items()).encode()).hexdigest(),
    }


def records(sources: Mapping[str, Source]) -> dict[str, dict[str, Any]]:
    """Where the weights of each part came from, and the SHA-256 of each file that it was made of."""
    return {part: {**source.record(), "files": source.digests()} for part, source in sources.items()}


def versions(spec: Spec) -> dict[str, Any]:
    """The versions of Python, of the plugins that the spec names, and of the libraries."""
    return {
        "python": platform.python_version(),
        "plugins": {part.registered.plugin.distribution: part.registered.plugin.version for part in parts(spec)},
        "libraries": _versions(),
    }


def model_digest(spec: Spec) -> str:
    """SHA-256 of what the spec says of inputs, fusion and heads in canonical form, but for where weights come from."""
    told = {key: each for key, each in spec_data(spec).items() if key in ("inputs", "fusion", "heads")}
    return text_digest(json.dumps(_without_weights(told), sort_keys=True).encode())


def _without_weights(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_weights(each) for key, each in value.items() if key != "weights"}
    return [_without_weights(each) for each in value] if isinstance(value, list) else value


def fingerprints(spec: Spec) -> dict[str, dict[str, Any]]:
    """What tells each table that the spec names from every other, by its path; see `fingerprint`."""
    return {name: fingerprint(name, spec.folder, spec.tables) for name in tables(spec)}


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


def remote(spec: Spec) -> dict[str, HubTable]:
    """The data sets of the Hub that the spec names, by their names."""
    named = {name: locate(name) for name in tables(spec) if name.startswith("hf:")}
    return {name: each for name, each in named.items() if isinstance(each, HubTable)}


def remarks(spec: Spec, sources: Mapping[str, Source]) -> list[str]:
    """What the user should know of how weights and data sets were found.

    Args:
        spec: The spec, as it was given.
        sources: Where the weights of its parts came from.
    """
    found = [each for source in sources.values() for each in source.remarks]
    for source in remote(spec).values():
        found += repository(source.repo, source.revision).remarks
    return list(dict.fromkeys(found))


def untested(spec: Spec) -> Spec:
    """The spec without its test table, which no training looks at."""
    return replace(spec, data=replace(spec.data, test=None))


def fingerprint(name: str | Path, folder: Path = Path(), given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What tells a table from every other: of a file, its size and SHA-256.

    Of several files, and of a folder, the size of all and the SHA-256 of the list of their names and digests; of a data
    set of the Hub its commit; of a table in memory the digest of its cells. Nothing of what is gone.

    Args:
        name: What the spec calls it.
        folder: Where a relative path starts.
        given: Tables in memory, by the name behind `memory:`.
    """
    try:
        source = locate(name, folder)
        files = source.files()
    except UsageError:
        return {}
    if isinstance(source, Memory):
        return dict(given[source.key].fingerprint()) if given and source.key in given else {}
    if isinstance(source, HubTable):
        return {"repo": f"datasets/{source.repo}", "commit": repository(source.repo, source.revision).commit}
    size = sum(each.stat().st_size for each in files)
    if files == [folder / name]:
        return {"bytes": size, "sha256": file_digest(files[0])}
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(file_digest, files))
    start = commonpath([each.parent for each in files])
    names = [each.relative_to(start).as_posix() for each in files]
    listed = "".join(f"{digest} {name}\n" for digest, name in zip(digests, names, strict=True))
    return {"bytes": size, "sha256": hashlib.sha256(listed.encode()).hexdigest()}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
