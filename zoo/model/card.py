"""The model card of a run: what it is, how good, and how to use it, from facts alone."""

from collections.abc import Mapping
from typing import Any

from zoo import __version__
from zoo.data.columns import sample_names
from zoo.model.calibration import told_calibration
from zoo.model.metadata import metadata
from zoo.model.model import ZooModel
from zoo.spec.render import render_spec
from zoo.spec.sections import SharedBackbone, Spec


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
        _inputs(spec),
        _quality(metrics),
        _probabilities(model),
        _use(spec),
        f"## Spec\n\n```yaml\n{render_spec(spec)}```",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _inputs(spec: Spec) -> str:
    rows = ["| input | type | backbone | weights |", "|---|---|---|---|"]
    for name, section in spec.inputs.items():
        backbone = section.backbone
        if isinstance(backbone, SharedBackbone):
            told = f"that of {backbone.same_as} |"
        else:
            told = f"{backbone.use} | {backbone.weights}"
        rows.append(f"| {name} | {section.type} | {told} |")
    return "\n".join(rows)


def _use(spec: Spec) -> str:
    """What to type; how to get the model where the spec says where it is shared."""
    pull = f"zoo pull {spec.hub.repo} -o runs/{spec.name}\n" if spec.hub.repo else ""
    folder = f"runs/{spec.name}" if spec.hub.repo else "FOLDER"
    values = " ".join(f"{name}=..." for name in sample_names(spec))
    return f"## Use\n\n```sh\n{pull}zoo predict {folder} {values}\n```"


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
