"""What a plan costs, and whether it is right: beside bare imports, and beside the memory that models really take.

Run it as `python benchmarks/plan.py [ROUNDS [PRECISION]]`. The first table plans a vision transformer of 1.1 billion
parameters with a BERT-large; beside it a script that only imports torch, timm and transformers' BertModel. Both run in
turn, each in a fresh process, whole from start to exit. The second table builds models for real, in a process each, and
reads from the kernel, or of a GPU from torch, how much memory three steps of training, and a prediction, took at most
above what was there.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

LARGE = """\
inputs:
  photo: {type: image, backbone: {use: timm/vit_giant_patch14_dinov2, weights: none}}
  review:
    type: text
    max_length: 128
    backbone:
      use: transformers/bert
      weights: none
      config: {hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, intermediate_size: 4096}
heads:
  label: {use: zoo/classifier, classes: [a, b]}
"""
IMPORTS = "import torch, timm\nfrom transformers import BertModel"
BERT = "{use: transformers/bert, weights: none, config: {}}"
SPECS = {
    "resnet50, batch 8": ("photo: {type: image, backbone: {use: timm/resnet50, weights: none}}", "", 8),
    "vit_small, batch 16": (
        "photo: {type: image, backbone: {use: timm/vit_small_patch16_224, weights: none}}",
        "",
        16,
    ),
    "convnext_tiny, batch 8": ("photo: {type: image, backbone: {use: timm/convnext_tiny, weights: none}}", "", 8),
    "bert-base, batch 16 x 128": (f"review: {{type: text, max_length: 128, backbone: {BERT}}}", "", 16),
    "bert-base frozen, batch 16": (
        f"review: {{type: text, max_length: 128, backbone: {BERT}, transfer: frozen}}",
        "",
        16,
    ),
    "bert-base, last 2, batch 16": (
        f"review: {{type: text, max_length: 128, backbone: {BERT}, transfer: last:2}}",
        "",
        16,
    ),
    "resnet18 + bert-base, batch 8": (
        f"photo: {{type: image, backbone: {{use: timm/resnet18, weights: none}}}}\n"
        f"  review: {{type: text, max_length: 64, backbone: {BERT}}}",
        "fusion: zoo/concat",
        8,
    ),
}


def spec_of(inputs: str, more: str, rows: int, precision: str = "fp32") -> str:
    """A spec around some inputs."""
    tail = f"train: {{batch_size: {rows}, precision: {precision}}}\n"
    return f"inputs:\n  {inputs}\n{more}\nheads:\n  label: {{use: zoo/classifier, classes: [a, b]}}\n{tail}"


def cost(command: list[str], folder: Path) -> dict[str, float]:
    """CPU seconds and most memory, in MB, of a whole process."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss * 1024 / 1e6}


def speed(rounds: int) -> dict[str, dict[str, float]]:
    """Medians of both processes."""
    zoo = [str(Path(sys.executable).with_name("zoo")), "plan", "spec.yaml"]
    ways = {"imports": [sys.executable, "-c", IMPORTS], "zoo plan": zoo}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "spec.yaml").write_text(LARGE)
        for _ in track(range(rounds), "plans", console=Console(stderr=True)):
            for way, command in ways.items():
                found[way].append(cost(command, Path(name)))
    return {
        way: {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}
        for way, runs in found.items()
    }


def measured(text: str) -> dict[str, Any]:
    """In this process: planned and real bytes of a spec."""
    import torch
    import yaml

    from zoo import plan
    from zoo.features import Batch, Targets
    from zoo.model.build import build
    from zoo.training.accelerator import make_accelerator
    from zoo.transfer.freeze import apply_transfer
    from zoo.transfer.optimizer import make_optimizer

    torch.set_num_threads(1)
    spec = yaml.safe_load(text)
    planned = plan(spec)
    assert planned.memory is not None
    rows = planned.memory.batch_size
    accelerator = make_accelerator(spec["train"]["precision"])
    device = accelerator.device
    warm = torch.randn(64, 64, requires_grad=True, device=device) @ torch.randn(64, 64, device=device)
    torch.autograd.backward(warm.sum())  # wakes torch's libraries
    start = reset_peak()
    model = build(spec).to(device)
    apply_transfer(model)
    values = {name: model.backbone(name).example(rows) for name in model.inputs}
    model.eval()
    with torch.no_grad(), accelerator.autocast():
        model(Batch(values).to(device))
    inference = peak() - start
    batch = Batch(values, {name: Targets(model.head(name).example(rows)) for name in model.heads}).to(device)
    model.train()
    optimizer = make_optimizer(model)
    best = {name: each.detach().clone() for name, each in model.moving().items()}
    for _ in range(3):
        with accelerator.autocast():
            loss = model.loss(model(batch))
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    training = peak() - start
    del best
    return {
        "training": {"planned": planned.memory.training(rows), "real": training},
        "inference": {"planned": planned.memory.inference(rows), "real": inference},
        "parameters": {"planned": planned.parameters, "real": sum(each.numel() for each in model.parameters())},
    }


def reset_peak() -> int:
    """Bytes of memory, of a GPU if there is one, that this process has now, which is its peak from here on."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Most bytes that this process had since the last reset."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


def memory(precision: str) -> dict[str, dict[str, Any]]:
    """Planned and real bytes of all specs, each in a process of its own."""
    found = {}
    for name in track(SPECS, "memory", console=Console(stderr=True)):
        text = spec_of(*SPECS[name], precision)
        # Blocks go back to the system as soon as they are free, so that the peak is that of live tensors.
        settings = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        command = [sys.executable, __file__, "--child", text]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=settings)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Prints both tables, and a JSON line for the record."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    quick = speed(rounds)
    console = Console(width=110)
    table = Table("process", "CPU seconds", "times the imports", "peak MB")
    for way, middle in quick.items():
        ratio = middle["cpu_seconds"] / quick["imports"]["cpu_seconds"]
        table.add_row(way, f"{middle['cpu_seconds']:.2f}", f"{ratio:.2f}", f"{middle['megabytes']:.0f}")
    console.print(table)
    precision = sys.argv[2] if len(sys.argv) > 2 else "fp32"
    sizes = memory(precision)
    table = Table("spec", "training: planned MB", "real", "ratio", "prediction: planned MB", "real", "ratio")
    for name, found in sizes.items():
        cells = []
        for part in ("training", "inference"):
            planned, real = (found[part][key] / 1e6 for key in ("planned", "real"))
            cells += [f"{planned:.0f}", f"{real:.0f}", f"{planned / real:.2f}"]
        table.add_row(name, *cells)
    console.print(table)
    libraries = {name: version(name) for name in ("torch", "timm", "transformers")}
    facts = {
        "date": str(date.today()),
        "python": platform.python_version(),
        **libraries,
        "rounds": rounds,
        "precision": precision,
    }
    print(json.dumps({**facts, "speed": quick, "memory": sizes}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measured(sys.argv[2])))
    else:
        main()
