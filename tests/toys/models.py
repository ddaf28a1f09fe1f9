"""Models of toys, from the text of a spec."""

from pathlib import Path

from tests.toys import toy_registry
from zoo.document.source import Source
from zoo.model.build import build_fitted
from zoo.model.model import ZooModel
from zoo.spec.load import read_spec
from zoo.spec.sections import Spec


def toy_spec(text: str, folder: Path | None = None) -> Spec:
    """A checked spec that may name toys."""
    return read_spec(Source(text, "toys.yaml", folder or Path()), registry=toy_registry())


def toy_model(text: str, folder: Path | None = None) -> ZooModel:
    """The model of a spec that needs nothing of its training rows."""
    return build_fitted(toy_spec(text, folder), {})
