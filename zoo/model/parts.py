"""Makes the parts that a spec names: calls their factories with checked options and what surrounds them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from zoo.checkpoint.source import Source
from zoo.component import FeatureSpec
from zoo.contract import (
    Backbone,
    BackboneContext,
    Frontend,
    FrontendContext,
    Fusion,
    FusionContext,
    Head,
    HeadContext,
    InputContext,
    InputType,
    ValueSpec,
)
from zoo.data.columns import part_columns
from zoo.errors import PluginError, ZooError
from zoo.registry.target import load_target
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import Input, Part, Spec

Fitted = Mapping[str, Mapping[str, Any]]


def factory(part: Part, place: str) -> Callable[[Any], Any]:
    """What makes a part from its context.

    Args:
        part: What the spec says of it.
        place: Where, for messages: `inputs.photo`.
    """
    build = load_target(part.registered, part.registered.component.target)

    def make(context: Any) -> Any:
        try:
            return build(part.options, context)
        except ZooError as error:
            error.args = (f"{place}: {error}",)
            raise
        except Exception as error:
            name = part.registered.name
            raise PluginError(f"{place}: `{name}` cannot be built: {type(error).__name__}: {error}") from error

    return make


@contextmanager
def seeded(seed: int, place: str) -> Iterator[None]:
    """Random numbers that depend on the seed and the place alone, so that one part's change moves no other's start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:7]))
        yield


def make_input(spec: Spec, name: str, fitted: Fitted) -> InputType:
    """What decodes the cells of an input.

    Args:
        spec: The spec.
        name: The input.
        fitted: What was learnt from the training rows, by kind of part and name.
    """
    section = spec.inputs[name]
    context = InputContext(name=name, columns=part_columns(section), fitted=fitted.get("inputs", {}).get(name, {}))
    made: InputType = factory(section, f"inputs.{name}")(context)
    return made


def make_frontend(section: Input, name: str, value: ValueSpec) -> Frontend | None:
    """What turns the values of an input into another modality; None where they stay as they are."""
    if section.frontend is None:
        return None
    made: Frontend = factory(section.frontend, f"inputs.{name}.frontend")(FrontendContext(name=name, value=value))
    return made


def backbone_maker(
    section: BackboneSection, place: str, value: ValueSpec, source: Source | None, fitted: Mapping[str, Any], seed: int
) -> Callable[[], Backbone]:
    """What makes a backbone, from the same random numbers each time.

    Args:
        section: What the spec says of it.
        place: Where it says so: `inputs.photo.backbone`.
        value: The values that it is given.
        source: Where its weights come from; None where it starts at random.
        fitted: What was learnt from the training rows before it is built.
        seed: Seed of its random start.
    """
    build = factory(section, place)
    name = section.registered.component.name
    context = BackboneContext(name=name, value=value, files=source, fitted=fitted)

    def make() -> Backbone:
        with seeded(seed, place):
            made: Backbone = build(context)
        return made

    return make


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
