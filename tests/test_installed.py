"""zoo as it is installed: from a wheel and in place, with a third party's plugin, with broken ones, without torch."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import LIGHT, ROOT, Environment, MakeEnvironment

OWN = {"timm", "torchaudio", "transformers", "zoo"}

SPEC = """\
zoo: 1
requires: {zoo-acme: ">=2"}
inputs:
  voice: {type: audio, backbone: {use: acme/spectral, bands: 32}}
  price: {type: vector, backbone: zoo/mlp, columns: [price, weight]}
fusion: acme/mean
heads:
  order: {use: acme/ranker, margin: 0.5}
"""

BROKEN = [
    ("needy", "zoo-broken-dependency 0.1.1", "import", "No module named 'pointcloud_operations'"),
    ("dead", "zoo-broken-entry-point 0.1.2", "import", "No module named 'broken_entry_point_moved'"),
    ("quitter", "zoo-broken-exit 0.1.3", "import", "SystemExit: usage: broken_exit FILE"),
    ("raiser", "zoo-broken-hook 0.1.4", "components", "RuntimeError: the licence server does not answer"),
    ("signed", "zoo-broken-signature 0.1.5", "register", "registry"),
    ("speller", "zoo-broken-spelling 0.1.6", "register", "zoo_componets"),
    ("twice", "zoo-broken-duplicate 0.1.7", "components", "the component `mix` is declared twice"),
    ("timm", "a-broken-squatter 0.1.8", "namespace", "the namespace `timm` belongs to zoo "),
    ("claimed", "zoo-broken-claim-one 0.1.9", "namespace", "also claimed by zoo-broken-claim-two 0.2.0"),
    ("claimed", "zoo-broken-claim-two 0.2.0", "namespace", "also claimed by zoo-broken-claim-one 0.1.9"),
    ("shouter", "zoo-broken-commands 0.2.1", "commands", "LookupError: no terminal of ours"),
    ("shadow", "zoo-broken-verb 0.2.2", "commands", "the verb `check` is taken"),
    ("future", "zoo-future 9.0.0", "api", "plugin API 99"),
]
"""Plugin, distribution, the stage it breaks at, and words of the reason."""


@pytest.fixture(scope="module")
def wheel(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """zoo and acme's plugin from their wheels."""
    return make_environment(wheels["zoo"], wheels["zoo-acme"])


@pytest.fixture(scope="module")
def editable(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """zoo from its source tree; pip builds there, so the build backend must be at hand."""
    return make_environment("-e", ROOT, wheels["zoo-acme"], needed=(*LIGHT, "hatchling", "editables"))


@pytest.fixture(scope="module")
def crowded(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """zoo, acme's plugin, a chatty one, and all the broken ones at once."""
    return make_environment(*(path for name, path in wheels.items() if not name.endswith("slow")))


@pytest.fixture(scope="module")
def diagnosis(crowded: Environment) -> CompletedProcess[str]:
    return crowded.zoo("plugins", "doctor", "--json")


@pytest.fixture(params=["wheel", pytest.param("editable", marks=pytest.mark.slow)])
def installed(request: pytest.FixtureRequest) -> Environment:
    environment: Environment = request.getfixturevalue(request.param)
    return environment


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return written(tmp_path, SPEC)


def written(folder: Path, text: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def output_of(done: CompletedProcess[str], code: int = 0) -> str:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def json_of(done: CompletedProcess[str], code: int = 0) -> Any:
    return json.loads(output_of(done, code))


def test_all_plugins_are_found(installed: Environment) -> None:
    rows = json_of(installed.zoo("list", "--json"))
    assert {row["plugin"] for row in rows} == {*OWN, "acme"}
    assert len([row for row in rows if row["plugin"] == "timm"]) > 1000
    told = json_of(installed.zoo("plugins", "doctor", "--json"))
    assert told["broken"] == []
    assert {row["plugin"]: row["distribution"] for row in told["plugins"]} == dict.fromkeys(OWN, "zoo") | {
        "acme": "zoo-acme"
    }


def test_catalogue_is_found(installed: Environment) -> None:
    recipes = json_of(installed.zoo("list", "recipes", "--json"))
    assert recipes
    text = output_of(installed.zoo("show", recipes[0]["name"], "--yaml"))
    assert {"inputs", "heads"} <= set(yaml.safe_load(text))


def test_works_without_torch(installed: Environment, spec: Path) -> None:
    assert "No module named 'torch'" in installed.python("-c", "import torch").stderr
    for words in (["list"], ["show", "timm/resnet50"], ["check", spec], ["plugins"], ["spec", "render", spec]):
        assert output_of(installed.zoo(*words))
    assert "cannot be imported" in json_of(installed.zoo("doctor", "--json"))["devices"]["torch"]


def test_third_party_plugin_is_listed_and_shown(installed: Environment) -> None:
    rows = json_of(installed.zoo("list", "acme/*", "--json"))
    assert [(row["kind"], row["name"]) for row in rows] == [
        ("backbone", "acme/spectral"),
        ("fusion", "acme/mean"),
        ("head", "acme/ranker"),
    ]
    told = json_of(installed.zoo("show", "acme/ranker", "--json"))
    assert (told["distribution"], told["version"]) == ("zoo-acme", "2.1.0")
    assert told["options"]["margin"]["default"] == 0.2
    assert "how far apart" in output_of(installed.zoo("show", "acme/ranker")).lower()
    row = next(row for row in json_of(installed.zoo("plugins", "--json"))["plugins"] if row["plugin"] == "acme")
    assert row["components"] == [entry["name"] for entry in rows]


def test_third_party_plugin_is_checked(installed: Environment, spec: Path) -> None:
    assert json_of(installed.zoo("check", spec, "--json")) == {"ok": True, "errors": []}
    assert yaml.safe_load(output_of(installed.zoo("spec", "render", spec)))["heads"]["order"]["reduction"] == "mean"
    written(spec.parent, SPEC.replace("margin", "margn").replace("bands: 32", "bands: 4"))
    typo, bound = reversed(json_of(installed.zoo("check", spec, "--json"), code=2)["errors"])
    assert (typo["path"], typo["line"], typo["suggestion"]) == ("heads.order.margn", 8, "margin")
    assert "zoo-acme 2.1.0" in typo["hint"]
    assert (bound["path"], bound["line"]) == ("inputs.voice.backbone.bands", 4)
    assert "zoo-acme 2.1.0" in installed.zoo("check", spec).stderr


def test_third_party_options_are_in_the_schema(wheel: Environment) -> None:
    validator = jsonschema.Draft202012Validator(json_of(wheel.zoo("spec", "schema")))
    assert validator.is_valid(yaml.safe_load(SPEC))
    assert not validator.is_valid(yaml.safe_load(SPEC.replace("margin", "margn")))
    assert not validator.is_valid(yaml.safe_load(SPEC.replace("bands: 32", "bands: 4")))


def test_third_party_verb(wheel: Environment) -> None:
    assert "Say hello from Acme." in output_of(wheel.zoo("--help"))
    assert output_of(wheel.zoo("acme-hello", "--name", "Ada")) == "Acme says hello to Ada.\n"
    assert "did you mean `zoo acme-hello`?" in wheel.zoo("acme-helo").stderr


def test_required_version(wheel: Environment, spec: Path) -> None:
    assert wheel.zoo("check", spec).returncode == 0
    written(spec.parent, SPEC.replace(">=2", ">=3"))
    (error,) = json_of(wheel.zoo("check", spec, "--json"), code=3)["errors"]
    assert "2.1.0" in error["message"]
    assert 'pip install "zoo-acme>=3"' in error["hint"]
    written(spec.parent, SPEC.replace("{zoo-acme", "{zoo-zebra"))
    assert 'pip install "zoo-zebra>=2"' in json_of(wheel.zoo("check", spec, "--json"), code=3)["errors"][0]["hint"]


@pytest.mark.parametrize(("plugin", "origin", "stage", "words"), BROKEN, ids=[row[1].split()[0] for row in BROKEN])
def test_broken_plugin_is_reported(
    diagnosis: CompletedProcess[str], plugin: str, origin: str, stage: str, words: str
) -> None:
    name, version = origin.split()
    rows = [row for row in json_of(diagnosis, code=3)["broken"] if row["distribution"] == name]
    assert [(row["plugin"], row["version"], row["stage"]) for row in rows] == [(plugin, version, stage)]
    assert words in rows[0]["error"]


def test_nothing_else_is_reported(diagnosis: CompletedProcess[str]) -> None:
    told = json_of(diagnosis, code=3)
    assert len(told["broken"]) == len(BROKEN)
    assert {row["plugin"] for row in told["plugins"]} == {*OWN, "acme", "chatty"}
    assert {row["plugin"] for row in told["plugins"] if row["distribution"] == "zoo"} == OWN


def test_broken_plugins_are_told_to_people(crowded: Environment) -> None:
    text = output_of(crowded.zoo("plugins", "doctor"), code=3)
    for plugin, origin, stage, words in BROKEN:
        (line,) = (line for line in text.splitlines() if line.startswith(f"bad   {plugin} ({origin})"))
        assert f": {stage}: " in line and words in line
        assert f"pip uninstall {origin.split()[0]}" in text or "pip install" in text
    assert any(line.startswith("ok") and "zoo-acme 2.1.0" in line for line in text.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--help",
        "list",
        "list --json",
        "list recipes --json",
        "show zoo/concat",
        "show acme/ranker --json",
        "check SPEC",
        "check SPEC --json",
        "plugins",
        "plugins --json",
        "plugins list",
        "spec render SPEC",
        "spec render SPEC --json",
        "spec schema",
        "doctor",
        "doctor --json",
        "acme-hello",
    ],
)
def test_every_verb_works_beside_broken_plugins(crowded: Environment, spec: Path, words: str) -> None:
    done = crowded.zoo(*(str(spec) if word == "SPEC" else word for word in words.split()))
    text = output_of(done)
    assert text and "chatty" not in text.splitlines()[0]
    if "--json" in words or words == "spec schema":
        json.loads(text)


def test_a_plugin_may_print(crowded: Environment) -> None:
    done = crowded.zoo("list", "chatty/*", "--json")
    assert [row["name"] for row in json_of(done)] == ["chatty/talk"]
    assert "chatty: imported" in done.stderr and "chatty: declares" in done.stderr


def test_squatter_does_not_answer(crowded: Environment) -> None:
    assert json_of(crowded.zoo("show", "timm/resnet50", "--json"))["distribution"] == "zoo"


def test_component_of_a_broken_plugin(crowded: Environment, spec: Path) -> None:
    written(spec.parent, SPEC.replace("acme/mean", "raiser/half"))
    (error,) = json_of(crowded.zoo("check", spec, "--json"), code=3)["errors"]
    assert error["path"].startswith("fusion") and error["line"] == 6
    assert "zoo-broken-hook 0.1.4" in error["message"] and "the licence server" in error["message"]
    assert output_of(crowded.zoo("show", "raiser/half"), code=3) == ""


def test_plugins_can_be_left_out(wheel: Environment, spec: Path) -> None:
    few = {"ZOO_PLUGINS": "zoo, timm"}
    assert {row["plugin"] for row in json_of(wheel.zoo("list", "--json", **few))} == {"zoo", "timm"}
    errors = json_of(wheel.zoo("check", spec, "--json", **few), code=3)["errors"]
    assert [error["line"] for error in errors] == [4, 6, 8]
    assert all("ZOO_PLUGINS leaves the plugin `acme` out" in error["message"] for error in errors)
    assert "acme-hello" not in output_of(wheel.zoo("--help", **few))


def test_plugin_that_is_asked_for_and_not_installed(wheel: Environment) -> None:
    told = json_of(wheel.zoo("plugins", "doctor", "--json", ZOO_PLUGINS="zoo,tim"), code=3)
    assert [(row["plugin"], row["stage"]) for row in told["broken"]] == [("tim", "namespace")]
    assert "ZOO_PLUGINS" in told["broken"][0]["error"]
    assert "pip uninstall" not in wheel.zoo("plugins", "doctor", ZOO_PLUGINS="zoo,tim").stdout


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["slow", "lazyslow"])
def test_plugin_that_imports_torch_is_named(
    make_environment: MakeEnvironment, wheels: dict[str, Path], plugin: str
) -> None:
    distribution = {"slow": "zoo-slow", "lazyslow": "zoo-lazy-slow"}[plugin]
    environment = make_environment(wheels["zoo"], wheels[distribution])
    (environment.site / "torch.py").write_text("import time\n\ntime.sleep(0.3)\n")
    told = json_of(environment.zoo("plugins", "doctor", "--json"))
    (row,) = (row for row in told["plugins"] if row["plugin"] == plugin)
    assert row["heavy"] == ["torch"] and row["seconds"] >= 0.3
    assert [row["plugin"] for row in told["plugins"] if row["heavy"]] == [plugin]
    text = output_of(environment.zoo("plugins", "doctor"))
    assert any(distribution in line and "imports torch" in line for line in text.splitlines())
