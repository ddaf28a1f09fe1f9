"""What holds for the rows of a backbone's batch: neighbours, padding and absent rows reach nothing."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from zoo.component import FeatureSpec
from zoo.contract import Backbone
from zoo.data.collate import join
from zoo.features import Features, Values
from zoo.testing.backbones import BackboneTrial, features
from zoo.testing.compare import CLOSE, differences, rows_of


def rows_do_not_depend_on_each_other(trial: BackboneTrial) -> Iterator[str]:
    """A row alone has the features that it has among others of its size, but for rounding."""
    backbone, values = trial.build().eval(), trial.values
    with torch.no_grad():
        for row in range(len(values)):
            alike = _alike(backbone, values, row)
            together, alone = features(backbone, _uncut(values, alike)), features(backbone, _uncut(values, [row]))
            for difference in differences(rows_of(together, alike.index(row)), rows_of(alone, 0), CLOSE):
                yield f"alone, row {row} has other features than among others: {difference}"


def padding_changes_nothing(trial: BackboneTrial) -> Iterator[str]:
    """What stands under padding changes no bit, and how much of it there is nothing but rounding.

    A backbone of which that cannot be had declares `padding = "exact"`.
    """
    backbone, values = trial.build().eval(), trial.values
    if backbone.padding == "exact" or values.lengths is None or isinstance(values.data, list):
        return
    with torch.no_grad():
        plain = features(backbone, values)
        spoilt = features(backbone, Values(_spoilt(values.data, values.lengths), values.lengths))
    for row in range(len(values)):
        for difference in differences(rows_of(plain, row), rows_of(spoilt, row)):
            yield f"what stands under the padding of row {row} changes {difference}; mask it, or declare `exact`"
    yield from _same_with_less(backbone, values, values.lengths)


def _same_with_less(backbone: Backbone, values: Values, lengths: Tensor) -> Iterator[str]:
    """All but the longest rows, with all of their padding and with as little as they need."""
    rows = (lengths < lengths.max()).nonzero().squeeze(1)
    if not len(rows):
        return
    with torch.no_grad():
        padded, cut = features(backbone, _uncut(values, rows.tolist())), features(backbone, values.rows(rows))
    for place, row in enumerate(rows.tolist()):
        for difference in differences(rows_of(padded, place), rows_of(cut, place), CLOSE):
            yield f"how much padding row {row} has changes {difference}; mask it, or declare `exact`"


def absent_rows_change_nothing(trial: BackboneTrial) -> Iterator[str]:
    """What stands in rows without the input changes no bit, whichever rows these are, and in training too."""
    values, backbone = trial.values, trial.build()
    for gone in ([0], [len(values) - 1], list(range(1, len(values)))):
        present = torch.ones(len(values), dtype=torch.bool)
        present[gone] = False
        data = [(_blank if row in gone else torch.clone)(sample) for row, sample in enumerate(values.data)]
        other = [(_garbage if row in gone else torch.clone)(sample) for row, sample in enumerate(values.data)]
        for mode in (False, True):
            clean = _passed(backbone, _like(values, data, present), mode)
            for difference in differences(clean, _passed(backbone, _like(values, other, present), mode)):
                yield f"what stands in absent rows changes {difference}"


def rows_without_the_input_are_zeros(trial: BackboneTrial) -> Iterator[str]:
    """Where no row has the input, features are zeros under a mask, of the types that they have otherwise."""
    backbone, rows = trial.build(), len(trial.values)
    usual, _ = _passed(backbone, trial.values, False)
    garbage = [_garbage(sample) for sample in trial.values.data]
    nothing = join([None] * rows, backbone.padding_value)
    for values in (nothing, _like(trial.values, garbage, torch.zeros(rows, dtype=torch.bool))):
        for mode in (False, True):
            made, after = _passed(backbone, values, mode)
            found = [*_not_nothing(backbone.features, usual, made)]
            found += [f"a pass without the input changes {each}" for each in differences(backbone.state_dict(), after)]
            if found:
                yield from found
                return


def _not_nothing(told: FeatureSpec, usual: Features, made: Features) -> Iterator[str]:
    """How features of rows without the input are not zeros under a mask, as wide as is told."""
    rows = len(usual.pooled)
    expected = {
        "tokens": usual.tokens.new_zeros(rows, made.tokens.shape[1], told.dim),
        "pooled": usual.pooled.new_zeros(rows, told.pooled_dim),
        "maps": [level.new_zeros(rows, channels) for level, (channels, _) in zip(usual.maps, told.maps, strict=True)],
    }
    found = {"tokens": made.tokens, "pooled": made.pooled, "maps": [level.sum((2, 3)) for level in made.maps]}
    if bool(made.present.any()):
        yield "rows without the input count as present"
    for difference in differences(expected, found):
        yield f"where no row has the input, {difference}"


LAWS = (
    rows_do_not_depend_on_each_other,
    padding_changes_nothing,
    absent_rows_change_nothing,
    rows_without_the_input_are_zeros,
)


def _alike(backbone: Backbone, values: Values, row: int) -> list[int]:
    """The rows that may run together with this one."""
    if backbone.padding == "exact" and isinstance(values.data, list):
        return [other for other, data in enumerate(values.data) if data.shape == values.data[row].shape]
    return list(range(len(values)))


def _uncut(values: Values, rows: Sequence[int]) -> Values:
    """Some rows, with all of their padding."""
    lengths = None if values.lengths is None else values.lengths[rows]
    data = [values.data[row] for row in rows] if isinstance(values.data, list) else values.data[rows]
    return Values(data, lengths)


def _spoilt(data: Tensor, lengths: Tensor) -> Tensor:
    """The values with something else under padding: large numbers, or another token."""
    mask = torch.arange(data.shape[1]) < lengths[:, None]
    mask = mask.reshape(*mask.shape, *[1] * (data.ndim - 2))
    if data.is_floating_point():
        return torch.where(mask, data, 1000 * torch.rand(data.shape, dtype=data.dtype))
    return torch.where(mask, data, data.masked_fill(~mask, 0).max())


def _blank(sample: Tensor) -> Tensor:
    return torch.zeros_like(sample)


def _garbage(sample: Tensor) -> Tensor:
    return torch.full_like(sample, torch.nan) if sample.is_floating_point() else sample.flip(0)


def _like(values: Values, data: list[Tensor], present: Tensor) -> Values:
    return Values(data if isinstance(values.data, list) else torch.stack(data), values.lengths, present)


def _passed(backbone: Backbone, values: Values, training: bool) -> tuple[Features, dict[str, Tensor]]:
    """Features, and what the pass made of the backbone's own tensors; it is then as before."""
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = features(backbone.train(training), values)
    after = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    backbone.load_state_dict(before)
    return made, after
