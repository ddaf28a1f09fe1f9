"""Makes the data set: a Parquet file for each split, and its card."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoo.data.made import Card, write_made
from zoo.data.shapes.picture import picture
from zoo.data.shapes.scene import HELD_OUT, SIDE, scene
from zoo.data.shapes.words import captions, question

ROWS = 2000
"""Of the training split."""
NOVEL = 0.5
"""Share of the test rows with a combination that training never shows."""
SCHEMA = pa.schema(
    {
        "image": pa.binary(),
        "caption": pa.string(),
        "captions": pa.list_(pa.string()),
        "question": pa.string(),
        "answer": pa.string(),
        "boxes": pa.list_(pa.list_(pa.float64())),
        "labels": pa.list_(pa.string()),
        "colours": pa.list_(pa.string()),
        "count": pa.int64(),
        "largest": pa.string(),
        "novel": pa.bool_(),
    }
)
WORDS = """\
Pictures of one to four coloured shapes, made by `zoo data make shapes --rows {rows} --seed {seed}`: one small set for
classification, detection, captioning, questions about pictures, and all of them at once.

| column | is |
|---|---|
| `image` | a PNG of {side} x {side} pixels |
| `captions` | three sentences that each tell size, colour, shape and place of everything |
| `caption` | the first of them |
| `question`, `answer` | a question that the picture answers with one word |
| `boxes` | of each shape left, top, width and height, in pixels (`xywh`) |
| `labels`, `colours` | of each shape what it is (circle, square, triangle, cross), and its colour |
| `count` | how many shapes there are |
| `largest` | what the largest shape is, whose box is at least two pixels wider than any other |
| `novel` | whether a combination of colour and shape is there that no training row has |

{{sizes}}

## How it was made

Each shape stands in a cell of its own of a grid of three by three, small (10 to 13 pixels) or large (17 to 20), its box
touched on all four sides. Four combinations ({held}) stand in no picture,
caption or question of the training and validation splits. About {novel:.0%} of the test rows have one (`novel`): on
those a model shows whether it knows colours and shapes apart from each other.

Pictures determine every label, so that all of them can be predicted without error. From the question alone, {blind:.1%}
of the {asked} test answers are right, with the commonest training answer to each question. Everything random comes from
the seed; the same versions of the libraries write the same bytes.

## Licence

CC0: no rights reserved.
"""


def make_shapes(folder: Path, rows: int = ROWS, seed: int = 0) -> dict[str, int]:
    """Writes `train.parquet`, `validation.parquet`, `test.parquet` and `README.md` into a new folder.

    Args:
        folder: The folder, complete in the end or absent.
        rows: Of the training split; validation has a tenth of them, test a fifth, at least one each.
        seed: Of everything random.

    Returns:
        Rows of each split.

    Raises:
        ConflictError: Something is in the folder already.
        UsageError: It cannot be written.
    """
    sizes = {"train": rows, "validation": max(1, rows // 10), "test": max(1, rows // 5)}
    splits = {
        name: [_row(name == "test", np.random.default_rng((seed, number, row))) for row in range(size)]
        for number, (name, size) in enumerate(sizes.items())
    }
    words = WORDS.format(
        rows=rows,
        seed=seed,
        side=SIDE,
        held=", ".join(f"{colour} {shape}" for colour, shape in sorted(HELD_OUT)),
        novel=NOVEL,
        blind=blind_accuracy(splits["train"], splits["test"]),
        asked=sizes["test"],
    )
    card = Card(
        "Coloured shapes",
        words,
        tasks=["image-classification", "object-detection", "image-to-text", "visual-question-answering"],
        licence="cc0-1.0",
        kinds={"image": "image"},
        schema=SCHEMA,
    )
    return write_made(folder, splits, SCHEMA, card)


def blind_accuracy(train: Sequence[dict[str, Any]], test: Sequence[dict[str, Any]]) -> float:
    """Share of the test answers that are the commonest training answer to their question, or to all questions."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        answers[row["question"]][row["answer"]] += 1
    overall = Counter(row["answer"] for row in train).most_common(1)[0][0]
    best = {asked: counts.most_common(1)[0][0] for asked, counts in answers.items()}
    return float(np.mean([best.get(row["question"], overall) == row["answer"] for row in test]))


def _row(test: bool, random: np.random.Generator) -> dict[str, Any]:
    novel = test and random.random() < NOVEL
    things = scene(random, novel)
    told = captions(things, random)
    asked, answer = question(things, novel, random)
    return {
        "image": picture(things, random),
        "caption": told[0],
        "captions": told,
        "question": asked,
        "answer": answer,
        "boxes": [[float(side) for side in thing.box] for thing in things],
        "labels": [thing.shape for thing in things],
        "colours": [thing.colour for thing in things],
        "count": len(things),
        "largest": max(things, key=lambda thing: thing.box[2]).shape,
        "novel": novel,
    }
