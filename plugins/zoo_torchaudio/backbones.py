"""Speech encoders: torchaudio's pretrained pipelines as a family, and its Conformer."""

from dataclasses import dataclass
from typing import Any, Literal

from zoo.component import Component, Family, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Options of `torchaudio/*`."""

    pool: Literal["mean", "max"] = option("mean", "How the frames become one vector.")
    depth: int | None = option(None, "Transformer layers kept, counted from the input; all of them unless said.", ge=1)
    dropout: float | None = option(
        None, "Dropout behind the projection and in every layer; the pipeline's own unless said.", ge=0, lt=1
    )
    model: dict[str, Any] = option(
        {},
        "Further arguments of torchaudio.models.wav2vec2_model (WavLM: wavlm_model), such as `encoder_layer_drop`, "
        "the rate at which whole layers are left out in training.",
    )


@dataclass(frozen=True, kw_only=True)
class Conformer:
    """Options of `torchaudio/conformer`."""

    dim: int = option(144, "Width of the tokens.", ge=8, le=4096)
    layers: int = option(4, "Conformer layers.", ge=1, le=64)
    heads: int = option(4, "Attention heads; they must divide `dim`.", ge=1, le=64)
    kernel_size: int = option(31, "Width of the depthwise convolution; odd.", ge=1, le=255, unit="tokens")
    dropout: float = option(0.1, "Dropout in every layer.", ge=0, lt=1)

    def __post_init__(self) -> None:
        """Refuses sizes that the layers cannot have."""
        if self.dim % self.heads:
            raise ValueError(f"`heads` ({self.heads}) must divide `dim` ({self.dim})")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd, not {self.kernel_size}")


PIPELINES = Component(
    kind=Kind.BACKBONE,
    name="*",
    target="zoo_torchaudio.pipeline:build",
    options=Pipeline,
    modality=(Modality.AUDIO,),
    provides=frozenset({"tokens", "pooled", "stages", "encode", "export", "pretrained"}),
    summary="A wav2vec 2.0, HuBERT, WavLM or XLS-R encoder by the lower-case name of its torchaudio pipeline.",
    source="Baevski et al. 2020; Hsu et al. 2021; Chen et al. 2022; Babu et al. 2021; Yang et al. 2021 (torchaudio)",
    family=Family(library="torchaudio", index="zoo_torchaudio:index.json", refresh="zoo_torchaudio.index:build"),
)
CONFORMER = Component(
    kind=Kind.BACKBONE,
    name="conformer",
    target="zoo_torchaudio.conformer:build",
    options=Conformer,
    modality=(Modality.AUDIO,),
    provides=frozenset({"tokens", "pooled", "stages", "export"}),
    summary="Conformer over log-mel frames, a token for every 40 ms, trained from scratch.",
    source="Gulati et al. 2020",
)
COMPONENTS = (PIPELINES, CONFORMER)
