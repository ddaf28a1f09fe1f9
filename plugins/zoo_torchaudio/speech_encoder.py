"""A wav2vec 2.0, HuBERT or WavLM encoder of torchaudio's as a backbone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo import Adapted, Backbone, Features, FeatureSpec, Values
from zoo.features import masked_mean
from zoo_torchaudio.speech_transformer import Keep, Mask, Tokens, attention_arguments, positioned

WEIGHT_NORM = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
"""How weight norm's tensors are called in the published weights, and in the modules of today."""


@dataclass(frozen=True)
class Waveform:
    """Makes a sound what the encoder hears.

    Args:
        shortest: Samples that give one token; a shorter sound is followed by silence up to there.
        normalize: Give every sound the mean 0 and deviation 1, as the large pipelines were trained.
    """

    shortest: int
    normalize: bool

    def __call__(self, sound: Float[Tensor, "samples"]) -> Float[Tensor, "samples_heard"]:
        """The sound as it is heard."""
        if self.normalize:
            sound = nn.functional.layer_norm(sound, sound.shape)
        return nn.functional.pad(sound, (0, max(0, self.shortest - len(sound))))


class SpeechEncoder(Backbone):
    """Convolutions over the waveform, then a transformer with a token for every 20 ms.

    Its parameters have the names of torchaudio's own module. A feature extractor with a group norm takes its statistics
    over the whole sound, padding included, so that only sounds of equal length can run together.

    Args:
        network: A `torchaudio.models.Wav2Vec2Model`.
        pool: How the tokens become one vector.
        normalize: Whether sounds are normalised.
        longest: Samples of the longest sound.
        published: Makes the network that the pretrained weights are of.
    """

    feature_extractor: Any
    encoder: Any

    def __init__(
        self,
        network: Any,
        *,
        pool: Literal["mean", "max"],
        normalize: bool,
        longest: int,
        published: Callable[[], nn.Module],
    ) -> None:
        super().__init__()
        self.feature_extractor = network.feature_extractor
        self.encoder = network.encoder
        self.pool = {"mean": masked_mean, "max": masked_max}[pool]
        self.published = published
        dim = self.encoder.transformer.pos_conv_embed.embed_dim
        self.features = FeatureSpec(dim=dim, pooled_dim=dim)
        blocks = self.feature_extractor.conv_layers
        self.padding = "exact" if any(isinstance(block.layer_norm, nn.GroupNorm) for block in blocks) else "masked"
        shortest = 1
        for block in reversed(blocks):
            shortest = (shortest - 1) * block.stride + block.kernel_size
        self.prepare = Waveform(shortest, normalize)
        self.longest = max(longest, shortest)

    def forward(self, values: Values) -> Features:
        """Features of sounds, `(batch, samples)`."""
        return self.encode(*self.embed(values))

    def embed(self, values: Values) -> tuple[Tokens, Mask | None]:
        """Projected frames, without their positions.

        The positions come from a convolution over neighbouring frames, so `encode` adds them: here they would tell what
        is masked. A frame is real if all samples that it is made of are.
        """
        assert isinstance(values.data, Tensor)
        mask = values.mask
        data = values.data if mask is None else values.data.masked_fill(~mask, 0)
        frames, lengths = self.feature_extractor(data, values.lengths)
        return self.encoder.feature_projection(frames), Values(frames, lengths).mask

    def encode(self, tokens: Tokens, mask: Mask | None = None, keep: Keep | None = None) -> Features:
        """Features of embedded frames; where `keep` is given, the others count as silence between those kept."""
        *_, last = self._states(tokens, mask, keep)
        tokens, mask = self._normalized(last), kept(mask, keep)
        return Features(tokens, self.pool(tokens, mask), mask)

    def stages(self, values: Values) -> list[Float[Tensor, "batch dim"]]:
        """Pooled features behind each layer, as an encoder with this as its last layer would give them."""
        tokens, mask = self.embed(values)
        return [self.pool(self._normalized(state), mask) for state in self._states(tokens, mask)]

    def example(self, batch: int) -> Values:
        """Silence as long as the longest sound."""
        return Values(torch.zeros(batch, self.longest))

    def layer_groups(self) -> list[list[str]]:
        """The feature extractor, the projection with the positions, each layer; the norm where it stands."""
        transformer = "encoder.transformer."
        norm = f"{transformer}layer_norm."
        start = ("encoder.feature_projection.", f"{transformer}pos_conv_embed.")
        layers = [(f"{transformer}layers.{index}.",) for index in range(len(self.encoder.transformer.layers))]
        if self.encoder.transformer.layer_norm_first:
            prefixes = [("feature_extractor.",), (*start, norm), *layers]
        else:
            prefixes = [("feature_extractor.",), start, *layers, (norm,)]
        return [[name for name in self.state_dict() if name.startswith(group)] for group in prefixes]

    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        """Takes torchaudio's names, with or without the `model.` of its wrapper for normalised sounds, or its own.

        Layers beyond `depth` and the output layer of a speech recogniser are not used.

        Raises:
            ValueError: Tensors are missing or of another size.
        """
        own = self.state_dict()
        names = {name: own_name(name) for name in state}
        tensors = {mine: state[name] for name, mine in names.items() if mine in own}
        for name, tensor in tensors.items():
            if tensor.shape != own[name].shape:
                raise ValueError(f"`{name}` is {list(tensor.shape)} in them and {list(own[name].shape)} here")
        if missing := [name for name in own if name not in tensors]:
            raise ValueError(f"they lack {len(missing)} of its {len(own)} tensors, such as `{missing[0]}`")
        return Adapted(tensors, unused=[name for name, mine in names.items() if mine not in own])

    def reference(self) -> Mapping[str, Tensor]:
        """Names and shapes of the pipeline's published weights."""
        with torch.device("meta"):
            return dict(self.published().state_dict())

    def _states(self, tokens: Tokens, mask: Mask | None, keep: Keep | None = None) -> Iterator[Tokens]:
        """The tokens behind each layer."""
        transformer = self.encoder.transformer
        arguments = attention_arguments(transformer, tokens.shape[1], kept(mask, keep), keep)
        tokens = positioned(transformer, tokens, mask, keep)
        for layer in transformer.layers:
            changed, _ = layer(tokens, **arguments)
            if self.training and transformer.layer_drop:
                # Dropped after it has run, so that all processes compute gradients of the same parameters.
                dropped = torch.rand((), device=tokens.device) < transformer.layer_drop
                changed = torch.where(dropped, tokens, changed)
            tokens = changed
            yield tokens

    def _normalized(self, state: Tokens) -> Tokens:
        """The tokens as they leave the encoder: the large pipelines normalise them behind the last layer."""
        transformer = self.encoder.transformer
        normalized: Tensor = state if transformer.layer_norm_first else transformer.layer_norm(state)
        return normalized


def own_name(name: str) -> str:
    """The module's name of a tensor in published weights."""
    path, _, last = name.removeprefix("model.").rpartition(".")
    return f"{path}.{WEIGHT_NORM.get(last, last)}"


def kept(mask: Mask | None, keep: Keep | None) -> Mask | None:
    """The mask of the kept tokens."""
    return mask if mask is None or keep is None else mask.gather(1, keep)


def masked_max(tokens: Tokens, mask: Mask | None) -> Float[Tensor, "batch dim"]:
    """Largest of the real tokens, for each channel; zeros where a row has none."""
    if mask is None:
        return tokens.amax(1)
    largest = tokens.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1)
    return largest.masked_fill(~mask.any(1, keepdim=True), 0)
