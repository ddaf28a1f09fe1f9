"""Pulling: a run of about 400 MB from a Hub on this machine, beside `snapshot_download` and one pass of SHA-256.

Run it as `python benchmarks/share.py [ROUNDS] [MEGABYTES]`, in a clone: the Hub is that of the tests. Runs alternate,
each in a fresh process with an empty cache. Told are the median seconds, from when the client's library is imported, of

- `by hand`: `snapshot_download`, and SHA-256 of every file
- `fetched`: what `zoo pull` does until the run is whole: every digest compared, headers and numbers looked over
- `pulled`: all of `zoo pull`, with the fresh process that reads the run and compares golden outputs
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

REPO = "acme/large"
SPEC = """\
inputs: {x: {type: vector, columns: [x], backbone: {use: zoo/mlp, width: WIDTH, layers: 2}}}
heads: {y: zoo/classifier}
data: {train: train.csv}
"""
BY_HAND = """\
import hashlib, time
from pathlib import Path
from huggingface_hub import snapshot_download
started = time.perf_counter()
folder = Path(snapshot_download("acme/large", local_dir="by-hand"))
for path in folder.rglob("*"):
    if path.is_file():
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256").hexdigest()
print(time.perf_counter() - started)
"""
FETCHED = """\
import time
from pathlib import Path
from huggingface_hub import snapshot_download
from zoo.hub import prove
prove.Reader.start, prove.Reader.ask = lambda self: None, lambda self, run, golden: {"difference": 0.0}
from zoo.hub.pull import pull
started = time.perf_counter()
pull("acme/large", "fetched")
print(time.perf_counter() - started)
"""
PULLED = """\
import time
from huggingface_hub import snapshot_download
from zoo.hub.pull import pull
started = time.perf_counter()
pull("acme/large", "pulled")
print(time.perf_counter() - started)
"""
WAYS = {"by hand": BY_HAND, "fetched": FETCHED, "pulled": PULLED}


def prepare(folder: Path, megabytes: int) -> None:
    """Builds a run of about so many MB."""
    width = int((megabytes * 1e6 / 4) ** 0.5)
    (folder / "train.csv").write_text("x,y\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(20)))
    (folder / "spec.yaml").write_text(SPEC.replace("WIDTH", str(width)))
    zoo(folder, "build", "spec.yaml", "-o", "run")


def zoo(folder: Path, *words: str, environment: dict[str, str] | None = None) -> None:
    """Runs zoo."""
    command = [sys.executable, "-m", "zoo", *words]
    settings = os.environ | (environment or {})
    subprocess.run(command, cwd=folder, env=settings, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seconds(way: str, hub: Any) -> float:
    """Seconds of one way, in a fresh process with an empty cache."""
    with tempfile.TemporaryDirectory() as name:
        settings = os.environ | hub.environment(Path(name) / "hf") | {"ZOO_CACHE": f"{name}/zoo"}
        command = [sys.executable, "-c", WAYS[way]]
        done = subprocess.run(command, cwd=name, env=settings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    from rich.console import Console
    from rich.table import Table

    from tests.loopback.serving import loopback

    words = [int(word) for word in sys.argv[1:]]
    rounds, megabytes = (*words, *(5, 400)[len(words) :])
    with tempfile.TemporaryDirectory() as name, loopback(xet=False) as hub:
        folder = Path(name)
        prepare(folder, megabytes)
        size = sum(each.stat().st_size for each in (folder / "run").rglob("*") if each.is_file())
        started = time.perf_counter()
        zoo(folder, "push", "run", REPO, environment=hub.environment(folder / "hf") | {"ZOO_CACHE": f"{name}/zoo"})
        pushed = time.perf_counter() - started
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(seconds(way, hub))
    medians = {way: round(statistics.median(each), 3) for way, each in found.items()}
    table = Table("way", "seconds", "MB/s", "speed beside by hand")
    for way, median in medians.items():
        table.add_row(way, f"{median:.2f}", f"{size / 1e6 / median:.0f}", f"{medians['by hand'] / median:.2f}")
    Console(width=100).print(table)
    facts = {"date": str(date.today()), "python": platform.python_version(), "rounds": rounds, "bytes": size}
    libraries = {each: version(each) for each in ("huggingface_hub", "torch")}
    print(json.dumps({**facts, **libraries, "push_s": round(pushed, 1), "median_s": medians}))


if __name__ == "__main__":
    main()
