"""The whole model: a backbone for each input, a fusion, and heads."""

import functools
import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from jaxtyping import Int
from torch import Tensor, nn

from zoo.checkpoint.loading import Start
from zoo.checkpoint.source import Source
from zoo.contract import Backbone, Frontend, Fusion, Head, InputType
from zoo.features import Batch, Features, Reading, Targets, Values
from zoo.model.calibration import Calibration
from zoo.model.tower import Run, in_chunks, run_tower
from zoo.spec.sections import SharedBackbone, Spec


@dataclass(frozen=True, slots=True)
class Result:
    """What a model makes of a batch.

    Args:
        outputs: Each head's outputs, for the rows that have its label where labels are given, else for all rows.
        losses: Each head's loss, and that of its auxiliary heads as `head/input`; of heads with labels in the batch.
    """

    outputs: Mapping[str, Any]
    losses: Mapping[str, Tensor] = field(default_factory=dict)


class ZooModel(nn.Module):
    """A model that a spec describes. An ordinary `torch.nn.Module`: `model(batch)` gives outputs and losses.

    Args:
        spec: What it was built from.
        inputs: By input, what decodes its cells.
        frontends: By input, what turns its values into another modality; only of inputs that have one.
        backbones: By input; of inputs that share one, only the first has it.
        fusion: Joins several inputs; None with one input.
        heads: By name.
        auxiliary: By head, heads of the same kind on each input alone.
        fitted: What was learnt from the training rows before the parts were built.

    `starts` and `sources` tell of each part, by where its tensors stand (`backbones.photo`), how it starts and where
    its weights came from. `frozen` are the modules that `train()` leaves in eval, and `frozen_rows` how many rows a
    frozen backbone is run on at a time; None for all that there are. `calibration` tells by head whether its
    probabilities are calibrated; nothing until `zoo.evaluation.calibrate` looked.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        inputs: Mapping[str, InputType],
        frontends: Mapping[str, Frontend],
        backbones: Mapping[str, Backbone],
        fusion: Fusion | None,
        heads: Mapping[str, Head],
        auxiliary: Mapping[str, Mapping[str, Head]],
        fitted: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.spec = spec
        self.inputs = dict(inputs)
        self.frontends = dict(frontends)
        self.backbones = nn.ModuleDict(backbones)
        self.fusion = fusion
        self.heads = nn.ModuleDict(heads)
        self.auxiliary = nn.ModuleDict({name: nn.ModuleDict(each) for name, each in auxiliary.items()})
        self.fitted = dict(fitted)
        self.starts: dict[str, Start] = {}
        self.sources: dict[str, Source] = {}
        self.frozen: list[nn.Module] = []
        self.frozen_rows: int | None = None
        self.lacked: frozenset[str] | None = None
        self.calibration: dict[str, Calibration] = {}
        self._reads_maps = any("maps" in head.registered.component.needs for head in spec.heads.values())

    def __repr__(self) -> str:
        """What it is made of, in a line for each part; `named_modules()` has the layers."""
        lines = [f"ZooModel {self.spec.name}: {sum(each.numel() for each in self.parameters()):,} parameters"]
        for name, section in self.spec.inputs.items():
            backbone = section.backbone
            use = f"that of {backbone.same_as}" if isinstance(backbone, SharedBackbone) else backbone.use
            spec = self.backbone(name).features
            tokens = "tokens" if spec.tokens is None else f"{spec.tokens} tokens"
            lines.append(f"  {name} ({section.type}) -> {use}: {tokens} x {spec.dim}, pooled {spec.pooled_dim}")
        if self.spec.fusion is not None and self.fusion is not None:
            lines.append(f"  fusion -> {self.spec.fusion.use}: pooled {self.fusion.features.pooled_dim}")
        lines += [f"  {name} <- {section.use}" for name, section in self.spec.heads.items()]
        return "\n".join(lines)

    def never_absent(self) -> tuple[str, ...]:
        """The inputs that no row of its training lacked: what it makes of their absence, nobody taught it.

        None of a model that was not trained yet, or that has one input.
        """
        if self.lacked is None or len(self.spec.inputs) == 1:
            return ()
        return tuple(name for name in self.spec.inputs if name not in self.lacked)

    def backbone(self, name: str) -> Backbone:
        """The backbone that reads this input, its own or the one that it shares."""
        section = self.spec.inputs[name].backbone
        owner = section.same_as if isinstance(section, SharedBackbone) else name
        backbone = self.backbones[owner]
        assert isinstance(backbone, Backbone)
        return backbone

    def head(self, name: str) -> Head:
        """The head of this name."""
        head = self.heads[name]
        assert isinstance(head, Head)
        return head

    def backbone_parts(self) -> dict[str, Backbone]:
        """All backbones, those inside heads too, by where their tensors stand: `backbones.photo`."""
        return {name: each for name, each in self.named_modules() if isinstance(each, Backbone)}

    def auxiliary_heads(self, name: str) -> dict[str, Head]:
        """The heads like this one that read each input alone, by input."""
        found = self.auxiliary[name] if name in self.auxiliary else nn.ModuleDict()
        assert isinstance(found, nn.ModuleDict)
        return {each: head for each, head in found.items() if isinstance(head, Head)}

    def moving(self) -> dict[str, Tensor]:
        """What training moves, by name: trained parameters, and the buffers outside frozen modules."""
        frozen = {id(each) for module in self.frozen for each in module.buffers(recurse=False)}
        moving: dict[str, Tensor] = {name: each for name, each in self.named_parameters() if each.requires_grad}
        return moving | {name: each for name, each in self.named_buffers() if id(each) not in frozen}

    def train(self, mode: bool = True) -> Self:
        """Training mode for what is trained; what is frozen stays in eval, its norm statistics and dropout too."""
        super().train(mode)
        for module in self.frozen:
            module.training = False
        return self

    def forward(self, batch: Batch) -> Result:
        """Outputs of every head, and losses where labels are given."""
        return self.decide(batch, self.read(batch))

    def read(self, batch: Batch) -> dict[str, Features]:
        """Features of every input of a batch: computed, or those that it brings with it."""
        computed = self.features({name: each for name, each in batch.inputs.items() if name not in batch.features})
        return computed | {name: each.only(batch.inputs[name].present) for name, each in batch.features.items()}

    def features(self, values: Mapping[str, Values]) -> dict[str, Features]:
        """Features of each of the inputs given, one row for each sample, absent ones masked."""
        features = {}
        for name in values:
            backbone = self.backbone(name)
            run: Run = backbone.pyramid if self._reads_maps and backbone.features.maps else backbone
            if self.frozen_rows is not None and self.is_frozen(name):
                run = in_chunks(run, self.frozen_rows)
            features[name] = run_tower(backbone, run, values[name])
        return features

    def is_frozen(self, name: str) -> bool:
        """Whether training leaves all of the backbone as it is that reads this input."""
        backbone = self.backbone(name)
        return any(module is backbone for module in self.frozen)

    def decide(self, batch: Batch, inputs: Mapping[str, Features]) -> Result:
        """Outputs and losses from features of the inputs.

        Args:
            batch: The samples.
            inputs: Features of every input of the spec, as `features` gives them.
        """
        ordered = {name: inputs[name] for name in self.spec.inputs}
        fused = self.fusion(ordered) if self.fusion is not None else next(iter(ordered.values()))
        backbones = {name: self.backbone(name) for name in ordered}
        outputs: dict[str, Any] = {}
        losses: dict[str, Tensor] = {}
        for name in self.heads:
            views = tuple(self.features(view) for view in batch.views.get(name, ()))
            reading = Reading(fused, ordered, batch, views, backbones)
            targets = batch.targets.get(name)
            if targets is None:
                outputs[name] = self.head(name)(reading)
                continue
            mine = reading.rows(targets.rows)
            outputs[name] = self.head(name)(mine, targets.value)
            losses[name] = _loss(self.head(name), outputs[name], targets)
            losses |= self._auxiliary_losses(name, reading, targets)
        return Result(outputs, losses)

    def loss(self, result: Result, shares: Mapping[str, float] | None = None) -> Tensor:
        """The heads' losses by their weights, and those of the auxiliary heads by `balance.aux`: what training lowers.

        Args:
            result: What the model made of a batch.
            shares: The share that the batch has in each head's mean loss, where it is a part of a larger one.

        Raises:
            ValueError: No head has a label in the batch.
        """
        if not result.losses:
            raise ValueError("no row of this batch has a label of any head")
        terms = []
        for name, loss in result.losses.items():
            head, _, auxiliary = name.partition("/")
            weight = self.spec.heads[head].weight
            if auxiliary:
                weight *= self.spec.balance.aux / len(self.auxiliary_heads(head))
            if shares is not None:
                weight *= shares[head]
            terms.append(weight * loss)
        return functools.reduce(operator.add, terms)

    @torch.no_grad()
    def predict(self, batch: Batch) -> dict[str, list[Any]]:
        """Plain Python predictions of each head, one for each row, whatever rows they stand beside.

        Args:
            batch: Prepared samples; the model should be in eval mode.
        """
        decoded: dict[str, list[Any]] = {name: [None] * len(batch) for name in self.heads}
        for index in self._alike(batch):
            result = self(batch.rows(index))
            for name in self.heads:
                for row, value in zip(index.tolist(), self.head(name).decode(result.outputs[name]), strict=True):
                    decoded[name][row] = value
        return decoded

    def _auxiliary_losses(self, name: str, reading: Reading, targets: Targets) -> dict[str, Tensor]:
        """Losses of the heads on each input alone. Rows without the input read zeros: they teach the bias alone."""
        losses: dict[str, Tensor] = {}
        for each, head in self.auxiliary_heads(name).items():
            mine = replace(reading, fused=reading.inputs[each]).rows(targets.rows)
            losses[f"{name}/{each}"] = _loss(head, head(mine, targets.value), targets)
        return losses

    def _alike(self, batch: Batch) -> list[Int[Tensor, "rows"]]:
        """The rows, apart where pictures differ in size and a backbone would see the padding between them."""
        sizes: dict[tuple[torch.Size, ...], list[int]] = {}
        exact = [
            values.data
            for name, values in batch.inputs.items()
            if isinstance(values.data, list) and self.backbone(name).padding == "exact"
        ]
        for row in range(len(batch)):
            sizes.setdefault(tuple(data[row].shape for data in exact), []).append(row)
        return [torch.tensor(rows) for rows in sizes.values()]


def _loss(head: Head, outputs: Any, targets: Targets) -> Tensor:
    """A head's loss; of mixed rows, that of both labels by their shares."""
    loss = head.loss(outputs, targets.value)
    if targets.other is None:
        return loss
    return targets.share * loss + (1 - targets.share) * head.loss(outputs, targets.other)


def untaught(names: Collection[str]) -> str:
    """What to say of inputs that no row of a training lacked."""
    listed = ", ".join(f"`{name}`" for name in names)
    return f"no training row lacked {listed}; without it the model does what nobody taught it (see `balance.drop`)"
