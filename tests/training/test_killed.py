"""Real processes that are killed, interrupted, and started in twos."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.tables import SPEC, write_tables
from zoo.checkpoint.tensors import read_tensors
from zoo.training.state import read_state

HARD = SPEC.replace("dropout: 0", "dropout: 0.2") + "balance: {drop: 0.3, aux: 0.5}\n"
LONG = ["--set", "train.epochs=60", "--set", "train.save_every=1e-9", "--set", "train.average=0.9"]
DEFAULT_SIGNALS = "import signal, sys; [signal.signal(each, signal.SIG_DFL) for each in (1, 2, 15)]; "
ZOO = [
    sys.executable,
    "-c",
    DEFAULT_SIGNALS + "signal.signal(2, signal.default_int_handler); import zoo.cli; zoo.cli.run()",
]
STATE = "state.safetensors"


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [*ZOO, "train", "spec.yaml", *words]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(folder: Path, *words: str) -> None:
    process = start(folder, *words)
    _, told = process.communicate()
    assert process.returncode == 0, told


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_tensors(run / "model.safetensors")


def same(one: Path, two: Path) -> bool:
    first, second = weights(one), weights(two)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def written(path: Path) -> int:
    """When a file was written; 0 where there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> bool:
    """Waits until a condition holds; False where the process ended before."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.0005)
    return False


@pytest.mark.slow
def test_killed_at_twelve_moments_it_ends_bit_identical(tmp_path: Path) -> None:
    write_tables(tmp_path, HARD)
    finish(tmp_path, "-o", "whole", *LONG)
    chance, working, inside = random.Random(0), tmp_path / "cut.training", 0
    for moment in range(12):
        process = start(tmp_path, "-o", "cut", "--resume", *LONG)
        new, before = working / f".{STATE}.new", written(working / STATE)
        assert wait_for(lambda: written(working / STATE) > before, process), process.communicate()[1]  # noqa: B023
        time.sleep(chance.uniform(0, 0.3))
        if moment % 3 == 0:
            wait_for(new.exists, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        inside += new.exists()
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "cut").exists()
        read_state(working / STATE)  # whole, whenever it was killed
    assert inside > 0, "no kill fell into a write"
    finish(tmp_path, "-o", "cut", "--resume", *LONG)
    assert same(tmp_path / "whole", tmp_path / "cut")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cut", "spec.yaml", "test.csv", "train.csv", "whole"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_a_signal_saves_and_tells_how_to_go_on(tmp_path: Path, name: str) -> None:
    write_tables(tmp_path, HARD)
    process = start(tmp_path, "-o", "cut", *LONG)
    assert wait_for((tmp_path / "cut.training" / STATE).exists, process)
    process.send_signal(getattr(signal, name))
    _, told = process.communicate()
    assert process.returncode == 128 + getattr(signal, name)
    assert "all of it is saved: go on with --resume" in told
    finish(tmp_path, "-o", "cut", "--resume", *LONG)
    finish(tmp_path, "-o", "whole", *LONG)
    assert same(tmp_path / "whole", tmp_path / "cut")


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return str(found.getsockname()[1])


LAUNCHERS = {
    "torchrun": "torch.distributed.run --nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint localhost:0",
    "accelerate": "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no "
    "--dynamo_backend no --main_process_port",
}
"""What starts two processes; Accelerate's way of doing so is called after GPUs, and needs none."""


def launch(launcher: str, folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Two processes, in a group of their own."""
    command = [sys.executable, "-m", *LAUNCHERS[launcher].split()]
    command += [free_port()] if launcher == "accelerate" else []
    command += ["-m", "zoo", "train", "spec.yaml", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def launched(launcher: str, folder: Path, *words: str) -> str:
    process = launch(launcher, folder, *words)
    printed, told = process.communicate()
    assert process.returncode == 0, told
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_give_the_losses_of_one(tmp_path: Path, launcher: str) -> None:
    """To rounding, where nothing in the model is random: each process has a generator of its own for dropout."""
    write_tables(tmp_path, SPEC.replace("dim: 16", "dim: 16, dropout: 0") + "balance: {drop: 0.3, aux: 0.5}\n")
    finish(tmp_path, "-o", "one")
    told = launched(launcher, tmp_path, "-o", "two", "--json")
    assert json.loads(told)["heads"]["kind"]["accuracy"]["n"] == 40
    one, two = (
        [json.loads(line) for line in (tmp_path / run / "history.jsonl").read_text().splitlines()]
        for run in ("one", "two")
    )
    assert [each["loss"] for each in two] == pytest.approx([each["loss"] for each in one], rel=1e-4)
    for mine, theirs in zip(one, two, strict=True):
        assert theirs["validation"]["loss"] == pytest.approx(mine["validation"]["loss"], rel=1e-4)
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, each in first.items():
        assert torch.allclose(each, second[name], rtol=1e-3, atol=1e-4), name
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one", "spec.yaml", "test.csv", "train.csv", "two"]


@pytest.mark.slow
@pytest.mark.parametrize("everywhere", [False, True], ids=["launcher", "all"])
def test_two_processes_that_a_signal_ends_go_on_bit_identical(tmp_path: Path, everywhere: bool) -> None:
    """A batch system sends the signal to the launcher, which passes it on, or to all processes, which hear it twice."""
    write_tables(tmp_path, HARD)
    words = [*LONG, "--set", "train.epochs=20"]
    process = launch("torchrun", tmp_path, "-o", "cut", *words)
    assert wait_for((tmp_path / "cut.training" / "history.jsonl").exists, process), process.communicate()[1]
    (os.killpg if everywhere else os.kill)(process.pid, signal.SIGTERM)
    told = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "all of it is saved: go on with --resume" in told
    assert not (tmp_path / "cut").exists()
    epochs = len((tmp_path / "cut.training" / "history.jsonl").read_text().splitlines())
    assert 0 < epochs < 20
    launched("torchrun", tmp_path, "-o", "cut", "--resume", *words)
    launched("torchrun", tmp_path, "-o", "whole", *words)
    assert same(tmp_path / "whole", tmp_path / "cut")
    assert len((tmp_path / "cut" / "history.jsonl").read_text().splitlines()) == 20
