"""What is known of the licences of bases, for processes of their own, by `tests.loopback.client.ask`."""

from pathlib import Path
from typing import Any

from zoo.hub.licences import base_licences
from zoo.spec.load import load_spec

PLACE = "{use: zoo/mlp, width: 4, weights: 'PLACE'}"


def told(folder: str, text: str, weights: dict[str, Any]) -> list[list[str | None]]:
    """Name, licence and reason of every base of a spec.

    Args:
        folder: Where it stands.
        text: The spec.
        weights: Where the weights of its parts came from, as a lock tells it.
    """
    path = Path(folder) / "spec.yaml"
    path.write_text(text)
    return [[each.base, each.licence, each.why] for each in base_licences(load_spec(path), weights)]


def spec(places: list[str], further: str = "") -> str:
    """The text of a spec whose inputs start at these places."""
    lines = [
        f"  i{number}: {{type: vector, columns: [a{number}], backbone: {PLACE.replace('PLACE', place)}}}"
        for number, place in enumerate(places)
    ]
    return "\n".join(["inputs:", *lines, "fusion: zoo/concat", "heads: {y: zoo/classifier}", further, ""])


def lock(**weights: Any) -> dict[str, Any]:
    """What a lock tells of the weights of inputs, and nothing else."""
    return {"format": 3, "weights": {f"backbones.{name}": each for name, each in weights.items()}}
