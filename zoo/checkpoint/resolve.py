"""From `weights:` in a spec to the source that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.checkpoint.address import Address
from zoo.checkpoint.hub import HubRepository
from zoo.checkpoint.locked import RENEW
from zoo.checkpoint.repository import COMMIT
from zoo.checkpoint.run_part import RunPart
from zoo.checkpoint.source import File, Folder, Source
from zoo.errors import DigestError, UsageError
from zoo.spec.sections import Backbone, Spec


def source_of(backbone: Backbone, spec: Spec, part: str) -> Source | None:
    """Where the weights of a backbone come from; None where it starts at random.

    Args:
        backbone: What the spec says of it.
        spec: The spec: where relative paths start, and which commits its lock tells.
        part: Where its tensors stand in the model: `backbones.photo`.

    Raises:
        UsageError: There is no such file or folder, or its weights are nowhere to be found.
        DigestError: The spec is to be built as a lock tells, which tells of other weights.
    """
    weights, pin = backbone.weights, _pin(spec, part)
    if weights == "none":
        return None
    if weights == "pretrained":
        return _published(backbone, pin)
    place, _, inner = weights.partition("#")
    whole = _place(place, spec.folder, pin, run=bool(inner))
    if inner:
        return RunPart(whole, inner)
    if whole.path("zoo.yaml") is not None:
        raise UsageError(f"{whole} is a whole run; name the part whose weights you want: `{place}#photo`")
    return whole


def head_source(weights: str, spec: Spec, part: str) -> Source | None:
    """Where a head's start comes from, a head of an earlier run; None where it starts at random.

    Args:
        weights: What the spec says: `none`, or `runs/moods#mood`.
        spec: The spec.
        part: Where the head's tensors stand in the model: `heads.mood`.
    """
    if weights == "none":
        return None
    place, _, inner = weights.partition("#")
    return RunPart(_place(place, spec.folder, _pin(spec, part), run=True), inner, "heads")


def _pin(spec: Spec, part: str) -> Mapping[str, Any] | None:
    """What the spec's lock tells of a part; None where the spec is not to be built as a lock tells."""
    return None if spec.pins is None else spec.pins.get(part, {})


def _place(place: str, folder: Path, pin: Mapping[str, Any] | None, *, run: bool) -> Source:
    return _hub(place.removeprefix("hf://"), pin) if place.startswith("hf://") else _local(folder / place, run)


def _published(backbone: Backbone, pin: Mapping[str, Any] | None) -> Source:
    """Where the plugin, or its index, says that the weights are."""
    component = backbone.registered.component
    place = backbone.registered.record.get("weights") or component.weights
    if not place and component.family and component.family.beyond and "/" in component.name:
        place = component.name
    if not place:
        raise UsageError(f"`{backbone.use}` does not tell where its pretrained weights are; name them in `weights`")
    return Address(place) if place.startswith("https://") else _hub(place.removeprefix("hf://"), pin)


def _hub(place: str, pin: Mapping[str, Any] | None) -> HubRepository:
    """A repository at the revision that is named; under a lock, at the commit that it tells."""
    repo, _, revision = place.partition("@")
    if pin is None:
        return HubRepository(repo, revision or None)
    commit = str(pin.get("commit", ""))
    if pin.get("repo") != repo or not COMMIT.fullmatch(commit) or (COMMIT.fullmatch(revision) and revision != commit):
        told = f"{pin['repo']}@{commit}" if "repo" in pin else "other weights"
        raise DigestError(f"the spec names `hf://{place}`, and its zoo.lock tells of {told}; {RENEW}")
    return HubRepository(repo, commit)


def _local(path: Path, run: bool) -> Source:
    if path.is_dir():
        return Folder(path)
    if run:
        raise UsageError(f"`{path}` is no folder of an earlier run")
    if not path.is_file():
        raise UsageError(f"the weights `{path}` are not there")
    return File(path)
