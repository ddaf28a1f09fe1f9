"""Augmentations of zoo's own inputs: names, options and presets. The order is that in which presets apply them."""

from dataclasses import dataclass

from zoo.component import Augmentation, option

_IMAGE, _AUDIO, _NUMERIC = "zoo_core.augment.image", "zoo_core.augment.audio", "zoo_core.augment.numeric"


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Options of `crop`."""

    area: float = option(0.5, "Smallest share of the picture's area that is kept.", gt=0, le=1, shorthand=True)
    aspect: float = option(1.33, "Largest factor by which the aspect ratio changes.", ge=1, le=10)


@dataclass(frozen=True, kw_only=True)
class Flip:
    """Options of `flip`."""

    horizontal: float = option(0.5, "Probability that left and right change places.", ge=0, le=1, shorthand=True)
    vertical: float = option(0.0, "Probability that top and bottom do.", ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Options of `rotate`."""

    degrees: float = option(15.0, "Largest angle, to either side.", gt=0, le=180, unit="degrees", shorthand=True)


@dataclass(frozen=True, kw_only=True)
class Colour:
    """Options of `colour`."""

    brightness: float = option(0.2, "Largest relative change of brightness.", ge=0, le=1)
    contrast: float = option(0.2, "Largest relative change of contrast.", ge=0, le=1)
    saturation: float = option(0.2, "Largest relative change of saturation; grey pictures have none.", ge=0, le=1)
    hue: float = option(0.0, "Largest turn of the hue, as a share of the whole circle.", ge=0, le=0.5)


@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """Options of `randaugment`."""

    operations: int = option(2, "How many of the 14 operations follow one another.", ge=1, le=14)
    magnitude: int = option(9, "How strong they are, of 30.", ge=0, le=30, shorthand=True)


@dataclass(frozen=True, kw_only=True)
class TrivialAugment:
    """`trivialaugment` has no options."""


@dataclass(frozen=True, kw_only=True)
class Erase:
    """Options of `erase`."""

    probability: float = option(0.25, "Probability that a rectangle is erased.", gt=0, le=1, shorthand=True)
    area: float = option(0.2, "Largest share of the picture's area that is erased.", gt=0, lt=1)


IMAGE = (
    Augmentation(
        "crop",
        f"{_IMAGE}:Cropped",
        Crop,
        alters=frozenset({"places", "amounts"}),
        light=Crop(area=0.6),
        strong=Crop(area=0.25),
        summary="A random part of the picture, which the backbone resizes.",
        source="Szegedy et al. 2015; here the aspect ratio changes relative to the picture's own",
    ),
    Augmentation(
        "flip",
        f"{_IMAGE}:Flipped",
        Flip,
        alters=frozenset({"places", "sides"}),
        light=Flip(),
        strong=Flip(),
        summary="The picture mirrored.",
    ),
    Augmentation(
        "rotate",
        f"{_IMAGE}:Rotated",
        Rotate,
        alters=frozenset({"places"}),
        strong=Rotate(degrees=10),
        summary="The picture turned about its middle; corners are filled with its mean colour.",
        source="torchvision",
    ),
    Augmentation(
        "colour",
        f"{_IMAGE}:Coloured",
        Colour,
        alters=frozenset({"colours"}),
        light=Colour(),
        strong=Colour(brightness=0.4, contrast=0.4, saturation=0.4),
        summary="Brightness, contrast, saturation and hue changed, in random order.",
        source="torchvision.transforms.v2.ColorJitter",
    ),
    Augmentation(
        "randaugment",
        f"{_IMAGE}:RandAugmented",
        RandAugment,
        alters=frozenset({"places", "colours", "amounts"}),
        summary="Some of fourteen operations on places and colours, all of one strength.",
        source="Cubuk et al. 2020; torchvision.transforms.v2.RandAugment",
    ),
    Augmentation(
        "trivialaugment",
        f"{_IMAGE}:TrivialAugmented",
        TrivialAugment,
        alters=frozenset({"places", "sides", "colours", "amounts"}),
        summary="One of fourteen operations of random strength; turns by up to 135 degrees.",
        source="Mueller and Hutter 2021; torchvision.transforms.v2.TrivialAugmentWide",
    ),
    Augmentation(
        "erase",
        f"{_IMAGE}:Erased",
        Erase,
        alters=frozenset({"amounts"}),
        strong=Erase(),
        summary="A rectangle is filled with the picture's mean colour.",
        source="Zhong et al. 2020; here with the mean in place of random colours",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Options of `speed`."""

    change: float = option(0.1, "The sound is so much slower, faster, or as it is.", gt=0, le=0.5, shorthand=True)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Options of `shift`."""

    seconds: float = option(0.1, "Largest shift, to either side.", gt=0, le=60, unit="seconds", shorthand=True)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Options of `gain`."""

    decibels: float = option(6.0, "Largest change of loudness, to either side.", gt=0, le=60, unit="dB", shorthand=True)


@dataclass(frozen=True, kw_only=True)
class SoundNoise:
    """Options of `noise` on sounds."""

    quietest: float = option(40.0, "Signal-to-noise ratio of the faintest noise.", ge=-20, le=100, unit="dB")
    loudest: float = option(10.0, "Signal-to-noise ratio of the loudest.", ge=-20, le=100, unit="dB", shorthand=True)

    def __post_init__(self) -> None:
        """Refuses a range that is turned round."""
        if self.loudest > self.quietest:
            raise ValueError(f"`loudest` ({self.loudest:g} dB) is fainter than `quietest` ({self.quietest:g} dB)")


AUDIO = (
    Augmentation(
        "speed",
        f"{_AUDIO}:Sped",
        Speed,
        alters=frozenset({"places"}),
        strong=Speed(),
        summary="The sound played slower or faster, its pitch with it.",
        source="Ko et al. 2015; torchaudio.functional.resample",
    ),
    Augmentation(
        "shift",
        f"{_AUDIO}:Shifted",
        Shift,
        alters=frozenset({"places"}),
        light=Shift(),
        strong=Shift(seconds=0.25),
        summary="The sound moved in time, by at most a quarter of itself, silence where it was.",
    ),
    Augmentation(
        "gain",
        f"{_AUDIO}:Amplified",
        Gain,
        light=Gain(),
        strong=Gain(decibels=12),
        summary="The sound made louder, as far as it is not clipped, or quieter.",
    ),
    Augmentation(
        "noise",
        f"{_AUDIO}:Noisy",
        SoundNoise,
        strong=SoundNoise(),
        summary="White noise, by a random ratio of loudness to the sound's own.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Options of `dropout`."""

    probability: float = option(0.1, "Probability of each to be dropped.", gt=0, lt=1, shorthand=True)


TEXT = (
    Augmentation(
        "dropout",
        "zoo_core.augment.text:Thinned",
        Dropout,
        alters=frozenset({"places"}),
        light=Dropout(probability=0.05),
        strong=Dropout(probability=0.15),
        summary="Words, as blanks divide them, are left out; one stays at least.",
        source="Iyyer et al. 2015",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Options of `noise` on numbers."""

    deviation: float = option(
        0.05, "Standard deviation, in deviations of the training rows.", gt=0, le=10, shorthand=True
    )


_NOISE = Augmentation(
    "noise",
    f"{_NUMERIC}:Noisy",
    Noise,
    light=Noise(),
    strong=Noise(deviation=0.1),
    summary="Gaussian noise on every number; categories stay.",
)
VECTOR = (
    _NOISE,
    Augmentation(
        "dropout",
        f"{_NUMERIC}:WithoutCells",
        Dropout,
        strong=Dropout(),
        summary="Cells become missing; one stays at least.",
        source="Vincent et al. 2008",
    ),
)
SEQUENCE = (
    _NOISE,
    Augmentation(
        "dropout",
        f"{_NUMERIC}:WithoutSteps",
        Dropout,
        strong=Dropout(),
        summary="All readings of a step become the mean of the training rows; one step stays at least.",
        source="Vincent et al. 2008",
    ),
)
