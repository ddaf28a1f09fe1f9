"""Licences of bases beside that of the model."""

from pathlib import Path
from typing import Any

import pytest

from zoo.spec import licences
from zoo.spec.licences import licence_remarks
from zoo.spec.load import load_spec


def remarks(folder: Path, monkeypatch: pytest.MonkeyPatch, base: str | None, own: str | None) -> list[str]:
    (folder / "t.csv").write_text("photo,y\n")
    lines = ["inputs: {photo: {type: image, backbone: timm/resnet50}}", "heads: {y: zoo/classifier}"]
    lines += ["data: {train: t.csv}", *([f"hub: {{license: {own}}}"] if own else [])]
    (folder / "spec.yaml").write_text("\n".join(lines) + "\n")
    found: Any = {"timm/resnet50": base}
    monkeypatch.setattr(licences, "licences", lambda spec: found)
    return list(licence_remarks(load_spec(folder / "spec.yaml")))


@pytest.mark.parametrize(
    ("base", "own", "told"),
    [
        ("apache-2.0", None, None),
        ("mit", "apache-2.0", None),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", None),
        ("cc-by-nc-4.0", "apache-2.0", "forbids commercial use: `hub.license: apache-2.0` does not keep that"),
        ("cc-by-nc-4.0", None, "forbids commercial use: a model without a licence"),
        ("cc-by-sa-4.0", "mit", "wants the same licence"),
        ("gpl-3.0", "mit", "wants the same licence"),
        ("agpl-3.0", "agpl-3.0", None),
        ("gpl-3.0", "agpl-3.0", None),
        ("agpl-3.0", "gpl-3.0", "wants the same licence"),
        (None, "mit", "nobody here knows the licence of timm/resnet50"),
    ],
)
def test_where_a_licence_does_not_keep_what_a_base_wants_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str | None, own: str | None, told: str | None
) -> None:
    found = remarks(tmp_path, monkeypatch, base, own)
    assert len(found) == (told is not None)
    assert all(told in each for each in found if told is not None)


def test_licences_are_those_of_the_index_and_of_the_cards(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("photo,note,y\n")
    (tmp_path / "spec.yaml").write_text(
        "inputs:\n  photo: {type: image, backbone: timm/resnet50}\n"
        "  note: {type: text, backbone: transformers/google-bert/bert-base-uncased}\n"
        "fusion: zoo/concat\nheads: {y: zoo/classifier}\ndata: {train: t.csv}\n"
    )
    found = licences.licences(load_spec(tmp_path / "spec.yaml"))
    assert found == {"timm/resnet50": "apache-2.0", "transformers/google-bert/bert-base-uncased": "apache-2.0"}
