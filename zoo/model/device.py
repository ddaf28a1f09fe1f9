"""The device that a model would run on here: its precision and how much memory it has left."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Device:
    """A device.

    Args:
        kind: `cpu`, `cuda` or `mps`.
        name: What it is, in words.
        memory: Bytes that a model can have; None where the system does not tell.
    """

    kind: str
    name: str
    memory: int | None


def device_at_hand() -> Device:
    """The first GPU, else the CPU, as Accelerate chooses."""
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return Device("cuda", properties.name, properties.total_memory)
    if torch.backends.mps.is_available():
        return Device("mps", "Apple GPU", torch.mps.recommended_max_memory())
    return Device("cpu", "CPU", available_memory())


def computing() -> torch.device:
    """Where a model that was read from a folder computes: the first GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision_on(device: str, precision: str) -> str:
    """The precision that `train.precision` means.

    Args:
        device: `cpu`, `cuda` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`; `auto` is bf16 on a GPU that is fast at it, else fp32.
    """
    if precision != "auto":
        return precision
    return "bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def available_memory() -> int | None:
    """Bytes of main memory that a process can still have: what the machine has left, or its container if that is less.

    None where the system does not tell.
    """
    limits = [limit for limit in (_of_machine(), _of_container(CGROUP)) if limit is not None]
    return min(limits) if limits else None


def _of_machine() -> int | None:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:  # no Linux: all the memory that the machine has
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _of_container(folder: Path) -> int | None:
    """What a control group leaves; memory that holds files is given back when it is needed."""
    limit, used = _lines(folder / "memory.max"), _lines(folder / "memory.current")
    if not limit or not used or not limit[0].isdigit():
        return None
    files = sum(int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.startswith("inactive_file "))
    return max(0, int(limit[0]) - int(used[0]) + files)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
