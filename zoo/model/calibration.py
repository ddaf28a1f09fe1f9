"""Whether the probabilities of a model's heads were calibrated, on how many rows, and how that is told."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from zoo.contract import is_calibrated

if TYPE_CHECKING:
    from zoo.model.model import ZooModel


@dataclass(frozen=True)
class Calibration:
    """What became of a head's calibration.

    Args:
        rows: How many labelled validation rows there were.
        refused: Why it was not calibrated; "" if it was.
    """

    rows: int
    refused: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What `config.json` keeps."""
        return asdict(self)


def told_calibration(model: "ZooModel") -> Iterator[str]:
    """A line for each head that has probabilities, if it was looked at."""
    for name, found in model.calibration.items():
        head = model.head(name)
        assert is_calibrated(head)
        rows = f"{found.rows:,} validation row{'s' * (found.rows != 1)}"
        if found.refused:
            yield f"the probabilities of `{name}` are not calibrated: {rows}, {found.refused}"
        else:
            temperature = float(head.temperature)
            yield f"the probabilities of `{name}` are calibrated on {rows} (temperature {temperature:.2f})"


def calibrated(model: "ZooModel") -> Iterator[str]:
    """The lines of the heads that were calibrated alone."""
    lines = zip(model.calibration.values(), told_calibration(model), strict=True)
    return (line for found, line in lines if not found.refused)
