"""Makes backbones, fusions and heads: calls their factories with checked options and what surrounds them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from zoo.checkpoint.source import Source
from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext, Fusion, FusionContext, Head, HeadContext, ValueSpec
from zoo.data.inputs import factory
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import Spec

Fitted = Mapping[str, Mapping[str, Any]]


@contextmanager
def seeded(seed: int, place: str) -> Iterator[None]:
    """Random numbers that depend on the seed and the place alone, so that one part's change moves no other's start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:7]))
        yield


def backbone_maker(
    section: BackboneSection, place: str, value: ValueSpec, source: Source | None, fitted: Mapping[str, Any], seed: int
) -> Callable[[], Backbone]:
    """What makes a backbone, from the same random numbers each time.

    Args:
        section: What the spec says of it.
        place: Where it says so: `inputs.photo.backbone`.
        value: The values that it is given.
        source: Where its weights come from; None where it starts at random. What stands beside weights that are known
            to the backbone's library by their name is not looked at: the library has it.
        fitted: What was learnt from the training rows before it is built.
        seed: Seed of its random start.
    """
    build = factory(section, place)
    name = section.registered.component.name
    known = section.weights == "pretrained" and bool(section.registered.record.get("weights"))
    context = BackboneContext(name=name, value=value, files=None if known else source, fitted=fitted)

    def make() -> Backbone:
        with seeded(seed, place):
            made: Backbone = build(context)
        return made

    return make


def known(fitted: Fitted, part: str, source: Source | None) -> Mapping[str, Any]:
    """What was learnt for a backbone: from these data, else in the run that its weights come from."""
    mine: Mapping[str, Any] = fitted.get("backbones", {}).get(part.partition(".")[2], {})
    return mine or (source.fitted() if source else {})


def make_fusion(spec: Spec, features: Mapping[str, FeatureSpec]) -> Fusion | None:
    """What joins the inputs; None where there is nothing to join."""
    if spec.fusion is None:
        return None
    with seeded(spec.train.seed, "fusion"):
        made: Fusion = factory(spec.fusion, "fusion")(FusionContext(inputs=features))
    return made


def make_head(spec: Spec, name: str, place: str, context: HeadContext) -> Head:
    """A head.

    Args:
        spec: The spec.
        name: The head's name in it.
        place: Where its tensors will stand, which decides its random start.
        context: What it is built from.
    """
    with seeded(spec.train.seed, place):
        made: Head = factory(spec.heads[name], f"heads.{name}")(context)
    return made
