"""The model card of a run: what it is, how good, and how to use it, from facts alone."""

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from zoo import __version__
from zoo.checkpoint.lock import versions
from zoo.model.calibration import told_calibration
from zoo.model.licences import licence_section
from zoo.model.metadata import metadata
from zoo.model.model import ZooModel, untaught
from zoo.model.use import use_section
from zoo.spec.licences import licences
from zoo.spec.paths import is_name
from zoo.spec.render import render_spec
from zoo.spec.sections import Backbone, SharedBackbone, Spec, named_parts

WEIGHTS = (".safetensors", ".pt", ".pth")
"""Endings of files that hold weights."""


def card(model: ZooModel, weights: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> str:
    """`README.md` of a run folder, in Markdown.

    Args:
        model: The model.
        weights: Where the weights of its parts came from, as its lock tells it.
        metrics: What `metrics.json` holds; empty where nothing was measured.
    """
    spec = model.spec
    total = sum(each.numel() for each in model.parameters())
    parts = [
        f"---\n{metadata(spec, weights, metrics)}\n---",
        f"# {spec.name}",
        f"Made with zoo {__version__}: {total:,} parameters.",
        _inputs(spec, weights),
        _parts(model),
        _quality(metrics),
        _probabilities(model),
        _limits(model, metrics),
        licence_section(spec.hub.license, licences(spec, weights)),
        _use(model),
        f"## Spec\n\n```yaml\n{render_spec(spec)}```",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _inputs(spec: Spec, weights: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ["| input | type | backbone | weights |", "|---|---|---|---|"]
    for name, section in spec.inputs.items():
        backbone = section.backbone
        if isinstance(backbone, SharedBackbone):
            told = f"that of {backbone.same_as} |"
        else:
            told = f"{backbone.use} | {told_start(backbone.weights, weights.get(f'backbones.{name}'))}"
        rows.append(f"| {name} | {section.type} | {told} |")
    for name, head in spec.heads.items():
        if head.weights != "none":
            rows.append(f"| (head {name}) | | {head.use} | {told_start(head.weights, weights.get(f'heads.{name}'))} |")
        for option, part in named_parts(head.options).items():
            told = told_start(part.weights, weights.get(f"heads.{name}.parts.{option}"))
            rows.append(f"| ({option} of head {name}) | | {part.use} | {told} |")
    return "\n".join(rows)


def told_start(said: str, record: Mapping[str, Any] | None) -> str:
    """Where weights came from, so that nobody can mean others: a commit, or the SHA-256 of what was read.

    Args:
        said: What the spec says.
        record: What the lock tells; None where they start at random.
    """
    if record is None:
        return said if is_name(said) else PurePath(said).name
    part = f"#{record['part']}" if "part" in record else ""
    if "commit" in record:
        return f"{record['repo']}@{record['commit']}{part}"
    place = record.get("url") or PurePath(str(record.get("path", said))).name
    files = {name: each for name, each in record.get("files", {}).items() if name.endswith(WEIGHTS)}
    digests = ", ".join(f"{name}: SHA-256 {each}" for name, each in files.items())
    return f"{place}{part}{f' ({digests})' if digests else ''}"


def _parts(model: ZooModel) -> str:
    """The parameters of each part, and which of them the spec has trained."""
    counts: Counter[str] = Counter()
    for name, each in model.named_parameters():
        counts[_part(name)] += each.numel()
    rows = ["| part | parameters | in training |", "|---|---|---|"]
    rows += [f"| {part} | {count:,} | {told_training(model.spec, part)} |" for part, count in counts.items()]
    freeze = ", ".join(f"`{pattern}`" for pattern in model.spec.transfer.freeze)
    return "\n".join(rows) + (f"\n\nFrozen besides: {freeze}." if freeze else "")


def _part(parameter: str) -> str:
    words = parameter.split(".")
    if words[0] == "fusion":
        return "fusion"
    return ".".join(words[: 4 if words[2:3] == ["parts"] else 2])


def told_training(spec: Spec, part: str) -> str:
    """Whether a part is trained, as far as its policy tells; a part that starts at random is, unless it has its own.

    Args:
        spec: The spec.
        part: Where its tensors stand: `backbones.photo`, `fusion`, `heads.mood`.
    """
    match part.split("."):
        case ["backbones", name]:
            backbone, own = spec.inputs[name].backbone, spec.inputs[name].transfer
        case ["heads", name, "parts", option]:
            backbone = named_parts(spec.heads[name].options)[option]
            own = getattr(backbone, "transfer", None)
        case _:
            return "trained"
    transfer = own or spec.transfer
    if own is None and isinstance(backbone, Backbone) and backbone.weights == "none":
        return "trained"
    told = {"zoo/full": "trained", "zoo/frozen": "frozen"}.get(transfer.policy, f"in part, by {transfer.policy}")
    patterns = ", ".join(f"`{pattern}`" for pattern in transfer.freeze) if own is not None else ""
    return f"{told}, but {patterns} frozen" if patterns else told


def _limits(model: ZooModel, metrics: Mapping[str, Any]) -> str:
    """What the numbers do not say."""
    told = []
    if metrics:
        told.append(f"The numbers hold for rows like those of `{metrics['split']}`; of others they say nothing.")
    if absent := model.never_absent():
        line = untaught(absent)
        told.append(f"{line[0].upper()}{line[1:]}.")
    return "\n".join(["## Limits", "", *(f"- {each}" for each in told)]) if told else ""


def _use(model: ZooModel) -> str:
    """What to type; how to get the model where the spec says where it is shared. A push tells where it is."""
    spec, plugins = model.spec, versions(model.spec)["plugins"]
    name = spec.name if spec.hub.repo else f"runs/{spec.name}"
    return use_section(spec, model.fitted, plugins, spec.hub.repo, name)


def _probabilities(model: ZooModel) -> str:
    """Whether they are calibrated, head by head."""
    return "\n\n".join(f"{line[0].upper()}{line[1:]}." for line in told_calibration(model))


def _quality(metrics: Mapping[str, Any]) -> str:
    """Every set of modalities with its metrics, how many rows, which split, and 95 % intervals."""
    if not metrics:
        return ""
    rows = ["| modalities | head | metric | value | 95 % interval | rows |", "|---|---|---|---|---|---|"]
    for subset, heads in metrics["subsets"].items():
        for head, found in heads.items():
            for metric, each in found.items():
                interval = f"{each['low']:.3f} to {each['high']:.3f}" if each["low"] is not None else ""
                value = "-" if each["value"] is None else f"{each['value']:.3f}"
                rows.append(f"| {subset} | {head} | {metric} | {value} | {interval} | {each['n']} |")
    unusable = metrics.get("unusable", 0)
    told = f" {unusable:,} of its rows cannot be used and stand in no number." if unusable else ""
    return f"## Quality\n\nMeasured on `{metrics['split']}`.{told}\n\n" + "\n".join(rows)
