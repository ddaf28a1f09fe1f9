"""Heads: features become predictions, and predictions a loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeGuard

from jaxtyping import Float
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract.backbone import Adapted, Backbone
from zoo.contract.input import ValueSpec
from zoo.features import Reading


@dataclass(frozen=True, kw_only=True)
class HeadContext:
    """What a head is built from, beside its options.

    Args:
        name: The head's name in the spec.
        features: Shapes of the fused features.
        inputs: Shapes of what each input's backbone gives.
        values: The values of each input, after its front end.
        columns: Columns of its labels; none where it learns without.
        fitted: What the component's `fit` learnt from the training rows; empty where it has none.
        parts: Backbones that its options name, built and loaded, by the option's name. The head keeps them as
            `self.parts`, an `nn.ModuleDict`, so that transfer, lock and plan treat them as they treat an input's.
    """

    name: str
    features: FeatureSpec
    inputs: Mapping[str, FeatureSpec] = field(default_factory=dict)
    values: Mapping[str, ValueSpec] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    fitted: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Backbone] = field(default_factory=dict)


MetricRows: TypeAlias = Mapping[str, Any]
"""What metrics need of each row, as tensors or lists with one entry per row."""

Weighted: TypeAlias = Callable[[Float[Tensor, "rows resamples"]], Float[Tensor, "resamples"]]
"""From how often each row counts in each resample, float64, to the metric of each resample; NaN where it has none."""


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are.

    Args:
        compute: From the head's `rows`, joined over all batches, to the number; NaN where it has none. Without
            `weighted` it is called for every resample of the bootstrap, so it uses tensor operations.
        higher: Whether more is better.
        doc: One sentence.
        weighted: From the rows to the metric of many resamples at once; every row counting once must give what
            `compute` gives. None in place of it: too costly for these rows, which then have no interval.
        share: Where the metric is a share of rows: from the rows to which of them are right, `(rows,)`, and which of
            them count, `(rows,)`. It then has an interval that is right at 0 and 1 too.
        of_share: The metric from that share, growing with it; the share itself unless given.
        undefined: When the metric has no number: "only one class occurs".
    """

    compute: Callable[[MetricRows], float]
    higher: bool = True
    doc: str = ""
    weighted: Callable[[MetricRows], Weighted | None] | None = None
    share: Callable[[MetricRows], tuple[Tensor, Tensor]] | None = None
    of_share: Callable[[float], float] | None = None
    undefined: str = "it has no value on these rows"


class Head(nn.Module, ABC):
    """A network from what it reads to outputs, with their loss, their meaning and their metrics."""

    metrics: ClassVar[Mapping[str, Metric]] = {}
    """By name, the one that counts first: few and quick, because every epoch of a training ends with them."""

    task: Literal["classes", "labels", "numbers"] | None = None
    """What `collate` makes of the labels, and what the outputs are, so that plain models can be measured beside it.

    `classes`: the number of a class, `(batch,)`, and logits `(batch, classes)`. `labels`: 1 where a row has a label,
    else 0, `(batch, classes)`, and logits. `numbers`: `(batch, columns)`, NaN where one is missing, and outputs of that
    shape. None where it is something else.
    """

    classes: Sequence[str] = ()
    """Names of what it chooses among; none where it makes no choice between names."""

    @abstractmethod
    def forward(self, reading: Reading, targets: Any = None) -> Any:
        """All that loss and decoding need, computed once.

        Args:
            reading: Fused features, features of each input, the batch.
            targets: What `collate` made of the labels, for heads that read them (teacher forcing); None in prediction.

        Returns:
            A tensor, or a tree of tensors, whose first dimension is the row.
        """

    @abstractmethod
    def loss(self, outputs: Any, targets: Any) -> Tensor:
        """Mean loss of the rows, a number. MetricRows without a label never come here."""

    @abstractmethod
    def decode(self, outputs: Any) -> list[Any]:
        """One plain Python value per row: what `zoo predict` prints and writes."""

    def prediction_type(self) -> Any:
        """What `decode` gives of a row, so that a file of predictions has its columns before there is any.

        `bool`, `int`, `float` or `str`; a tuple of texts for one of these; `[T]` for a list; a mapping of names to
        types for a mapping with these keys, each of which becomes a column. None where it is not known beforehand:
        then it becomes one column of texts, JSON where it is none.
        """
        return None

    def label(self, cell: Any) -> Any:
        """Checks a label and turns it into what `collate` takes.

        Args:
            cell: What stands in the table; of several columns, a mapping of column to cell. Never None.

        Raises:
            ValueError: It is no label of this head; zoo adds file, row and column to the message.
        """
        return cell

    def collate(self, labels: Sequence[Any]) -> Any:
        """The labels of a batch as a tree of tensors; what else is in it stays as it is on every device."""
        return list(labels)

    def example(self, batch: int) -> Any:
        """Targets of so many rows as large as they get, like those of `collate`, made on torch's default device.

        `zoo plan` traces the memory of training with them. None where outputs do not depend on them and the loss
        takes little.
        """
        return None

    def rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        """What the metrics need of each row, as tensors or lists with one entry per row."""
        return {}

    def all_metrics(self) -> Mapping[str, Metric]:
        """What `zoo eval` tells: `metrics`, and whatever else there is to say, from `all_rows`."""
        return self.metrics

    def all_rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        """What `all_metrics`, `class_metrics` and `confusion` need of each row: `rows`, and more."""
        return self.rows(outputs, targets)

    def class_metrics(self) -> Mapping[str, Mapping[str, Metric]]:
        """Metrics of each class, from `all_rows`; none of a head without classes."""
        return {}

    def confusion(self, rows: MetricRows) -> Mapping[str, Any] | None:
        """`classes` and `counts`, how many rows of each true class (down) each was predicted (across); None without."""
        return None

    def adapt(self, state: Mapping[str, Tensor], fitted: Mapping[str, Any]) -> Adapted:
        """Fits the weights of a head of an earlier run to this one: tensors of equal name and shape are kept.

        Args:
            state: Tensors by the names in that head's `state_dict()`.
            fitted: What its component's `fit` had learnt.
        """
        own = self.state_dict()
        kept = {name: each for name, each in state.items() if name in own and each.shape == own[name].shape}
        return Adapted(kept, unused=[name for name in state if name not in kept])

    def views(self, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Views of a sample that the head wants to read beside the sample, as values by input; most want none."""
        return ()


class Calibrated(Protocol):
    """A head whose probabilities can be calibrated by temperature scaling (Guo et al. 2017)."""

    temperature: Tensor
    """A buffer, 1 until it is fitted: `decode` divides logits by it. The loss does not, and no label changes by it."""

    def fitted_temperature(self, outputs: Any, targets: Any) -> float:
        """The temperature with the lowest log loss of these rows, which training did not learn from.

        Args:
            outputs: What `forward` gave, one tensor.
            targets: What `collate` made of the labels, one tensor.

        Raises:
            ValueError: The rows do not tell it; the message says why.
        """


def is_calibrated(head: object) -> TypeGuard[Calibrated]:
    """Whether a head's probabilities can be calibrated.

    `isinstance` would not tell: since Python 3.12 it does not see what a module has as a buffer.
    """
    return isinstance(getattr(head, "temperature", None), Tensor) and hasattr(head, "fitted_temperature")
