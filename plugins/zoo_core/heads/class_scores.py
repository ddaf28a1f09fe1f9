"""What heads of classes have alike: a score for each class, whose scores these are, and the probabilities they mean."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Float64, Num
from torch import Tensor, nn

from zoo import UsageError
from zoo.contract import Adapted, Head, HeadContext
from zoo.features import Reading
from zoo_core.declarations.heads import Classifier
from zoo_core.heads.classes import listed
from zoo_core.heads.layers import hidden_layers
from zoo_core.learnt import learnt_names, learnt_numbers


class ClassScores(Head):
    """A score for each class from the pooled features.

    `classes` are their names in the order of the outputs. Labels are texts, numbers or truth values; see `class_name`.
    `temperature` divides the logits where they become probabilities (Guo et al. 2017), never in the loss; it is 1 until
    `zoo.evaluation.calibrate` has fitted it.
    """

    temperature: Float[Tensor, ""]

    def __init__(self, options: Classifier, context: HeadContext) -> None:
        super().__init__()
        width = context.features.pooled_dim
        self.classes: list[str] = options.classes or learnt_names(learnt(context, "classes"), "classes")
        self.codes = {name: code for code, name in enumerate(self.classes)}
        self.hidden = hidden_layers(options, width)
        self.output = nn.Linear(width, len(self.classes))
        self.register_buffer("temperature", torch.ones(()))

    @abstractmethod
    def fitted_temperature(self, outputs: Any, targets: Any) -> float:
        """The temperature with the lowest log loss of these rows; see `zoo.contract.Calibrated`."""

    def scaled(self, outputs: Float[Tensor, "batch classes"]) -> Float64[Tensor, "batch classes"]:
        """Logits divided by the temperature, on the CPU in double precision: what probabilities are made of."""
        return outputs.detach().cpu().double() / self.temperature.cpu().double()

    def forward(self, reading: Reading, targets: Any = None) -> Float[Tensor, "batch classes"]:
        """Logits."""
        logits: Tensor = self.output(self.hidden(reading.fused.pooled))
        return logits

    def adapt(self, state: Mapping[str, Tensor], fitted: Mapping[str, Any]) -> Adapted:
        """Keeps hidden layers of equal shape, and of the output layer the rows of the classes that both heads have.

        Args:
            state: Tensors of an earlier classifier.
            fitted: What its `fit` had learnt.
        """
        before = learnt_names(fitted.get("classes", ()), "classes")
        if before == self.classes:
            return super().adapt(state, fitted)
        state = {name: tensor for name, tensor in state.items() if name != "temperature"}  # other classes, other scores
        outputs = {name: tensor for name, tensor in state.items() if name.startswith("output.")}
        hidden = super().adapt({name: tensor for name, tensor in state.items() if name not in outputs}, fitted)
        own = {name: tensor for name, tensor in self.state_dict().items() if name.startswith("output.")}
        shared = [name for name in self.classes if name in before]
        if not shared or any(name not in own or own[name].shape[1:] != outputs[name].shape[1:] for name in outputs):
            return replace(hidden, unused=[*hidden.unused, *outputs])
        here, there = [self.codes[name] for name in shared], [before.index(name) for name in shared]
        rows = {
            name: own[name].index_put((torch.tensor(here),), outputs[name][there].to(own[name])) for name in outputs
        }
        told = f"{len(shared)} of {len(self.classes)} classes kept: {listed(shared)}"
        return Adapted({**hidden.tensors, **rows}, {**hidden.resized, **dict.fromkeys(rows, told)}, hidden.unused)


def rows_learnt(context: HeadContext, classes: int) -> tuple[Num[Tensor, "classes"], int | float]:
    """How many training rows each class has, and how many there are.

    Raises:
        UsageError: There were none, or something else is told of them.
    """
    learnt(context, "counts")
    (rows,) = learnt_numbers({"rows": [context.fitted.get("rows")]}, "rows", 1)
    return torch.tensor(learnt_numbers(context.fitted, "counts", classes)), rows


def learnt(context: HeadContext, key: str) -> Any:
    """What was learnt from the training rows.

    Raises:
        UsageError: There were none.
    """
    if key not in context.fitted:
        raise UsageError(f"its {key} are learnt from the training rows: name them in `data.train`")
    return context.fitted[key]
