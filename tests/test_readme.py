"""The README's main command, as a new user runs it in an empty folder, and what it claims of the digits."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def main_command() -> str:
    """What the README's first block does once zoo is installed."""
    found = re.search(r"<!-- the main command -->\n```sh\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    install, _, rest = found[1].partition("pip install -c constraints.txt -e . &&\n")
    assert install == "python3 -m venv .venv && . .venv/bin/activate && "
    return rest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = time.monotonic()
    command = ["bash", "-euo", "pipefail", "-c", main_command()]
    offline = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=offline)
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(f"{done.stderr}\n{time.monotonic() - started:.0f} s")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def accuracy(folder: Path) -> dict[str, float]:
    """On the test split, by set of inputs."""
    metrics = json.loads((folder / "runs" / "digits" / "metrics.json").read_text())
    assert metrics["split"] == "test"
    return {subset: heads["label"]["accuracy"]["value"] for subset, heads in metrics["subsets"].items()}


def test_three_together_pass_97_percent_and_none_alone_passes_90(accuracy: dict[str, float]) -> None:
    assert accuracy["image+text+sound"] >= 0.97
    assert {name for name, value in accuracy.items() if "+" not in name and value > 0.905} == set()
    assert len(accuracy) == 7


def test_every_modality_helps(accuracy: dict[str, float]) -> None:
    for pair in ("image+text", "image+sound", "text+sound"):
        assert max(accuracy[name] for name in pair.split("+")) < accuracy[pair] < accuracy["image+text+sound"] + 0.01


def test_the_predictions_of_the_table_are_those_that_were_measured(folder: Path, accuracy: dict[str, float]) -> None:
    from pyarrow import parquet

    labels = parquet.read_table(folder / "digits" / "test.parquet").column("label").to_pylist()
    with (folder / "runs" / "test.csv").open(newline="") as file:
        told = [row["label.label"] for row in csv.DictReader(file)]
    right = sum(true == said for true, said in zip(labels, told, strict=True))
    assert right / len(labels) == pytest.approx(accuracy["image+text+sound"], abs=1 / len(labels))


def test_one_text_is_read_without_picture_and_sound(folder: Path) -> None:
    last = (folder / "stdout").read_text().splitlines()[-1]
    assert last.startswith("label: 7  (7 0.")


def test_both_runs_are_whole(folder: Path) -> None:
    for name in ("untrained", "digits"):
        files = {path.name for path in (folder / "runs" / name).iterdir()}
        assert {"zoo.yaml", "zoo.lock", "config.json", "model.safetensors", "preprocessing.json", "README.md"} <= files
    assert not [path for path in (folder / "runs").iterdir() if path.name.startswith(".")]
