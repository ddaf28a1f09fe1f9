"""Predicting a table in several processes and in one; how much memory it takes, and what its end leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.test_run import ZOO
from tests.tables import SPEC, write_tables
from zoo.evaluation.predict import predict_table
from zoo.evaluation.processes import Processes
from zoo.training.train import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(write_tables(folder, SPEC.replace("epochs: 4, batch_size: 16", "epochs: 1, batch_size: 256")), folder / "run")
    return folder / "run"


def write_numbers(path: Path, rows: int, wrong: int | None = None) -> Path:
    """A table of numbers; its row `wrong` cannot be read."""
    lines = [f"id{row},{row % 17 / 4},{row % 5},{'' if row % 10 == 3 else row % 7}" for row in range(rows)]
    if wrong is not None:
        lines[wrong] = "id,x,1,1"
    path.write_text("\n".join(["id,a,b,c", *lines]) + "\n")
    return path


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("pieces", [0, 1, 5, 8, 100])
def test_shares_are_all_of_it_in_order(count: int, pieces: int) -> None:
    shares = [Processes(index, count, "cpu").share(pieces) for index in range(count)]  # type: ignore[arg-type]
    assert [piece for share in shares for piece in share] == list(range(pieces))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def launched(folder: Path, *words: object, count: int = 2) -> subprocess.CompletedProcess[str]:
    """`torchrun --nproc-per-node 2 -m zoo ...`."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    settings = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return subprocess.run(
        [*launcher, "-m", "zoo", *map(str, words)],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    table = write_numbers(tmp_path / "in.csv", 1500, wrong=1400)
    for name in ("out.parquet", "out.csv", "out.jsonl"):
        predict_table(trained, table, tmp_path / "one" / name, on_error="skip")
        words = ("predict", trained, "--table", table, "-o", tmp_path / "two" / name, "--on-error", "skip")
        done = launched(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("1,500 rows in ") == 1
        assert done.stderr.count("1 of them without a prediction: they cannot be read") == 1
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert len(list((tmp_path / "two").iterdir())) == 3


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [5, 1400])
def test_one_that_fails_ends_the_others_and_leaves_nothing(trained: Path, tmp_path: Path, wrong: int) -> None:
    table = write_numbers(tmp_path / "in.csv", 1500, wrong)
    done = launched(tmp_path, "predict", trained, "--table", table, "-o", tmp_path / "two" / "out.csv")
    assert done.returncode != 0
    assert f"line {wrong + 2}, " in done.stderr
    assert list((tmp_path / "two").iterdir()) == []


@pytest.mark.slow
def test_one_process_answers_for_all(trained: Path, tmp_path: Path) -> None:
    done = launched(tmp_path, "predict", trained, "a=4", "b=0", "c=1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kind: ") == 1
    assert done.stderr.count("next: ") == 1


MEMORY = """\
import sys
from zoo.evaluation.predict import predict_table

def anonymous() -> int:
    (line,) = (line for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024

peak = [0]
def watch(done: int, rows: int) -> None:
    peak[0] = max(peak[0], anonymous())

predict_table(sys.argv[1], sys.argv[2], sys.argv[3], watch=watch)
print(peak[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell anonymous memory")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_memory_does_not_grow_with_the_table(trained: Path, tmp_path: Path, suffix: str) -> None:
    peaks = []
    for rows in (1_000, 20_000, 100_000):
        table = tmp_path / f"{rows}{suffix}"
        found = {
            "id": [f"id{row}" for row in range(rows)],
            "note": [f"{row} and some words of it" * 3 for row in range(rows)],
        }
        numbers = {name: [row % each / 4 for row in range(rows)] for name, each in (("a", 17), ("b", 5), ("c", 7))}
        write_table(table, pa.table({**found, **numbers}))
        words = [sys.executable, "-c", MEMORY, str(trained), str(table), str(tmp_path / f"out{rows}{suffix}")]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 64 << 20, peaks  # a row group of the output waits until it is full
    assert peaks[2] - peaks[1] < 16 << 20, peaks


def write_table(path: Path, table: pa.Table) -> None:
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
        return
    import csv
    import json

    rows = table.to_pylist()
    with path.open("w", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
            return
        writer = csv.DictWriter(file, table.schema.names)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_half_written_file(trained: Path, tmp_path: Path, number: signal.Signals) -> None:
    table = write_numbers(tmp_path / "in.csv", 400_000)
    out = tmp_path / "out"
    command = [sys.executable, "-c", ZOO, "predict", str(trained), "--table", str(table), "-o", str(out / "out.jsonl")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not (out.exists() and any(size(path) > 1 << 16 for path in out.iterdir())):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(number)
            told = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 128 + number, told
    assert ("interrupted" if number is signal.SIGINT else "ended by SIGTERM") in told
    assert list(out.iterdir()) == []


def size(path: Path) -> int:
    """Bytes of a file; none of one that was there to see whether files can be written, and is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
