"""Files of COCO's form, and what is told of those that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import UsageError
from zoo.spec.coco import Coco
from zoo.spec.sources import locate

IMAGES = [
    {"id": 7, "file_name": "a.jpg", "width": 64, "height": 48},
    {"id": 3, "file_name": "b.jpg", "width": 32, "height": 32},
]
CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 9, "name": "dog"}]
BOXES = [
    {"id": 1, "image_id": 7, "category_id": 9, "bbox": [0, 0, 64, 48]},
    {"id": 2, "image_id": 7, "category_id": 1, "bbox": [1.5, 2, 3, 4.5]},
]


def write(path: Path, **content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def cells(path: Path) -> dict[str, list[Any]]:
    source = locate(path)
    assert isinstance(source, Coco)
    assert source.header() == list(source.cells)
    return source.cells


def test_boxes_with_the_names_of_their_categories(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", images=IMAGES, annotations=BOXES, categories=CATEGORIES)
    assert cells(path) == {
        "image": ["a.jpg", "b.jpg"],
        "width": [64, 32],
        "height": [48, 32],
        "boxes": [[[0.0, 0.0, 64.0, 48.0], [1.5, 2.0, 3.0, 4.5]], []],
        "labels": [["dog", "cat"], []],
    }


def test_captions(tmp_path: Path) -> None:
    told = [{"id": number, "image_id": 7, "caption": text} for number, text in enumerate(["a cat", "an animal"])]
    images = [{"id": each["id"], "file_name": each["file_name"]} for each in IMAGES]
    path = write(tmp_path / "a.json", images=images, annotations=told)
    assert cells(path) == {"image": ["a.jpg", "b.jpg"], "captions": [["a cat", "an animal"], None]}


def test_boxes_of_crowds_are_told_apart(tmp_path: Path) -> None:
    crowd = [BOXES[0], {**BOXES[1], "iscrowd": 1}]
    path = write(tmp_path / "a.json", images=IMAGES, annotations=crowd, categories=CATEGORIES)
    assert cells(path)["crowd"] == [[0, 1], []]


def test_pictures_without_any_box(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", images=IMAGES, annotations=[], categories=CATEGORIES)
    assert cells(path)["boxes"] == [[], []]


@pytest.mark.parametrize(
    "place",
    [
        "annotations/a.jpg",
        "annotations/train/a.jpg",
        "annotations/images/a.jpg",
        "images/train/a.jpg",
        "train/a.jpg",
        "images/a.jpg",
        "a.jpg",
    ],
)
def test_pictures_are_found_near_the_file(place: str, tmp_path: Path) -> None:
    path = write(tmp_path / "annotations" / "instances_train.json", images=IMAGES, annotations=[])
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    source = locate(path)
    assert source.folder.resolve() == (tmp_path / place).parent
    assert [each.resolve() for each in source.files()] == [path, tmp_path / place]


def test_pictures_that_are_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", images=IMAGES, annotations=[])
    with pytest.raises(UsageError, match=r"its first picture, `a\.jpg`, is in none of "):
        locate(path).folder  # noqa: B018


BOX = BOXES[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "is no COCO file: it has no list `images`"),
        ({"images": IMAGES}, "it has no list `annotations`"),
        ({"images": IMAGES, "annotations": [1]}, "an entry of `annotations` is no mapping"),
        ({"images": [], "annotations": []}, "has no images"),
        ({"images": [{"id": 5}], "annotations": []}, "image 5 has no `file_name`"),
        ({"images": [{"file_name": "a"}], "annotations": []}, "image number 1 has no `id`"),
        ({"images": [IMAGES[0]] * 2, "annotations": []}, "two images have the id 7"),
        ({"categories": [{"id": 1}]}, "a category has no `id` or no `name`"),
        ({"annotations": [{**BOX, "image_id": 8}]}, "annotation 1 is of the image 8, which is none of `images`"),
        ({"annotations": [{**BOX, "image_id": []}]}, "annotation 1 "),
        ({"annotations": [{**BOX, "category_id": 2}]}, "annotation 1 is of the category 2, which is none of"),
        ({"annotations": [{"id": 4, "image_id": 7}]}, "annotation 4 has neither `bbox` nor `caption`"),
        ({"annotations": [{"id": 4, "image_id": 7, "caption": 1}]}, "annotation 4 has a `caption` that is no text: 1"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 3]}]}, "annotation 1 has a `bbox` that is no [x, y, width, height]"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 0, 3]}]}, "annotation 1 has a box without area: [1, 2, 0, 3]"),
        ({"annotations": [{**BOX, "bbox": [60, 0, 10, 3]}]}, "annotation 1 has a box outside its picture of 64 x 48"),
        ({"annotations": [{**BOX, "bbox": [-9, 0, 10, 3]}]}, "annotation 1 has a box outside its picture"),
        ({"annotations": [{**BOX, "bbox": [float("nan"), 0, 1, 3]}]}, "annotation 1 has a box outside its picture"),
        (
            {"annotations": [BOX, {**BOX, "id": 5, "image_id": 0}, {**BOX, "id": 6, "image_id": 0}]},
            "annotation 5 is of the image 0, which is none of `images`; and 1 more annotations are wrong",
        ),
    ],
)
def test_wrong_files(content: Any, told: str, tmp_path: Path) -> None:
    whole = {"images": IMAGES, "annotations": BOXES, "categories": CATEGORIES}
    if isinstance(content, dict):
        content = content if "images" in content else {**whole, **content}
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(UsageError) as caught:
        locate(tmp_path / "a.json").header()
    assert f"`{tmp_path / 'a.json'}`" in str(caught.value)
    assert told in str(caught.value)


def test_what_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"images": ')
    with pytest.raises(UsageError, match="cannot be read as COCO's JSON"):
        locate(tmp_path / "a.json").header()
