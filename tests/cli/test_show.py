"""`zoo show`: whatever has a name, and what was probably meant by one that nothing has."""

from pathlib import Path

import pytest

from tests.command import run
from zoo.component import Kind
from zoo.document.fields import fields_of
from zoo.document.source import Source
from zoo.registry.catalogue import catalogue
from zoo.registry.registry import installed
from zoo.spec.load import load_spec, read_spec
from zoo.spec.sections import Backbone

COMPONENTS = [entry.name for entry in installed().components()]


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_tells_its_options_and_its_place_in_a_spec(name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 0
    (entry,) = (entry for entry in installed().components() if entry.name == name)
    assert result.stdout.startswith(f"{name} ({entry.kind})\n{entry.component.summary}\n")
    for option in fields_of(entry.component.options):
        assert f"\n  {option}: " in result.stdout
    assert "\nin a spec:  " in result.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("zoo/image", "in a spec:  inputs: {NAME: {type: image, backbone: ...}}"),
        ("zoo/last", "in a spec:  transfer: last"),
        ("zoo/concat", "in a spec:  fusion: zoo/concat"),
        ("timm/*", "in a spec:  backbone: timm/NAME"),
        ("timm/resnet50", "in a spec:  backbone: timm/resnet50"),
        (
            "torchaudio/log-mel",
            "in a spec:  inputs: {NAME: {type: audio, frontend: torchaudio/log-mel, backbone: ...}}",
        ),
    ],
)
def test_place_in_a_spec(name: str, line: str) -> None:
    assert run("show", name).stdout.splitlines()[-1] == line


def test_a_member_of_a_family_tells_its_record() -> None:
    told = run("show", "timm/resnet50").stdout
    assert "23.5M" in told
    assert "apache-2.0" in told
    assert "ImageNet-1k" in told


def test_a_hub_repository() -> None:
    assert run("show", "transformers/google-bert/bert-base-uncased").exit_code == 0


@pytest.mark.parametrize("short", ["concat", "mlp", "classifier", "log-mel"])
def test_a_short_name_that_one_component_has(short: str) -> None:
    (full,) = (name for name in COMPONENTS if name.partition("/")[2] == short)
    assert run("show", short).stdout == run("show", full).stdout


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("zoo/concatt", "zoo/concat"),
        ("timm/resnet5O", "timm/resnet50"),
        ("tim/resnet50", "timm/resnet50"),
        ("resnet50", "timm/resnet50"),
        ("image-txt", "image-text"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, meant: str) -> None:
    result = run("show", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"did you mean `{meant}`?" in result.stderr


@pytest.mark.parametrize("name", sorted(catalogue().recipes))
def test_a_recipe_makes_a_spec_that_loads(name: str, tmp_path: Path) -> None:
    result = run("show", name, "--yaml")
    (tmp_path / "spec.yaml").write_text(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("# ")
    assert load_spec(tmp_path / "spec.yaml").inputs


def test_a_recipe_tells_how_to_make_it_ones_own() -> None:
    result = run("show", "image-text")
    assert result.stderr == "next: zoo show image-text --yaml > spec.yaml\n"


@pytest.mark.parametrize("name", sorted(catalogue().models))
def test_a_model_of_the_catalogue_tells_a_line_that_a_spec_can_hold(name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 0
    line = result.stdout.splitlines()[-1].removeprefix("in a spec:  ")
    text = (
        f"inputs:\n  x:\n    type: {catalogue().models[name].modality[0]}\n    {line}\nheads: {{y: zoo/classifier}}\n"
    )
    backbone = read_spec(Source(text, "spec.yaml")).inputs["x"].backbone
    assert isinstance(backbone, Backbone)
    assert backbone.use == catalogue().models[name].use
    assert backbone.weights != "none"


def test_yaml_of_what_is_no_recipe() -> None:
    result = run("show", "zoo/concat", "--yaml")
    assert result.exit_code == 2
    assert "--yaml prints a recipe" in result.stderr


def test_show_is_of_every_kind() -> None:
    assert {entry.kind for entry in installed().components()} == set(Kind)
