"""From `weights:` in a spec to the source that it names."""

from pathlib import Path

from zoo.checkpoint.address import Address
from zoo.checkpoint.hub import HubRepository
from zoo.checkpoint.run_part import RunPart
from zoo.checkpoint.source import File, Folder, Source
from zoo.errors import UsageError
from zoo.spec.sections import Backbone


def source_of(backbone: Backbone, folder: Path) -> Source | None:
    """Where the weights of a backbone come from; None where it starts at random.

    Args:
        backbone: What the spec says of it.
        folder: Where relative paths start.

    Raises:
        UsageError: There is no such file or folder, or its weights are nowhere to be found.
    """
    weights = backbone.weights
    if weights == "none":
        return None
    if weights == "pretrained":
        return _published(backbone)
    place, _, part = weights.partition("#")
    whole = _hub(place.removeprefix("hf://")) if place.startswith("hf://") else _local(folder / place, bool(part))
    if part:
        return RunPart(whole, part)
    if whole.path("zoo.yaml") is not None:
        raise UsageError(f"{whole} is a whole run; name the part whose weights you want: `{place}#photo`")
    return whole


def head_source(weights: str, folder: Path) -> Source | None:
    """Where a head's start comes from, a head of an earlier run; None where it starts at random.

    Args:
        weights: What the spec says: `none`, or `runs/moods#mood`.
        folder: Where relative paths start.
    """
    if weights == "none":
        return None
    place, _, part = weights.partition("#")
    whole = _hub(place.removeprefix("hf://")) if place.startswith("hf://") else _local(folder / place, run=True)
    return RunPart(whole, part, "heads")


def _published(backbone: Backbone) -> Source:
    """Where the plugin, or its index, says that the weights are."""
    component = backbone.registered.component
    place = backbone.registered.record.get("weights") or component.weights
    if not place and component.family and component.family.beyond and "/" in component.name:
        place = component.name
    if not place:
        raise UsageError(f"`{backbone.use}` does not tell where its pretrained weights are; name them in `weights`")
    return Address(place) if place.startswith("https://") else _hub(place.removeprefix("hf://"))


def _hub(place: str) -> HubRepository:
    repo, _, revision = place.partition("@")
    return HubRepository(repo, revision or None)


def _local(path: Path, run: bool) -> Source:
    if path.is_dir():
        return Folder(path)
    if run:
        raise UsageError(f"`{path}` is no folder of an earlier run")
    if not path.is_file():
        raise UsageError(f"the weights `{path}` are not there")
    return File(path)
