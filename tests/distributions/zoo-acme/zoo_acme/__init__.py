"""What Acme adds to zoo: a backbone, a fusion, a head and a verb. Torch is imported when a model is built, not here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import click

from zoo import Component, Kind, hookimpl, option

ZOO_PLUGIN_API = 1


@dataclass(frozen=True, kw_only=True)
class Spectral:
    """Options of `acme/spectral`."""

    bands: int = option(64, "Frequency bands.", ge=8, le=512)
    dim: int = option(128, "Width of the features.", ge=8)


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Options of `acme/mean`."""

    dim: int = option(128, "Width that the features of every input are projected to.", ge=8)


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """Options of `acme/ranker`."""

    margin: float = option(0.2, "How far apart the scores of a better and a worse row shall be.", gt=0)
    reduction: Literal["mean", "sum"] = option("mean", "How the losses of all pairs become one number.")


COMPONENTS = (
    Component(
        kind=Kind.BACKBONE,
        name="spectral",
        target="zoo_acme.spectral:SpectralBackbone",
        options=Spectral,
        modality=("audio",),
        provides=frozenset({"tokens", "pooled"}),
        summary="Log power of a short-time Fourier transform in bands, and one linear layer.",
        source="Acme 2026",
    ),
    Component(
        kind=Kind.FUSION,
        name="mean",
        target="zoo_acme.mean:MeanFusion",
        options=Mean,
        provides=frozenset({"pooled"}),
        needs=frozenset({"pooled"}),
        summary="Mean of the pooled features of the inputs that are present.",
        source="Acme 2026",
    ),
    Component(
        kind=Kind.HEAD,
        name="ranker",
        target="zoo_acme.ranker:RankingHead",
        options=Ranker,
        needs=frozenset({"pooled"}),
        summary="A score whose order is that of the labels, learned from pairs with a margin.",
        source="Herbrich et al. 2000",
    ),
)


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    return COMPONENTS


@hookimpl
def zoo_commands(cli: click.Group) -> None:
    """Adds `zoo acme-hello`."""

    @cli.command("acme-hello")
    @click.option("--name", default="zoo", help="Whom to greet.")
    def hello(name: str) -> None:
        """Say hello from Acme."""
        click.echo(f"Acme says hello to {name}.")
