"""What the names of columns tell: what is to be learnt, who or what rows are of, which rows are of which split."""

import re
from collections.abc import Collection


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: `imageId`, `image_id` and `Image ID` are all `image`, `id`."""
    return re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


TARGETS = (
    _listed("target targets label labels class classes y"),
    _listed(
        "score rating ratings stars sentiment category categories answer outcome result emotion mood intent topic "
        "diagnosis grade valence arousal toxicity quality severity species genre tags"
    ),
)
"""What columns to learn are called, the plainest first."""

RATINGS = _listed("rating ratings stars score scores grade level quality severity likert rank points")
"""What is called so and is a whole number has an order."""

SENTIMENTS = _listed("sentiment sentiments valence polarity opinion")

GROUPS = _listed(
    "speaker patient customer user subject person participant author video session document household site hospital "
    "image photo group writer actor client account device machine student player driver reviewer annotator family"
)
"""What rows can be of, so that rows of the same one are alike."""

SPLIT = _listed("split fold set subset partition splits folds")

TRAINING = _listed("train training")
VALIDATION = _listed("validation valid val dev eval")
TESTING = _listed("test testing")

IDENTIFIERS = _listed("id ids uuid guid")
PLACES = _listed("index idx row line segment frame turn offset")
"""What numbers rows, or pieces of something, one after the other."""

TEXTS = _listed(
    "text texts sentence question review comment title caption description body message tweet utterance transcript "
    "premise hypothesis query answer headline summary abstract content prompt response document passage context"
)

BOXES = _listed("box boxes bbox bboxes")


def is_called(name: str, words: Collection[str]) -> bool:
    """Whether one of the words is in a name."""
    return not set(words).isdisjoint(words_of(name))


def ends_with(name: str, words: Collection[str]) -> bool:
    """Whether a name ends with one of the words, which is what it is about."""
    return words_of(name)[-1:] != [] and words_of(name)[-1] in words
