"""Sounds as waveforms: rates, masks at the rate of the frames, and the vector that stands for a sound."""

import json
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import numpy
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from zoo import BackboneContext, FeatureSpec, UsageError, Values
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import Transformers
from zoo_transformers.encoder import Encoder
from zoo_transformers.network import width_of
from zoo_transformers.pool import Way
from zoo_transformers.sounds import Waveform

FILE = "preprocessor_config.json"
# Their layers see no further than the mask. Others convolve over time in their layers, where padding leaks in.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "data2vec-audio"})
# Entries that hide parts of the input in training, at random.
HIDING = ("mask_time_prob", "mask_feature_prob")
# What pre-training leaves out at random, and fine-tuning does not unless it is said.
LEFT_OUT = (*HIDING, "layerdrop")


class AudioEncoder(Encoder):
    """An encoder of sounds.

    Args:
        options: Its options.
        context: What surrounds it.
        configured: Its configuration.
    """

    ways: ClassVar[Mapping[str, Way]] = {"auto": "mean", "mean": "mean", "max": "max"}
    """Ways of pooling, by the option; no single frame stands for a sound."""

    def __init__(self, options: Transformers, context: BackboneContext, configured: Configured) -> None:
        if options.pool not in self.ways:
            raise UsageError(
                f"`pool: {options.pool}` means nothing for `{configured.model_type}`; take one of {_listed(self.ways)}"
            )
        kept: Way | None = configured.notes.get("pool") if options.pool == "auto" else None
        way = kept or self.ways[options.pool]
        super().__init__(configured, way, pooler=way == "network")
        path = context.files.path(FILE) if context.files is not None else None
        self.settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
        self.rate = int(self.settings.get("sampling_rate", 16000))
        self.longest = context.value.max_length
        if context.value.rate not in (None, self.rate):
            raise UsageError(
                f"`{configured.model_type}` reads sounds at {self.rate} Hz, and the input gives {context.value.rate}; "
                f"write `sample_rate: {self.rate}` under the input"
            )

    def files(self) -> Mapping[str, str]:
        """The configuration, and how sounds are prepared."""
        return {**super().files(), FILE: json.dumps(self.stored(), indent=2, sort_keys=True) + "\n"}

    @abstractmethod
    def stored(self) -> dict[str, Any]:
        """What must be known to prepare sounds as it does."""


class WaveformEncoder(AudioEncoder):
    """Convolutions over the samples, then layers over their frames: wav2vec 2.0, HuBERT, WavLM.

    Where the first convolution has a group norm over the whole sound (`base` models), padding would change it in spite
    of a mask, so that only sounds of equal length run together; these weights were trained without a mask too.

    SpecAugment and LayerDrop are off unless `config` or `model` turns them on: a tensor that only some steps train has
    no gradient in the others, which several devices in step cannot have.
    """

    main = "input_values"

    def __init__(self, options: Transformers, context: BackboneContext, configured: Configured) -> None:
        config = configured.config
        for key in LEFT_OUT:
            if key not in configured.said:
                setattr(config, key, 0.0)
        super().__init__(options, context, configured)
        self.padding = "masked" if _is_masked(config) else "exact"
        shortest = 1
        for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
            shortest = (shortest - 1) * stride + kernel
        self.prepare = Waveform(bool(self.settings.get("do_normalize", True)), shortest)
        self.features = FeatureSpec(width_of(config), width_of(config))

    def read(
        self, values: Values
    ) -> tuple[Float[Tensor, "batch samples"], dict[str, Tensor], Bool[Tensor, "batch frames"] | None]:
        """Samples, with zeros in the place of whatever stands under padding, and the masks of samples and frames."""
        samples, mask = values.data, values.mask
        assert isinstance(samples, Tensor)
        if mask is None or values.lengths is None or self.padding == "exact":
            return samples, {}, None
        frames = torch.arange(int(self._frames(torch.tensor(samples.shape[1]))), device=samples.device)
        return (
            samples.masked_fill(~mask, 0),
            {"attention_mask": mask.long()},
            frames < self._frames(values.lengths)[:, None],
        )

    def run(self, inputs: Mapping[str, Tensor], **wanted: bool) -> Any:
        """What the network gives for its inputs."""
        hides = self.training and any(getattr(self.config, key) for key in HIDING)
        with _reproducible() if hides else nullcontext(), warnings.catch_warnings():
            # WavLM gives torch two masks of different types, which torch takes and remarks on.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            return super().run(inputs, **wanted)

    def example(self, batch: int) -> Values:
        """Sounds of the greatest length; of one second where there is none."""
        return Values(torch.zeros(batch, self.longest or self.rate))

    def stored(self) -> dict[str, Any]:
        """Whether sounds are standardised, and their rate."""
        assert isinstance(self.prepare, Waveform)
        return {"do_normalize": self.prepare.standardize, "sampling_rate": self.rate}

    def _frames(self, samples: Tensor) -> Tensor:
        """Frames that so many samples give."""
        frames: Tensor = self.network._get_feat_extract_output_lengths(samples)
        return frames


def _is_masked(config: Any) -> bool:
    """Whether a mask keeps padding from changing anything."""
    group, adapter = getattr(config, "feat_extract_norm", "layer") == "group", getattr(config, "add_adapter", False)
    return (
        config.model_type in MASKED and not group and not adapter and not getattr(config, "conv_pos_batch_norm", False)
    )


@contextmanager
def _reproducible() -> Iterator[None]:
    """The library hides frames by numpy's random numbers, which no run restores; here they follow torch's."""
    before = numpy.random.get_state()
    numpy.random.seed(int(torch.randint(2**32, ())))
    try:
        yield
    finally:
        numpy.random.set_state(before)


def _listed(words: Mapping[str, Any]) -> str:
    return ", ".join(f"`{word}`" for word in words)
