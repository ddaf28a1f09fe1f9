"""The regressor: scale, losses, missing numbers, units."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.core_heads import WIDTH, learnt, make, outputs, reading, targets, trained
from zoo import UsageError
from zoo.checkpoint.unallocated import Unallocated
from zoo_core.declarations.heads import Regressor

ONE, TWO = Regressor(), Regressor(columns=["price", "weight"])
PAIRS = [{"price": 1.0, "weight": 10}, {"price": 5.0, "weight": None}, {"price": 3.0, "weight": 30}]


def regressor(**options: Any) -> Any:
    return trained(Regressor(**options), [1.0, 3.0, 5.0])


def test_the_scale_is_that_of_the_training_rows() -> None:
    found = learnt(ONE, [1, 2.0, "3", Decimal(6), np.float32(8)])
    assert found["means"] == pytest.approx([4])
    assert found["deviations"] == pytest.approx([np.std([1, 2, 3, 6, 8])])
    assert json.loads(json.dumps(found)) == found


def test_the_scale_of_several_columns_leaves_out_what_is_missing() -> None:
    found = learnt(TWO, PAIRS)
    assert found["means"] == pytest.approx([3, 20])
    assert found["deviations"] == pytest.approx([np.std([1, 3, 5]), 10])


def test_constant_numbers_are_not_divided_by_zero() -> None:
    head = trained(ONE, [7, 7])
    assert targets(head, [7, 9]).tolist() == [[0], [2]]


def test_numbers_are_learnt_as_they_are_unless_standardised() -> None:
    assert learnt(Regressor(standardize=False), [1, 3]) == {}
    head = make(Regressor(standardize=False))
    assert targets(head, [1, 3]).tolist() == [[1], [3]]
    assert targets(regressor(), [1, 3]).flatten().tolist() == pytest.approx([-(1.5**0.5), 0])
    assert head.decode(torch.tensor([[5.0]])) == [5.0]


@pytest.mark.parametrize(
    ("options", "cell", "message"),
    [
        (ONE, "cheap", r"'cheap' \(str\) is no number"),
        (ONE, "", r"'' \(str\) is no number"),
        (ONE, [1.0], "is no number"),
        (ONE, 1e300, "is too large a number"),
        (ONE, "1e300", "is too large a number"),
        (ONE, float("nan"), "holds no number; the cell of a row without a label is null"),
        (ONE, {"price": 1}, "is no number"),
        (TWO, {"price": 1}, "lacks the column `weight`"),
        (TWO, 1.0, "lacks the column `price`"),
        (TWO, {"price": 1, "weight": "heavy"}, r"column `weight`: 'heavy' \(str\) is no number"),
        (TWO, {"price": None, "weight": float("nan")}, "holds no number"),
    ],
)
def test_what_is_no_number_is_refused(options: Regressor, cell: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learnt(options, [cell])
    with pytest.raises(ValueError, match=message):
        trained(options, [1, 2] if options is ONE else PAIRS).label(cell)


def test_a_scale_that_nobody_knows_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"name them in `data.train`"):
        make(ONE)
    for options in (ONE, Regressor(standardize=False)):
        with pytest.raises(ValueError, match="no training row has a label"):
            learnt(options, [])


def test_a_single_named_column_is_like_one_column() -> None:
    head = trained(Regressor(columns=["price"]), [{"price": 1}, {"price": 3}])
    assert targets(head, [{"price": 3}, 3]).tolist() == [[1], [1]]
    assert head.decode(torch.tensor([[1.0]])) == [3.0]


@pytest.mark.parametrize(
    ("loss", "cost"),
    [
        ("squared", lambda error: error**2),
        ("absolute", abs),
        ("huber", lambda error: error**2 / 2 if abs(error) < 1 else abs(error) - 0.5),
    ],
)
def test_losses_are_of_standardised_numbers(loss: Any, cost: Any) -> None:
    head = regressor(loss=loss)
    errors = np.array([0.5, -0.3, 2])
    predicted = (np.array([1, 3, 5]) - 3) / np.std([1, 3, 5]) + errors
    found = head.loss(torch.tensor(predicted)[:, None], targets(head, [1, 3, 5]))
    assert float(found) == pytest.approx(np.mean([cost(error) for error in errors]), rel=1e-6)


def test_missing_numbers_are_no_loss_and_give_no_gradient() -> None:
    head: Any = trained(TWO, PAIRS)
    predicted: Any = outputs(head, 3).detach().requires_grad_()
    truth = targets(head, PAIRS)
    assert truth.isnan().tolist() == [[False, False], [False, True], [False, False]]
    loss = head.loss(predicted, truth)
    known = ~truth.isnan()
    torch.testing.assert_close(loss, (predicted - truth)[known].square().mean())
    loss.backward()
    assert torch.equal(predicted.grad != 0, known)


def test_every_parameter_learns() -> None:
    head = regressor(layers=2, dropout=0.1)
    head.loss(outputs(head, 3), targets(head, [1, 3, 5])).backward()
    assert len(list(head.parameters())) == 4
    assert all(parameter.grad.any() for parameter in head.parameters())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.sampled_from([0.0, 1e3]))
def test_what_is_predicted_is_told_in_the_unit_of_the_labels(numbers: list[float], offset: float) -> None:
    cells = [number + offset for number in numbers]
    head = trained(ONE, cells)
    told = head.decode(targets(head, cells))
    span = max(cells) - min(cells)
    assert told == pytest.approx(cells, rel=1e-6, abs=1e-5 * (span if span > 1e-100 else 1))  # whose square is a number
    assert all(type(number) is float for number in told)
    assert head.rows(targets(head, cells), targets(head, cells))["true"].flatten().tolist() == told


def test_small_differences_of_large_numbers_are_not_lost() -> None:
    years = [1.7e9 + day for day in range(5)]
    head = trained(ONE, years)
    assert head.decode(targets(head, years)) == pytest.approx(years, rel=0, abs=1e-5)


def test_several_numbers_are_told_by_column() -> None:
    head = trained(TWO, PAIRS)
    (told,) = head.decode(torch.zeros(1, 2))
    assert told == pytest.approx({"price": 3, "weight": 20})
    assert json.loads(json.dumps(told)) == told
    rows = head.rows(torch.zeros(3, 2), targets(head, PAIRS))
    assert rows["true"].nan_to_num(-1).tolist() == pytest.approx(np.array([[1, 10], [5, -1], [3, 30]]))
    assert rows["predicted"].tolist() == pytest.approx(np.array([[3, 20]] * 3))


def test_saved_tensors_and_what_was_learnt_are_all_of_it() -> None:
    fitted = learnt(TWO, PAIRS)
    head = make(TWO, fitted)
    with Unallocated():
        restored = make(TWO, json.loads(json.dumps(fitted)))
    restored.load_state_dict(head.state_dict(), assign=True)
    assert head.decode(outputs(head)) == restored.decode(outputs(restored))
    assert torch.equal(targets(head, PAIRS[:1]), targets(restored, PAIRS[:1]))


def test_shapes_are_the_same_without_memory() -> None:
    with torch.device("meta"):
        head = trained(TWO, PAIRS)
        numbers = head(reading(torch.empty(4, WIDTH)))
        assert head.loss(numbers, torch.empty(4, 2)).shape == ()
    assert all(tensor.is_meta for tensor in head.state_dict().values())
    assert numbers.shape == (4, 2)


def test_an_earlier_head_of_the_same_shape_is_kept() -> None:
    before, now = trained(TWO, PAIRS), trained(TWO, PAIRS)
    state = before.state_dict()
    assert set(now.adapt(state, {}).tensors) == {"output.weight", "output.bias"}
    other = regressor()
    assert set(other.adapt(state, {}).unused) == {"output.weight", "output.bias"}
    assert not other.adapt(state, {}).tensors


def test_regressors_can_be_exported() -> None:
    head, read = trained(TWO, PAIRS), reading(torch.randn(3, WIDTH))
    torch.testing.assert_close(torch.export.export(head, (read,)).module()(read), head(read))
