"""What holds for fusions."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from zoo.component import FeatureSpec
from zoo.contract import Fusion
from zoo.features import Features
from zoo.model.parts import make_fusion
from zoo.testing import modules
from zoo.testing.case import Case
from zoo.testing.compare import CLOSE, differences, leaves, rows_of
from zoo.testing.modules import objective_of

Inputs = Mapping[str, Features]

SHAPES = {
    "first": FeatureSpec(dim=6, pooled_dim=6, tokens=5),
    "second": FeatureSpec(dim=4, pooled_dim=10, tokens=1),
    "third": FeatureSpec(dim=8, pooled_dim=8),
}
"""Three inputs with nothing in common."""

PRESENT = {"first": (1, 1, 0, 1, 0), "second": (1, 0, 1, 1, 0), "third": (1, 1, 1, 0, 0)}
"""Which rows have which input: the first has all, the last has none."""

LENGTHS = (4, 2, 1, 0, 0)
"""Real tokens of the third input, whose number depends on the sample."""


class FusionTrial:
    """A fusion, and features of three inputs, some of them absent, some padded."""

    def __init__(self, case: Case) -> None:
        self.case, self.unused = case, case.unused

    def build(self, seed: int = 0) -> Fusion:
        """A new one, from a seed."""
        made = make_fusion(self.case.seeded(seed), SHAPES)
        assert made is not None
        return made

    def outputs(self, fusion: Fusion) -> Features:
        """The joined features."""
        fused: Features = fusion(inputs())
        return fused

    def objective(self, fusion: Fusion) -> Tensor:
        """A number that depends on all of them."""
        return objective_of(self.outputs(fusion))


def inputs(under: float = 0.0, more: int = 0) -> Inputs:
    """Features of the inputs.

    Args:
        under: What stands in padded tokens and in absent rows.
        more: Further padded tokens of the third input.
    """
    generator = torch.Generator().manual_seed(0)
    made = {}
    for name, spec in SHAPES.items():
        mask = _mask(name, spec, more)
        tokens = torch.randn(len(mask), spec.tokens or max(LENGTHS), spec.dim, generator=generator)
        tokens = torch.nn.functional.pad(tokens, (0, 0, 0, mask.shape[1] - tokens.shape[1]))
        pooled = torch.randn(len(mask), spec.pooled_dim, generator=generator)
        tokens = tokens.masked_fill(~mask[..., None], under)
        made[name] = Features(tokens, pooled.masked_fill(~mask.any(1, keepdim=True), under), mask)
    return made


def _mask(name: str, spec: FeatureSpec, more: int) -> Bool[Tensor, "batch tokens"]:
    if spec.tokens is None:
        return torch.arange(max(LENGTHS) + more) < torch.tensor(LENGTHS)[:, None]
    return torch.tensor(PRESENT[name], dtype=torch.bool)[:, None].expand(-1, spec.tokens)


def shapes_are_those_it_tells(trial: FusionTrial) -> Iterator[str]:
    """The joined features have the shapes of `features`, for real and on the meta device."""
    for where, device in (("on the meta device", "meta"), ("for real", "cpu")):
        with torch.device(device):
            fusion = trial.build().eval()
        given = fusion({name: _moved(features, device) for name, features in inputs().items()})
        told, rows = fusion.features, len(LENGTHS)
        if list(given.pooled.shape) != [rows, told.pooled_dim]:
            yield f"pooled is {list(given.pooled.shape)} {where}; `features` says {[rows, told.pooled_dim]}"
        if list(given.tokens.shape) != [rows, told.tokens or given.tokens.shape[1], told.dim]:
            yield f"tokens are {list(given.tokens.shape)} {where}; `features` says {told.tokens or 'any'}, {told.dim}"


def absence_and_padding_change_nothing(trial: FusionTrial) -> Iterator[str]:
    """What stands in absent inputs and under padding changes no bit, and how much padding there is only rounding."""
    fusion = trial.build().eval()
    with torch.no_grad():
        plain, spoilt, longer = fusion(inputs()), fusion(inputs(under=1000.0)), fusion(inputs(more=3))
    for row in range(len(LENGTHS)):
        for difference in differences(rows_of(plain, row), rows_of(spoilt, row)):
            yield f"in row {row}, what stands where nothing is changes {difference}"
        for difference in differences(rows_of(plain, row), rows_of(longer, row), CLOSE):
            yield f"in row {row}, how much padding there is changes {difference}"


def rows_do_not_depend_on_each_other(trial: FusionTrial) -> Iterator[str]:
    """A row alone has the features that it has among others, but for rounding."""
    fusion = trial.build().eval()
    with torch.no_grad():
        together = fusion(inputs())
        for row in range(len(LENGTHS)):
            alone = fusion({name: features.rows(torch.tensor([row])) for name, features in inputs().items()})
            for difference in differences(rows_of(together, row), rows_of(alone, 0), CLOSE):
                yield f"alone, row {row} has other features than among others: {difference}"


def every_input_counts(trial: FusionTrial) -> Iterator[str]:
    """Each input changes the result of a row that has it, and its absence does too."""
    fusion = trial.build().eval()
    with torch.no_grad():
        plain = fusion(inputs())
        for name in SHAPES:
            given = dict(inputs())
            features = given[name]
            given[name] = Features(features.tokens + 1, features.pooled + 1, features.mask)
            if not any(differences(rows_of(plain, 0), rows_of(fusion(given), 0))):
                yield f"what the input `{name}` holds changes nothing"
            given[name] = _without(features, [0])
            if not any(differences(plain.pooled[0], fusion(given).pooled[0], CLOSE)):
                yield f"that a row lacks the input `{name}` changes nothing in `pooled`"


def inputs_may_be_absent_from_all_rows(trial: FusionTrial) -> Iterator[str]:
    """An input that no row has comes as one masked token, which gives what many give; so do all inputs at once."""
    fusion, rows = trial.build().eval(), list(range(len(LENGTHS)))
    for gone in ([*SHAPES], *([name] for name in SHAPES)):
        told = " and ".join(f"`{name}`" for name in gone)
        many = {name: _without(each, rows) if name in gone else each for name, each in inputs().items()}
        one = {name: _first_token(each) if name in gone else each for name, each in many.items()}
        with torch.no_grad():
            expected, given = fusion(many), fusion(one)
        for row in rows:
            for difference in differences(rows_of(expected, row), rows_of(given, row), CLOSE):
                yield f"where no row has {told}, one token in place of many changes row {row}: {difference}"


LAWS = (
    *modules.LAWS,
    shapes_are_those_it_tells,
    absence_and_padding_change_nothing,
    rows_do_not_depend_on_each_other,
    every_input_counts,
    inputs_may_be_absent_from_all_rows,
)


def _without(features: Features, rows: Sequence[int]) -> Features:
    """The features where some rows lack the input."""
    assert features.mask is not None
    there = torch.ones(len(features.pooled), 1, dtype=torch.bool)
    there[list(rows)] = False
    tokens, pooled = features.tokens.masked_fill(~there[..., None], 0), features.pooled.masked_fill(~there, 0)
    return Features(tokens, pooled, features.mask & there)


def _first_token(features: Features) -> Features:
    """The features as a model has them of an input that no row has, whatever its usual number of tokens."""
    assert features.mask is not None
    return Features(features.tokens[:, :1], features.pooled, features.mask[:, :1])


def _moved(features: Features, device: str) -> Features:
    tokens, pooled, mask = (each.to(device) for _, each in leaves(features))
    return Features(tokens, pooled, mask)
