"""A third party's distribution, installed by pip into a clean environment, brings a backbone, a fusion and a head.

zoo and `zoo-acme` come from their wheels. What zoo requires (torch and the rest) is linked into the environment,
distribution by distribution, from the one that runs the tests; nothing else of that one is there, nor the source tree.
"""

import csv
import json
import math
import shutil
import sys
import wave
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from tests.conftest import DISTRIBUTIONS, ROOT, Environment, MakeEnvironment, run_python, with_requirements
from tests.test_docs import blocks
from tests.test_installed import json_of, output_of
from tests.test_laws import imports
from zoo import Kind, contract
from zoo.testing.kit import laws_of

PAGE = ROOT / "docs" / "plugins.md"
ACME = DISTRIBUTIONS / "zoo-acme"
DOORS = {"zoo", "zoo.component", "zoo.contract", "zoo.features", "zoo.testing"}
RATE = 4000
"""Samples per second of the sounds."""

SPEC = """\
zoo: 1
requires: {zoo-acme: ">=2"}
inputs:
  voice: {type: audio, sample_rate: 4000, max_seconds: 0.2, backbone: {use: acme/spectral, bands: 16, dim: 16}}
  offer: {type: vector, columns: [price, weight], backbone: {use: zoo/mlp, width: 16, layers: 1, dropout: 0}}
fusion: {use: acme/mean, dim: 16}
heads:
  order: {use: acme/ranker, margin: 0.5}
data: {train: train.csv, validation: 0.25, test: test.csv}
train: {epochs: 15, batch_size: 16, learning_rate: 0.02}
"""
WHERE = """\
import json, sys, zoo, zoo_acme, zoo_core
print(json.dumps({"path": sys.path, "files": [each.__file__ for each in (zoo, zoo_acme, zoo_core)]}))
"""
BANDS = DIM = 16
PARAMETERS = {
    "voice": 2 * BANDS + (BANDS + 1) * DIM,
    "offer": 2 * DIM + (2 + 1) * DIM,
    "fusion": 2 * (DIM + 1) * DIM,
    "order": DIM,
}
"""Of each part: `zoo/mlp` has, beside a linear layer, a vector for each column that may be missing."""


@pytest.fixture(scope="module")
def make_installed(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> MakeEnvironment:
    """Makes an environment with zoo, all that it requires, acme's plugin, and pytest."""
    required = with_requirements(["zoo"]) - {"zoo"}
    return partial(make_environment, wheels["zoo"], wheels["zoo-acme"], needed=(*required, "pytest"))


@pytest.fixture(scope="module")
def installed(make_installed: MakeEnvironment) -> Environment:
    return make_installed()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec, and the tables and sounds that it names."""
    folder = tmp_path_factory.mktemp("ranking")
    random = np.random.default_rng(0)
    for name, rows in (("train", 120), ("test", 40)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["voice", "price", "weight", "order"])
            writer.writerows(row_of(folder / f"{name}{row}.wav", random) for row in range(rows))
    (folder / "spec.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def trained(installed: Environment, folder: Path) -> Path:
    """The folder of a run."""
    told = json_of(zoo(installed, "train", folder / "spec.yaml", "-o", folder / "run", "--json"))
    assert told["folder"] == str(folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def measured(installed: Environment, trained: Path) -> Any:
    """What `zoo eval` tells of the run."""
    return json_of(zoo(installed, "eval", trained, "--json"))


@pytest.fixture(scope="module")
def predicted(installed: Environment, trained: Path) -> list[dict[str, str]]:
    """The rows of the test table, each with its score."""
    table, output = trained.parent / "test.csv", trained.parent / "predicted.csv"
    output_of(zoo(installed, "predict", trained, "--table", table, "-o", output))
    scores = [row["order"] for row in read(output)]
    return [{**row, "score": score} for row, score in zip(read(table), scores, strict=True)]


@pytest.fixture(scope="module")
def refused(make_installed: MakeEnvironment, trained: Path) -> CompletedProcess[str]:
    """What `zoo predict` says of the run where acme's plugin was uninstalled."""
    environment = make_installed()
    run_python("-m", "pip", "--python", environment.folder / "bin" / "python", "uninstall", "--yes", "zoo-acme")
    return zoo(environment, "predict", trained, "price=0.5", "weight=1")


def row_of(sound: Path, random: np.random.Generator) -> list[str]:
    """A row whose order is told by the pitch of its sound and by its price, one of which may be lacking."""
    pitch, price, weight = random.uniform(0, 1), random.uniform(0, 1), random.normal()
    write_sound(sound, pitch, random.uniform(0.1, 0.2), random)
    lacking = random.choice(["voice", "offer", "nothing"], p=[0.1, 0.1, 0.8])
    numbers = ["", ""] if lacking == "offer" else [f"{price:.4f}", f"{weight:.4f}"]
    return ["" if lacking == "voice" else sound.name, *numbers, f"{pitch + price:.4f}"]


def write_sound(path: Path, pitch: float, seconds: float, random: np.random.Generator) -> None:
    """A tone between 200 and 1800 Hz, in noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples = 0.5 * np.sin(2 * math.pi * (200 + 1600 * pitch) * time) + random.normal(0, 0.05, len(time))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(time), "NONE", ""))
        file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())


def read(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def zoo(environment: Environment, *words: str | Path) -> CompletedProcess[str]:
    return environment.zoo(*words, OMP_NUM_THREADS="1")


def concordance(labels: list[float], scores: list[float]) -> float:
    """Share of the pairs of rows whose scores are in the order of their labels, counted one by one."""
    ranked = sorted(zip(labels, scores, strict=True))
    pairs = [(low, high) for place, low in enumerate(ranked) for high in ranked[place + 1 :] if low[0] < high[0]]
    return sum(low[1] < high[1] for low, high in pairs) / len(pairs)


@pytest.mark.slow
def test_the_environment_does_not_see_the_source_tree(installed: Environment) -> None:
    told = json_of(installed.python("-c", WHERE))
    assert not [each for each in told["path"] if Path(each).is_relative_to(ROOT)]
    assert all(Path(each).resolve().is_relative_to(installed.site.resolve()) for each in told["files"])


@pytest.mark.slow
def test_the_parts_conform(installed: Environment) -> None:
    """The plugin's own tests, which call `zoo.testing.check`, outside zoo's tree and in its environment."""
    tests = shutil.copytree(ACME / "tests", installed.folder / "tests")
    done = installed.python("-m", "pytest", "-p", "no:cacheprovider", tests, OMP_NUM_THREADS="1")
    assert "4 passed" in output_of(done)


@pytest.mark.slow
def test_the_spec_is_right_and_planned(installed: Environment, folder: Path) -> None:
    spec = folder / "spec.yaml"
    assert json_of(zoo(installed, "check", spec, "--json")) == {"ok": True, "errors": []}
    plan = json_of(zoo(installed, "plan", spec, "--json"))
    voice = plan["inputs"]["voice"]
    assert (voice["backbone"], voice["dim"]) == ("acme/spectral", DIM)
    assert voice["tokens"] == 0.2 * RATE // (2 * BANDS) + 1
    parts = {**plan["inputs"], **plan["heads"], "fusion": plan["fusion"]}
    assert {name: part["parameters"] for name, part in parts.items()} == PARAMETERS
    assert plan["parameters"]["total"] == sum(PARAMETERS.values())
    assert plan["memory"]["fits"] is not False


@pytest.mark.slow
def test_it_learnt_from_both_inputs(measured: Any) -> None:
    found = {subset: heads["order"]["concordance"] for subset, heads in measured["subsets"].items()}
    both = found.pop("voice+offer")
    assert both["n"] == 40 and both["low"] > 0.65
    assert set(found) == {"voice", "offer"}
    assert all(alone["low"] > 0.5 and alone["value"] < both["value"] for alone in found.values())


@pytest.mark.slow
def test_predictions_are_those_that_were_measured(measured: Any, predicted: list[dict[str, str]]) -> None:
    labels, scores = ([float(row[column]) for row in predicted] for column in ("order", "score"))
    value = measured["heads"]["order"]["concordance"]["value"]
    assert concordance(labels, scores) == pytest.approx(value, abs=0.005)


@pytest.mark.slow
def test_one_sample_is_predicted_like_its_row(
    installed: Environment, trained: Path, predicted: list[dict[str, str]]
) -> None:
    row = next(row for row in predicted if row["voice"] and row["price"])
    words = [f"voice={trained.parent / row['voice']}", f"price={row['price']}", f"weight={row['weight']}"]
    told = json_of(zoo(installed, "predict", trained, *words, "--json"))
    assert told == {"order": pytest.approx(float(row["score"]), abs=1e-4)}


@pytest.mark.slow
def test_the_lock_names_the_distribution(trained: Path) -> None:
    lock = json.loads((trained / "zoo.lock").read_text())
    assert lock["plugins"]["zoo-acme"] == "2.1.0"
    assert set(lock["plugins"]) == {"zoo", "zoo-acme"}


@pytest.mark.slow
def test_without_the_plugin_the_run_tells_what_to_install(refused: CompletedProcess[str]) -> None:
    assert refused.returncode and not refused.stdout
    assert "Traceback" not in refused.stderr
    assert "was made with zoo-acme, which is not installed" in refused.stderr
    assert 'pip install "zoo-acme==2.1.0"' in refused.stderr


@pytest.mark.slow
def test_a_missing_plugin_has_its_exit_code(refused: CompletedProcess[str]) -> None:
    assert refused.returncode == 3


def test_it_knows_zoo_by_its_door_alone() -> None:
    allowed = {*sys.stdlib_module_names, "torch", "click", "pytest", "zoo_acme"}
    for path in ACME.rglob("*.py"):
        assert {name for name in imports(path) if name.split(".")[0] not in allowed} <= DOORS, path


def test_the_code_on_the_plugin_page_is_that_of_the_files() -> None:
    """Blocks marked `py` are whole files of the example; those marked `python` run by themselves (test_docs.py)."""
    files = {path.read_text(): path.name for path in ACME.rglob("*.py")}
    shown = blocks(PAGE, "py")
    assert [files.get(text) for text in shown] == ["mean.py", "spectral.py", "test_acme.py"]
    assert all(len(text.splitlines()) <= 50 for text in shown)


@pytest.mark.parametrize("kind", Kind)
def test_the_plugin_page_tells_what_each_kind_must_have(kind: Kind) -> None:
    made: Any = {Kind.INPUT: contract.InputType}.get(kind) or getattr(contract, kind.capitalize())
    (row,) = (line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{kind}` | `"))
    assert f"`{kind.capitalize()}Context`" in row and f"`{made.__name__}`" in row
    assert [name for name in made.__abstractmethods__ if f"`{name}`" not in row] == []


@pytest.mark.parametrize("kind", Kind)
def test_every_law_of_the_kit_is_on_the_plugin_page(kind: Kind) -> None:
    page = " ".join(PAGE.read_text().split())
    assert [name for name, said in laws_of(kind).items() if f"- `{name}`: {said}" not in page] == []
