import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tables import SPEC, write_tables
from zoo.data.open import labelled
from zoo.data.open import training as loaders
from zoo.data.rows import open_rows
from zoo.errors import ConflictError, CorruptError, DigestError, UsageError
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.measure import measure
from zoo.evaluation.predict import predict
from zoo.model.build import build
from zoo.model.run import read_run
from zoo.spec.load import load_spec
from zoo.training.accelerator import make_accelerator
from zoo.training.train import train

SAMPLES: list[dict[str, Any]] = [
    {"left": {"a": 4.0, "b": 0.1}, "right": 2.0},
    {"left": {"a": 0.0, "b": -0.1}},
    {"right": 0.0},
]


def test_training_learns_and_leaves_a_whole_folder(tmp_path: Path) -> None:
    run = train(write_tables(tmp_path), tmp_path / "runs" / "one")
    assert run.metrics["heads"]["kind"]["accuracy"]["value"] > 0.9
    assert run.metrics["heads"]["size"]["r2"]["value"] > 0.7
    assert run.history[-1]["loss"] < run.history[0]["loss"] / 2
    assert run.folder is not None
    names = {"README.md", "config.json", "history.jsonl", "metrics.json", "model.safetensors", "preprocessing.json"}
    assert {path.name for path in run.folder.iterdir()} == names | {"zoo.lock", "zoo.yaml"}
    assert [path.name for path in run.folder.parent.iterdir()] == ["one"]
    assert json.loads((run.folder / "metrics.json").read_text()) == run.metrics
    lines = (run.folder / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]


def test_what_is_read_back_predicts_the_same_to_the_last_bit(tmp_path: Path) -> None:
    run = train(write_tables(tmp_path), tmp_path / "run")
    again = read_run(tmp_path / "run")
    assert predict(again, SAMPLES) == predict(run.model, SAMPLES)
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    spec = write_tables(tmp_path)
    one, two, other = (
        train(load_spec(spec, overrides=[f"train.seed={seed}", "train.epochs=1"])).model.state_dict()
        for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_the_epoch_with_the_lowest_validation_loss_is_kept(tmp_path: Path) -> None:
    # The validation rows say the opposite, so that every epoch makes their loss worse.
    path = write_tables(tmp_path, SPEC.replace("validation: 0.25", "validation: odd.csv"))
    odd = (tmp_path / "test.csv").read_text().replace("low", "LOW").replace("high", "low").replace("LOW", "high")
    (tmp_path / "odd.csv").write_text(odd)
    spec = load_spec(path)
    run = train(spec)
    losses = [record["validation"]["loss"] for record in run.history]
    assert min(losses) < losses[-1]
    _, validation = loaders(run.model, open_rows(spec))
    assert validation is not None
    assert measure(run.model, validation, torch.device("cpu")).loss == pytest.approx(min(losses), rel=1e-4)


def test_without_validation_rows_the_last_epoch_is_kept(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace("validation: 0.25", "validation: null"))
    run = train(spec)
    assert all("validation" not in record for record in run.history)
    assert run.metrics["split"] == "test"


def test_without_a_test_table_the_validation_rows_are_measured(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace(", test: test.csv", ""))
    run = train(spec)
    assert run.metrics["split"] == "validation"
    assert run.metrics["heads"]["kind"]["accuracy"]["n"] == 24


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="is there already"):
        train(write_tables(tmp_path), tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine.txt"]


def test_a_training_that_fails_leaves_nothing(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.learning_rate=1e30"])
    with pytest.raises(UsageError, match=r"the loss of epoch \d is no number any more.*learning_rate"):
        train(spec, tmp_path / "run")
    assert not list(tmp_path.glob("*run*"))


def test_modality_dropout_teaches_to_do_without(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace("a, b], ", "a, b], ") + "balance: {drop: 0.4}\n")
    run = train(load_spec(spec, overrides=["train.epochs=12"]))
    never = train(load_spec(spec, overrides=["train.epochs=12", "balance.drop=0"]))
    alone, without = (each.metrics["subsets"]["right"]["kind"]["accuracy"]["value"] for each in (run, never))
    assert alone > 0.7
    assert alone >= without


@pytest.mark.parametrize(
    ("precision", "told"), [("auto", "no"), ("fp32", "no"), ("bf16", "bf16")], ids=["auto", "fp32", "bf16"]
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="tells what a machine without a GPU does")
def test_precisions_of_a_processor(precision: str, told: str) -> None:
    assert make_accelerator(precision).mixed_precision == told


@pytest.mark.skipif(torch.cuda.is_available(), reason="tells what a machine without a GPU does")
def test_half_precision_needs_a_gpu() -> None:
    with pytest.raises(UsageError, match="needs a GPU"):
        make_accelerator("fp16")


def test_bf16_trains(tmp_path: Path) -> None:
    run = train(load_spec(write_tables(tmp_path), overrides=["train.precision=bf16"]))
    assert run.metrics["heads"]["kind"]["accuracy"]["value"] > 0.85
    assert {each.dtype for each in run.model.parameters()} == {torch.float32}


def test_a_part_starts_from_an_earlier_run(tmp_path: Path) -> None:
    spec = write_tables(tmp_path)
    first = train(spec, tmp_path / "first").model
    text = SPEC.replace("layers: 1, dropout: 0", "layers: 1, dropout: 0, weights: 'first#left'", 1)
    text = text.replace("kind: zoo/classifier", "kind: {use: zoo/classifier, weights: 'first#kind'}")
    (tmp_path / "second.yaml").write_text(text)
    second = build(tmp_path / "second.yaml")
    before, after = first.state_dict(), second.state_dict()
    kept = {name for name in before if torch.equal(before[name], after[name])}
    assert kept >= {name for name in before if name.startswith(("backbones.left.", "heads.kind."))}
    assert not {name for name in kept if name.endswith("weight") and name.startswith(("fusion.", "heads.size"))}
    assert second.starts["backbones.left"].kept and not second.starts["backbones.left"].new
    assert second.sources["backbones.left"].record()["part"] == "left"


def test_a_damaged_run_is_told(tmp_path: Path) -> None:
    train(load_spec(write_tables(tmp_path), overrides=["train.epochs=1"]), tmp_path / "run")
    weights = tmp_path / "run" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match="no whole safetensors file"):
        read_run(tmp_path / "run")
    weights.write_bytes(whole)
    (tmp_path / "run" / "preprocessing.json").unlink()
    with pytest.raises(CorruptError, match="is missing"):
        read_run(tmp_path / "run")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch."""
    folder = tmp_path_factory.mktemp("whole")
    train(load_spec(write_tables(folder), overrides=["train.epochs=1"]), folder / "run")
    return folder / "run"


@pytest.mark.parametrize("name", ["preprocessing.json", "zoo.yaml", "config.json"])
def test_a_changed_file_of_a_run_is_refused(tmp_path: Path, whole: Path, name: str) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    with (run / name).open("a") as file:
        file.write("\n")
    with pytest.raises(DigestError, match=rf"{name}` does not have the digest that zoo\.lock tells"):
        read_run(run)


def test_one_changed_byte_of_the_weights_is_refused(tmp_path: Path, whole: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    weights = bytearray((run / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (run / "model.safetensors").write_bytes(weights)
    with pytest.raises(DigestError, match="does not have the digest") as caught:
        read_run(run)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("lock", ["", "[]", "{}", '{"files": [], "tensors": {}, "plugins": {}}'])
def test_a_damaged_lock_of_a_run_is_told(tmp_path: Path, whole: Path, lock: str) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    (run / "zoo.lock").write_text(lock)
    with pytest.raises(CorruptError, match=r"zoo\.lock"):
        read_run(run)


@pytest.mark.parametrize("name", ["zoo.yaml", "preprocessing.json"])
def test_a_lock_that_leaves_a_file_out_is_refused(tmp_path: Path, whole: Path, name: str) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    lock = json.loads((run / "zoo.lock").read_text())
    del lock["files"][name]
    (run / "zoo.lock").write_text(json.dumps(lock))
    with pytest.raises(DigestError, match=rf"{name}` has no digest in zoo\.lock"):
        read_run(run)


def test_a_file_of_a_part_that_the_lock_does_not_know_is_refused(tmp_path: Path, whole: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    (run / "parts" / "left").mkdir(parents=True)
    (run / "parts" / "left" / "tokenizer.json").write_text("{}")
    with pytest.raises(DigestError, match=r"tokenizer\.json` has no digest in zoo\.lock"):
        read_run(run)


@pytest.mark.parametrize("name", ["../train.csv", "parts/../../train.csv", "README.md"])
def test_a_lock_that_leads_elsewhere_is_refused(tmp_path: Path, whole: Path, name: str) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    lock = json.loads((run / "zoo.lock").read_text())
    lock["files"][name] = "0"
    (run / "zoo.lock").write_text(json.dumps(lock))
    with pytest.raises(CorruptError, match="which is no file of a run"):
        read_run(run)


@pytest.mark.slow
def test_validation_rows_of_a_table_that_grew_are_not_told_anew(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace(", test: test.csv", ""))
    train(load_spec(spec, overrides=["train.epochs=1"]), tmp_path / "run")
    before = evaluate(tmp_path / "run")
    assert before.split == "validation"
    with (tmp_path / "train.csv").open("a") as file:
        file.write("1.0,0.5,2.0,high,1.0\n")
    with pytest.raises(UsageError, match=r"train\.csv` is not what the run .* learnt from any more"):
        evaluate(tmp_path / "run")
    assert evaluate(tmp_path / "run", tmp_path / "test.csv").heads["kind"]["accuracy"].n == 40
    (tmp_path / "train.csv").unlink()
    with pytest.raises(UsageError, match=r"there is no `.*train\.csv`, which the run learnt from"):
        evaluate(tmp_path / "run")


def test_a_run_moves_with_its_data_named_as_before(tmp_path: Path) -> None:
    run = train(load_spec(write_tables(tmp_path), overrides=["train.epochs=1"]), tmp_path / "deep" / "er" / "run")
    again = read_run(tmp_path / "deep" / "er" / "run")
    assert len(list(labelled(again)[1])) == len(list(labelled(run.model)[1]))
    assert replace(again.spec, folder=run.model.spec.folder).train == run.model.spec.train
