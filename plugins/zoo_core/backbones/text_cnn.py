"""Convolutional network over the words of a text."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext
from zoo.features import Features, Values
from zoo_core.backbones.steps import groups_of
from zoo_core.backbones.words import PADDING, Number
from zoo_core.declarations.texts import TextCNN

LONGEST = 512
"""Words of a text where the input names no greatest length."""


def build(options: TextCNN, context: BackboneContext) -> "WordConvolutions":
    """The network for the vocabulary that was learnt.

    Raises:
        UsageError: There were no training rows to learn one from.
    """
    return WordConvolutions(options, Number(context.fitted, context.value.max_length or LONGEST))


class WordConvolutions(Backbone):
    """Word vectors, convolutions of several widths side by side, and the greatest answer of each filter.

    Kim 2014 ("Convolutional neural networks for sentence classification", CNN-rand). Ours also drops word vectors, not
    only the pooled features, and gives the answers at every word as tokens: a filter of width w sees the word, the
    (w - 1) // 2 before it, and those after it; beyond both ends there are zeros.
    """

    padding_value = PADDING

    def __init__(self, options: TextCNN, prepare: Number) -> None:
        super().__init__()
        self.prepare: Number = prepare
        self.embedding = nn.Embedding(len(prepare), options.dim)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        self.convolutions = nn.ModuleList(nn.Conv1d(options.dim, options.filters, width) for width in options.widths)
        self.dropout = nn.Dropout(options.dropout)
        dim = options.filters * len(options.widths)
        self.features = FeatureSpec(dim=dim, pooled_dim=dim)
        self._groups = groups_of(self, ("embedding.",), ("convolutions.",))

    def forward(self, values: Values) -> Features:
        """A token for each word; pooled are the greatest answers over all words."""
        words, mask = self._words(values), values.mask
        tokens = torch.cat([functional.relu(each(_around(words, each))) for each in self.convolutions], 1).mT
        least = tokens if mask is None else tokens.masked_fill(~mask[..., None], 0)  # which no answer is below
        return Features(tokens, self.dropout(least.amax(1)), mask)

    def example(self, batch: int) -> Values:
        """Texts of the greatest length."""
        return Values(torch.zeros(batch, self.prepare.longest, dtype=torch.int64))

    def layer_groups(self) -> list[list[str]]:
        """The word vectors, and the convolutions."""
        return self._groups

    def _words(self, values: Values) -> Float[Tensor, "batch dim words"]:
        """Word vectors, with zeros under padding."""
        assert isinstance(values.data, Tensor)  # texts differ in their number of words alone, so they are padded
        numbers, mask = values.data, values.mask
        if mask is None:
            vectors: Tensor = self.embedding(numbers)
        else:
            vectors = self.embedding(numbers.masked_fill(~mask, PADDING)).masked_fill(~mask[..., None], 0)
        dropped: Tensor = self.dropout(vectors)
        return dropped.mT


def _around(words: Float[Tensor, "batch dim words"], convolution: nn.Module) -> Float[Tensor, "batch dim padded"]:
    """As many zeros at both ends as give an answer for every word."""
    assert isinstance(convolution, nn.Conv1d)
    (width,) = convolution.kernel_size
    before = (width - 1) // 2
    return functional.pad(words, (before, width - 1 - before))
