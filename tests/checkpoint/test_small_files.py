"""JSON files of a run that are damaged, or made to hurt who reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.checkpoint.verify import MOST_DEEP, read_json, read_lock
from zoo.errors import CorruptError


def deep(levels: int, kind: str) -> str:
    """A mapping of so many levels, itself the first: of mappings, lists, or both in turn."""
    nested: Any = []
    for level in range(levels - 2):
        nested = [nested] if kind == "lists" or (kind == "both" and level % 2) else {"a": nested}
    return json.dumps({"format": 1, "it": nested, "flat": [[], {}, 1]})


@pytest.mark.parametrize("kind", ["lists", "mappings", "both"])
@pytest.mark.parametrize("read", [read_json, read_lock])
def test_what_is_nested_too_deep_is_refused(read: Callable[[Path], Any], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "zoo.lock"
    path.write_text(deep(MOST_DEEP, kind))
    assert read(path) == json.loads(path.read_text())
    for levels in (MOST_DEEP + 1, 900):
        path.write_text(deep(levels, kind))
        with pytest.raises(CorruptError, match=rf"zoo\.lock` cannot be read: .* more than {MOST_DEEP} levels"):
            read(path)


def test_many_lists_and_mappings_beside_each_other_are_no_depth(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    told = {"lists": [[{}]] * 10 * MOST_DEEP, "text": "[{" * 10 * MOST_DEEP}
    path.write_text(json.dumps(told))
    assert read_json(path) == told
