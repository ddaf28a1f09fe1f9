"""The card of a run: metadata that the Hub reads, numbers with their rows and intervals, and what to type."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tables import SPEC, write_tables
from zoo.model.metadata import metadata
from zoo.spec.load import load_spec
from zoo.training.train import train

BASE = {"repo": "timm/resnet18", "commit": "0" * 40}


def front(folder: Path) -> dict[str, Any]:
    text = (folder / "README.md").read_text()
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_the_card_of_a_run_has_its_scores_with_rows_and_intervals(tmp_path: Path) -> None:
    text = SPEC.replace("epochs: 4", "epochs: 1") + "hub: {repo: acme/numbers, license: apache-2.0}\n"
    run = train(write_tables(tmp_path, text), tmp_path / "run")
    told = front(tmp_path / "run")
    assert (told["library_name"], told["license"], told["tags"]) == ("zoo", "apache-2.0", ["zoo", "vector"])
    assert "base_model" not in told and "pipeline_tag" not in told
    (index,) = told["model-index"]
    scores = {each["name"]: each for result in index["results"] for each in result["metrics"]}
    accuracy = run.metrics["heads"]["kind"]["accuracy"]
    assert scores["kind: accuracy"]["value"] == accuracy["value"]
    assert scores["kind: accuracy"]["args"] == {key: accuracy[key] for key in ("n", "low", "high")}
    assert "zoo pull acme/numbers -o runs/spec" in (tmp_path / "run" / "README.md").read_text()


@pytest.mark.parametrize(
    ("column", "head", "expected"),
    [
        ("image", "classifier", "image-classification"),
        ("text", "classifier", "text-classification"),
        ("audio", "classifier", "audio-classification"),
        ("image", "regressor", None),
    ],
)
def test_what_the_hub_calls_the_task(tmp_path: Path, column: str, head: str, expected: str | None) -> None:
    backbone = {"image": "timm/resnet18", "text": "zoo/text-cnn", "audio": "torchaudio/wav2vec2_base"}[column]
    (tmp_path / "t.csv").write_text(f"{column},y\n")
    (tmp_path / "spec.yaml").write_text(
        f"inputs: {{{column}: {{type: {column}, backbone: {{use: {backbone}, weights: none}}}}}}\n"
        f"heads: {{y: zoo/{head}}}\ndata: {{train: t.csv}}\n"
    )
    told = yaml.safe_load(metadata(load_spec(tmp_path / "spec.yaml"), {f"backbones.{column}": BASE}, {}))
    assert told.get("pipeline_tag") == expected
    assert (told["base_model"], told["base_model_relation"]) == (["timm/resnet18"], "finetune")
    assert "model-index" not in told
