"""timm's own network, made, pooled and cut as a spec says."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any, TypeAlias

import timm
import torch
from timm.models import _builder
from torch import Tensor, nn

from zoo import UsageError
from zoo_timm.configuration import Configuration
from zoo_timm.declaration import Timm
from zoo_timm.preparation import for_channels

Filter: TypeAlias = Callable[..., Mapping[str, Tensor]]
"""What timm does with a checkpoint before it loads it: renames, resamples. Takes the tensors and the network."""

OPTIONS = {
    "num_classes": "the head of the spec has the classes",
    "in_chans": "the input has the channels",
    "img_size": "write the option `resolution`",
    "global_pool": "write the option `pool`",
    "drop_rate": "write the option `drop_rate`",
    "drop_path_rate": "write the option `drop_path_rate`",
}
"""Arguments of a network that are said elsewhere, and where."""

# Arguments of timm's factory, and not of a network.
FACTORY = {
    *inspect.signature(timm.create_model).parameters,
    *inspect.signature(_builder.build_model_with_cfg).parameters,
    "features_only",
    "out_indices",
    "feature_cls",
    "pretrained_strict",
}

# What a configuration says that no longer holds: of the classifier, and of other sizes of picture.
STALE = {
    "label_names",
    "label_descriptions",
    "label_offset",
    "test_input_size",
    "test_pool_size",
    "min_input_size",
}

_one_at_a_time = Lock()


@dataclass(frozen=True)
class Request:
    """What network is wanted.

    Args:
        configuration: Its architecture, and what the weights want.
        options: What the spec says.
        channels: Channels of its pictures.
        size: Height and width of its pictures, in pixels.
    """

    configuration: Configuration
    options: Timm
    channels: int
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The architecture, as a spec names it."""
        return f"timm/{self.configuration.architecture}"

    def arguments(self) -> dict[str, Any]:
        """Arguments of `timm.create_model`.

        Raises:
            UsageError: `model` says what is said elsewhere.
        """
        for name in self.options.model:
            if name in OPTIONS:
                raise UsageError(f"`model: {name}` is said elsewhere: {OPTIONS[name]}")
            if name in FACTORY:
                raise UsageError(f"`model: {name}` is no argument of a network, but of how timm makes and loads one")
        # A stranger's file says these: none may be of how timm loads weights, as `checkpoint_path` is.
        said_elsewhere = {*OPTIONS, *FACTORY} - {"global_pool"}
        kept = self.configuration.arguments
        arguments = {name: value for name, value in kept.items() if name not in said_elsewhere}
        arguments |= self.options.model | {"num_classes": 0, "in_chans": self.channels, "drop_rate": 0.0}
        if self.configuration.fixed_size:
            arguments["img_size"] = self.size
        if self.options.drop_path_rate is not None:
            arguments["drop_path_rate"] = self.options.drop_path_rate
        return arguments

    def as_trained(self) -> Configuration:
        """The configuration of weights that this network will have learnt."""
        pretrained = self.configuration.pretrained
        kept = {key: value for key, value in pretrained.items() if key not in STALE}
        kept |= {
            "input_size": (self.channels, *self.size),
            "num_classes": 0,
            "mean": for_channels(pretrained["mean"], self.channels),
            "std": for_channels(pretrained["std"], self.channels),
        }
        arguments = {**self.configuration.arguments, **self.options.model}
        return replace(self.configuration, pretrained=kept, arguments=arguments)


def make(request: Request) -> tuple[Any, Filter | None]:
    """The network on torch's default device, and what timm filters its checkpoints with."""
    network, filters = create(request.configuration, request.arguments())
    options = request.options
    if options.depth is not None:
        kept = stages_of(network)
        if options.depth > len(kept):
            raise UsageError(f"`depth: {options.depth}`: `{request.name}` has {len(kept)} stages (or blocks)")
        _cut(network, options.depth)
    if options.pool != "auto":
        network.reset_classifier(0, options.pool)
    return network, filters


def create(configuration: Configuration, arguments: Mapping[str, Any]) -> tuple[Any, Filter | None]:
    """A network without weights from a checkpoint, and what timm would filter the checkpoint with.

    timm builds some networks otherwise where they are to be pretrained (`fbnetc_100` has another epsilon), and tells
    only its loader what to filter a checkpoint with. So it is asked for a pretrained one, and its loader is replaced.
    """
    settings = {"pretrained": True, "pretrained_cfg": dict(configuration.pretrained), **arguments}
    create_one = partial(timm.create_model, configuration.architecture, **settings)
    with _one_at_a_time, _recorded() as filters:
        try:
            network = create_one()
        except RuntimeError:
            if torch.get_default_device().type == "meta":
                raise
            # Hybrids run their stem to learn its size, and that takes real tensors where zoo allocates none.
            with torch.device("cpu"):
                network = create_one()
    return network, filters[-1]


def _cut(network: Any, depth: int) -> None:
    """Leaves the first stages (or blocks) alone, with timm's head where it fits them."""
    cut = partial(network.prune_intermediate_layers, [depth - 1], prune_norm=False)
    try:
        cut(prune_head=False)
    except AssertionError:  # a head that reads all stages
        cut(prune_head=True)


@contextmanager
def _recorded() -> Iterator[list[Filter | None]]:
    """While active, timm loads no checkpoint, and the filters are listed that it would have used."""
    filters: list[Filter | None] = []

    def record(network: nn.Module, **settings: Any) -> None:
        filters.append(settings.get("filter_fn"))

    loader = _builder.load_pretrained
    _builder.load_pretrained = record
    try:
        yield filters
    finally:
        _builder.load_pretrained = loader


def stages_of(network: Any) -> list[tuple[int, int]]:
    """Channels and stride of each stage of a network, or of each block where they are alike, as timm lists them."""
    listed = network.feature_info
    return [(each["num_chs"], each["reduction"]) for each in getattr(listed, "info", listed)]
