"""The catalogue: ready specs (recipes) and cards of pretrained weights, from `registry.yaml` and the user's own."""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import zoo
from zoo.component import option
from zoo.document.check import FAILED, Checker
from zoo.document.nodes import Mapping, found
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.errors import SpecError, UsageError
from zoo.registry.index import home

NAME = r"[A-Za-z0-9][\w.-]*(/[\w.-]+)*"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A ready spec for a task."""

    task: str = option(doc="What it does, in a word or two.")
    summary: str = option(doc="One sentence: what it is good for.")
    spec: str = option(doc="The text of the spec, with columns and files to be renamed.", min_length=1)


@dataclass(frozen=True, kw_only=True)
class DataCard:
    """A data set that weights were pretrained on."""

    title: str = option(doc="Its name.")
    samples: int | None = option(None, "Labelled samples, or texts, or hours where the unit says so.", ge=0)
    unit: str = option("samples", "What is counted: `images`, `hours`, `words`, `image-text pairs`.")
    classes: int | None = option(None, "Classes of its labels; null where it has none.", ge=2)
    domain: str = option(doc="What it shows: `photographs of objects`, `read English speech`.")
    license: str = option(doc="Its licence, or `unknown`.")
    source: str = option(doc="Where this is told.")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Pretrained weights worth knowing."""

    use: str = option(doc="The backbone to name in a spec.")
    modality: list[str] = option(doc="What it takes.", min_length=1)
    summary: str = option(doc="One sentence: what it was trained for, and what it is good at.")
    data: list[str] = option(doc="Data sets it saw, in order; their cards are under `datasets`.", min_length=1)
    license: str = option(doc="Licence of the weights as their library or repository states it.")
    parameters: int | None = option(None, "Number of parameters of the backbone.", ge=1)
    dim: int | None = option(None, "Width of the features.", ge=1)
    input: str | None = option(None, "Size it was trained at: `3x224x224`, `16000 Hz`, `512 tokens`.")
    weights: str = option(doc="Where the weights are: a Hub repository or a URL.")
    source: str = option(doc="Where this is told.")


@dataclass(frozen=True, kw_only=True)
class Entries:
    """One catalogue file."""

    catalogue: Literal[1] = option(doc="Version of the catalogue's format.")
    recipes: dict[str, Recipe] = option({}, "Ready specs by name.", pattern=NAME)
    datasets: dict[str, DataCard] = option({}, "Data sets that models were pretrained on, by name.", pattern=NAME)
    models: dict[str, ModelCard] = option({}, "Pretrained weights by name.", pattern=NAME)


class Catalogue:
    """The entries of several files, later ones winning by name.

    Args:
        paths: Catalogue files, the shipped one first.

    Raises:
        SpecError: A file is not a valid catalogue; all of its errors, with their places.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.recipes: dict[str, Recipe] = {}
        self.datasets: dict[str, DataCard] = {}
        self.models: dict[str, ModelCard] = {}
        for path in paths:
            entries = read_catalogue(path)
            self.recipes |= entries.recipes
            self.datasets |= entries.datasets
            self.models |= entries.models

    @property
    def names(self) -> list[str]:
        """Names of all entries."""
        return [*self.recipes, *self.datasets, *self.models]

    def listing(self, kind: str) -> list[dict[str, Any]]:
        """The facts of every entry of a kind (`recipe`, `dataset` or `model`), for tables and JSON."""
        if kind == "model":
            return [{"kind": kind, "name": name, **self.facts(card)} for name, card in self.models.items()]
        entries: dict[str, dict[str, Any]] = {"recipe": dict(self.recipes), "dataset": dict(self.datasets)}
        return [{"kind": kind, "name": name, **asdict(entry)} for name, entry in entries[kind].items()]

    def facts(self, card: ModelCard) -> dict[str, Any]:
        """What a model's card tells, with the domains of all data sets it saw and the classes of the last labelled one.

        Both are None where no card of a data set tells them.
        """
        data = [told for told in self.data_of(card) if isinstance(told, DataCard)]
        classes = [told.classes for told in data if told.classes is not None]
        domains = dict.fromkeys(told.domain for told in data)
        return {**asdict(card), "domain": "; ".join(domains) or None, "classes": classes[-1] if classes else None}

    def data_of(self, card: ModelCard) -> list[DataCard | str]:
        """The cards of the data sets that a model saw; a bare name where there is no card."""
        return [self.datasets.get(name, name) for name in card.data]


def read_catalogue(path: Path) -> Entries:
    """Reads and checks one catalogue file.

    Raises:
        UsageError: There is no such file.
        SpecError: All that is wrong with it, with places.
    """
    root = parse(Source.read(path))
    checker = Checker("the catalogue")
    if not isinstance(root, Mapping):
        raise SpecError([root.problem((), f"expected a catalogue, not {found(root)}")])
    entries = checker.section(Entries, root, (), root)
    if checker.problems or entries is FAILED:
        raise SpecError(checker.problems)
    checked: Entries = entries
    return checked


def shipped_path() -> Path:
    """`registry.yaml` beside the package in an installed wheel, one folder up in a source tree."""
    package = Path(zoo.__file__).parent
    beside, above = package / "registry.yaml", package.parent / "registry.yaml"
    return beside if beside.is_file() else above


def overlay_paths() -> list[Path]:
    """The user's own catalogues: `registry.yaml` in the zoo folder, then those that `ZOO_REGISTRY` lists.

    Raises:
        UsageError: `ZOO_REGISTRY` names a file that is not there.
    """
    own = home() / "registry.yaml"
    named = [Path(part) for part in os.environ.get("ZOO_REGISTRY", "").split(os.pathsep) if part]
    for path in named:
        if not path.is_file():
            raise UsageError(f"ZOO_REGISTRY names {path}, which is no file")
    return [*([own] if own.is_file() else []), *named]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this environment, read once."""
    return Catalogue([shipped_path(), *overlay_paths()])
