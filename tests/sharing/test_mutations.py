"""More than two thousand runs that somebody changed: each is refused in words, or is the same model.

They are pulled by a process without torch, `tests.sharing.vetting`; what it finds nothing wrong with is proven here.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

import zoo
from tests.conftest import ROOT
from tests.sharing.proof import prove_here
from tests.sharing.strategies import ENCODER
from tests.sharing.vetting import MEGABYTES, limited
from tests.tables import SPEC, write_tables
from zoo.checkpoint import weights
from zoo.checkpoint.tensors import write_tensors
from zoo.errors import ZooError
from zoo.evaluation.predict import predict
from zoo.files import json_text
from zoo.hub.prove import prove
from zoo.hub.raw_run import raw_weights
from zoo.hub.stage import stage
from zoo.model.model import ZooModel
from zoo.model.run import read_run, write_run

pytestmark = pytest.mark.slow

CASES = 2000
COMMIT = "0123456789" * 4
DEEP = SPEC.replace("width: 16, layers: 1", "width: 16, layers: 3", 1)
"""So that enough stands in a base for a delta to be worth it."""

WORDED = f"""\
inputs:
  review:
    type: text
    max_length: 16
    backbone:
      use: transformers/bert
      weights: none
      config: {json.dumps(ENCODER)}
      tokenizer: {{train: wordpiece, vocab_size: 60}}
heads: {{kind: zoo/classifier}}
data: {{train: words.csv, validation: null}}
"""


@dataclass(frozen=True)
class Model:
    """A good model.

    Args:
        digests: Of its tensors.
        rows: Samples.
        says: What it says of them.
    """

    digests: dict[str, str]
    rows: list[dict[str, Any]]
    says: Any


def test_a_changed_run_is_refused_or_is_the_same_model(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)  # a fresh process for each would take hours, and calls the same
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    good = {}
    for name, run in {"plain": trained, **made(tmp_path)}.items():
        shared(run, tmp_path / "given" / name)
        good[name] = good_model(run, tmp_path / "given" / name)
    before, told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, Counter[str]()
    for case in vetted(tmp_path):
        place = tmp_path / "work" / str(case["number"])
        told[case["pulled"] or proven(place / "pulled", good[case["run"]], case["checked"])] += 1
        shutil.rmtree(place, ignore_errors=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB more"
    assert sum(told.values()) > CASES
    assert told.keys() >= {"CorruptError", "DigestError", "SpecError", "PluginError", "the same"}
    assert told["the same"] < CASES / 2


def made(folder: Path) -> dict[str, Path]:
    """Runs whose tensors stand in several files, two of them tied; whose weights begin at a commit; that read texts."""
    model = zoo.build(write_tables(folder, DEEP))
    left, right = (dict(model.backbone(name).named_modules()) for name in ("left", "right"))
    name = next(name for name, each in right.items() if isinstance(each, torch.nn.Linear))
    right[name].bias = left[name].bias
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights.write_weights, "__defaults__", (2000,))
        sharded = written(model, folder / "sharded")
    assert json.loads((sharded / "zoo.lock").read_text())["aliases"]
    model = zoo.build(folder / "spec.yaml")
    delta = written(model, folder / "delta")
    publish(folder, model)
    lock = json.loads((delta / "zoo.lock").read_text())
    lock["weights"] = {"backbones.left": {"repo": "acme/base", "commit": COMMIT}}
    (delta / "zoo.lock").write_text(json_text(lock))
    (folder / "words.csv").write_text("review,kind\n" + "a good film,high\na bad one,low\n" * 8)
    (folder / "words.yaml").write_text(WORDED)
    return {"sharded": sharded, "delta": delta, "worded": written(zoo.build(folder / "words.yaml"), folder / "worded")}


def written(model: ZooModel, folder: Path) -> Path:
    folder.mkdir()
    write_run(model, folder, folder, {})
    return folder


def publish(folder: Path, model: ZooModel) -> None:
    """Puts the base of the delta where the Hub's cache has it."""
    base = folder / "hf" / "hub" / "models--acme--base" / "snapshots" / COMMIT
    base.mkdir(parents=True)
    state = model.backbone("left").state_dict()
    write_tensors(base / "model.safetensors", state)
    listed = folder / "zoo" / "hub" / "model" / "acme" / "base" / f"{COMMIT}.json"
    listed.parent.mkdir(parents=True)
    listed.write_text('["model.safetensors"]')


def shared(run: Path, folder: Path) -> None:
    """What a push sends of a run."""
    (beside := folder.parent.parent / f"beside-{folder.name}").mkdir()
    for name, path in stage(run, beside).files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def good_model(run: Path, given: Path) -> Model:
    golden = json.loads((given / "golden.json").read_text())
    return Model(digests(run), golden["rows"], golden["predictions"])


def digests(run: Path) -> dict[str, str]:
    return {name: each.digest() for name, each in raw_weights(run).items()}


def vetted(folder: Path) -> Iterator[dict[str, Any]]:
    """What the process without torch tells of each case."""
    (folder / "work").mkdir()
    settings = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "tests.sharing.vetting", str(folder / "given"), str(folder / "work")]
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            words, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                yield json.loads(line)
        errors.seek(0)
        assert process.returncode == 0, errors.read()[-10_000:]


def proven(run: Path, good: Model, checked: str | None) -> str:
    """What a run is refused for that was pulled; it may be the good model, and no other."""
    with limited():
        try:
            prove(run)
        except ZooError as error:
            assert "Traceback" not in str(error) and len(str(error)) < 20_000
            return checked or type(error).__name__
    assert checked is None, "a wrong spec was built"
    assert about(predict(read_run(run), good.rows)) == good.says, run
    found = digests(run)
    return "the same" if found == good.digests else "nearly the same"


def about(value: Any) -> Any:
    """A tree that equals one whose numbers differ by a little more than golden outputs may."""
    if isinstance(value, dict):
        return {key: about(each) for key, each in value.items()}
    if isinstance(value, list):
        return list(map(about, value))
    return pytest.approx(value, rel=2e-4, abs=2e-4) if isinstance(value, float) else value
