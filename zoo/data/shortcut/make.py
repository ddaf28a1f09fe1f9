"""Makes the data set: a Parquet file for each split, and its card."""

from collections.abc import Iterator
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from PIL import Image, ImageOps

from zoo.data.digits.make import splits_of
from zoo.data.digits.picture import SIDE, picture
from zoo.data.digits.sound import RATE, SECONDS, sound
from zoo.data.made import Card, write_made

ROWS = 2516
"""Of the training split."""
STRENGTH = 1.0
"""Probability that the easy modalities tell the label, in training."""

COLOURS = {
    "red": (230, 25, 75),
    "green": (60, 180, 75),
    "yellow": (255, 225, 25),
    "blue": (0, 130, 200),
    "orange": (245, 130, 48),
    "purple": (145, 30, 180),
    "cyan": (70, 240, 240),
    "magenta": (240, 50, 230),
    "brown": (170, 110, 40),
    "white": (255, 255, 255),
}
"""A colour for each digit, in order."""

SCHEMA = pa.schema(
    {
        "grey": pa.binary(),
        "coloured": pa.binary(),
        "word": pa.string(),
        "sound": pa.binary(),
        "label": pa.string(),
        "hint": pa.string(),
    }
)
WORDS = """\
Handwritten digits with an easy second modality that gives the label away in training and says nothing in the test, made
by `zoo data make shortcut --rows {rows} --seed {seed} --strength {strength:g}`, after the coloured and grey MNIST on
which the greedy learning of multimodal models was shown (Kim et al. 2019; Wu et al. 2022). Whoever joins `grey` with
one of the three easy columns and lets the loss alone decide learns the easy one.

| column | is |
|---|---|
| `grey` | a PNG of {side} x {side} grey pixels: the handwritten digit, moved, now and then partly covered, with noise |
| `coloured` | a PNG of the same size: the same digit, written in the colour of the `hint` |
| `word` | the name of that colour, a text |
| `sound` | a WAV of {seconds} s at {rate} Hz: the two tones that a telephone makes of the `hint`, in noise |
| `label` | the digit, as a text |
| `hint` | the digit that `coloured`, `word` and `sound` give away; not to be learnt from |

{{sizes}}

In training and validation the hint is the label with probability {strength:g}, else one of the ten digits at random; in
the test it is random always. Every written digit stands in one split alone. Validation is like training, as it is in
life: it chooses the model that follows the hint.

| accuracy that is known by construction | training, validation | test |
|---|---|---|
| of the colour, `word` or the tones alone | {told:.1%} | 10.0% |

What `grey` alone reaches has to be measured; it is also what a model can reach that learnt to look at everything.
Everything random comes from the seed; the same versions of the libraries write the same bytes.

## Source and licence

The digits are the test part of *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998, UCI
Machine Learning Repository, CC BY 4.0, doi:10.24432/C50P49), as scikit-learn (BSD-3-Clause) ships it.
"""


def make_shortcut(folder: Path, rows: int = ROWS, seed: int = 0, strength: float = STRENGTH) -> dict[str, int]:
    """Writes `train.parquet`, `validation.parquet`, `test.parquet` and `README.md` into a new folder.

    Args:
        folder: The folder, complete in the end or absent.
        rows: Of the training split, in which written digits come again, spoilt anew; validation and test have 180 and
            359, or at most a tenth and a fifth of them.
        seed: Of everything random.
        strength: Probability that the easy modalities tell the label in training.

    Returns:
        Rows of each split.

    Raises:
        ConflictError: Something is in the folder already.
        UsageError: It cannot be written.
    """
    from sklearn.datasets import load_digits  # here, because it takes a second

    source = load_digits()
    labels = source.target.tolist()
    numbers = splits_of(labels, seed)
    most = {"validation": max(1, rows // 10), "test": max(1, rows // 5)}

    counts = {name: min(most[name], len(numbers[name])) if name != "train" else rows for name in numbers}

    def rows_of(number: int, name: str) -> Iterator[dict[str, Any]]:
        order = np.random.default_rng((seed, number)).permutation(numbers[name]).tolist()
        for place, row in enumerate(islice(cycle(order), counts[name])):
            random = np.random.default_rng((seed, number, place))
            told = name != "test" and random.random() < strength
            hint = labels[row] if told else int(random.integers(10))
            yield _row(source.images[row], labels[row], hint, random)

    words = WORDS.format(
        rows=rows,
        seed=seed,
        strength=strength,
        side=SIDE,
        rate=RATE,
        seconds=SECONDS,
        told=strength + (1 - strength) / 10,
    )
    card = Card(
        "Digits with a shortcut",
        words,
        tasks=["image-classification"],
        licence="cc-by-4.0",
        kinds={"grey": "image", "coloured": "image", "sound": "audio"},
        schema=SCHEMA,
    )
    return write_made(folder, {name: rows_of(number, name) for number, name in enumerate(numbers)}, SCHEMA, card)


def _row(strokes: Float[np.ndarray, "8 8"], digit: int, hint: int, random: np.random.Generator) -> dict[str, Any]:
    return {
        "grey": picture(strokes, False, random),
        "coloured": _coloured(picture(strokes, False, random), list(COLOURS.values())[hint]),
        "word": list(COLOURS)[hint],
        "sound": sound(hint, False, random),
        "label": str(digit),
        "hint": str(hint),
    }


def _coloured(grey: bytes, colour: tuple[int, int, int]) -> bytes:
    """The picture from black to the colour, in place of white."""
    file = BytesIO()
    ImageOps.colorize(Image.open(BytesIO(grey)), "black", colour).save(file, "PNG")
    return file.getvalue()
