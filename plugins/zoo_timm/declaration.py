"""The family of timm's models."""

from dataclasses import dataclass
from typing import Any, Literal

from zoo.component import Component, Family, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Timm:
    """Options of `timm/*`."""

    pool: Literal["auto", "avg", "max", "avgmax", "token"] = option(
        "auto",
        "How the feature map or the tokens become one vector, of those ways that the model has; `auto` is its own way, "
        "`token` its class token.",
    )
    depth: int | None = option(
        None,
        "Stages kept, counted from the input as timm counts them (the stem of a ResNet is one), or blocks of a model "
        "without stages; all of them unless said.",
        ge=1,
    )
    resolution: int | None = option(
        None,
        "Side of the square picture; the weights' own unless said. Position embeddings are resampled.",
        ge=8,
        le=4096,
        unit="pixels",
    )
    drop_rate: float = option(0.0, "Dropout on the pooled features.", ge=0, lt=1)
    drop_path_rate: float | None = option(
        None,
        "Stochastic depth (Huang et al. 2016) of the last block, of all before it less; the model's own unless said "
        "(0.1 for a Swin, 0 for most).",
        ge=0,
        lt=1,
    )
    model: dict[str, Any] = option({}, "Further arguments of the model's constructor in timm, such as `embed_dim`.")


BACKBONES = Component(
    kind=Kind.BACKBONE,
    name="*",
    target="zoo_timm.backbone:build",
    options=Timm,
    modality=(Modality.IMAGE,),
    provides=frozenset({"tokens", "pooled", "maps", "stages", "export", "pretrained"}),
    summary="Any image model of timm, by its name (`timm/resnet50`) or name and weights (`timm/resnet50.a1_in1k`).",
    source="Wightman, PyTorch Image Models (timm)",
    family=Family(library="timm", index="zoo_timm:index.json", refresh="zoo_timm.index:build"),
)
