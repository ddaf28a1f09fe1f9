"""How the processes of a training hold the model: each one whole, or all of them together in shares."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed import broadcast
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from zoo.errors import UsageError
from zoo.features import Batch
from zoo.model.model import ZooModel


class Held(ABC):
    """A model that is trained.

    Args:
        model: The model on its device. Its parameters may be others from here on, so an optimizer comes after this.
    """

    def __init__(self, model: ZooModel) -> None:
        self.model = model

    @abstractmethod
    def loss(self, batch: Batch, weights: Mapping[str, float]) -> Tensor:
        """The loss of some rows; its gradient becomes the mean of all processes'.

        Args:
            batch: The rows.
            weights: What `ZooModel.loss` takes.
        """

    @abstractmethod
    def in_part(self, last: bool) -> AbstractContextManager[None]:
        """A context for one of the parts of a step: the processes join their gradients in the last one."""

    @abstractmethod
    def whole(self) -> AbstractContextManager[None]:
        """A context in which the model is whole in this process, to be measured."""


class Copies(Held):
    """Each process has the whole model, as DDP (Li et al. 2020) has it; also where there is one process."""

    def __init__(self, model: ZooModel, accelerator: Accelerator) -> None:
        super().__init__(model)
        self._accelerator = accelerator
        self._wrapped = accelerator.prepare(model)

    def loss(self, batch: Batch, weights: Mapping[str, float]) -> Tensor:
        """The loss of the wrapped model."""
        return self.model.loss(self._wrapped(batch), weights)

    def in_part(self, last: bool) -> AbstractContextManager[None]:
        """Joins no gradients but in the last part."""
        if last:
            return nullcontext()
        apart: AbstractContextManager[None] = self._accelerator.no_sync(self._wrapped)
        return apart

    def whole(self) -> AbstractContextManager[None]:
        """It is."""
        return nullcontext()


class Shares(Held):
    """Weights, gradients and the optimizer's state lie in equal shares in the processes (FSDP, Zhao et al. 2023).

    Each process gathers the weights for a step and lets them go after it. Ours gathers them all at once and not layer
    by layer: rows lack inputs, heads lack labels, so that processes run different layers, and would wait for each other
    forever. What is saved is the share of gradients and optimizer, three quarters of what AdamW needs.
    """

    def __init__(self, model: ZooModel, device: torch.device, processes: int) -> None:
        super().__init__(model)
        for name, each in model.named_parameters():
            if each.ndim == 0:
                raise UsageError(
                    f"`train.shard`: `{name}` is a single number, of which there are no shares; write `false`"
                )
        self._loss = _Loss(model)
        mesh = init_device_mesh(device.type, (processes,))
        fully_shard(self._loss, mesh=mesh, reshard_after_forward=False)

    def loss(self, batch: Batch, weights: Mapping[str, float]) -> Tensor:
        """The loss, for which the weights are gathered."""
        found: Tensor = self._loss(batch, weights)
        return found

    @contextmanager
    def in_part(self, last: bool) -> Iterator[None]:
        """Keeps weights and gradients whole until the last part."""
        sharded = cast(FSDPModule, self._loss)
        sharded.set_requires_gradient_sync(last)
        sharded.set_reshard_after_backward(last)
        yield

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Gathers the weights; buffers, which each process has its own of, become those of the first one."""
        for buffer in self.model.buffers():
            broadcast(buffer, 0)
        sharded = cast(FSDPModule, self._loss)
        sharded.unshard()
        try:
            yield
        finally:
            sharded.reshard()


class _Loss(nn.Module):
    """The loss of a model as a module of its own, which gathers and shares out around its forward and backward pass."""

    def __init__(self, model: ZooModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, weights: Mapping[str, float]) -> Tensor:
        """The loss, in which every parameter takes part, be it by nothing: all processes join the same gradients."""
        loss = self.model.loss(self.model(batch), weights)
        return loss + sum(0 * each.sum() for each in self.parameters() if each.requires_grad)


def hold(model: ZooModel, accelerator: Accelerator) -> Held:
    """The model as `train.shard` wants it to be held."""
    if model.spec.train.shard:
        return Shares(model, accelerator.device, accelerator.num_processes)
    return Copies(model, accelerator)


def gather(tensor: Tensor) -> Tensor:
    """The whole of a tensor that lies in shares, in every process; all of them must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def share_out(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor as another one lies: in shares, or whole on its device."""
    if isinstance(like, DTensor) and not isinstance(tensor, DTensor):
        return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)
    return tensor.to(like.device)
