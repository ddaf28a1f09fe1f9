"""Calibration of a trained model: on how many rows, what is kept of it, and what is claimed."""

import json
from pathlib import Path

import pytest
import torch

from tests.command import run
from tests.tables import SPEC, write_tables
from zoo.checkpoint.tensors import read_tensors, write_tensors
from zoo.contract import Calibrated, is_calibrated
from zoo.evaluation.calibrate import FEWEST
from zoo.model.calibration import told_calibration
from zoo.model.model import ZooModel
from zoo.model.run import read_run
from zoo.training.train import train

ENOUGH = SPEC.replace("validation: 0.25", "validation: 0.5").replace("columns: [a, b]", "columns: [b]")


def head_of(model: ZooModel) -> Calibrated:
    head = model.head("kind")
    assert is_calibrated(head)
    return head


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose `kind` is told by `c` alone, not surely, with 48 validation rows."""
    folder = tmp_path_factory.mktemp("calibrated")
    train(write_tables(folder, ENOUGH), folder / "run")
    return folder / "run"


def test_the_temperature_is_fitted_to_the_validation_rows_and_kept(calibrated: Path) -> None:
    model = read_run(calibrated)
    temperature = float(head_of(model).temperature)
    assert temperature != 1
    assert float(read_tensors(calibrated / "model.safetensors")["heads.kind.temperature"]) == temperature
    assert json.loads((calibrated / "config.json").read_text())["calibration"] == {"kind": {"rows": 48, "refused": ""}}
    line = f"probabilities of `kind` are calibrated on 48 validation rows (temperature {temperature:.2f})"
    assert line in (calibrated / "README.md").read_text()
    assert line in run("predict", calibrated, "c=1").stderr


def test_predictions_have_it(calibrated: Path) -> None:
    told = json.loads(run("predict", calibrated, "c=1", "b=0", "--json").stdout)["kind"]["probabilities"]
    model = read_run(calibrated)
    head_of(model).temperature.fill_(1.0)
    from zoo.evaluation.predict import predict

    (plain,) = predict(model, [{"left": 0.0, "right": 1.0}])
    assert told != plain["kind"]["probabilities"]


def test_few_rows_do_not_tell(tmp_path: Path) -> None:
    trained = train(write_tables(tmp_path), tmp_path / "run")
    assert float(head_of(trained.model).temperature) == 1
    (line,) = told_calibration(trained.model)
    assert (
        line
        == f"the probabilities of `kind` are not calibrated: 24 validation rows, and {FEWEST} are the fewest that tell"
    )
    assert line[1:] in (tmp_path / "run" / "README.md").read_text()
    assert "calibrated" not in run("predict", tmp_path / "run", "c=1").stderr


def test_without_validation_rows_nothing_is_claimed(tmp_path: Path) -> None:
    trained = train(write_tables(tmp_path, SPEC.replace("0.25", "null")))
    assert float(head_of(trained.model).temperature) == 1
    assert next(told_calibration(trained.model)).startswith("the probabilities of `kind` are not calibrated: 0 ")


def test_a_frozen_head_stays_as_it_is(tmp_path: Path) -> None:
    trained = train(write_tables(tmp_path, ENOUGH + "transfer: {freeze: ['heads.kind.*']}\n"))
    assert float(head_of(trained.model).temperature) == 1
    assert trained.model.calibration == {}


def test_a_run_of_before_has_the_temperature_one(calibrated: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for path in calibrated.iterdir():
        (old / path.name).write_bytes(path.read_bytes())
    tensors = {
        name: each for name, each in read_tensors(calibrated / "model.safetensors").items() if "temperature" not in name
    }
    (old / "model.safetensors").unlink()
    write_tensors(old / "model.safetensors", tensors)
    config, lock = (json.loads((old / name).read_text()) for name in ("config.json", "zoo.lock"))
    del config["calibration"]
    config["format"] = 1
    (old / "config.json").write_text(json.dumps(config))
    from zoo.checkpoint.verify import text_digest

    lock["files"]["config.json"] = text_digest((old / "config.json").read_bytes())
    lock["tensors"] = {name: each for name, each in lock["tensors"].items() if "temperature" not in name}
    (old / "zoo.lock").write_text(json.dumps(lock))
    model = read_run(old)
    assert torch.equal(head_of(model).temperature, torch.ones(()))
    assert "calibrated" not in run("predict", old, "c=1").stderr
