import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from tests.command import run
from zoo.data.shapes.make import blind_accuracy, make_shapes
from zoo.data.shapes.picture import picture
from zoo.data.shapes.scene import COLOURS, HELD_OUT, SHAPES, SIDE, combinations, scene
from zoo.data.shapes.words import question

SPLITS = ("train", "validation", "test")
HELD = {f"{colour} {shape}" for colour, shape in HELD_OUT}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data") / "shapes"
    result = run("data", "make", "shapes", "--rows", "300", "-o", made, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows"] == {"train": 300, "validation": 30, "test": 60}
    assert result.stderr.endswith(f"next: zoo show shapes --yaml > {made.parent / 'shapes.yaml'}\n")
    return made


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {split: parquet.read_table(folder / f"{split}.parquet").to_pylist() for split in SPLITS}


@pytest.fixture(scope="module")
def rows(tables: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [row for table in tables.values() for row in table]


def test_the_same_bytes_are_written_each_time_and_others_by_another_seed(folder: Path, tmp_path: Path) -> None:
    make_shapes(tmp_path / "again", 300)
    make_shapes(tmp_path / "other", 300, seed=1)
    for name in (*(f"{split}.parquet" for split in SPLITS), "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_counts_boxes_and_labels_agree(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["count"] == len(row["boxes"]) == len(row["labels"]) == len(row["colours"])
        assert 1 <= row["count"] <= 4
        widths = [box[2] for box in row["boxes"]]
        assert row["largest"] == row["labels"][widths.index(max(widths))]
        assert sorted(widths)[-2:-1] <= [max(widths) - 2]


def test_boxes_are_what_is_drawn(rows: list[dict[str, Any]]) -> None:
    """All that is not the background lies in the boxes, and touches their sides."""
    for row in rows[:80]:
        image = Image.open(BytesIO(row["image"]))
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (SIDE, SIDE))
        pixels = np.asarray(image)
        ink = (pixels != pixels[0, 0]).any(2)
        for left, top, width, height in np.array(row["boxes"], dtype=int).tolist():
            inside = ink[top : top + height, left : left + width]
            assert inside.any(0).all()
            assert inside.any(1).all()
            ink[top : top + height, left : left + width] = False
        assert not ink.any()


def test_captions_tell_everything(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["caption"] == row["captions"][0]
        wanted = sorted(f"{colour} {shape}" for colour, shape in zip(row["colours"], row["labels"], strict=True))
        for caption in row["captions"]:
            told = re.findall(rf"({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})", caption)
            assert sorted(map(" ".join, told)) == wanted
            assert caption[0].isupper()
            assert caption.endswith(".")


def test_combinations_that_are_held_out_stand_in_the_test_alone(tables: dict[str, list[dict[str, Any]]]) -> None:
    for split, table in tables.items():
        for row in table:
            told = {f"{colour} {shape}" for colour, shape in zip(row["colours"], row["labels"], strict=True)}
            assert bool(told & HELD) == row["novel"]
            written = " ".join([row["question"], *row["captions"]])
            assert row["novel"] or not any(each in written for each in HELD)
            assert split == "test" or not row["novel"]
    assert 15 < sum(row["novel"] for row in tables["test"]) < 45
    seen = {word for row in tables["train"] for word in (*row["labels"], *row["colours"])}
    assert seen == {*SHAPES, *COLOURS}


def test_answers_are_right() -> None:
    kinds: set[str] = set()
    for seed in range(400):
        random = np.random.default_rng(seed)
        things = scene(random, novel=seed % 2 == 0)
        asked, answer = question(things, seed % 2 == 0, random)
        words = re.findall(r"[a-z]+", asked.lower().replace("crosses", "cross"))
        named = [word.removesuffix("s") if word.removesuffix("s") in SHAPES else word for word in words]
        colour = next((word for word in named if word in COLOURS), None)
        shape = next((word for word in named if word in SHAPES), None)
        fitting = [each for each in things if colour in (None, each.colour) and shape in (None, each.shape)]
        kinds.add(words[0])
        if asked.startswith("Is"):
            assert answer == ("yes" if fitting else "no")
        elif asked.startswith("How many"):
            assert answer == str(len(fitting))
        elif asked.startswith("What colour"):
            assert [each.colour for each in fitting] == [answer]
        else:
            assert [each.shape for each in things if f"Which shape is {each.place}?" == asked] == [answer]
    assert kinds == {"is", "how", "what", "which"}


def test_every_cell_has_a_place_of_its_own() -> None:
    places = {
        (each.row, each.column): each.place
        for seed in range(60)
        for each in scene(np.random.default_rng(seed), novel=False)
    }
    assert len(places) == len(set(places.values())) == 9
    assert places[0, 2] == "at the top right"
    assert places[1, 1] == "in the middle"
    assert places[1, 0] == "on the left"
    assert places[2, 1] == "at the bottom"


def test_what_the_question_alone_reaches_is_on_the_card(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    blind = blind_accuracy(tables["train"], tables["test"])
    card = " ".join((folder / "README.md").read_text().split())
    assert 0.2 < blind < 0.7
    assert f"From the question alone, {blind:.1%} of the 60 test answers are right" in card
    assert "| `test.parquet` | 60 |" in card
    assert card.startswith("--- pretty_name: Coloured shapes")


def test_a_picture_depends_on_its_scene() -> None:
    first, second = (scene(np.random.default_rng(seed), novel=False) for seed in (1, 2))
    assert picture(first, np.random.default_rng(0)) != picture(second, np.random.default_rng(0))
    assert combinations(first) & HELD_OUT == set()


@pytest.mark.slow
def test_a_small_model_learns_from_it(tmp_path: Path) -> None:
    from zoo import train

    make_shapes(tmp_path / "shapes", 400)
    (tmp_path / "spec.yaml").write_text(SPEC)
    metrics = train(tmp_path / "spec.yaml").metrics
    assert metrics["heads"]["count"]["accuracy"]["value"] > 0.5  # chance is 0.25


SPEC = """\
inputs: {image: {type: image, backbone: {use: timm/resnet10t, weights: none, resolution: 72, depth: 3}}}
heads: {count: zoo/classifier}
data: {train: shapes/train.parquet, validation: shapes/validation.parquet, test: shapes/test.parquet}
train: {epochs: 6, batch_size: 32}
"""
