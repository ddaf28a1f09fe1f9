"""A model in shares over two real processes, over gloo: the numbers of one process, and a state that is whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.tables import SPEC, write_tables
from tests.training.test_killed import finish, weights
from zoo.errors import UsageError
from zoo.model.build import build
from zoo.spec.load import load_spec
from zoo.training.accelerator import make_accelerator
from zoo.training.crossed.cross_validate import cross_validate
from zoo.training.held import Shares
from zoo.training.state import read_state

EXACT = SPEC.replace("dim: 16", "dim: 16, dropout: 0") + "balance: {drop: 0.3, aux: 0.5}\n"

# FSDP is for GPUs, and asking for it on a CPU is refused; what it does is the same over gloo, which is tried here.
SHARED = """\
import sys
import torch.distributed
import zoo.training.train
from zoo.cli import run
from zoo.training.loop import Training

make, save = zoo.training.train.make_accelerator, Training._save
zoo.training.train.make_accelerator = lambda *args, shard, **others: make(*args, **others)

def looked_at(self):
    save(self)
    optimizer = self.stepper.optimizer
    kept = [state for each in optimizer.state.values() for state in each.values() if state.ndim]
    mine, whole = sum(each.to_local().numel() for each in kept), sum(each.numel() for each in kept)
    print(f"share {mine / whole:.2f}", file=sys.stderr)
    if STOP and self.position.epoch == 2:
        raise zoo.errors.Interrupted(15, "stopped")

STOP = "--stop" in sys.argv
sys.argv = [each for each in sys.argv if each != "--stop"]
Training._save = looked_at
run()
"""


def shared(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    (folder / "shared.py").write_text(SHARED)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d"]
    command += [
        "--rdzv-endpoint",
        "localhost:0",
        "shared.py",
        "train",
        "spec.yaml",
        "--set",
        "train.shard=true",
        *words,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "history.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["train.average=0.9", "train.accumulate=2", "train.clip=0.05"])
def test_shares_give_the_losses_of_one_process(tmp_path: Path, changed: str) -> None:
    write_tables(tmp_path, EXACT)
    finish(tmp_path, "-o", "one", "--set", changed)
    done = shared(tmp_path, "-o", "two", "--set", changed)
    assert done.returncode == 0, done.stderr
    found = {float(line.removeprefix("share ")) for line in done.stderr.splitlines() if line.startswith("share ")}
    assert found and found <= {0.48, 0.49, 0.5, 0.51, 0.52}
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert first.keys() == second.keys()
    for name, each in first.items():
        assert torch.allclose(each, second[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.slow
def test_a_state_in_shares_is_whole_and_goes_on(tmp_path: Path) -> None:
    write_tables(tmp_path, EXACT)
    words = ("--set", "train.average=0.9")
    assert shared(tmp_path, "-o", "whole", *words).returncode == 0
    assert shared(tmp_path, "-o", "cut", *words, "--stop").returncode != 0
    tensors, _ = read_state(tmp_path / "cut.training" / "state.safetensors")
    whole = weights(tmp_path / "whole")
    kept = [name for name in whole if f"model/{name}" in tensors]
    assert len(kept) > 10
    assert all(tensors[f"model/{name}"].shape == whole[name].shape for name in kept)
    done = shared(tmp_path, "-o", "cut", *words, "--resume")
    assert done.returncode == 0, done.stderr
    for name, each in weights(tmp_path / "cut").items():
        assert torch.equal(each, whole[name]), name


def test_asking_for_shares_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="needs a GPU for each process"):
        make_accelerator("fp32", shard=True)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UsageError, match=r"train: \{shard: true\}"):
        make_accelerator("fp32")


def test_a_parameter_without_shares_is_told(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    model.get_submodule("fusion").scale = torch.nn.Parameter(torch.tensor(1.0))
    with pytest.raises(UsageError, match=r"`fusion\.scale` is a single number"):
        Shares(model, torch.device("cpu"), 2)


def test_cross_validation_has_no_shares(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="zoo cv runs in one"):
        cross_validate(load_spec(write_tables(tmp_path), overrides=["train.shard=true"]), folds=2)
