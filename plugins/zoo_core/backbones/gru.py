"""Gated recurrent network over time steps."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext, ValueSpec
from zoo.features import Features, Values
from zoo_core.backbones.steps import example_steps, groups_of, real_steps, width_of
from zoo_core.declarations.backbones import GRU


def build(options: GRU, context: BackboneContext) -> "Recurrent":
    """The recurrent network for the sequences that the context describes.

    Raises:
        UsageError: Their features are learnt from training rows, and there were none.
    """
    return Recurrent(options, context.value)


class Layer(nn.Module):
    """One recurrent layer, in one direction or two, with dropout behind it.

    The second direction reads each row's real steps in reverse order and what pads them after, so padding comes last in
    both. It needs no packed sequences, which wait for the lengths on a GPU, cannot be exported, and train at half the
    speed on a CPU.

    Args:
        inputs: Width of what it reads.
        width: Width of the state in each direction.
        bidirectional: Whether it also reads backwards.
        dropout: Of the outputs.
    """

    def __init__(self, inputs: int, width: int, bidirectional: bool, dropout: float) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        self.directions = nn.ModuleList(nn.GRU(inputs, width, batch_first=True) for _ in range(directions))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch steps inputs"], reverse: Int[Tensor, "batch steps"]
    ) -> Float[Tensor, "batch steps outputs"]:
        """States after each step; those of the second direction stand behind those of the first.

        Args:
            tokens: What it reads.
            reverse: For each step, which one it changes places with when the row is reversed.
        """
        states = [self.directions[0](tokens)[0]]
        for backwards in self.directions[1:]:
            states.append(_reversed(backwards(_reversed(tokens, reverse))[0], reverse))
        outputs: Tensor = self.dropout(torch.cat(states, -1))
        return outputs


class Recurrent(Backbone):
    """Gated recurrent layers (Cho et al. 2014); pooled are the final states.

    The final state is that after the last real step, and backwards that after the first; both are joined.
    """

    def __init__(self, options: GRU, value: ValueSpec) -> None:
        super().__init__()
        dim = options.width * (2 if options.bidirectional else 1)
        widths = [width_of(value), *[dim] * (options.layers - 1)]
        self.layers = nn.ModuleList(
            Layer(width, options.width, options.bidirectional, options.dropout) for width in widths
        )
        self.width = options.width
        self.value = value
        self.prepare = torch.as_tensor
        self.features = FeatureSpec(dim=dim, pooled_dim=dim)
        self._groups = groups_of(self, *((f"layers.{depth}.",) for depth in range(options.layers)))

    def forward(self, values: Values) -> Features:
        """A token for each step, and the final states of the last layer."""
        tokens = self._layers(values)[-1]
        return Features(tokens, self._final(tokens, values), values.mask)

    def stages(self, values: Values) -> list[Float[Tensor, "batch dim"]]:
        """The final states of every layer, the first one first."""
        return [self._final(tokens, values) for tokens in self._layers(values)]

    def example(self, batch: int) -> Values:
        """Sequences of the greatest length."""
        return example_steps(self.value, batch)

    def layer_groups(self) -> list[list[str]]:
        """A group for each layer."""
        return self._groups

    def _layers(self, values: Values) -> list[Float[Tensor, "batch steps dim"]]:
        outputs = [real_steps(values)]
        reverse = _reversal(_lengths(values), outputs[0].shape[1])
        for layer in self.layers:
            outputs.append(layer(outputs[-1], reverse))
        return outputs[1:]

    def _final(self, tokens: Float[Tensor, "batch steps dim"], values: Values) -> Float[Tensor, "batch dim"]:
        last = (_lengths(values) - 1)[:, None, None].expand(-1, 1, self.width)
        return torch.cat([tokens.gather(1, last).squeeze(1), tokens[:, 0, self.width :]], 1)


def _lengths(values: Values) -> Int[Tensor, "batch"]:
    """Real steps of each row."""
    if values.lengths is not None:
        return values.lengths
    assert isinstance(values.data, Tensor)  # as in real_steps
    return torch.full((len(values),), values.data.shape[1], device=values.data.device)


def _reversal(lengths: Int[Tensor, "batch"], steps: int) -> Int[Tensor, "batch steps"]:
    """For each step, which one it changes places with when the real steps are reversed; padding stays behind them."""
    return (lengths[:, None] - 1 - torch.arange(steps, device=lengths.device)) % steps


def _reversed(
    tokens: Float[Tensor, "batch steps width"], reverse: Int[Tensor, "batch steps"]
) -> Float[Tensor, "batch steps width"]:
    return tokens.gather(1, reverse[..., None].expand_as(tokens))
