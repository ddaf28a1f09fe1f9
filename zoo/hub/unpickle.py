"""Makes safetensors of pickled weights, in a process of its own with limits: `python -P -m zoo.hub.unpickle`.

torch reads the pickle with `weights_only`: tensors and plain values alone, and nothing is called that the file names.
What that refuses is refused; there is no other way to read it. The process has as much processor time, memory and room
on the disk as weights of that size need, so that a file made to take more takes nothing from whoever asks.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.checkpoint.weights import tied_names, write_weights
from zoo.errors import CorruptError, ExitCode
from zoo.hub.pickles import Request
from zoo.hub.state import read_pickle, reason

PREFIXES = ("module.", "_orig_mod.")
"""What wrappers of torch (DataParallel, compile) put before every name."""

MEMORY = 2 << 30
"""Bytes that the process may take beside three times those of the weights."""

GROWTH, ROOM = 4, 64 << 20
"""The tensors may take so many times the bytes of the files, and more: views of one storage are written apart."""

TOLD = 100
"""Names that are told of what was left out."""


def limit(size: int, seconds: int) -> None:
    """Takes from this process whatever weights of so many bytes do not need; a system without such limits has none."""
    with suppress(ImportError):
        import resource

        used = _address_space()
        bounds = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: ceil(time.process_time()) + seconds,
            resource.RLIMIT_FSIZE: GROWTH * size + 2 * ROOM,
            **({resource.RLIMIT_AS: used + 3 * size + MEMORY} if used else {}),
        }
        for which, most in bounds.items():
            hard = resource.getrlimit(which)[1]
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (bound, hard))


def convert(request: Request) -> dict[str, Any]:
    """Reads pickles, and writes the tensors in them as safetensors.

    Returns:
        How many tensors were written, how many were second names of others and are not, and what was left out.

    Raises:
        CorruptError: There is more in a pickle than tensors and plain values, it is damaged, or holds no weights.
    """
    found: dict[str, Tensor] = {}
    left: list[str] = []
    for place, names in request.pickles.items():
        state, others = read_pickle(Path(place))
        wanted = state if names is None else _listed(state, names, place)
        found |= wanted
        left += [*others, *(name for name in state if name not in wanted)]
    tensors = dict(_renamed(found))
    aliases = tied_names(tensors)
    _check_growth([each.nbytes for name, each in tensors.items() if not (request.ties and name in aliases)], request)
    if request.ties:
        tensors = dict(sorted(tensors.items(), key=lambda item: _rank(item[0])))
    else:
        tensors = {name: each.clone() if name in aliases else each for name, each in tensors.items()}
    dropped = write_weights(Path(request.output), tensors)
    return {"tensors": len(tensors) - len(dropped), "tied": len(dropped), "left": left[:TOLD], "more": len(left[TOLD:])}


def _listed(state: Mapping[str, Tensor], names: list[str], place: str) -> dict[str, Tensor]:
    if lacking := [name for name in names if name not in state]:
        raise CorruptError(f"`{place}` lacks `{lacking[0]}`, which its index says is in it")
    return {name: state[name] for name in names}


def _renamed(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Without what wrappers put before all names."""
    start = 0
    while prefix := next((each for each in PREFIXES if all(name.startswith(each, start) for name in tensors)), ""):
        start += len(prefix)
    for name, each in tensors.items():
        if not name[start:]:
            raise CorruptError(f"a tensor has the name `{name}`, which is a prefix and nothing behind it")
        yield name[start:], each


def _rank(name: str) -> int:
    """Of the names of one tensor the first is kept: that from which a library gives it to the others.

    What reads tokens comes before what writes them; what encoder and decoder share before either's own.
    """
    if "shared" in name:
        return 0
    if not re.search(r"embed|\bwte\b|word_", name):
        return 3
    return 2 if "decoder" in name else 1


def _check_growth(sizes: list[int], request: Request) -> None:
    if sum(sizes) > GROWTH * request.size + ROOM:
        raise CorruptError(
            f"`{next(iter(request.pickles))}`: its tensors would take {sum(sizes):,} bytes, and its files have "
            f"{request.size:,}: it was made to fill a disk"
        )


def _address_space() -> int:
    """Bytes of addresses that this process has; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Does what the request on stdin asks for, and writes what came of it."""
    request = Request(**json.load(sys.stdin))
    torch.set_num_threads(1)
    limit(request.size, request.seconds)
    try:
        told = convert(request)
    except CorruptError as error:
        told = {"error": str(error), "code": int(error.exit_code)}
    except OSError as error:
        told = {"error": f"the new folder cannot be written: {error.strerror}", "code": int(ExitCode.USAGE)}
    except (MemoryError, RuntimeError) as error:
        words = f"the weights of `{next(iter(request.pickles))}` cannot be written: {reason(error)}"
        told = {"error": words, "code": int(ExitCode.CORRUPT)}
    Path(request.answer).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
