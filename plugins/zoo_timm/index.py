"""The index of timm: every architecture, and every pretrained `architecture.tag`.

A bare architecture is described with its default weights. `parameters` are the architecture's without a classifier
(`num_classes=0`), whatever the tag. `dim` is the width of the features before pooling, `num_features`; where pooling
ends in a wider or narrower layer, `pooled_dim` is what comes out of it, `head_hidden_size`.
"""

import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

DATA = {
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "in22k": "ImageNet-22k",
    "inw21k": "ImageNet-21k (winter 2021)",
    "laion2b": "LAION-2B",
    "laion400m": "LAION-400M",
    "laiona": "LAION-Aesthetic",
    "openai": "OpenAI's 400M image-text pairs",
    "webli": "WebLI",
    "dfn2b": "DFN-2B",
    "dfn5b": "DFN-5B",
    "dfndr2b": "DFNDR-2B",
    "datacompxl": "DataComp-XL",
    "datacomp1b": "DataComp-1B",
    "merged2b": "Merged-2B",
    "m30m": "Merged-30M",
    "m38m": "Merged-38M",
    "lvd142m": "LVD-142M",
    "lvd1689m": "LVD-1689M",
    "sat493m": "SAT-493M",
    "sa1b": "SA-1B",
    "ig1b": "Instagram-1B",
    "yfcc15m": "YFCC-15M",
    "yfcc100m": "YFCC-100M",
    "cc12m": "CC-12M",
    "jft": "JFT-300M",
    "bamboo": "Bamboo",
}
"""What timm's tags call a data set."""
IMPLIED = {
    "dino": "ImageNet-1k",
    "mae": "ImageNet-1k",
    "fcmae": "ImageNet-1k",
    "seer": "Instagram-1B",
    "swag": "Instagram-3.6B",
    "metaclip": "MetaCLIP",
    "metaclip2": "MetaCLIP 2",
}
"""What a method was trained on by its authors, where the tag names no data set before fine-tuning."""


def names() -> list[str]:
    """Every name that the index of the installed version holds, sorted."""
    import timm

    return sorted({*timm.list_models(), *timm.list_pretrained()})


def data(tag: str) -> str | None:
    """Training data by a timm tag, in order: `LAION-2B, then ImageNet-12k and ImageNet-1k`.

    Args:
        tag: What follows the dot in the name of timm's weights, such as `laion2b_ft_in12k_in1k`.
    """
    stages: list[str] = []
    for stage in re.split(r"(?:^|_)ft(?:_|$)", tag):
        tokens = stage.split("_")
        known = [DATA[token] for token in tokens if token in DATA]
        known = known or [IMPLIED[token] for token in tokens if token in IMPLIED]
        if known:
            stages.append(" and ".join(known))
    return ", then ".join(stages[:1] + [after for before, after in pairwise(stages) if after != before]) or None


def _summary(name: str) -> str | None:
    """The first sentence of timm's text about an architecture; many have none."""
    from timm.models import model_entrypoint

    line = (model_entrypoint(name).__doc__ or "").strip().partition("\n")[0]
    line = re.sub(r"^(Construct|Create|Instantiate)s? (an? )?", "", line)
    line = re.sub(r"\s*(from( original)?( paper)?)?\s*(\(?https?://\S+.*)?$", "", line).split(". ")[0].strip()
    return line.rstrip(".,") if 0 < len(line) <= 100 else None


def _architecture(name: str) -> dict[str, Any]:
    """What all weights of an architecture share."""
    import timm
    import torch

    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False, num_classes=0)
        width, pooled = model.num_features, getattr(model, "head_hidden_size", None)
        shape = {"parameters": sum(each.numel() for each in model.parameters()), "dim": width}
        return shape | ({"pooled_dim": pooled} if pooled not in (None, width) else {})
    return {}


def _weights(name: str) -> dict[str, Any]:
    """What timm tells of the weights under a name: of a bare architecture, its default ones."""
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(name, allow_unregistered=True)
    if config is None:
        return {}
    record = {"input": "x".join(map(str, config.input_size)) if config.input_size else None}
    if config.has_weights:
        record["weights"] = config.hf_hub_id or config.url
        record["data"] = data(config.tag or "")
        record["license"] = config.license if config.license != "unknown" else None
    return {key: value for key, value in record.items() if value}


def build(progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Makes the index of the installed timm, which takes minutes.

    Args:
        progress: Called with how many models are done and how many there are.
    """
    import timm

    chosen, architectures, models = names(), {}, {}
    for done, name in enumerate(chosen, 1):
        base = name.partition(".")[0]
        if base not in architectures:
            architectures[base] = _architecture(base)
        models[name] = {"modality": "image", **architectures[base], **_weights(name)}
        if name == base and (summary := _summary(name)):
            models[name]["summary"] = summary
        progress(done, len(chosen))
    return {"library": "timm", "version": timm.__version__, "models": models}
