"""Memory that a process takes of its own while it goes through tables of 1,000, 10,000 and 100,000 pictures.

Run it as `python benchmarks/memory.py [--kept] [ROWS ...]`. Each table is a Parquet file of embedded PNGs of 32 x 32
pixels, about 3 kB each. In a fresh process for each, the imports are done first. Then the table is opened and split,
labels are looked over, a model is built, and a loader goes through all rows once, alone and with two worker processes.
Told is the peak of anonymous memory (RssAnon in /proc/self/status, which leaves out the mapped pages that the system
may take back) above what it was after the imports, of the process and of its largest worker.

A loader keeps prepared samples as long as there is room, which is a bound of its own; it is left none here, but
`--kept` leaves it all that it has. A first pass through a large table puts it into the cache; `cold` tells of that one.
"""

import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROWS = (1_000, 10_000, 100_000)
TOLERANCE = 48
"""MB by which the largest table may take more than the smallest: 32 is the most that is kept in memory, and 16."""

PASSES = {"cold": 0, "alone": 0, "workers": 2}
"""Name of a pass, and its worker processes."""

SPEC = """\
inputs:
  image: {type: image, backbone: {use: timm/test_vit, weights: none, resolution: 32}}
heads:
  label: {use: zoo/classifier}
data: {train: pictures.parquet}
train: {batch_size: 32}
"""


def prepare(folder: Path, rows: int) -> None:
    """Writes a table and its spec."""
    import numpy as np
    import pyarrow as pa
    from PIL import Image
    from pyarrow import parquet

    random = np.random.default_rng(0)
    pictures = []
    for _ in range(100):
        sink = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(sink, "png")
        pictures.append(sink.getvalue())
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("label", pa.string())])
    with parquet.ParquetWriter(folder / "pictures.parquet", schema, use_dictionary=False) as writer:
        for start in range(0, rows, 1000):
            numbers = range(start, min(start + 1000, rows))
            # What stands behind the end of a PNG makes them differ, so that no page is smaller for their likeness.
            cells = [{"bytes": pictures[row % 100] + row.to_bytes(8), "path": None} for row in numbers]
            labels = ["ab"[row % 2] for row in numbers]
            writer.write_table(pa.table([pa.array(cells, kind), pa.array(labels)], schema=schema))
    (folder / "spec.yaml").write_text(SPEC)


def anonymous(process: str = "self") -> float:
    """MB of anonymous memory of a process."""
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def workers() -> Iterator[float]:
    """MB of anonymous memory of each child process."""
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(OSError):
                yield anonymous(child)


def child(folder: Path, processes: int, kept: bool) -> None:
    """Goes through a table in this process, and prints what it took."""
    import torch

    import zoo_core.heads.classifier
    import zoo_core.inputs.image  # noqa: F401
    import zoo_timm.backbone  # noqa: F401
    from zoo.data.fit import fit_rows
    from zoo.data.loader import ROOM, Loader
    from zoo.data.look_over import look_over_labels
    from zoo.data.rows import open_rows
    from zoo.model.build import build_fitted
    from zoo.spec.load import load_spec

    torch.set_num_threads(1)
    spec = load_spec(folder / "spec.yaml")
    before, started = anonymous(), time.perf_counter()
    rows = open_rows(spec)
    model = build_fitted(spec, fit_rows(spec, rows.training))
    look_over_labels(model, rows.training)
    loader = Loader(model, rows.training, batch_size=32, room=ROOM if kept else 0, processes=processes)
    peak, peak_of_worker = anonymous(), 0.0
    for number, _ in enumerate(loader.epoch(1)):
        if number % 8 == 0:
            peak, peak_of_worker = max(peak, anonymous()), max([peak_of_worker, *workers()])
    spent = {"megabytes": peak - before, "seconds": time.perf_counter() - started}
    # A worker has all that the process had when it was forked.
    print(json.dumps({**spent, "worker_megabytes": max(0.0, peak_of_worker - before)}))


def measure(folder: Path, rows: int, kept: bool = False) -> dict[str, dict[str, float]]:
    """What each pass through a table of so many rows took."""
    subprocess.run([sys.executable, __file__, "--prepare", str(folder), str(rows)], check=True)
    found = {}
    for name, processes in PASSES.items():
        command = [sys.executable, __file__, "--child", str(folder), str(processes), str(int(kept))]
        variables = {**os.environ, "ZOO_CACHE": str(folder / "cache")}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
        told = json.loads(done.stdout.splitlines()[-1])
        found[name] = {key: round(value, 1) for key, value in told.items()}
    return found


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    kept = "--kept" in sys.argv
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()] or list(ROWS)
    found = {}
    for rows in track(sizes, "tables", console=Console(stderr=True)):
        with tempfile.TemporaryDirectory() as name:
            found[rows] = measure(Path(name), rows, kept)
    table = Table("rows", "pass", "MB of its own", "MB of a worker", "rows a second")
    for rows, passes in found.items():
        for name, told in passes.items():
            memory = f"{told['megabytes']:.0f}", f"{told['worker_megabytes']:.0f}" if PASSES[name] else ""
            table.add_row(f"{rows:,}", name, *memory, f"{rows / told['seconds']:,.0f}")
    Console(width=100).print(table)
    libraries = {name: version(name) for name in ("torch", "pyarrow")}
    facts = {"date": str(date.today()), "python": platform.python_version(), **libraries, "kept": kept}
    print(json.dumps({**facts, "passes": found}))
    large, small = found[sizes[-1]], found[sizes[0]]
    grown = [large[name][key] - small[name][key] for name in PASSES for key in ("megabytes", "worker_megabytes")]
    if not kept and max(grown) > TOLERANCE:
        raise SystemExit(
            f"{max(grown):.0f} MB more for {sizes[-1]:,} rows than for {sizes[0]:,}: {TOLERANCE} are allowed"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1")
    elif sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
