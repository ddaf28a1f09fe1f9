"""Sounds."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Audio:
    """Options of `zoo/audio`."""

    sample_rate: int = option(16000, "Rate that every sound is resampled to.", ge=1000, le=192000, unit="Hz")
    max_seconds: float = option(30.0, "Longest sound; what follows is cut off.", gt=0, le=7200, unit="seconds")


COMPONENT = Component(
    kind=Kind.INPUT,
    name="audio",
    target="zoo_core.inputs.audio:build",
    options=Audio,
    modality=(Modality.AUDIO,),
    summary="A sound: a file's path or its bytes (WAV, FLAC, OGG, MP3), resampled and mixed down to one channel.",
    source="libsndfile (soundfile); torchaudio.functional.resample",
)
