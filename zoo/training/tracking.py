"""Trackers that hear of a training, through Accelerate."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from accelerate import Accelerator

from zoo.errors import UsageError

LOGS = "logs"
"""Folder of a run in which TensorBoard's files stand."""

PACKAGES = {"tensorboard": "tensorboard", "trackio": "trackio", "wandb": "wandb"}


def check_tracker(track: str | None) -> None:
    """Looks whether the tracker's package is there: Accelerate would go on without it.

    Raises:
        UsageError: It is not installed; the message has a ready line for pip.
    """
    if track is not None and find_spec(PACKAGES[track]) is None:
        raise UsageError(f"`train.track: {track}` needs a package that is not installed: pip install {PACKAGES[track]}")


def track_epoch(accelerator: Accelerator, record: Mapping[str, Any], step: int) -> None:
    """Tells the trackers the numbers of an epoch; nothing where there are none.

    Args:
        accelerator: Who knows the trackers.
        record: The epoch's line in `history.jsonl`.
        step: Steps that were made in all.
    """
    if accelerator.trackers:
        accelerator.log(dict(_numbers(record, "")), step=step)


def _numbers(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)
