"""Start-up time of every verb above the torch line, beside a bare `import click`, in alternating runs.

Run it as `python benchmarks/startup.py [ROUNDS]` in an environment where zoo is installed. Every round runs every
command once, each in a fresh process, so that noise falls on all alike; medians and ratios are printed.
"""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

BARE = "python -c 'import click'"
SPEC = """\
inputs:
  photo: {type: image, backbone: timm/resnet50, column: image}
  review: {type: text, backbone: transformers/google-bert/bert-base-uncased}
heads:
  mood: {use: zoo/classifier, column: label}
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """The commands to time, by the name they are shown under."""
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "spec.yaml").write_text(SPEC)
    (folder / "csv.yaml").write_text(SPEC + "data: {train: table.csv}\n")
    (folder / "parquet.yaml").write_text(SPEC + "data: {train: table.parquet}\n")
    (folder / "table.csv").write_text("image,review,label\n")
    parquet.write_table(
        pa.table({name: ["x"] * 1000 for name in ("image", "review", "label")}), folder / "table.parquet"
    )
    zoo = str(Path(sys.executable).with_name("zoo"))
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        BARE: [sys.executable, "-c", "import click"],
        "zoo --help": [zoo, "--help"],
        "zoo": [zoo],
        "zoo check (no data)": [zoo, "check", str(folder / "spec.yaml")],
        "zoo check (CSV header)": [zoo, "check", str(folder / "csv.yaml")],
        "zoo check (Parquet header)": [zoo, "check", str(folder / "parquet.yaml")],
        "zoo spec render": [zoo, "spec", "render", str(folder / "spec.yaml")],
        "zoo spec schema": [zoo, "spec", "schema"],
        "zoo list": [zoo, "list"],
        "zoo list backbone resnet": [zoo, "list", "backbone", "resnet"],
        "zoo list models": [zoo, "list", "models"],
        "zoo show zoo/concat": [zoo, "show", "zoo/concat"],
        "zoo plugins": [zoo, "plugins"],
        "zoo plugins doctor": [zoo, "plugins", "doctor"],
    }


def measure(chosen: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each command in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in track(range(rounds), "rounds", console=Console(stderr=True)):
        for name, command in chosen.items():
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(commands(Path(folder)), rounds)
    bare = statistics.median(seconds[BARE])
    table = Table("command", "median ms", "fastest ms", f"times {BARE}")
    for name, times in seconds.items():
        middle = statistics.median(times)
        table.add_row(name, f"{middle * 1000:.0f}", f"{min(times) * 1000:.0f}", f"{middle / bare:.2f}")
    Console(width=100).print(table)
    medians = {name: round(statistics.median(times), 4) for name, times in seconds.items()}
    print(
        json.dumps(
            {"date": str(date.today()), "python": platform.python_version(), "rounds": rounds, "median_s": medians}
        )
    )


if __name__ == "__main__":
    main()
