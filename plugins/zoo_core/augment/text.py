"""Augmentations of texts."""

import re

import torch

from zoo import AugmentContext
from zoo_core.declarations.augment import Dropout


class Thinned:
    """A text without some of its words. A text in a script without blanks is one word, and stays whole."""

    def __init__(self, options: Dropout, context: AugmentContext) -> None:
        self.probability = options.probability

    def __call__(self, value: str) -> str:
        """The words that stay, with the blanks behind each."""
        words = re.findall(r"\s*\S+\s*", value)
        drawn = torch.rand(len(words)).tolist()
        kept = [word for word, number in zip(words, drawn, strict=True) if number >= self.probability]
        return "".join(kept) if kept or not words else words[drawn.index(max(drawn))]
