"""Makes the data set: a Parquet file for each split, and a card that says what they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from numpy.typing import NDArray

from zoo.data.digits.picture import picture
from zoo.data.digits.sound import sound
from zoo.data.digits.text import text
from zoo.data.made import Card, write_made
from zoo.data.split import split

USELESS = {"image": 0.11, "text": 0.11, "sound": 0.13}
"""Share of the rows in which a column says nothing about the digit; each is drawn by itself."""
WRONG = 0.02
"""Share of the sounds that are those of another digit."""
COPIES = 2
"""Rows in which each digit of the training split stands, spoilt anew in each."""
SCHEMA = pa.schema({"image": pa.binary(), "text": pa.string(), "sound": pa.binary(), "label": pa.string()})

WORDS = """\
Each row is a digit from 0 to 9 in three modalities, made by `zoo data make digits` to try multimodal models on: small,
and of a kind that no modality alone can solve.

| column | is |
|---|---|
| `image` | a PNG of 32 x 32 grey pixels: the handwritten digit, moved, paler, now and then partly covered, with noise |
| `text` | its name in one of ten languages, among other words, misspelt now and then |
| `sound` | a WAV of 0.32 s at 8 kHz: the two tones (DTMF) that a telephone makes of it, in noise |
| `label` | the digit, as a text |

{{sizes}}

Handwriting is real: each of the 1,797 written digits stands in one split alone, in {copies} rows of `train.parquet` or
in one of another. Texts and sounds are synthetic. A picture is unreadable in {image:.0%} of the rows, a text names no
digit in {text:.0%} and a sound is drowned in {sound:.0%}, each drawn by itself; {wrong:.0%} of the sounds are those of
another digit. Everything random comes from the seed {seed}: the same versions of the libraries write the same bytes.

## Source and licence

The pictures are the test part of *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998, UCI
Machine Learning Repository, CC BY 4.0, doi:10.24432/C50P49), as scikit-learn (BSD-3-Clause) ships it. Texts and sounds
are free of any right.
"""


def make_digits(folder: Path, seed: int = 0) -> dict[str, int]:
    """Writes `train.parquet`, `validation.parquet`, `test.parquet` and `README.md` into a new folder.

    Args:
        folder: The folder, complete in the end or absent.
        seed: Of everything random.

    Returns:
        Rows of each split.

    Raises:
        ConflictError: Something is in the folder already.
        UsageError: It cannot be written.
    """
    from sklearn.datasets import load_digits  # here, because it takes a second

    source = load_digits()
    labels = source.target.tolist()

    def rows_of(name: str, numbers: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        for copy in range(COPIES if name == "train" else 1):
            yield from (_row(source.images[row], labels[row], (seed, int(row), copy)) for row in numbers)

    splits = {name: rows_of(name, numbers) for name, numbers in splits_of(labels, seed).items()}
    card = Card(
        "Digits, seen, read and heard",
        WORDS.format(wrong=WRONG, seed=seed, copies=COPIES, **USELESS),
        tasks=["image-classification", "text-classification", "audio-classification"],
        licence="cc-by-4.0",
        kinds={"image": "image", "sound": "audio"},
        schema=SCHEMA,
    )
    return write_made(folder, splits, SCHEMA, card)


def _row(strokes: Float[np.ndarray, "8 8"], digit: int, seed: tuple[int, int, int]) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    useless = {name: random.random() < share for name, share in USELESS.items()}
    heard = (digit + int(random.integers(1, 10))) % 10 if random.random() < WRONG else digit
    return {
        "image": picture(strokes, useless["image"], random),
        "text": text(digit, useless["text"], random),
        "sound": sound(heard, useless["sound"], random),
        "label": str(digit),
    }


def splits_of(labels: list[int], seed: int) -> dict[str, NDArray[np.int64]]:
    """Numbers of the written digits by split: a fifth to test on and a tenth to validate on, with equal shares of each.

    Args:
        labels: The digits.
        seed: Of the choice.
    """
    numbers = np.arange(len(labels))
    test = split(len(labels), 0.2, seed, labels)
    rest = numbers[~test]
    validation = split(len(rest), 0.125, seed, [labels[row] for row in rest])
    return {"train": rest[~validation], "validation": rest[validation], "test": numbers[test]}
