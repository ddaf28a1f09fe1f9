"""What a card tells to type."""

from pathlib import Path

from zoo.model.marks import with_section
from zoo.model.use import BEGIN, END, sample_cells, use_section
from zoo.spec.load import load_spec
from zoo.spec.sections import Spec

SPEC = """\
inputs:
  photo: {type: image, backbone: {use: timm/resnet18, weights: none}}
  row: {type: vector, columns: [age, region], categories: [region], backbone: zoo/mlp}
  list: {type: vector, backbone: zoo/mlp}
  steps: {type: sequence, backbone: zoo/gru}
  note: {type: text, backbone: zoo/text-cnn}
fusion: zoo/concat
heads: {y: zoo/classifier}
"""
FITTED = {
    "inputs": {
        "row": {"means": [41.23, 0], "categories": {"region": ["north", "south"]}},
        "list": {"means": [1.0, 0.25]},
        "steps": {"means": [3.14159]},
    }
}


def spec(folder: Path) -> Spec:
    (folder / "spec.yaml").write_text(SPEC)
    return load_spec(folder / "spec.yaml")


def test_cells_are_of_the_modality_of_their_input(tmp_path: Path) -> None:
    assert sample_cells(spec(tmp_path), FITTED) == {
        "photo": "photo.png",
        "row": {"age": 41.2, "region": "north"},
        "list": [1.0, 0.25],
        "steps": [[3.14], [3.14]],
        "note": "some text",
    }


def test_lines_name_plugins_with_their_versions_and_quote_what_a_shell_would_read(tmp_path: Path) -> None:
    told = use_section(spec(tmp_path), FITTED, {"zoo": "0.1.0", "zoo-acme": "1.2"}, "acme/mood", "mood")
    lines = told.splitlines()
    assert "pip install zoo zoo-acme==1.2" in lines and "zoo pull acme/mood -o mood" in lines
    words = "photo=photo.png age=41.2 region=north list='[1.0, 0.25]' steps='[[3.14], [3.14]]' note='some text'"
    assert f"zoo predict mood {words}" in lines
    assert "`photo.png` stands for a file of yours." in lines


def test_what_stands_beside_the_section_is_kept() -> None:
    card = f"# Mine\n\n{BEGIN}\nold\n{END}\n\nwords\n"
    assert with_section(card, f"{BEGIN}\nnew \\1\n{END}") == f"# Mine\n\n{BEGIN}\nnew \\1\n{END}\n\nwords\n"
    assert with_section("# Mine\n", f"{BEGIN}\nnew\n{END}") == "# Mine\n"
