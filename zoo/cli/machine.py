"""`zoo doctor`: this machine, as far as it matters to zoo. The one verb here that imports torch."""

import os
import platform
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from zoo.cli.output import json_option, next_step, note, print_json

LIBRARIES = ("torch", "torchvision", "torchaudio", "timm", "transformers", "huggingface-hub", "safetensors")


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    """Look at this machine: libraries, devices, memory, disk, Hub."""
    from zoo.registry.registry import installed

    if sys.stderr.isatty():
        note("importing torch ...")
    facts = machine()
    facts["broken_plugins"] = [str(broken) for broken in installed().broken]
    if as_json:
        print_json(facts)
        return
    for section, values in facts.items():
        click.echo(section.replace("_", " "))
        rows = values.items() if isinstance(values, dict) else [("", row) for row in values] or [("", "none")]
        for name, value in rows:
            click.echo(f"  {name + ':' if name else '-'} {'not found' if value is None else value}")
    if facts["broken_plugins"]:
        next_step("zoo plugins doctor")


def machine() -> dict[str, Any]:
    """Libraries, devices, memory and disk in GB, and how the Hub would be reached; the token's value is never told."""
    from zoo.registry.index import home

    return {
        "system": {"platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
        "libraries": {name: _version(name) for name in LIBRARIES},
        "devices": _devices(),
        "memory": {"total_gb": _memory_gb()},
        "disk": {"hub_cache": str(_hub_cache()), "free_gb": _free_gb(_hub_cache()), "zoo_home": str(home())},
        "hub": {
            "endpoint": re.sub("//[^/@]*@", "//", os.environ.get("HF_ENDPOINT", "https://huggingface.co")),
            "token": _token(),
            "offline": os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"),
        },
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> dict[str, Any]:
    """Devices that torch can use; why not, where it cannot be imported."""
    try:
        import torch
    except Exception as error:  # a broken torch is just what a doctor is for
        return {"torch": f"cannot be imported: {type(error).__name__}: {error}"}
    devices: dict[str, Any] = {"cpu": f"{torch.get_num_threads()} threads", "built_for_cuda": torch.version.cuda}
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        devices[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 1e9:.1f} GB"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return devices


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _hub_cache() -> Path:
    return Path(os.environ.get("HF_HUB_CACHE") or _hub_home() / "hub").expanduser()


def _hub_home() -> Path:
    return Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface")


def _free_gb(path: Path) -> float:
    """Free space on the disk that will hold the path, which need not exist yet."""
    while not path.exists():
        path = path.parent
    return round(shutil.disk_usage(path).free / 1e9, 1)


def _token() -> str:
    """Where a token is, never what it is."""
    if os.environ.get("HF_TOKEN"):
        return "in HF_TOKEN"
    stored = Path(os.environ.get("HF_TOKEN_PATH") or _hub_home() / "token")
    return "stored by `hf auth login`" if stored.expanduser().is_file() else "none: public repositories only"
