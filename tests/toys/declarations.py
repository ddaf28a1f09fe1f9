"""Toy components: the smallest of each kind, and the walking skeletons of systems that come later. No torch here."""

from dataclasses import dataclass
from typing import Literal

from zoo import BackbonePart, Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """Options of `toy/conv`."""

    width: int = option(8, "Channels.", ge=1)
    dropout: float = option(0.5, "Dropout between the layers.", ge=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Options of `toy/vit`."""

    dim: int = option(16, "Width of the tokens.", ge=4)


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """Options of `toy/recurrent`."""

    width: int = option(6, "Width of the state.", ge=1)


@dataclass(frozen=True, kw_only=True)
class Letters:
    """Options of `toy/lm`."""

    dim: int = option(32, "Width of the tokens.", ge=4)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Options of `toy/choice`."""

    classes: list[str] = option(doc="Names of the classes.", min_length=2)


@dataclass(frozen=True, kw_only=True)
class BoxColumns:
    """Where the objects of a picture stand in the table."""

    boxes: str = option("boxes", "Column of the boxes, four numbers each, in pixels.", columns=True)
    labels: str = option("labels", "Column of their classes.", columns=True)
    format: Literal["xyxy", "xywh"] = option("xyxy", "Whether the last two numbers are a corner or a size.")


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Options of `toy/fcos`."""

    columns: BoxColumns = option(doc="Columns of boxes and classes, and how a box is written.", columns=True)
    classes: list[str] = option(doc="Names of the classes.", min_length=1)
    threshold: float = option(0.3, "Lowest score of a box that is told.", ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Options of `toy/simclr`."""

    dim: int = option(8, "Width of the embedding.", ge=2)
    temperature: float = option(0.5, "Temperature of the similarities.", gt=0)


@dataclass(frozen=True, kw_only=True)
class Masked:
    """Options of `toy/mae`."""

    mask: float = option(0.75, "Share of the patches that the encoder does not see.", gt=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class Captioner:
    """Options of `toy/captioner`."""

    decoder: BackbonePart = option(doc="Language model that writes.")
    prefix: int = option(2, "Tokens that stand for the picture before the text.", ge=1)
    max_length: int = option(12, "Longest caption.", ge=1, unit="tokens")


def _input(name: str, modality: str) -> Component:
    return Component(Kind.INPUT, name, f"tests.toys.basic:build_{name}", modality=(modality,), summary=f"A {name}.")


def _backbone(name: str, target: str, options: type, modality: str, *provides: str) -> Component:
    able = frozenset({"tokens", "pooled", *provides})
    where = f"tests.toys.{target}"
    return Component(Kind.BACKBONE, name, where, options, (modality,), provides=able, summary=f"A toy {name}.")


def _head(name: str, target: str, options: type, needs: str, unlabelled: bool = False) -> Component:
    provides = frozenset({"unlabelled"} if unlabelled else ())
    return Component(
        kind=Kind.HEAD,
        name=name,
        target=f"tests.toys.{target}",
        options=options,
        provides=provides,
        needs=frozenset({needs}),
        summary=f"A toy {name}.",
    )


COMPONENTS = (
    _input("picture", "image"),
    _input("steps", "sequence"),
    _backbone("conv", "basic:build_conv", Convolution, "image"),
    _backbone("recurrent", "basic:build_recurrent", Recurrent, "sequence"),
    _backbone("pyramid", "detector:build_pyramid", Convolution, "image", "maps"),
    _backbone("vit", "mae:build_vit", Patches, "image", "encode"),
    _backbone("lm", "captioner:build_lm", Letters, "text", "generate"),
    Component(
        Kind.FUSION,
        "mean",
        "tests.toys.basic:build_mean",
        provides=frozenset({"tokens", "pooled"}),
        needs=frozenset({"pooled"}),
        summary="A toy mean.",
    ),
    _head("choice", "basic:build_choice", Choice, "pooled"),
    _head("fcos", "detector:build_detector", Detector, "maps"),
    _head("simclr", "simclr:build", Contrast, "pooled", unlabelled=True),
    _head("mae", "mae:build", Masked, "encode", unlabelled=True),
    _head("captioner", "captioner:build", Captioner, "pooled"),
)
