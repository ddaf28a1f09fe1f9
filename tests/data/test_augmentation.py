"""Augmented training: each row changed by a seed of its own, and nothing else than training rows changed at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.data.parts import Noisy, Toys
from tests.data.test_loader import ROWS, BatchLoader, same, selection
from tests.tables import SPEC, write_tables
from zoo import Batch, UsageError, build, load_spec
from zoo.data.augment import Augmentation, Changes, make_augmentation
from zoo.data.loader import Loader
from zoo.data.open import training
from zoo.data.rows import open_rows
from zoo.data.samples import Preparation


def jittered(value: list[float]) -> list[float]:
    return [number + 0.1 * float(torch.rand(())) for number in value]


WALK = Augmentation({"walk": Changes((jittered,))})
PHOTO = Augmentation({"photo": Changes((jittered,), (jittered,))})


def augmented(augmentation: Augmentation = WALK, toys: Toys | None = None, **how: Any) -> BatchLoader:
    return BatchLoader(toys or Toys(), [selection()], batch_size=4, seed=3, augmentation=augmentation, **how)


def plain(**how: Any) -> BatchLoader:
    return BatchLoader(Toys(), [selection()], batch_size=4, seed=3, **how)


def steps(batches: Iterator[Batch], name: str) -> list[float]:
    return [number for batch in batches for number in torch.as_tensor(batch.inputs[name].data).flatten().tolist()]


def whole(loader: Loader) -> Iterator[Batch]:
    """The batch of each step of the first epoch."""
    return (step.batch for step in loader.epoch(1))


def test_only_the_input_is_changed_that_is_augmented() -> None:
    assert steps(augmented().epoch(1), "photo") == steps(plain().epoch(1), "photo")
    assert steps(augmented().epoch(1), "walk") != steps(plain().epoch(1), "walk")


def test_every_epoch_is_another_and_comes_again() -> None:
    first, again = list(augmented().epoch(1)), list(augmented().epoch(1))
    assert same(iter(first), iter(again))
    assert not same(iter(first), augmented().epoch(2))


@pytest.mark.parametrize("augmentation", [WALK, PHOTO])
def test_processes_and_earlier_epochs_change_nothing(augmentation: Augmentation) -> None:
    expected = list(augmented(augmentation, processes=0).epoch(2))
    used = augmented(augmentation, processes=0)
    list(used.epoch(1))
    assert same(used.epoch(2), iter(expected))
    assert same(augmented(augmentation, processes=2).epoch(2), iter(expected))


def test_the_generator_of_the_training_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(augmented().epoch(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_augmented_samples_are_not_kept() -> None:
    toys = Toys()
    loader = augmented(toys=toys)
    list(loader.epoch(1))
    seen = toys.seen
    list(loader.epoch(2))
    assert toys.seen == 2 * seen
    assert not Preparation(toys, changes=WALK.inputs).fixed
    assert Preparation(toys).fixed


def test_views_are_made_of_what_the_row_holds() -> None:
    views = [batch.views for batch in augmented(PHOTO, Toys(Noisy)).epoch(1)]
    before = [batch.views for batch in BatchLoader(Toys(Noisy), [selection()], batch_size=4, seed=3).epoch(1)]
    for one, other in zip(views, before, strict=True):
        for name in one:
            for mine, its in zip(one[name], other[name], strict=True):
                assert torch.equal(torch.as_tensor(mine["photo"].data), torch.as_tensor(its["photo"].data))


AUGMENTED = SPEC.replace("columns: [a, b], ", "columns: [a, b], augment: [{noise: 0.5}], ")


def test_rows_that_are_set_aside_or_measured_are_not_changed(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path, AUGMENTED))
    augmentation = make_augmentation(model)
    assert list(augmentation.inputs) == ["left"]
    rows = open_rows(model.spec)
    learning, aside = training(model, rows, augmentation)
    bare, bare_aside = training(model, rows)
    assert aside is not None and bare_aside is not None
    assert same(iter(aside), iter(bare_aside))
    assert steps(whole(learning), "left") != steps(whole(bare), "left")
    assert steps(whole(learning), "right") == pytest.approx(steps(whole(bare), "right"), nan_ok=True)


def test_a_training_comes_again(tmp_path: Path) -> None:
    from zoo import train

    spec = write_tables(tmp_path, AUGMENTED.replace("epochs: 4", "epochs: 1, mixup: 0.4"))
    first, second = train(spec), train(spec)
    assert first.history[0]["loss"] == second.history[0]["loss"]
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_categories_have_no_average(tmp_path: Path) -> None:
    text = SPEC.replace("columns: [c],", "columns: [c], categories: [c],").replace("epochs: 4", "epochs: 1, mixup: 1")
    model = build(write_tables(tmp_path, text))
    with pytest.raises(UsageError, match=r"`train.mixup` averages samples, but `inputs.right` has categories"):
        make_augmentation(model)


def test_the_spec_without_any_asks_for_nothing(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    assert make_augmentation(model) == Augmentation()
    assert load_spec(tmp_path / "spec.yaml").augmented == frozenset()
    assert len(ROWS) == 11
