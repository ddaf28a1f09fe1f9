import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from zoo.cli import cli, main
from zoo.component import Kind
from zoo.document.source import Source
from zoo.errors import SpecError, UnknownName, UsageError
from zoo.registry.catalogue import Catalogue, ModelCard, catalogue, overlay_paths, shipped_path
from zoo.registry.registry import Registered, installed
from zoo.spec.load import load_spec, read_spec
from zoo.spec.sections import Backbone, Spec

SHIPPED = Catalogue([shipped_path()])
CARD = """\
    use: timm/resnet50
    modality: [image]
    summary: Mine.
    data: [imagenet-1k]
    license: mit
    weights: me/mine
    source: me
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No catalogue of the user who runs the tests, and none of an earlier test."""
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ZOO_REGISTRY", raising=False)
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


def recipe(name: str) -> Spec:
    return read_spec(Source(SHIPPED.recipes[name].spec, f"{name}.yaml"))


def resolved(card: ModelCard) -> Registered:
    return installed().resolve(card.use, Kind.BACKBONE)


def overlay(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[tuple[int, int, str]]:
    with pytest.raises(SpecError) as caught:
        Catalogue([shipped_path(), path])
    assert all(problem.file == str(path) for problem in caught.value.problems)
    assert f"{path}:{caught.value.problems[0].line}:{caught.value.problems[0].column}: " in str(caught.value)
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_shipped_file_is_found_and_small() -> None:
    assert shipped_path().name == "registry.yaml"
    assert shipped_path().stat().st_size < 200 * 1024
    assert len(SHIPPED.recipes) >= 10
    assert len(SHIPPED.models) >= 35


@pytest.mark.parametrize("name", SHIPPED.recipes)
def test_recipe_is_a_spec(name: str) -> None:
    spec = recipe(name)
    assert spec.data.train
    assert spec.data.test
    assert len(SHIPPED.recipes[name].spec.splitlines()) <= 50


def test_recipes_cover_every_modality_and_every_way_of_training() -> None:
    specs = [recipe(name) for name in SHIPPED.recipes]
    inputs = {part.type for spec in specs for part in spec.inputs.values()}
    assert inputs == {"zoo/image", "zoo/text", "zoo/audio", "zoo/vector", "zoo/sequence"}
    assert {spec.transfer.policy for spec in specs} == {"zoo/full", "zoo/frozen", "zoo/last"}
    assert {head.use for spec in specs for head in spec.heads.values()} == {"zoo/classifier", "zoo/regressor"}
    assert "image-text" in SHIPPED.recipes  # `zoo` alone recommends it


@pytest.mark.parametrize("name", SHIPPED.recipes)
def test_recipe_takes_pretrained_weights_that_have_a_card(name: str) -> None:
    towers = [part.backbone for part in recipe(name).inputs.values() if isinstance(part.backbone, Backbone)]
    assert {tower.use for tower in towers if tower.weights == "pretrained"} <= set(SHIPPED.models)


def test_recipe_of_three_modalities_leaves_some_out_in_training() -> None:
    spec = recipe("image-text-audio")
    assert {part.type for part in spec.inputs.values()} == {"zoo/image", "zoo/text", "zoo/audio"}
    assert spec.fusion is not None
    assert spec.fusion.use == "zoo/token-transformer"
    assert spec.balance.drop > 0


@pytest.mark.parametrize("name", SHIPPED.models)
def test_model_is_a_backbone_of_its_modality(name: str) -> None:
    card = SHIPPED.models[name]
    entry = resolved(card)
    assert card.use == name
    assert entry.pretrained
    assert set(card.modality) <= set(entry.component.modality)
    if entry.record:
        assert set(card.modality) == set(entry.component.modality)


@pytest.mark.parametrize("name", SHIPPED.models)
def test_model_agrees_with_the_index_of_its_plugin(name: str) -> None:
    card, record = SHIPPED.models[name], resolved(SHIPPED.models[name]).record
    for fact in ("parameters", "dim", "input", "license", "weights"):
        if fact in record and getattr(card, fact) is not None:
            assert getattr(card, fact) == record[fact], fact
    if name.startswith("timm/") and "data" in record:
        titles = [SHIPPED.datasets[data].title for data in card.data]
        assert titles == record["data"].replace(", then ", " and ").split(" and ")


def test_every_data_set_has_a_card_and_every_card_is_used() -> None:
    named = {data for card in SHIPPED.models.values() for data in card.data}
    assert named == set(SHIPPED.datasets)
    assert len({card.title for card in SHIPPED.datasets.values()}) == len(SHIPPED.datasets)


def test_texts_fit_their_tables() -> None:
    told = [entry.summary for entry in SHIPPED.recipes.values()] + [card.summary for card in SHIPPED.models.values()]
    assert [summary for summary in told if len(summary) > 110 or not summary.endswith(".")] == []


def test_entries_of_an_overlay_win_by_name(tmp_path: Path) -> None:
    name = "timm/resnet50.a1_in1k"
    first = overlay(tmp_path, f"catalogue: 1\nmodels:\n  {name}:\n{CARD}  mine:\n{CARD}")
    found = Catalogue([shipped_path(), first])
    assert found.models[name].summary == "Mine."
    assert found.models[name].parameters is None  # the whole entry is replaced
    assert set(found.models) == {*SHIPPED.models, "mine"}
    assert found.recipes == SHIPPED.recipes
    assert Catalogue([first, shipped_path()]).models[name] == SHIPPED.models[name]


def test_overlays_are_the_own_catalogue_and_then_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overlay_paths() == []
    own = tmp_path / "home" / "registry.yaml"
    own.parent.mkdir()
    own.write_text("catalogue: 1\n", encoding="utf-8")
    named = overlay(tmp_path, f"catalogue: 1\nmodels:\n  mine:\n{CARD}")
    assert overlay_paths() == [own]
    monkeypatch.setenv("ZOO_REGISTRY", f"{named}{os.pathsep}{own}")
    assert overlay_paths() == [own, named, own]
    assert "mine" in catalogue().models


def test_a_missing_overlay_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.yaml"
    monkeypatch.setenv("ZOO_REGISTRY", str(missing))
    with pytest.raises(UsageError, match=r"missing\.yaml"):
        overlay_paths()
    with pytest.raises(SystemExit) as caught:
        main(["list", "models"])
    assert caught.value.code == 2
    assert str(missing) in capsys.readouterr().err


def test_a_wrong_overlay_ends_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = overlay(tmp_path, "catalogue: 1\nmodel: {}\n")
    monkeypatch.setenv("ZOO_REGISTRY", str(path))
    with pytest.raises(SystemExit) as caught:
        main(["show", "image", "--yaml"])
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"{path}:2:1: unknown key `model`")
    assert "did you mean `models`?" in told.err


def test_everything_unknown_in_an_overlay_is_an_error_at_its_place(tmp_path: Path) -> None:
    text = f"""\
catalogue: 1
recipes:
  a/b:
    task: classification
    sumary: A typo.
    spec: x
models:
  mine:
{CARD.replace("[image]", "[]")}    parameters: 0
datasets:
  d:
    title: D
    samples: many
    domain: letters
    license: mit
    source: me
extra: 1
"""
    found = problems(overlay(tmp_path, text))
    assert [(line, column) for line, column, _ in found] == [(3, 3), (5, 5), (10, 15), (16, 17), (20, 14), (24, 1)]
    messages = [message for _, _, message in found]
    for message, word in zip(
        messages, ("summary", "sumary", "modality", "parameters", "samples", "extra"), strict=True
    ):
        assert word in message


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("catalogue: 2\n", (1, 12), "catalogue"),
        ("models: {}\n", (1, 1), "catalogue"),
        ("[]\n", (1, 1), "catalogue"),
        ("", (1, 1), "catalogue"),
        ("catalogue: 1\nrecipes:\n  'no name': {task: t, summary: s, spec: x}\n", (3, 3), "no name"),
        ("catalogue: 1\nrecipes:\n  a: &a {task: t, summary: s, spec: x}\n", (3, 6), "anchor"),
        ("catalogue: 1\nrecipes: !!map {}\n", (2, 10), "tag"),
        ("catalogue: 1\ncatalogue: 1\n", (2, 1), "already"),
    ],
)
def test_wrong_catalogue(text: str, place: tuple[int, int], word: str, tmp_path: Path) -> None:
    found = problems(overlay(tmp_path, text))
    assert [(line, column) for line, column, _ in found] == [place]
    assert word in found[0][2]


def test_unknown_entry_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        printed("show", "imagetext")
    assert caught.value.suggestion == "image-text"


def test_list_models_prints_json_with_every_fact() -> None:
    rows: list[dict[str, Any]] = json.loads(printed("list", "models", "--json"))
    assert [row["name"] for row in rows] == list(SHIPPED.models)
    resnet = next(row for row in rows if row["name"] == "timm/resnet50.a1_in1k")
    assert resnet["kind"] == "model"
    assert (resnet["parameters"], resnet["license"], resnet["data"]) == (23508032, "apache-2.0", ["imagenet-1k"])


@pytest.mark.parametrize(
    ("name", "domain", "classes"),
    [
        ("timm/resnet50.a1_in1k", "photographs of objects and animals", 1000),
        (
            "transformers/MIT/ast-finetuned-audioset-10-10-0.4593",
            "photographs of objects and animals; sounds of all kinds, from YouTube",
            527,
        ),
        ("torchaudio/wav2vec2_base", "read English speech: audiobooks", None),
    ],
)
def test_a_model_is_of_the_domains_of_its_data(name: str, domain: str, classes: int | None) -> None:
    (row,) = [row for row in json.loads(printed("list", "models", "--json")) if row["name"] == name]
    shown = json.loads(printed("show", name, "--json"))
    assert (row["domain"], row["classes"]) == (shown["domain"], shown["classes"]) == (domain, classes)
    assert domain in printed("show", name)


def test_list_of_data_sets_tells_size_classes_and_licence() -> None:
    (line,) = [line for line in printed("list", "datasets").splitlines() if line.startswith("audioset ")]
    for told in ("2,084,320 clips", " 527 ", "cc-by-4.0 (labels", "sounds of all kinds"):
        assert told in line


def test_list_models_takes_a_pattern() -> None:
    rows = json.loads(printed("list", "models", "dinov2", "--json"))
    assert [row["name"] for row in rows] == [name for name in SHIPPED.models if "dinov2" in name]
    with pytest.raises(UnknownName, match="no model matches"):
        printed("list", "models", "nothing-of-the-sort")


def test_list_recipes_prints_one_row_each() -> None:
    head, *rows = printed("list", "recipes").splitlines()
    assert head.split() == ["recipe", "task", "summary"]
    assert [row.split()[0] for row in rows] == list(SHIPPED.recipes)


@pytest.mark.parametrize("name", SHIPPED.recipes)
def test_shown_recipe_becomes_a_spec_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(printed("show", name, "--yaml"), encoding="utf-8")
    spec = load_spec(path)
    assert spec.name == "spec"
    assert spec.inputs == recipe(name).inputs
    assert spec.heads == recipe(name).heads


@pytest.mark.parametrize("name", ["timm/resnet50.a1_in1k", "transformers/sentence-transformers/all-MiniLM-L6-v2"])
def test_shown_model_tells_its_data(name: str) -> None:
    shown = json.loads(printed("show", name, "--json"))
    card = SHIPPED.models[name]
    assert (shown["kind"], shown["name"], shown["use"]) == ("model", name, card.use)
    assert [data["title"] for data in shown["datasets"]] == [SHIPPED.datasets[data].title for data in card.data]
    text = printed("show", name)
    assert card.summary in text
    assert all(f"pretrained on {SHIPPED.datasets[data].title}" in text for data in card.data)


def test_data_without_a_card_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"catalogue: 1\nmodels:\n  mine:\n{CARD.replace('imagenet-1k', 'our-pictures')}"
    monkeypatch.setenv("ZOO_REGISTRY", str(overlay(tmp_path, text)))
    shown = json.loads(printed("show", "mine", "--json"))
    assert (shown["datasets"], shown["domain"], shown["classes"]) == (["our-pictures"], None, None)
    assert "pretrained on our-pictures" in printed("show", "mine")


def test_only_a_recipe_has_yaml() -> None:
    with pytest.raises(UsageError, match="zoo list recipes"):
        printed("show", "timm/resnet50.a1_in1k", "--yaml")


def test_the_catalogue_is_listed_without_any_library_of_models() -> None:
    code = (
        "import sys; from zoo.cli import cli; cli(['list', 'models', '--json'], standalone_mode=False);"
        "print(sorted({'torch', 'timm', 'transformers', 'torchaudio'} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.splitlines()[-1] == "[]"
