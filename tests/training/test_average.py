"""The moving average of the weights: its formula, and that the model is as it was after a look through it."""

from pathlib import Path

import torch

from tests.tables import write_tables
from zoo.model.build import build
from zoo.training.average import Average, snapshot
from zoo.transfer.freeze import apply_transfer


def test_it_is_the_decayed_mean_of_the_weights_of_all_steps(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    apply_transfer(model)
    average = Average(model, 0.5)
    expected = snapshot(model)
    for step in range(1, 30):
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight))
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = {name: decay * expected[name] + (1 - decay) * each for name, each in model.moving().items()}
    assert average.moving().keys() == model.moving().keys()
    for name, each in average.moving().items():
        if not each.is_floating_point():  # a count: as it is in the model
            assert torch.equal(each, model.moving()[name])
            continue
        assert torch.allclose(each, expected[name], rtol=1e-5, atol=1e-6)


def test_the_model_has_it_inside_the_block_alone(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    apply_transfer(model)
    average = Average(model, 0.9)
    with torch.no_grad():
        for each in model.parameters():
            each.add_(1)
    before, mean = snapshot(model), snapshot(average)
    with average.instead():
        assert all(torch.equal(each, mean[name]) for name, each in model.moving().items())
    assert all(torch.equal(each, before[name]) for name, each in model.moving().items())
    assert all(torch.equal(each, mean[name]) for name, each in average.moving().items())
