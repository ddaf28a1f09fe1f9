"""Augmentations and mixing: what an input has of them, and whether heads can learn from what they make of a sample."""

from collections.abc import Iterator

from zoo.component import Augmentation, Kind, Modality
from zoo.document.nodes import Mapping, Node, Path, Scalar, Sequence, at
from zoo.errors import Problem, listed
from zoo.registry.registry import Registered

Parts = dict[Path, tuple[Registered, Node]]
Known = dict[str, tuple[Registered, Augmentation]]
"""Augmentations by name, each with the component that it belongs to."""

Heads = dict[str, Registered]

PRESETS = ("light", "strong")


def augmentations_at(parts: Parts, path: Path) -> Known | None:
    """The augmentations of the input at a path and of its front end; None where the input is not known.

    Args:
        parts: The components that a spec names.
        path: Of the input.
    """
    if path not in parts:
        return None
    owners = [parts[each][0] for each in ((*path, "frontend"), path) if each in parts]
    return {each.name: (owner, each) for owner in owners for each in owner.component.augmentations}


def augment_problems(root: Mapping, parts: Parts) -> Iterator[Problem]:
    """Presets that are empty, changes that a head's labels cannot follow, and mixtures that a part cannot take.

    Args:
        root: The spec as it is written.
        parts: The components that it names.
    """
    heads = {str(path[1]): parts[path][0] for path in parts if path[0] == "heads" and len(path) == 2}
    inputs: list[Path] = [path for path in parts if path[0] == "inputs" and len(path) == 2]
    for path in inputs:
        node, known = at(root, (*path, "augment")), augmentations_at(parts, path) or {}
        if isinstance(node, Scalar) and node.text in PRESETS:
            yield from _preset_problems(node, path, parts[path][0], known)
        for index, item in enumerate(node.items if isinstance(node, Sequence) else []):
            yield from _place_problems(item, (*path, "augment", index), known, heads)
    for key in ("mixup", "cutmix"):
        value = at(root, ("train", key))
        if isinstance(value, Scalar) and isinstance(value.value, (int, float)) and value.value > 0:
            yield from _mixing_problems(value, key, parts, inputs, heads)


def _preset_problems(node: Scalar, path: Path, owner: Registered, known: Known) -> Iterator[Problem]:
    if not any(getattr(each, node.text) is not None for _, each in known.values()):
        message = f"`{owner.name}` has no augmentations in the preset `{node.text}`"
        yield node.problem((*path, "augment"), message, hint=f"it has {listed(known) or 'none at all'}")


def _place_problems(item: Node, path: Path, known: Known, heads: Heads) -> Iterator[Problem]:
    """Labels that tell places would be wrong once a sample is cropped or turned."""
    name = next(iter(item.items)) if isinstance(item, Mapping) and item.items else getattr(item, "text", "")
    if name not in known or "places" not in known[name][1].alters:
        return
    for head, entry in heads.items():
        if not {"whole", "unlabelled"} & entry.component.provides:
            message = f"`{name}` moves what is in a sample, and the labels of the head `{head}` would not move with it"
            others = [other for other, (_, each) in known.items() if "places" not in each.alters]
            hint = f"`{entry.name}` does not say that its labels are of samples as `whole`; "
            yield item.problem(path, message, hint=hint + f"what moves nothing: {listed(others) or 'nothing here'}")


def _mixing_problems(node: Scalar, key: str, parts: Parts, inputs: list[Path], heads: Heads) -> Iterator[Problem]:
    """Every head must take two labels of a row, and the values of every input must be such as can be averaged."""
    path: Path = ("train", key)
    for head, entry in heads.items():
        if "mixes" not in entry.component.provides:
            message = f"`{key}` gives each row two labels, which the head `{head}` (`{entry.name}`) cannot learn from"
            yield node.problem(path, message, hint="heads that can provide `mixes`: see `zoo show zoo/classifier`")
    givers = {each: parts.get((*each, "frontend"), parts[each])[0] for each in inputs}
    for each, giver in givers.items():
        if "mixes" not in giver.component.provides:
            message = f"`{key}` averages samples, and what `{giver.name}` gives to the input `{each[1]}` has no average"
            hint = "a sound has one as a picture (`frontend: torchaudio/log-mel`)" if _sound(giver) else ""
            yield node.problem(path, message, hint=hint)
    given = {modality for each in givers.values() for modality in each.component.modality[-1:]}
    if key == "cutmix" and given and Modality.IMAGE not in given:
        yield node.problem(path, "`cutmix` cuts pictures, and no input gives any", hint="write `mixup`")


def _sound(giver: Registered) -> bool:
    return giver.kind is Kind.INPUT and Modality.AUDIO in giver.component.modality
