"""The front end `torchaudio/log-mel`."""

from zoo import Frontend, FrontendContext, ValueSpec
from zoo_torchaudio.frontends import LogMel
from zoo_torchaudio.mel import MelFrames, mel_filters, rate_of
from zoo_torchaudio.picture import Picture


def build(options: LogMel, context: FrontendContext) -> Frontend:
    """A picture of mel bands by frames, logarithmic.

    Raises:
        UsageError: Frequencies or bands that sound at this rate does not have, or an input without a longest sound.
    """
    return Picture(mel_frames(options, context.value), context.value, options.standardize)


def mel_frames(options: LogMel, sound: ValueSpec) -> MelFrames:
    """Frames as the options say, of sounds at the input's rate."""
    filters = mel_filters(rate_of(sound), options.n_fft, options.n_mels, options.f_min, options.f_max)
    return MelFrames(filters, options.n_fft, options.hop_length, win_length=options.n_fft)
