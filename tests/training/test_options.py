"""Options that change the cost of a training and not its result, and those that tell others of it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.tables import SPEC, write_tables
from tests.training.test_bad_rows import write_pictures
from zoo.checkpoint.tensors import read_tensors
from zoo.errors import UsageError
from zoo.model.build import build
from zoo.spec.load import load_spec
from zoo.training.options import prepare_backbones, with_batch_size
from zoo.training.progress import Silent
from zoo.training.train import Run, train

VIT = "inputs.photo.backbone={use: timm/test_vit, weights: none}"
BERT = """\
inputs:
  a: {type: text, column: kind, backbone: {use: transformers/bert, weights: none, tokenizer: {train: wordpiece,
      vocab_size: 40}, config: {hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
      hidden_dropout_prob: 0, attention_probs_dropout_prob: 0}}}
heads: {kind: zoo/classifier}
data: {train: train.csv, validation: null, test: test.csv}
train: {epochs: 1, batch_size: 16}
"""


class Remarks(Silent):
    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self, model: object, remarks: object) -> None:
        assert isinstance(remarks, list)
        self.told += remarks


def same(one: Run, two: Run) -> float:
    """The largest difference of their weights."""
    first, second = one.model.state_dict(), two.model.state_dict()
    return max(float((each.double() - second[name].double()).abs().max()) for name, each in first.items())


def test_recomputed_layers_of_pictures_give_the_same_model(tmp_path: Path) -> None:
    path = write_pictures(tmp_path)
    runs = [train(load_spec(path, overrides=[VIT, f"train.recompute={how}"])) for how in ("true", "false")]
    assert same(*runs) < 1e-5


def test_recomputed_layers_of_texts_give_the_same_model(tmp_path: Path) -> None:
    path = write_tables(tmp_path, BERT)
    runs = [train(load_spec(path, overrides=[f"train.recompute={how}"])) for how in ("true", "false")]
    recomputing = {getattr(module, "gradient_checkpointing", None) for module in runs[0].model.modules()}
    assert True in recomputing
    assert same(*runs) < 1e-5


def test_a_backbone_that_cannot_recompute_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`train\.recompute`: no backbone that is trained can do that"):
        train(load_spec(write_tables(tmp_path), overrides=["train.recompute=true"]))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_backbones_give_the_same_model(tmp_path: Path) -> None:
    """In processes of their own: the checks of shapes that the tests put around functions cannot be compiled."""
    write_tables(tmp_path)
    for how in ("true", "false"):
        command = [sys.executable, "-m", "zoo", "train", "spec.yaml", "--set", f"train.compile={how}", "-o", how]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    compiled, plain = (read_tensors(tmp_path / how / "model.safetensors") for how in ("true", "false"))
    assert compiled.keys() == plain.keys()
    assert all(torch.allclose(each, plain[name], rtol=1e-3, atol=1e-3) for name, each in compiled.items())


def test_a_batch_size_is_found(tmp_path: Path) -> None:
    watch = Remarks()
    spec = load_spec(write_tables(tmp_path), overrides=["train.batch_size=auto", "train.epochs=1"])
    run = train(spec, watch=watch)
    assert run.model.spec.train.batch_size == 8
    assert "`batch_size: auto` takes 8 rows a step (72 to learn from)" in watch.told


@pytest.mark.parametrize(("rows", "size"), [(10, 8), (400, 16), (3_000, 128), (10**6, 256)])
def test_many_rows_make_large_batches(tmp_path: Path, rows: int, size: int) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.batch_size=auto"])
    assert with_batch_size(spec, rows)[0].train.batch_size == size
    assert with_batch_size(load_spec(tmp_path / "spec.yaml"), rows)[1] == ""


def test_little_memory_makes_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo.planning.plan
    from zoo.model.device import Device

    spec = load_spec(write_tables(tmp_path), overrides=["train.batch_size=auto"])
    monkeypatch.setattr(zoo.planning.plan, "device_at_hand", lambda: Device("cpu", "small", 60_000))
    assert with_batch_size(spec, 10**6)[0].train.rows < 256


class Crowded:
    """A model whose first steps find no memory."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, *_: object) -> None:
        if self.left:
            self.left -= 1
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_out_of_memory_halves_what_is_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    from zoo.model.model import ZooModel

    path = write_tables(tmp_path, SPEC.replace("dim: 16", "dim: 16, dropout: 0"))
    spec = load_spec(path, overrides=["train.epochs=1", "balance.drop=0", f"train.accumulate={2**times}"])
    expected = train(spec)
    crowded, forward = Crowded(times), ZooModel.forward

    def tight(model: ZooModel, batch: object) -> object:
        if model.training:
            crowded()
        return forward(model, batch)  # type: ignore[arg-type]  # a batch

    told: list[str] = []
    monkeypatch.setattr(ZooModel, "forward", tight)
    watch = Silent()
    monkeypatch.setattr(watch, "remark", told.append)
    run = train(load_spec(path, overrides=["train.epochs=1", "balance.drop=0"]), watch=watch)
    assert told[-1] == f"out of memory: the rows of a step are run in {2**times} parts from here on (train.accumulate)"
    assert same(run, expected) == 0


def test_a_single_row_that_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.model.model import ZooModel

    crowded = Crowded(10**6)
    monkeypatch.setattr(ZooModel, "forward", crowded.__call__)
    with pytest.raises(UsageError, match="out of memory with a single row"):
        train(write_tables(tmp_path))


def test_a_tracker_hears_of_every_epoch(tmp_path: Path) -> None:
    event = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    spec = load_spec(write_tables(tmp_path), overrides=["train.track=tensorboard", "train.epochs=2"])
    run = train(spec, tmp_path / "run")
    found = event.EventAccumulator(str(tmp_path / "run" / "logs" / "spec"))
    found.Reload()
    told = found.Scalars("validation/heads/kind/accuracy")
    assert [each.value for each in told] == pytest.approx(
        [each["validation"]["heads"]["kind"]["accuracy"] for each in run.history]
    )


def test_a_tracker_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pip install trackio"):
        train(load_spec(write_tables(tmp_path), overrides=["train.track=trackio"]), tmp_path / "run")
    with pytest.raises(UsageError, match="name the folder of the run"):
        train(load_spec(tmp_path / "spec.yaml", overrides=["train.track=tensorboard"]))


def test_parts_of_a_step_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    path = write_tables(tmp_path, SPEC.replace("dim: 16", "dim: 16, dropout: 0") + "balance: {drop: 0.3, aux: 0.5}\n")
    runs = [train(load_spec(path, overrides=["train.epochs=1", f"train.accumulate={parts}"])) for parts in (1, 4)]
    assert same(*runs) < 1e-5
    assert runs[0].history[0]["loss"] == pytest.approx(runs[1].history[0]["loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("device", "shard", "last"), [("cuda", False, True), ("cuda", True, False), ("cpu", False, False)]
)
def test_trained_convolutions_lie_with_channels_last_on_a_gpu_and_as_they_are_in_shares(
    tmp_path: Path, device: str, shard: bool, last: bool
) -> None:
    model = build(load_spec(write_pictures(tmp_path), overrides=[f"train.shard={str(shard).lower()}"]))
    prepare_backbones(model, torch.device(device))
    kernels = [each for each in model.parameters() if each.ndim == 4 and min(each.shape[1:]) > 1]
    assert kernels
    for each in kernels:
        assert each.is_contiguous() is not last
        assert each.is_contiguous(memory_format=torch.channels_last) is last
