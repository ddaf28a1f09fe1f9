"""Front ends that turn sound into a picture of frequency by time, for any image backbone."""

from dataclasses import dataclass

from zoo.component import Augmentation, Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class LogMel:
    """Options of `torchaudio/log-mel`."""

    n_mels: int = option(64, "Mel bands: the height of the picture.", ge=8, le=512)
    n_fft: int = option(400, "Length of the analysis window.", ge=16, le=65536, unit="samples")
    hop_length: int = option(160, "Step from one frame to the next.", ge=1, le=65536, unit="samples")
    f_min: float = option(0.0, "Lowest frequency.", ge=0, unit="Hz")
    f_max: float | None = option(None, "Highest frequency; half of the sample rate unless said.", gt=0, unit="Hz")
    standardize: bool = option(True, "Give every picture the mean 0 and deviation 1.")

    def __post_init__(self) -> None:
        """Refuses an empty range of frequencies and frames with gaps between them."""
        if self.f_max is not None and self.f_max <= self.f_min:
            raise ValueError(f"`f_max` ({self.f_max}) must be above `f_min` ({self.f_min})")
        if self.hop_length > self.n_fft:
            raise ValueError(f"`hop_length` ({self.hop_length}) is longer than `n_fft` ({self.n_fft})")


@dataclass(frozen=True, kw_only=True)
class MFCC(LogMel):
    """Options of `torchaudio/mfcc`."""

    n_mfcc: int = option(40, "Coefficients kept: the height of the picture.", ge=4, le=256)

    def __post_init__(self) -> None:
        """Refuses more coefficients than there are bands."""
        LogMel.__post_init__(self)
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"`n_mfcc` ({self.n_mfcc}) is more than `n_mels` ({self.n_mels})")


@dataclass(frozen=True, kw_only=True)
class SpecAugment:
    """Options of `spec-augment`."""

    bands: float = option(0.2, "Most bands of a mask, as a share of all.", ge=0, le=1)
    frames: float = option(0.2, "Most frames of a mask, as a share of the sound's own.", ge=0, le=1)
    masks: int = option(2, "How many masks of bands, and as many of frames.", ge=1, le=20, shorthand=True)


AUGMENTATIONS = (
    Augmentation(
        "spec-augment",
        "zoo_torchaudio.spec_augment:SpecAugmented",
        SpecAugment,
        light=SpecAugment(bands=0.1, frames=0.1, masks=1),
        strong=SpecAugment(),
        summary="Some neighbouring bands, and some frames, are filled with the picture's mean.",
        source="Park et al. 2019, without time warping",
    ),
)
LOG_MEL = Component(
    kind=Kind.FRONTEND,
    name="log-mel",
    target="zoo_torchaudio.log_mel:build",
    options=LogMel,
    augmentations=AUGMENTATIONS,
    modality=(Modality.AUDIO, Modality.IMAGE),
    provides=frozenset({"mixes"}),
    summary="Logarithm of the energy in mel bands, as a picture of bands by frames with one channel.",
    source="Stevens et al. 1937; torchaudio.transforms.MelSpectrogram",
)
MEL_CEPSTRUM = Component(
    kind=Kind.FRONTEND,
    name="mfcc",
    target="zoo_torchaudio.mfcc:build",
    options=MFCC,
    augmentations=AUGMENTATIONS,
    modality=(Modality.AUDIO, Modality.IMAGE),
    provides=frozenset({"mixes"}),
    summary="Mel-frequency cepstral coefficients, as a picture of coefficients by frames with one channel.",
    source="Davis and Mermelstein 1980; torchaudio.transforms.MFCC",
)
COMPONENTS = (LOG_MEL, MEL_CEPSTRUM)
