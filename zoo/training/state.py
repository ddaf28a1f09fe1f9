"""Where a training stands, in one safetensors file that is written beside its place and renamed.

Tensors are tensors; all else is JSON in the file's header. What is drawn at random for a row follows from the seed, the
epoch and the row's place in it, so that beside torch's own generators nothing random need be kept, of no worker either.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.errors import CorruptError, UsageError
from zoo.training.held import share_out

Record = dict[str, Any]


@dataclass
class Position:
    """How far a training is.

    Args:
        epoch: Whole epochs that were made.
        step: Steps of the next one that were made.
        steps: Steps that were made in all.
        loss: Sum of the loss over the rows of this epoch so far.
        rows: Rows of this epoch so far, those of all processes together.
        seconds: What they took.
        parts: Parts in which the rows of a step are run.
        best: The best value of `train.select` so far, of epochs that were measured.
        waited: Epochs since.
        lacked: Inputs that a row lacked so far.
        history: A record of each epoch.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    loss: float = 0.0
    rows: int = 0
    seconds: float = 0.0
    parts: int = 1
    best: float | None = None
    waited: int = 0
    lacked: list[str] = field(default_factory=list)
    history: list[Record] = field(default_factory=list)


def write_state(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes a state in place of the one that is there.

    Args:
        path: The file.
        tensors: By name.
        facts: JSON data.

    Raises:
        UsageError: It cannot be written.
    """
    from safetensors.torch import save_file

    beside = path.with_name(f".{path.name}.new")
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        save_file(whole, beside, metadata={"zoo": json.dumps(facts)})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"the state of the training cannot be written to `{path}`: {error.strerror}") from None


def read_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and facts of a state.

    Raises:
        CorruptError: It is no whole file of this kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["zoo"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        told = f"{type(error).__name__}: {error}"
        raise CorruptError(f"`{path}` is no whole state of a training ({told}); remove it to begin again") from None


def optimizer_state(model: nn.Module, optimizer: Optimizer) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """What an optimizer keeps of each parameter, by `NAME/KEY`, and the rates of its groups."""
    names = {id(each): name for name, each in model.named_parameters()}
    tensors = {
        f"{names[id(parameter)]}/{key}": value
        for parameter, kept in optimizer.state.items()
        for key, value in kept.items()
    }
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    return tensors, groups


def restore_optimizer(
    model: nn.Module, optimizer: Optimizer, tensors: Mapping[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    """Gives an optimizer what `optimizer_state` told of one like it."""
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        owner, _, key = name.rpartition("/")
        parameter = parameters[owner]
        moves = value.shape == parameter.shape  # else a count of steps
        optimizer.state[parameter][key] = share_out(value.clone(), parameter) if moves else value.to(parameter.device)
    for group, kept in zip(optimizer.param_groups, groups, strict=True):
        group.update({key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()})


def random_state() -> dict[str, Tensor]:
    """The states of torch's generators in this process, by device."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random(states: Mapping[str, Tensor]) -> None:
    """Sets torch's generators."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
