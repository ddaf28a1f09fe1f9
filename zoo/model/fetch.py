"""`zoo.fetch`: all that a spec needs from elsewhere comes to this machine, which then needs no network."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.dataset import pinned, snapshot
from zoo.checkpoint.lock import records, remote
from zoo.files import cache_folder
from zoo.model.build import build
from zoo.registry.index import home
from zoo.spec.load import as_spec
from zoo.spec.sections import Spec


@dataclass(frozen=True)
class Fetched:
    """What is on this machine now.

    Args:
        weights: Where the weights of each part came from, as a lock tells it: repository and commit, or address, and
            the SHA-256 of each file.
        tables: The data sets of the Hub, each at a commit.
        folders: Where all that is kept. A machine without a network needs them, there or where `HF_HOME`, `ZOO_CACHE`
            and `ZOO_HOME` say.
    """

    weights: Mapping[str, Mapping[str, Any]]
    tables: tuple[str, ...]
    folders: tuple[Path, ...]


def fetch(spec: Spec | str | Path | Mapping[str, Any]) -> Fetched:
    """Fetches the weights, configurations, tokenizers and data sets that a spec names, as far as they are elsewhere.

    The model is built once, so that whatever its parts ask for is there; nothing is written but the caches.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.

    Raises:
        UsageError: The spec is wrong, or a file is missing.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged.
        DigestError: The spec is to be built as a lock tells, and weights are not those.
        NetworkError: Something cannot be fetched.
    """
    checked = pinned(as_spec(spec))
    data_sets = remote(checked)
    for each in data_sets.values():
        snapshot(each)
    weights = records(build(checked).sources)
    return Fetched(weights, tuple(data_sets), tuple(_folders(weights, data_sets)))


def _folders(weights: Mapping[str, Mapping[str, Any]], data_sets: Collection[str]) -> list[Path]:
    from huggingface_hub import constants

    found = []
    if data_sets or any("repo" in each for each in weights.values()):
        found += [Path(constants.HF_HUB_CACHE), cache_folder() / "hub"]
    if any("url" in each for each in weights.values()):
        found.append(home() / "weights")
    return found
