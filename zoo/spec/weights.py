"""`weights:` of a backbone, fitted to what there is, so that nobody trains from random weights unawares."""

import re
from collections.abc import Iterator

from zoo.document.fields import fields_of
from zoo.document.nodes import Mapping, Node, Path, at
from zoo.errors import Problem
from zoo.registry.registry import Registered

HUB_REFERENCE = r"hf://[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?(#[A-Za-z][\w-]*)?"


def effective_weights(weights: str, mapping: Mapping, backbone: Registered) -> str:
    """What `weights` means where nothing is said of them.

    A component that never has any starts at random, and so does one that is given the sizes of a random one.
    """
    if at(mapping, ("weights",)) is not None or backbone.pretrained:
        return weights
    sized = any(at(mapping, (name,)) is not None for name in _sizes(backbone))
    return "none" if sized or not backbone.expects_weights else weights


def weight_problems(weights: str, mapping: Mapping, path: Path, backbone: Registered, place: Node) -> Iterator[Problem]:
    """What is wrong with the effective weights of a backbone.

    Args:
        weights: The effective value.
        mapping: What is said of the backbone.
        path: Where that stands.
        backbone: The backbone itself. In a family with weights, a model without any must be asked for.
        place: Where a problem is shown that no key stands for.
    """
    here = (*path, "weights")
    place = at(mapping, ("weights",)) or place
    if weights == "pretrained" and not backbone.pretrained:
        sizes = "".join(f", or say its `{name}`" for name in _sizes(backbone))
        hint = f"write `weights: none` for random ones{sizes}, or name a file or repository"
        yield place.problem(here, f"`{backbone.name}` has no pretrained weights", hint=hint)
    if weights.startswith("hf:") and not re.fullmatch(HUB_REFERENCE, weights):
        hint = "write it as hf://owner/name@commit#part"
        yield place.problem(here, f"`{weights}` is no Hub reference", hint=hint)
    for name in _sizes(backbone):
        if weights != "none" and at(mapping, (name,)) is not None:
            message = f"`{name}` shapes a part that starts at random, but these weights (`{weights}`) have their shape"
            yield mapping.key(name).problem((*path, name), message, hint="remove it, or write `weights: none`")


def _sizes(backbone: Registered) -> list[str]:
    """The options that shape a backbone which starts at random."""
    return [name for name, field in fields_of(backbone.component.options).items() if field.only_random]
