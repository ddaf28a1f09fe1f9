"""Builds a backbone of transformers for the modality of its input; what another one needs is not imported."""

from zoo import Backbone, BackboneContext, Modality, UsageError
from zoo_transformers.configuration import Configured, configure
from zoo_transformers.declaration import Transformers
from zoo_transformers.network import what_it_reads

# What transformers calls the input of a network, by modality.
INPUTS = {"text": ("input_ids",), "image": ("pixel_values",), "audio": ("input_values", "input_features")}
SPECTROGRAM = ("audio-spectrogram-transformer", "whisper")
WAVEFORM = (
    "data2vec-audio",
    "hubert",
    "sew",
    "sew-d",
    "unispeech",
    "unispeech-sat",
    "wav2vec2",
    "wav2vec2-conformer",
    "wavlm",
)
"""Architectures that read log-mel spectrograms, and those that read samples."""


def build(options: Transformers, context: BackboneContext) -> Backbone:
    """A backbone of transformers.

    Args:
        options: Its options.
        context: Its name, the values it is given, and the files beside its weights.

    Raises:
        UsageError: The name, an option or an entry of the configuration is wrong, or means nothing for this modality.
    """
    modality = context.value.modality
    if modality != Modality.TEXT and options.tokenizer is not None:
        raise UsageError(f"`tokenizer` means nothing for {modality}")
    if modality != Modality.IMAGE and options.resolution is not None:
        raise UsageError(f"`resolution` means nothing for {modality}")
    configured = configure(options, context)
    main, *more = what_it_reads(configured.config)
    if main not in INPUTS.get(modality, ()):
        raise UsageError(f"`{configured.model_type}` reads `{main}`, and the input gives {modality}")
    if more:
        raise UsageError(f"`{configured.model_type}` needs more than a {modality}: `{'`, `'.join(more)}`")
    if modality == Modality.TEXT:
        from zoo_transformers.text import TextEncoder

        return TextEncoder(options, context, configured)
    if modality == Modality.IMAGE:
        from zoo_transformers.vision import VisionEncoder

        return VisionEncoder(options, context, configured)
    return _audio(options, context, configured)


def _audio(options: Transformers, context: BackboneContext, configured: Configured) -> Backbone:
    if configured.model_type in SPECTROGRAM:
        from zoo_transformers.spectrograms import PatchEncoder, WhisperEncoder

        encoder = WhisperEncoder if configured.model_type == "whisper" else PatchEncoder
        return encoder(options, context, configured)
    if configured.model_type in WAVEFORM:
        from zoo_transformers.audio import WaveformEncoder

        return WaveformEncoder(options, context, configured)
    known = ", ".join(f"`{each}`" for each in sorted({*SPECTROGRAM, *WAVEFORM}))
    raise UsageError(f"`{configured.model_type}` reads sounds in a way that is not known here; known are {known}")
