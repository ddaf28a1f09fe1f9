"""What parts learnt from the training rows, as a run tells it that may be anybody's: looked over before it is used."""

import sys
from collections.abc import Mapping
from typing import Any

from zoo import UsageError


def learnt_numbers(fitted: Mapping[str, Any], key: str, count: int | None = None) -> list[float]:
    """Numbers that were learnt.

    Args:
        fitted: All that was learnt.
        key: Which of it.
        count: How many there must be; one or more unless given.

    Raises:
        UsageError: They are not there, or something else.
    """
    found: Any = fitted.get(key)
    listed = isinstance(found, (list, tuple)) and all(map(_is_number, found))
    if not listed or (len(found) != count if count is not None else not found):
        raise UsageError(f"the {key} that it learnt are no {'' if count is None else f'{count} '}numbers")
    return list(found)


def learnt_names(found: Any, what: str) -> list[str]:
    """Names that were learnt, each once.

    Args:
        found: What was learnt.
        what: What they are, for messages.

    Raises:
        UsageError: They are something else.
    """
    if not isinstance(found, (list, tuple)) or not all(isinstance(each, str) for each in found):
        raise UsageError(f"the {what} that it learnt are no texts")
    if len({*found}) < len(found):
        raise UsageError(f"of the {what} that it learnt some are the same")
    return list(found)


def _is_number(value: Any) -> bool:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and -sys.float_info.max <= value <= sys.float_info.max
