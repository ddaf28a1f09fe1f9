"""A number with how many samples it stands on and a confidence interval."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

SEED = 0


@dataclass(frozen=True, repr=False)
class Estimate:
    """A metric's value.

    Args:
        value: On all rows.
        n: How many rows.
        low: Lower end of the 95 % interval; None where none was computed.
        high: Upper end.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None

    def __repr__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (n={self.n})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"

    def as_dict(self) -> dict[str, float | int | None]:
        """The JSON shape of `zoo eval`."""
        return asdict(self)


def estimate(compute: Callable[[Mapping[str, Any]], float], rows: Mapping[str, Any], resamples: int) -> Estimate:
    """The metric on all rows, with the percentile interval of the bootstrap (Efron 1979) where `resamples` is above 0.

    Rows are drawn with replacement from a fixed seed, so that the same rows give the same interval.

    Args:
        compute: From rows to the number.
        rows: Tensors or lists with one entry per row.
        resamples: How many times to draw.
    """
    count = len(next(iter(rows.values())))
    value = float(compute(rows))
    if resamples == 0 or count < 2:
        return Estimate(value, count)
    generator = torch.Generator().manual_seed(SEED)
    drawn = (torch.randint(count, (count,), generator=generator) for _ in range(resamples))
    values = torch.tensor([float(compute(_taken(rows, index))) for index in drawn], dtype=torch.float64)
    low, high = values.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Estimate(value, count, low, high)


def _taken(rows: Mapping[str, Any], index: Tensor) -> dict[str, Any]:
    return {
        name: each[index] if isinstance(each, Tensor) else [each[row] for row in index.tolist()]
        for name, each in rows.items()
    }
