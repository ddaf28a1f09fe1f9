"""What files of weights are called; their index, read without trust: it names files beside it and nothing else."""

import json
from pathlib import Path
from typing import Any

from zoo.checkpoint.headers import LONGEST_NAME, MOST_BYTES, MOST_TENSORS, check_name, unique
from zoo.errors import CorruptError

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".pickle", ".joblib")
"""What names of files end in that could run code when they are read."""

CONVERT = "convert it to safetensors (`zoo import` does so in a process of its own)"
"""What to do about one."""


def shard_names(index: Path, suffix: str = ".safetensors") -> dict[str, set[str]]:
    """The names of the tensors in each of the files, all of which stand beside the index.

    Args:
        index: The index.
        suffix: What the names of the files end with.

    Raises:
        CorruptError: It is no such index, it is larger than any that zoo reads, or it names files elsewhere.
    """
    try:
        if index.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        places = json.loads(index.read_text(encoding="utf-8"), object_pairs_hook=unique)["weight_map"]
        if not isinstance(places, dict) or not 0 < len(places) <= MOST_TENSORS:
            raise ValueError(f"it has no `weight_map` of 1 to {MOST_TENSORS:,} tensors")
        found: dict[str, set[str]] = {}
        for name, file in sorted(places.items(), key=lambda item: str(item[1])):
            found.setdefault(_checked_file(file, suffix), set()).add(check_name(name))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        told = "it has no `weight_map`" if isinstance(error, (KeyError, TypeError)) else str(error)
        raise CorruptError(f"`{index}` is no index of {suffix} files: {told}") from None
    return found


def _checked_file(file: Any, suffix: str) -> str:
    if (
        not isinstance(file, str)
        or not (file.isprintable() and len(file) <= LONGEST_NAME and file.endswith(suffix))
        or "/" in file
        or "\\" in file
    ):
        raise ValueError(f"it names {str(file)[:80]!r}, which is no {suffix} file beside it")
    return file
