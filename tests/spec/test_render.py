"""The canonical form: it means the same, is its own canonical form, and tells where every value came from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.command import run
from tests.spec.strategies import Data, specs, unhurried
from tests.spec.wrong.case import GOOD
from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.document.write import lines_of, write_yaml
from zoo.spec.load import load_spec, read_spec
from zoo.spec.render import render_spec, spec_data, spec_origins
from zoo.spec.sections import Spec

GOLDEN = Path(__file__).parent / "golden.yaml"
EXAMPLE = """\
zoo: 1
name: product-mood
requires: {zoo-acme: ">=2"}                 # plugin distributions, checked with a ready pip line
inputs:
  photo:  {type: image, backbone: timm/resnet50, column: image}
  review: {type: text,  backbone: {use: transformers/google-bert/bert-base-uncased, weights: pretrained}, max_length: 128}
  voice:  {type: audio, backbone: torchaudio/wav2vec2_base, sample_rate: 16000, transfer: frozen}
  price:  {type: vector, backbone: zoo/mlp, columns: [price, weight]}
fusion: {use: zoo/token-transformer, layers: 2}
heads:
  mood:  {use: zoo/classifier, column: label, classes: [bad, fine, good]}
  stars: {use: zoo/regressor, column: stars, weight: 0.5}
transfer: {policy: full, layer_decay: 0.75, l2_sp: 0.01}   # which tensors move, and toward what
balance: {drop: 0.2, aux: 1.0}              # modality dropout, auxiliary heads
data:  {train: data/train.parquet, validation: 0.1, test: data/test.parquet}
train: {epochs: 5, batch_size: 32, precision: auto, seed: 0}            # optimisation
evaluate: {folds: 5, groups: customer}
hub: {repo: acme/product-mood, license: apache-2.0}
"""  # noqa: E501  # as it stands in the design
ORIGIN = re.compile(r"spec\.yaml:\d+|--set|default|default of [\w./-]+")


def load(text: str, *overrides: str) -> Spec:
    return read_spec(Source(text, "spec.yaml").checked(), overrides=overrides)


def leaves(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of what is no mapping, and no list that holds mappings or lists."""
    if isinstance(data, dict) and data:
        return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]
    if isinstance(data, list) and any(isinstance(item, (dict, list)) for item in data):
        return [leaf for index, item in enumerate(data) for leaf in leaves(item, (*path, index))]
    return [path]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Spec:
    """The design's example, on a machine where its plugin is installed."""
    monkeypatch.setattr("zoo.spec.requirements.version", lambda name: {"zoo-acme": "2.1.0"}[name])
    return load(EXAMPLE)


@unhurried
@given(specs())
def test_the_canonical_form_means_the_same(data: Data) -> None:
    spec = load(write_yaml(data))
    assert load(render_spec(spec)) == spec


@unhurried
@given(specs())
def test_the_canonical_form_is_its_own(data: Data) -> None:
    text = render_spec(load(write_yaml(data)))
    assert render_spec(load(text)) == text


@unhurried
@given(specs())
def test_origins_are_comments(data: Data) -> None:
    spec = load(write_yaml(data))
    text = render_spec(spec, origins=True)
    assert load(text) == spec
    assert len(text.splitlines()) == len(render_spec(spec).splitlines())


@unhurried
@given(specs())
def test_every_leaf_has_an_origin(data: Data) -> None:
    spec = load(write_yaml(data))
    origins = spec_origins(spec)
    assert list(origins) == leaves(spec_data(spec))
    assert all(ORIGIN.fullmatch(origin) for origin in origins.values())


@unhurried
@given(specs())
def test_origins_tell_the_right_line(data: Data) -> None:
    full = spec_data(load(write_yaml(data)))
    lines = {path: number for number, (_, path) in enumerate(lines_of(full), 1) if path}
    origins = spec_origins(load(write_yaml(full)))
    assert {path: origins[path] for path in lines if path in origins} == {
        path: f"spec.yaml:{line}" for path, line in lines.items() if path in origins
    }
    assert len(lines) == len(origins)


@unhurried
@given(specs())
def test_what_is_written_is_what_is_rendered(data: Data) -> None:
    """Every leaf that the spec writes in full stands unchanged in the canonical form."""
    spec = load(write_yaml(data))
    origins, canonical = spec_origins(spec), spec_data(spec)
    for section in ("balance", "train", "evaluate", "hub"):
        for key, value in data.get(section, {}).items():
            assert canonical[section][key] == value
            assert origins[section, key].startswith("spec.yaml:")


@unhurried
@given(specs())
def test_the_data_is_plain(data: Data) -> None:
    told = spec_data(load(write_yaml(data)))
    assert json.loads(json.dumps(told)) == told
    assert plain(parse(Source(render_spec(load(write_yaml(data))), "spec.yaml"))) == told


def test_origins_of_short_forms_and_defaults() -> None:
    text = """\
inputs:
  photo:
    type: image
    backbone: timm/resnet50
  price: {type: vector,
    backbone: {use: zoo/mlp}, columns: [a]}
heads:
  mood: zoo/classifier
transfer: last:2
data:
  train:
    - a.csv
    - path: b.csv
      weight: 2
"""
    origins = spec_origins(load(text, "train.epochs=3", "heads.mood.weight=2"))
    told = {
        ("zoo",): "default",
        ("name",): "default",
        ("inputs", "photo", "type"): "spec.yaml:3",
        ("inputs", "photo", "channels"): "default of zoo/image",
        ("inputs", "photo", "column"): "default",
        ("inputs", "photo", "backbone", "use"): "spec.yaml:4",
        ("inputs", "photo", "backbone", "weights"): "default",
        ("inputs", "photo", "backbone", "pool"): "default of timm/resnet50",
        ("inputs", "price", "columns"): "spec.yaml:6",
        ("inputs", "price", "backbone", "weights"): "default of zoo/mlp",
        ("fusion", "use"): "default",
        ("fusion", "layers"): "default of zoo/token-transformer",
        ("heads", "mood", "use"): "spec.yaml:8",
        ("heads", "mood", "weight"): "--set",
        ("transfer", "policy"): "spec.yaml:9",
        ("transfer", "groups"): "spec.yaml:9",
        ("data", "train", 0, "path"): "spec.yaml:12",
        ("data", "train", 0, "weight"): "default",
        ("data", "train", 1, "weight"): "spec.yaml:14",
        ("train", "epochs"): "--set",
        ("train", "seed"): "default",
        ("hub", "repo"): "default",
    }
    assert {path: origins[path] for path in told} == told


@pytest.mark.parametrize("classes", ["[no, yes]", "[010, 1.0]", "['a, b', 'null']", "['Null', ~x, '']", "[12:30, 1e3]"])
def test_class_names_are_texts(classes: str) -> None:
    text = GOOD.replace("zoo/classifier", f"{{use: zoo/classifier, classes: {classes}}}")
    names = [name.strip(" '") for name in re.split(r",(?! b)", classes.strip("[]"))]
    assert load(text).heads["mood"].options.classes == names
    assert load(render_spec(load(text))).heads["mood"].options.classes == names


def test_a_file_name_cannot_end_the_comment(tmp_path: Path) -> None:
    path = tmp_path / "a\nhub: {repo: evil\u2028x.yaml"
    path.write_text(GOOD)
    spec = load_spec(path)
    assert load(render_spec(spec, origins=True)) == spec


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mood.yaml", "mood"),
        ("my spec.yaml", "my-spec"),
        ("größe.yml", "gr-e"),
        ("-.yaml", "model"),
        ("日本.yaml", "model"),
    ],
)
def test_the_name_is_the_files_unless_said(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(GOOD)
    assert load_spec(tmp_path / file).name == name


def test_example_of_the_design(example: Spec) -> None:
    assert render_spec(example) == GOLDEN.read_text(encoding="utf-8")


def test_golden_form_loads(example: Spec) -> None:
    assert load(GOLDEN.read_text(encoding="utf-8")) == example


def test_every_value_of_the_example_comes_from_its_line(example: Spec) -> None:
    lines = EXAMPLE.splitlines()
    for path, origin in spec_origins(example).items():
        if origin.startswith("spec.yaml:"):
            assert str(path[0] if len(path) < 3 else path[1]) in lines[int(origin.partition(":")[2]) - 1]


def test_render_in_words_and_in_json(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD)
    spec = load_spec(path, overrides=["train.epochs=3"])
    assert run("spec", "render", path, "--set", "train.epochs=3").stdout == render_spec(spec, origins=True)
    assert run("spec", "render", path, "--set", "train.epochs=3", "--no-origins").stdout == render_spec(spec)
    told = json.loads(run("spec", "render", path, "--set", "train.epochs=3", "--json").stdout)
    assert told["spec"] == spec_data(spec)
    assert told["origins"]["train.epochs"] == "--set"
    assert told["origins"]["inputs.photo.type"] == "spec.yaml:3"


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
def test_json_has_no_number_that_json_does_not_know(number: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD.replace("timm/resnet50}", f"{{use: timm/resnet50, model: {{a: [{number}]}}}}}}"))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(run("spec", "render", path, "--json").stdout, parse_constant=refuse)
