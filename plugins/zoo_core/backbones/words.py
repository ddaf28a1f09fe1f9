"""Words of a text as numbers: a vocabulary learnt from the training rows, without any tokenizer's library."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from zoo import UsageError
from zoo_core.declarations.texts import TextCNN
from zoo_core.learnt import learnt_names

PADDING, UNKNOWN = 0, 1
"""Numbers of what pads a text, and of a word that is not in the vocabulary."""

_WORD = re.compile(r"\w+|[^\w\s]")


def fit(options: TextCNN, context: Any, cells: Iterable[Any]) -> dict[str, Any]:
    """The vocabulary: the most frequent words of the training rows, and of equally frequent ones the first by letters.

    Args:
        options: How many words, and how often one must be there.
        context: What surrounds the backbone.
        cells: Texts of the training rows.

    Returns:
        `{"words": [...]}`, the most frequent one first.

    Raises:
        UsageError: No word is there often enough.
    """
    counts = Counter(word for cell in cells if isinstance(cell, str) for word in words_of(cell))
    often = [word for word, count in counts.items() if count >= options.min_count]
    if not often:
        raise UsageError(
            f"`min_count`: no word of the training rows is there {options.min_count} times; write a smaller one"
        )
    return {"words": sorted(often, key=lambda word: (-counts[word], word))[: options.vocab_size]}


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, and every other sign by itself; blanks part them."""
    return _WORD.findall(text)


class Number:
    """Turns a text into numbers of its words. It goes to worker processes, so it holds no weights.

    Args:
        fitted: What was learnt.
        longest: Most words of a text; what follows is cut off.

    Raises:
        UsageError: Nothing was learnt, or no words.
    """

    def __init__(self, fitted: Mapping[str, Any], longest: int) -> None:
        if not fitted:
            raise UsageError("its words are learnt from the training rows: name them in `data.train`")
        words = learnt_names(fitted.get("words"), "words")
        self.numbers = {word: number for number, word in enumerate(words, UNKNOWN + 1)}
        self.longest = longest

    def __len__(self) -> int:
        return len(self.numbers) + 2

    def __call__(self, text: str) -> Int[Tensor, "words"]:
        """Numbers of the text's words, int64; a text without words is one unknown word."""
        known = [self.numbers.get(word, UNKNOWN) for word in words_of(text)[: self.longest]]
        return torch.tensor(known or [UNKNOWN])
