"""Ways to learn what a model takes: without memory where its code allows it, else from a real run."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from zoo.checkpoint.lock import parts
from zoo.checkpoint.unallocated import Uninitialized
from zoo.errors import ZooError
from zoo.model.device import available_memory
from zoo.model.model import ZooModel
from zoo.model.parts import Fitted
from zoo.planning.dry_run import DryRun, dry_run
from zoo.planning.meter import ROWS, Amount, Meter
from zoo.planning.sketch import sketch
from zoo.registry.target import load_target
from zoo.spec.sections import Spec
from zoo.transfer.freeze import apply_transfer

FEW = 2, 4
"""Rows of the two batches of a real run, between and beyond which costs are taken to grow evenly."""

SHARE = 0.25
"""Share of the machine's free memory that a model may have that is built for its plan."""


@dataclass(frozen=True)
class Costs:
    """What batches of any size take.

    Args:
        training: Bytes that are alive at some moment of a forward and a backward pass; the peak is the largest.
        inference: The same of a forward pass alone.
        operations: Floating-point operations of a forward pass over one row, by part: `inputs.photo`, `heads`.
    """

    training: frozenset[Amount]
    inference: frozenset[Amount]
    operations: Mapping[str, int]


@dataclass(frozen=True)
class Sounding:
    """A model as a plan needs it.

    Args:
        model: The model, its transfer applied; commonly without memory.
        run: What it did with a batch; None where it could not be run.
        rows: Rows of that batch.
        costs: What batches take; None where it could not be run.
        route: How this was learnt, in words.
    """

    model: ZooModel
    run: DryRun | None
    rows: int
    costs: Costs | None
    route: str


def sound(spec: Spec, fitted: Fitted, device: str, precision: str) -> Sounding:
    """Takes the first way that the model's code allows: the meta device, fake tensors, a real run.

    Some models look at values that are not there without memory; they say so with errors of all kinds.

    Args:
        spec: The spec.
        fitted: What was learnt from the training rows.
        device: Whose kernels are assumed: `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`.

    Raises:
        ZooError: The model cannot be built at all.
    """
    for part in parts(spec):
        load_target(part.registered, part.registered.component.target)  # imports are slow under the modes below
    with torch.device("meta"), Uninitialized():
        model = _sketched(spec, fitted)
    why = []
    for word, route in (("the meta device", _on_meta), ("fake tensors", _on_fake), ("a real run", _for_real)):
        try:
            run, rows, costs = route(model, spec, fitted, device, precision)
        except ZooError:
            raise
        except Exception as error:  # whatever the model's code raises
            why.append(f"{word}: {(str(error).splitlines() or [type(error).__name__])[0]}")
        else:
            tried = f" ({'; '.join(why)})" if why else ""
            return Sounding(model, run, rows, costs, f"{word}{tried}")
    return Sounding(model, None, 0, None, f"nothing could be run ({'; '.join(why)})")


def _on_meta(model: ZooModel, spec: Spec, fitted: Fitted, device: str, precision: str) -> tuple[DryRun, int, Costs]:
    with torch.device("meta"):
        run = dry_run(model, device, precision, ROWS, ROWS)
    return run, ROWS, _costs(run)


def _on_fake(model: ZooModel, spec: Spec, fitted: Fitted, device: str, precision: str) -> tuple[DryRun, int, Costs]:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        run = dry_run(_sketched(spec, fitted), device, precision, ROWS, ROWS)
    return run, ROWS, _costs(run)


def _for_real(model: ZooModel, spec: Spec, fitted: Fitted, device: str, precision: str) -> tuple[DryRun, int, Costs]:
    size = sum(each.nbytes for each in model.parameters())
    room = available_memory()
    if room is not None and size > SHARE * room:
        raise MemoryError("the model is too large for this machine")
    built = _sketched(spec, fitted)
    with torch.random.fork_rng(devices=[]):
        few, more = (dry_run(built, "cpu", "fp32", rows, None) for rows in FEW)
    training, inference = (_grown(getattr(few, name), getattr(more, name)) for name in ("training", "inference"))
    operations = {name: amount.fixed // FEW[0] for name, amount in few.operations.items()}
    return few, FEW[0], Costs(frozenset([training]), frozenset([inference]), operations)


def _sketched(spec: Spec, fitted: Fitted) -> ZooModel:
    model = sketch(spec, fitted)
    apply_transfer(model)
    return model


def _costs(run: DryRun) -> Costs:
    operations = {name: amount.of(1) for name, amount in run.operations.items()}
    return Costs(run.training.levels, run.inference.levels, operations)


def _grown(few: Meter, more: Meter) -> Amount:
    """The peak as a straight line through those of two batches."""
    low, high = (meter.peak(0) for meter in (few, more))
    per_row = (high - low) // (FEW[1] - FEW[0])
    return Amount(low - FEW[0] * per_row, per_row)
