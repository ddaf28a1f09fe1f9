"""`--json`: pure JSON on stdout, nothing else there, in the shapes that others rely on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import zoo
from tests.command import run
from tests.spec.wrong.case import GOOD


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A right spec."""
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD)
    return path


def facts(*words: object, code: int = 0) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == code, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "words",
    [
        "check SPEC",
        "spec render SPEC",
        "list",
        "list heads",
        "list timm/resnet18*",
        "list recipes",
        "list models",
        "show zoo/concat",
        "show timm/resnet50",
        "show timm/*",
        "show image-text",
        "plugins",
        "plugins list",
        "plugins doctor",
    ],
)
def test_nothing_but_json(words: str, spec: Path) -> None:
    result = run(*(spec if word == "SPEC" else word for word in words.split()), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert result.stderr == ""
    assert "\x1b" not in result.stdout


def test_every_verb_that_prints_facts_takes_json() -> None:
    for words in ("check", "spec render", "list", "show", "plugins", "plugins list", "plugins doctor", "doctor"):
        assert "--json" in run(*words.split(), "--help").stdout


def test_doctor() -> None:
    done = zoo("doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)) >= {"system", "libraries", "devices", "memory", "disk", "hub", "broken_plugins"}


def test_check_of_a_right_spec(spec: Path) -> None:
    assert facts("check", spec) == {"ok": True, "errors": []}


def test_check_of_a_wrong_spec(spec: Path) -> None:
    spec.write_text(GOOD + "train: {epoch: 3}\n")
    answer = facts("check", spec, code=2)
    assert set(answer) == {"ok", "errors"}
    (error,) = answer["errors"]
    assert error.pop("hint") == ""
    assert error == {
        "file": str(spec),
        "line": 6,
        "column": 9,
        "path": "train.epoch",
        "message": "unknown key `epoch` in `train`",
        "suggestion": "epochs",
    }


def test_check_of_a_wrong_spec_is_silent_on_stderr(spec: Path) -> None:
    spec.write_text("{}")
    assert run("check", spec, "--json").stderr == ""


def test_list_has_every_name_of_every_family() -> None:
    rows = facts("list")
    assert len(rows) > 3000
    assert all({"kind", "name", "plugin", "modality", "summary"} <= set(row) for row in rows)
    assert all(isinstance(row["modality"], list) for row in rows)
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert {"timm/resnet50", "transformers/bert", "zoo/concat"} <= set(names)
    assert not any("*" in name for name in names)


def test_list_of_a_family_member() -> None:
    (row,) = facts("list", "backbone", "timm/resnet50")[:1]
    assert (row["kind"], row["name"], row["plugin"], row["modality"]) == (
        "backbone",
        "timm/resnet50",
        "timm",
        ["image"],
    )
    assert row["parameters"] == 23508032


def test_list_of_what_is_not_there_is_an_error_in_json_too() -> None:
    result = run("list", "nothing-like-this", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing matches" in result.stderr


def test_list_of_recipes() -> None:
    assert all({"kind", "name", "task", "summary"} <= set(row) for row in facts("list", "recipes"))


def test_show_tells_options_with_types_and_defaults() -> None:
    told = facts("show", "zoo/token-transformer")
    assert (told["kind"], told["name"], told["plugin"]) == ("fusion", "zoo/token-transformer", "zoo")
    assert told["options"]["layers"] == {
        "type": "a whole number, from 1 to 48",
        "required": False,
        "default": 2,
        "doc": "Transformer layers over the joined tokens.",
    }


def test_plugins() -> None:
    told = facts("plugins")
    assert set(told) == {"plugins", "broken"}
    assert told == facts("plugins", "list") | {"plugins": told["plugins"]}
    by_name = {row["plugin"]: row for row in told["plugins"]}
    assert {"zoo", "timm", "transformers", "torchaudio"} <= set(by_name)
    assert "zoo/concat" in by_name["zoo"]["components"]


def test_broken_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.registry.plugins import Broken, Stage
    from zoo.registry.registry import Registry

    broken = Broken("acme", "zoo-acme", "2.1.0", Stage.IMPORT, "ModuleNotFoundError: No module named 'spectral'")
    monkeypatch.setattr(Registry, "broken", [broken])
    assert facts("plugins")["broken"] == [
        {
            "plugin": "acme",
            "distribution": "zoo-acme",
            "version": "2.1.0",
            "stage": "import",
            "error": "ModuleNotFoundError: No module named 'spectral'",
            "where": "",
            "advice": "install what it needs (the module `spectral`), or remove it: pip uninstall zoo-acme",
        }
    ]
    assert facts("plugins", "doctor", code=3)["broken"]
