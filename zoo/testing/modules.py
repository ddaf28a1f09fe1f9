"""What holds for everything with weights: backbones, fusions and heads."""

import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from zoo.checkpoint.loading import assign
from zoo.checkpoint.tensors import digest, read_tensors, write_tensors
from zoo.checkpoint.unallocated import Unallocated
from zoo.testing.compare import differences, leaves
from zoo.transfer.freeze import frozen_modules


class Trial(Protocol):
    """A component that is tried on samples.

    Args:
        unused: Patterns of names of parameters that no output depends on.
    """

    unused: Sequence[str]

    def build(self, seed: int = 0) -> nn.Module:
        """A new one, from a seed."""

    def outputs(self, module: Any) -> Any:
        """What it makes of the samples, as a tree of tensors."""

    def objective(self, module: Any) -> Tensor:
        """A number to lower that depends on all outputs."""


def outputs_are_finite(trial: Trial) -> Iterator[str]:
    """Outputs are numbers: no NaN, no infinity."""
    for name, output in leaves(_evaluated(trial, trial.build())):
        if not bool(output.isfinite().all()):
            yield f"`{name}` has values that are no numbers"


def evaluation_is_deterministic(trial: Trial) -> Iterator[str]:
    """In eval, the same values give the same bits: dropout and the like act in training alone."""
    module = trial.build()
    for difference in differences(_evaluated(trial, module), _evaluated(trial, module)):
        yield f"in eval, a second pass over the same values is another: {difference}"


def start_depends_on_the_seed_alone(trial: Trial) -> Iterator[str]:
    """Random weights come from torch's generator, so that a seed makes them again."""
    for difference in differences(_state(trial.build()), _state(trial.build())):
        yield f"two starts from one seed are not the same: {difference}"


def weights_are_all_that_is_kept(trial: Trial) -> Iterator[str]:
    """Saved and loaded into another one, the weights give the same bits: all that was drawn or learnt is among them."""
    module, other = trial.build(), trial.build(seed=1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))  # unlike any that it starts with
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        write_tensors(path, {name: tensor.clone() for name, tensor in module.state_dict().items()})
        other.load_state_dict(read_tensors(path))
    for difference in differences(_evaluated(trial, module), _evaluated(trial, other)):
        yield f"after saving and loading: {difference}"


def building_needs_no_memory(trial: Trial) -> Iterator[str]:
    """Built on the meta device it has the same tensors, without values."""
    with torch.device("meta"):
        planned = trial.build()
    real = trial.build().state_dict()
    for name, tensor in planned.state_dict().items():
        if name in real and tensor.shape != real[name].shape:
            yield f"`{name}` is {list(tensor.shape)} on the meta device and {list(real[name].shape)} for real"
        if not tensor.is_meta:
            yield f"`{name}` takes memory on the meta device"
    for name in sorted(planned.state_dict().keys() ^ real.keys()):
        yield f"`{name}` is there either on the meta device or for real, not both"


def weights_can_be_assigned(trial: Trial) -> Iterator[str]:
    """Built without memory for parameters and given those of a plain one, it is the same, buffers too."""
    plain = trial.build()
    with Unallocated():
        module = trial.build()
    assign(module, {name: tensor.clone() for name, tensor in plain.state_dict().items()})
    for difference in differences(_tensors(plain), _tensors(module)):
        yield f"built without memory and filled: {difference}"


def frozen_is_frozen(trial: Trial) -> Iterator[str]:
    """With all parameters frozen, training changes no tensor, and no pass is unlike another."""
    module = trial.build().requires_grad_(False)
    _train_the_rest(module)
    before = {name: digest(tensor) for name, tensor in _tensors(module).items()}
    with torch.no_grad():
        first, second = trial.outputs(module), trial.outputs(module)
    for name, tensor in _tensors(module).items():
        if digest(tensor) != before[name]:
            yield f"frozen, `{name}` is another after a pass in training"
    for difference in differences(first, second):
        yield f"frozen, a second pass in training is another: {difference}"


def gradients_reach_every_parameter(trial: Trial) -> Iterator[str]:
    """Every parameter gets a gradient, in training or in eval, and every gradient is a number.

    Raises:
        ValueError: A pattern of `unused` matches no parameter.
    """
    module = trial.build()
    parameters = {name: each for name, each in module.named_parameters() if each.requires_grad}
    for mode in (True, False):
        torch.autograd.backward(trial.objective(module.train(mode)))
    unused = {name for name in parameters if any(fnmatchcase(name, pattern) for pattern in trial.unused)}
    for pattern in trial.unused:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            raise ValueError(f"`unused` has `{pattern}`, which matches no parameter")
    for name, parameter in parameters.items():
        if parameter.grad is None and name not in unused:
            yield f"no output depends on `{name}`; name it in `unused` if that is meant"
        if parameter.grad is not None and name in unused:
            yield f"outputs depend on `{name}`, which `unused` names"
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            yield f"the gradient of `{name}` is no number"


FIRST = (outputs_are_finite, evaluation_is_deterministic, start_depends_on_the_seed_alone)
"""Where one of these is broken, what follows would say nothing."""

LAWS = (
    weights_are_all_that_is_kept,
    building_needs_no_memory,
    weights_can_be_assigned,
    frozen_is_frozen,
    gradients_reach_every_parameter,
)


def objective_of(outputs: Any) -> Tensor:
    """A number that depends on every output, and on each in another way."""
    generator = torch.Generator().manual_seed(0)
    floats = [leaf for _, leaf in leaves(outputs) if leaf.is_floating_point() and leaf.requires_grad]
    total = torch.zeros(())
    for leaf in floats:
        total = total + (leaf * torch.randn(leaf.shape, generator=generator)).sum()
    return total


def _evaluated(trial: Trial, module: nn.Module) -> Any:
    with torch.no_grad():
        return trial.outputs(module.eval())


def _train_the_rest(module: nn.Module) -> None:
    """Training mode, but for what is frozen, as a model sets it."""
    module.train()
    for each in frozen_modules(module):
        each.training = False


def _state(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.state_dict())


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and all buffers, those that are in no checkpoint too."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
