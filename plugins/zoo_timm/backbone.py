"""The family `timm/*`: every image model of timm."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from timm.models._manipulate import group_with_matcher, reinit_non_persistent_buffers
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from zoo import Adapted, Backbone, BackboneContext, Features, Values, ValueSpec
from zoo_timm.configuration import FILE, Configuration, read_configuration
from zoo_timm.declaration import Timm
from zoo_timm.layout import Layout, layout_of, tokens_of
from zoo_timm.network import Filter, Request, create, make
from zoo_timm.preparation import preparation
from zoo_timm.refusal import refusal
from zoo_timm.weights import fit

PREFIX = "network."
BLOCK = re.compile(r"(\w+\.\d+\.){1,2}|\w+\.")


def build(options: Timm, context: BackboneContext) -> "TimmBackbone":
    """A network of timm without its classifier.

    Raises:
        UsageError: timm has no such model, or the model does not take an option.
    """
    configuration = read_configuration(context.name, context.files)
    size = _size(configuration, options, context.value)
    channels = (context.value.shape or (None,))[0] or configuration.channels
    request = Request(configuration, options, channels, size)
    try:
        network, filtered_by = make(request)
        layout = layout_of(network, request)
    except Exception as error:  # each architecture has checks of its own, with errors of its own
        raise refusal(request, error) from error
    return TimmBackbone(request, network, layout, filtered_by, context.value.standardized)


class TimmBackbone(Backbone):
    """A network of timm.

    Tokens are the places of the picture, as they come out of the trunk: of a CNN the pixels of its last map, of a ViT
    its patches. Class, register and distillation tokens are left out of them; what the model reads of them for its
    classifier is in `pooled`, which is what timm's own classifier would be given. Encoders that have no classifier,
    and networks cut below the one they have, are pooled by the mean of their tokens.

    Args:
        request: What network it is.
        network: The network.
        layout: What it gives.
        filtered_by: What timm filters its checkpoints with.
        standardized: Whether its pictures have mean 0 and deviation 1 already.
    """

    network: Any

    def __init__(
        self, request: Request, network: nn.Module, layout: Layout, filtered_by: Filter | None, standardized: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.dropout = nn.Dropout(request.options.drop_rate)
        self.features = layout.features
        self.prepare = preparation(request.configuration.pretrained, request.size, request.channels, standardized)
        self.weight_files = _weight_files(request.configuration)
        self._request, self._layout, self._filtered_by = request, layout, filtered_by

    def forward(self, values: Values) -> Features:
        """Features of pictures `(batch, channels, height, width)`."""
        if self._layout.has_tokens:
            return self._features(values, self.network.forward_features(values.data))
        trunk, maps = self.network.forward_intermediates(values.data, indices=[self._layout.stages - 1])
        return self._features(values, trunk, maps)

    def example(self, batch: int) -> Values:
        """Pictures of the network's size."""
        return Values(torch.zeros(batch, self._request.channels, *self._request.size))

    def stages(self, values: Values) -> list[Float[Tensor, "batch _dim"]]:
        """Mean of each stage's map (or each block's, of networks of one stride), shallowest first.

        Of networks with branches (CrossViT) one branch after the other.
        """
        indices = list(range(self._layout.stages))
        maps = self.network.forward_intermediates(values.data, indices=indices, intermediates_only=True)
        return [each.mean((2, 3)) for each in maps]

    def pyramid(self, values: Values) -> Features:
        """Features with maps: the last of each stride that is at least 4.

        A network of one stride has the simple pyramid of ViTDet (Li et al. 2022), made from its last map. Ours has no
        parameters: the finer map is interpolated, bilinear, where theirs is a transposed convolution; networks of an
        odd stride go without it.
        """
        levels = list(self._layout.levels)
        trunk, maps = self.network.forward_intermediates(values.data, indices=levels)
        features = self._features(values, trunk, maps)
        if self._layout.has_one_stride:
            maps = _simple_pyramid(maps[0])[-len(self.features.maps) :]
        return Features(features.tokens, features.pooled, None, tuple(maps))

    def layer_groups(self) -> list[list[str]]:
        """Names in timm's groups: stem, each block, and the rest."""
        names = list(self.network.state_dict())
        if not hasattr(self.network, "group_matcher"):
            return [[PREFIX + name for name in group] for group in _by_module(names)]
        groups = group_with_matcher(((name, name) for name in names), self.network.group_matcher(coarse=False))
        return [[PREFIX + name for name in groups[number]] for number in sorted(groups)]

    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        """Fits timm's checkpoints and earlier backbones: other channels, other sizes of picture, other depths."""
        if all(name.startswith(PREFIX) for name in state):
            state = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
        request = self._request
        try:
            fitted = fit(self.network, self._uncut(), self._filtered_by, request.channels, state)
        except ValueError as error:
            own = request.configuration.size
            hint = "" if request.size == own else f"; without `resolution` it reads {own[0]} x {own[1]} pixels"
            raise ValueError(f"{error} (`{request.name}`{hint})") from error
        return Adapted(
            {PREFIX + name: tensor for name, tensor in fitted.tensors.items()},
            {PREFIX + name: words for name, words in fitted.resized.items()},
            fitted.unused,
        )

    def reference(self) -> Mapping[str, Tensor]:
        """Names and shapes of the network as its weights were trained, with the classifier."""
        configuration = self._request.configuration
        arguments: dict[str, Any] = dict(configuration.arguments)
        with torch.device("meta"):
            network, _ = create(configuration, arguments)
        state: dict[str, Tensor] = network.state_dict()
        return state

    def restore_buffers(self) -> None:
        """timm computes its position tables and indices anew."""
        reinit_non_persistent_buffers(self.network)

    def recompute(self) -> None:
        """Makes the backward pass compute the blocks again, where timm can for this network."""
        try:
            self.network.set_grad_checkpointing(True)
        except (AttributeError, AssertionError) as error:
            raise NotImplementedError from error

    def files(self) -> Mapping[str, str]:
        """timm's `config.json`, with what pictures of this network are like."""
        return {FILE: self._request.as_trained().as_json()}

    def _uncut(self) -> Any:
        """The network before it was cut, for filters that look at all of it."""
        if self._request.options.depth is None:
            return self.network
        with torch.device("meta"):
            return create(self._request.configuration, self._request.arguments())[0]

    def _features(self, values: Any, trunk: Any, maps: Sequence[Tensor] = ()) -> Features:
        """Features from what comes out of the trunk, and, where that has no tokens, from the last stage's map."""
        layout = self._layout
        if layout.has_tokens:
            tokens = tokens_of(trunk, layout.prefix, layout.channels_last)
        else:
            tokens = tokens_of(maps[-1], prefix=0, channels_last=False)
        if not layout.has_head:
            return Features(tokens, self.dropout(tokens.mean(1)))
        if isinstance(trunk, Tensor) and not values.data.is_contiguous():
            trunk = trunk.contiguous()  # VGG's head, a convolution as large as its map, is slow with channels last
        return Features(tokens, self.dropout(self.network.forward_head(trunk, pre_logits=True)))


def _size(configuration: Configuration, options: Timm, value: ValueSpec) -> tuple[int, int]:
    """Height and width of the pictures that the network reads.

    What is said, else what the weights were trained on. A standardised picture of a known size stays as it is where
    the network takes any size.
    """
    if options.resolution is not None:
        return options.resolution, options.resolution
    if value.standardized and not configuration.fixed_size and len(value.shape) == 3:
        _, height, width = value.shape
        if height is not None and width is not None:
            return height, width
    return configuration.size


def _simple_pyramid(last: Float[Tensor, "batch channels height width"]) -> list[Tensor]:
    """Maps of half, the same, and twice the stride."""
    finer = interpolate(last, scale_factor=2, mode="bilinear", align_corners=False)
    return [finer, last, max_pool2d(last, 2, ceil_mode=True)]


def _by_module(names: Sequence[str]) -> list[list[str]]:
    """Names by the stage and block that they stand in, in the order in which the network has them.

    Parameters of the network itself, class tokens and position embeddings, stand with what reads the picture.
    """
    places = [BLOCK.match(name) for name in names]
    first = next(place[0] for place in places if place)
    groups: dict[str, list[str]] = {}
    for name, place in zip(names, places, strict=True):
        groups.setdefault(place[0] if place else first, []).append(name)
    return list(groups.values())


def _weight_files(configuration: Configuration) -> tuple[str, ...]:
    """What the weights may be called: as timm says, as timm does, as open_clip does."""
    stem, _, _ = (configuration.pretrained.get("hf_hub_filename") or "").rpartition(".")
    beside = not stem.startswith("/") and ".." not in re.split(r"[/\\]", stem)  # a stranger's file may say it
    said = (f"{stem}.safetensors",) if stem and beside else ()
    return (*said, "model.safetensors", "open_clip_model.safetensors")
