"""The card of a run: metadata that the Hub reads, numbers with their rows and intervals, and what to type."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tables import SPEC, write_tables
from zoo.model.card import told_start, told_training
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
    assert "zoo pull acme/numbers -o spec" in (tmp_path / "run" / "README.md").read_text()


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


def test_the_card_tells_parts_and_limits_and_a_use_to_mend(tmp_path: Path) -> None:
    text = SPEC.replace("epochs: 4", "epochs: 1") + "balance: {drop: 0}\ntransfer: {freeze: ['fusion.*']}\n"
    write_tables(tmp_path, text.replace("columns: [a, b]", "columns: [b, c]"))
    for name in ("train.csv", "test.csv"):  # of `right` no row lacks its cell
        lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / name).write_text("\n".join(each for each in lines if not each.startswith(",,")) + "\n")
    train(tmp_path / "spec.yaml", tmp_path / "run")
    told = (tmp_path / "run" / "README.md").read_text()
    assert re.search(r"\| backbones.left \| [\d,]+ \| trained \|", told)
    assert "Frozen besides: `fusion.*`." in told
    assert "- The numbers hold for rows like those of `test`" in told
    assert "- No training row lacked `left`, `right`; without it" in told
    assert told.count("<!-- zoo:use -->") == told.count("<!-- /zoo:use -->") == 1


@pytest.mark.parametrize(
    ("said", "record", "expected"),
    [
        ("none", None, "none"),
        ("hf://timm/resnet18", BASE, f"timm/resnet18@{'0' * 40}"),
        ("hf://acme/moods#photo", {**BASE, "part": "photo"}, f"timm/resnet18@{'0' * 40}#photo"),
        (
            "/home/ann/mine",
            {"path": "/home/ann/mine", "files": {"model.safetensors": "ab" * 32, "config.json": "cd" * 32}},
            f"mine (model.safetensors: SHA-256 {'ab' * 32})",
        ),
    ],
)
def test_weights_are_told_by_commit_or_digest(said: str, record: dict[str, Any] | None, expected: str) -> None:
    assert told_start(said, record) == expected


@pytest.mark.parametrize(("policy", "expected"), [("full", "trained"), ("frozen", "frozen")])
def test_what_was_trained_of_a_pretrained_part(tmp_path: Path, policy: str, expected: str) -> None:
    (tmp_path / "t.csv").write_text("x,y\n")
    (tmp_path / "spec.yaml").write_text(
        f"inputs: {{x: {{type: image, backbone: timm/resnet18}}}}\ntransfer: {policy}\n"
        "heads: {y: zoo/classifier}\ndata: {train: t.csv}\n"
    )
    spec = load_spec(tmp_path / "spec.yaml")
    assert told_training(spec, "backbones.x") == expected
    assert told_training(spec, "heads.y") == "trained"
