"""Multilayer perceptron over numbers and categories."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext, ValueSpec
from zoo.features import Features, Values
from zoo_core.backbones.steps import groups_of, width_of
from zoo_core.declarations.backbones import MLP

ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}


def build(options: MLP, context: BackboneContext) -> "Perceptron":
    """The perceptron for the vectors that the context describes.

    Raises:
        UsageError: Their columns are learnt from training rows, and there were none.
    """
    return Perceptron(options, context.value)


class Columns(nn.Module):
    """The first layer: the sum of what each column contributes.

    A number contributes a multiple of its vector, which is a linear layer; a category its own vector, which is one over
    one-hot codes. In place of either, a missing entry contributes a vector of its column's own. It starts at zero, so
    that what training never saw missing counts as the mean, or as no category.

    Args:
        categories: Of each column, how many categories it has; 0 is a column of numbers.
        width: Width of the output.
    """

    number_columns: Tensor
    category_columns: Tensor
    first_codes: Tensor

    def __init__(self, categories: Sequence[int], width: int) -> None:
        super().__init__()
        numbers = [column for column, count in enumerate(categories) if not count]
        named = [column for column, count in enumerate(categories) if count]
        counts = torch.tensor([categories[column] for column in named], dtype=torch.long)
        self.register_buffer("number_columns", torch.tensor(numbers, dtype=torch.long), persistent=False)
        self.register_buffer("category_columns", torch.tensor(named, dtype=torch.long), persistent=False)
        self.register_buffer("first_codes", counts.cumsum(0) - counts, persistent=False)
        self.missing = nn.Parameter(torch.zeros(len(categories), width))
        self.numbers = nn.Linear(len(numbers), width) if numbers else None
        self.categories = nn.Embedding(sum(categories), width) if named else None
        if self.categories is not None:
            bound = len(named) ** -0.5  # as a linear layer with one input per column starts
            nn.init.uniform_(self.categories.weight, -bound, bound)

    def forward(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch width"]:
        """The columns' sum; NaN is missing, and a category is its number."""
        missing = rows.isnan()
        rows = rows.masked_fill(missing, 0)
        total = missing.to(self.missing.dtype) @ self.missing
        if self.numbers is not None:
            total = total + self.numbers(rows[:, self.number_columns])
        if self.categories is not None:
            codes = rows[:, self.category_columns].long() + self.first_codes
            absent = missing[:, self.category_columns, None]
            total = total + self.categories(codes).masked_fill(absent, 0).sum(1)
        return total


class Perceptron(Backbone):
    """Hidden layers of one width, each with nonlinearity and dropout; the whole row is one token.

    The MLP of Gorishniy et al. 2021 ("Revisiting deep learning models for tabular data"). Where it joins the embeddings
    of categories to the numbers, ours are as wide as the first layer and added to it; and it has no missing numbers.
    """

    def __init__(self, options: MLP, value: ValueSpec) -> None:
        super().__init__()
        width = options.width
        categories = value.categories or (0,) * width_of(value)
        hidden = [nn.Linear(width, width) for _ in range(options.layers - 1)]
        self.layers = nn.ModuleList(
            nn.Sequential(layer, ACTIVATIONS[options.activation](), nn.Dropout(options.dropout))
            for layer in (Columns(categories, width), *hidden)
        )
        self.value = value
        self.prepare = torch.as_tensor
        self.features = FeatureSpec(dim=width, pooled_dim=width, tokens=1)
        self._groups = groups_of(self, *((f"layers.{depth}.",) for depth in range(options.layers)))

    def forward(self, values: Values) -> Features:
        """The last layer's output, as the pooled features and as the only token."""
        pooled = self.stages(values)[-1]
        return Features(pooled[:, None], pooled)

    def stages(self, values: Values) -> list[Float[Tensor, "batch width"]]:
        """The output of every hidden layer, the first one first."""
        assert isinstance(values.data, Tensor)  # all vectors have the same width
        outputs = [values.data]
        for layer in self.layers:
            outputs.append(layer(outputs[-1]))
        return outputs[1:]

    def example(self, batch: int) -> Values:
        """Rows of zeros."""
        return Values(torch.zeros(batch, width_of(self.value)))

    def layer_groups(self) -> list[list[str]]:
        """A group for each hidden layer."""
        return self._groups
