"""What flows through a model: values of the inputs, features of the backbones, batches, and what a head reads.

All of them are pytrees, so that `torch.export`, `torch.utils.checkpoint` and tree maps take them as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils import _pytree as pytree

Maps: TypeAlias = tuple[Float[Tensor, "batch _channels _height _width"], ...]


@dataclass(frozen=True, slots=True)
class Values:
    """One input's prepared values in a batch, as its backbone reads them.

    Args:
        data: `(batch, ...)`, padded at the end of the first dimension behind the batch where lengths differ. A list of
            tensors where more than one dimension differs, such as pictures of different sizes.
        lengths: `(batch,)` real steps of each row: samples of a sound, tokens of a text, steps of a sequence. None
            where nothing is padded.
        present: `(batch,)` True where the row has this input; what stands in other rows of `data` is never looked at.
            None where all rows have it. It stays on the CPU, because the rows to run are chosen there.
    """

    data: Tensor | list[Tensor]
    lengths: Int[Tensor, "batch"] | None = None
    present: Bool[Tensor, "batch"] | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def absent_anywhere(self) -> bool:
        """Whether a row lacks this input."""
        return self.present is not None and not bool(self.present.all())

    @property
    def mask(self) -> Bool[Tensor, "batch steps"] | None:
        """True at real steps, None where nothing is padded."""
        if self.lengths is None or isinstance(self.data, list):
            return None
        return torch.arange(self.data.shape[1], device=self.data.device) < self.lengths[:, None]

    def rows(self, index: Int[Tensor, "chosen"]) -> "Values":
        """The chosen rows, cut to the longest of them.

        Args:
            index: Row numbers, on the CPU.
        """
        present = None if self.present is None else self.present[index]
        if isinstance(self.data, list):
            return Values([self.data[row] for row in index.tolist()], None, present)
        data = self.data[index.to(self.data.device)]
        if self.lengths is None:
            return Values(data, None, present)
        lengths = self.lengths[index.to(self.lengths.device)]
        return Values(data[:, : int(lengths.max()) if len(lengths) else 0], lengths, present)

    def without(self, dropped: Bool[Tensor, "batch"]) -> "Values":
        """The same values, absent in the rows where `dropped` (on the CPU) is True."""
        return replace(self, present=~dropped if self.present is None else self.present & ~dropped)


@dataclass(frozen=True, slots=True)
class Features:
    """What a backbone gives to the fusion, and the fusion to the heads.

    Args:
        tokens: `(batch, tokens, dim)`.
        pooled: `(batch, pooled_dim)`.
        mask: `(batch, tokens)`: True at real tokens. A row without any is a row whose input is absent. None: all real.
        maps: Pyramid of `(batch, channels, height, width)`, finest first; only where a head reads it.
    """

    tokens: Float[Tensor, "batch _tokens _dim"]
    pooled: Float[Tensor, "batch _pooled_dim"]
    mask: Bool[Tensor, "batch _tokens"] | None = None
    maps: Maps = ()

    @property
    def present(self) -> Bool[Tensor, "batch"]:
        """True where the row has any real token."""
        if self.mask is None:
            return torch.ones(self.pooled.shape[0], dtype=torch.bool, device=self.pooled.device)
        return self.mask.any(1)

    def only(self, present: Bool[Tensor, "batch"] | None) -> "Features":
        """The same features, in other rows than these as they are where the input is absent.

        Args:
            present: Rows to leave as they are; None for all.
        """
        if present is None or bool(present.all()):
            return self
        here = present.to(self.pooled.device)
        mask = here[:, None].expand(self.tokens.shape[:2]) if self.mask is None else self.mask & here[:, None]
        tokens, pooled, *maps = (
            each.masked_fill(~here.view(-1, *[1] * (each.ndim - 1)), 0)
            for each in (self.tokens, self.pooled, *self.maps)
        )
        return Features(tokens, pooled, mask, tuple(maps))

    def rows(self, index: Int[Tensor, "chosen"]) -> "Features":
        """The chosen rows."""
        index = index.to(self.pooled.device)
        mask = None if self.mask is None else self.mask[index]
        return Features(self.tokens[index], self.pooled[index], mask, tuple(level[index] for level in self.maps))


@dataclass(frozen=True, slots=True)
class Targets:
    """One head's labels in a batch.

    Args:
        value: What the head's `collate` made of the labels that are there.
        rows: `(labelled,)` which rows of the batch they belong to, on the CPU. None: all of them.
        other: Of mixed rows, the labels of what was mixed into each, like `value`.
        share: Of mixed rows, the share of `value` in the loss; that of `other` is the rest.
    """

    value: Any
    rows: Int[Tensor, "labelled"] | None = None
    other: Any = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Some samples.

    Args:
        inputs: Values by the input's name.
        targets: Labels by the head's name; none where nothing is to be learnt.
        views: By the head's name, several views of inputs that it asked for, each `{input: values}`.
        features: By the input's name, what its frozen backbone gave for each sample, where that is known already.
        ids: Number of each sample's row in its table.
        seeds: Of what is drawn at random for each sample; none where nothing is.
    """

    inputs: Mapping[str, Values]
    targets: Mapping[str, Targets] = field(default_factory=dict)
    views: Mapping[str, tuple[Mapping[str, Values], ...]] = field(default_factory=dict)
    features: Mapping[str, Features] = field(default_factory=dict)
    ids: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The batch on a device. Which rows are present, and which are labelled, stays on the CPU."""
        data = next(iter(self.inputs.values())).data
        if (data if isinstance(data, Tensor) else data[0]).device == torch.device(device):
            return self

        def move(path: Any, leaf: Any) -> Any:
            stays = not isinstance(leaf, Tensor) or getattr(path[-1], "name", None) in ("present", "rows")
            return leaf if stays else leaf.to(device, non_blocking=non_blocking)

        moved: Batch = pytree.tree_map_with_path(move, self)
        return moved

    def rows(self, index: Int[Tensor, "chosen"]) -> "Batch":
        """The chosen rows, without labels and views: a part of a batch to predict."""
        ids, seeds = (tuple(each[row] for row in index.tolist()) if each else () for each in (self.ids, self.seeds))
        features = {name: each.rows(index) for name, each in self.features.items()}
        inputs = {name: values.rows(index) for name, values in self.inputs.items()}
        return Batch(inputs, features=features, ids=ids, seeds=seeds)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a head reads.

    Args:
        fused: Features of the fusion, or of the only backbone.
        inputs: Features of each input by its name.
        batch: The batch itself, for heads that read the raw input.
        views: Features of the views that this head asked for.
        backbones: The backbones by input, for heads that run one in a way of their own (masked autoencoders).
    """

    fused: Features
    inputs: Mapping[str, Features]
    batch: Batch
    views: tuple[Mapping[str, Features], ...] = ()
    backbones: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, index: Int[Tensor, "chosen"] | None) -> "Reading":
        """What is read of the chosen rows; of all, for None."""
        if index is None:
            return self
        return replace(
            self,
            fused=self.fused.rows(index),
            inputs={name: features.rows(index) for name, features in self.inputs.items()},
            batch=self.batch.rows(index),
            views=tuple({name: features.rows(index) for name, features in view.items()} for view in self.views),
        )


def masked_mean(
    tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None
) -> Float[Tensor, "batch dim"]:
    """Mean of the real tokens; zeros where a row has none."""
    if mask is None:
        return tokens.mean(1)
    weights = mask.unsqueeze(-1).to(tokens.dtype)
    kept = tokens.masked_fill(~mask.unsqueeze(-1), 0)
    return kept.sum(1) / weights.sum(1).clamp(min=1)


def _register(cls: type[Any]) -> None:
    names = [each.name for each in fields(cls)]
    pytree.register_dataclass(cls, field_names=names, serialized_type_name=f"zoo.{cls.__name__}")


for _cls in (Values, Features, Targets, Batch, Reading):
    _register(_cls)
