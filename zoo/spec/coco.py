"""COCO's JSON: pictures with boxes and categories, or with captions (Lin et al. 2014, "Microsoft COCO")."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.errors import UsageError, listed
from zoo.spec.sources import TableSource

EDGE = 1.0
"""Pixels by which a box may stand over its picture's edge: some tools count the last pixel."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Coco(TableSource):
    """A file of annotations, a row for each picture.

    Columns: `image`, its path; `width` and `height`; `boxes`, a list of `[x, y, width, height]` in pixels, and
    `labels`, the names of their categories; `crowd`, a list of 0 and 1, where any box is of a crowd; `captions`, a list
    of texts. Those that the file has nothing of are left out. A picture without boxes has empty lists, one without
    captions a null.

    Args:
        path: The file.
    """

    path: Path

    @property
    def folder(self) -> Path:
        """The folder of the pictures: the first near the file that has the first picture.

        Looked at are the file's own folder and the one above, `images` in either, and in all of these a folder of the
        split's name: `train` for `instances_train.json`.

        Raises:
            UsageError: No such folder has it.
        """
        first = self._images[0]["file_name"]
        split = self.path.stem.rpartition("_")[2]
        near = [each / inner for each in (self.path.parent, self.path.parent.parent) for inner in (".", "images")]
        places = [place for each in near for place in (each / split, each)]
        for place in places:
            if (place / first).is_file():
                return place
        raise UsageError(f"`{self.path}`: its first picture, `{first}`, is in none of {listed(map(str, places))}")

    @cached_property
    def cells(self) -> dict[str, list[Any]]:
        """The cells of each column, a picture after the other as the file has them.

        Raises:
            UsageError: The file is not what COCO says, or an annotation is wrong; the message names the first one's id.
        """
        rows, categories = self._rows(), self._categories()
        problems = []
        for annotation in self._content["annotations"]:
            try:
                _add(rows, categories, annotation)
            except (ValueError, TypeError) as error:  # a list where a number should be
                problems.append(f"annotation {_id(annotation)} {error}")
        if problems:
            more = f"; and {len(problems) - 1} more annotations are wrong" if len(problems) > 1 else ""
            raise UsageError(f"`{self.path}`: {problems[0]}{more}")
        return dict(_columns(list(rows.values()), [each["file_name"] for each in self._images]))

    def header(self) -> list[str]:
        """The columns that it has something of."""
        return list(self.cells)

    def files(self) -> list[Path]:
        """The file, and the pictures that are there."""
        pictures = {self.folder / each["file_name"] for each in self._images}
        return [self.path, *sorted(each for each in pictures if each.is_file())]

    @property
    def ids(self) -> list[int]:
        """The id of each row's image."""
        return [each["id"] for each in self._images]

    @cached_property
    def _content(self) -> Mapping[str, Any]:
        try:
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"`{self.path}` cannot be read as COCO's JSON: {error}") from None
        for key in ("images", "annotations"):
            found = content.get(key) if isinstance(content, dict) else None
            if not isinstance(found, list):
                told = "save a table as .jsonl, with a row on each line"
                raise UsageError(f"`{self.path}` is no COCO file: it has no list `{key}`; {told}")
            if not all(isinstance(each, dict) for each in found):
                raise UsageError(f"`{self.path}`: an entry of `{key}` is no mapping")
        return content  # type: ignore[no-any-return]  # looked at above

    @cached_property
    def _images(self) -> list[Row]:
        images: list[Row] = self._content["images"]
        if not images:
            raise UsageError(f"`{self.path}` has no images")
        for number, each in enumerate(images):
            for key, kind in (("id", int), ("file_name", str)):
                if not isinstance(each.get(key), kind):
                    raise UsageError(f"`{self.path}`: image {_id(each, number)} has no `{key}`")
        return images

    def _rows(self) -> dict[int, Row]:
        """A row for each image, by its id."""
        rows: dict[int, Row] = {}
        for each in self._images:
            if each["id"] in rows:
                raise UsageError(f"`{self.path}`: two images have the id {each['id']}")
            rows[each["id"]] = {"width": each.get("width"), "height": each.get("height"), "boxes": [], "captions": []}
        return rows

    def _categories(self) -> dict[int, str]:
        categories = self._content.get("categories", [])
        try:
            return {each["id"]: str(each["name"]) for each in categories}
        except (KeyError, TypeError):
            raise UsageError(f"`{self.path}`: a category has no `id` or no `name`") from None


def _add(rows: Mapping[int, Row], categories: Mapping[int, str], annotation: Row) -> None:
    """Adds an annotation to its image's row.

    Raises:
        ValueError: It is wrong.
    """
    row = rows.get(annotation.get("image_id", ""))
    if row is None:
        raise ValueError(f"is of the image {annotation.get('image_id')}, which is none of `images`")
    if "bbox" not in annotation and "caption" not in annotation:
        raise ValueError("has neither `bbox` nor `caption`")
    if "caption" in annotation:
        if not isinstance(annotation["caption"], str):
            raise ValueError(f"has a `caption` that is no text: {annotation['caption']!r}")
        row["captions"].append(annotation["caption"])
    if "bbox" in annotation:
        category = annotation.get("category_id", "")
        if category not in categories:
            raise ValueError(f"is of the category {category}, which is none of `categories`")
        row["boxes"].append((_box(annotation["bbox"], row), categories[category], int(annotation.get("iscrowd", 0))))


def _box(box: Any, row: Row) -> list[float]:
    """A box inside its picture.

    Raises:
        ValueError: It is none.
    """
    numbers = isinstance(box, list) and len(box) == 4 and all(type(each) in (int, float) for each in box)
    if not numbers:
        raise ValueError(f"has a `bbox` that is no [x, y, width, height]: {box!r}")
    x, y, width, height = box
    if not (width > 0 and height > 0):
        raise ValueError(f"has a box without area: {box}")
    right, bottom = row["width"], row["height"]
    over = right is not None and bottom is not None and (x + width > right + EDGE or y + height > bottom + EDGE)
    if over or not (x >= -EDGE and y >= -EDGE):
        raise ValueError(f"has a box outside its picture of {right} x {bottom} pixels: {box}")
    return [float(each) for each in box]


def _columns(rows: list[Row], names: list[str]) -> Iterator[tuple[str, list[Any]]]:
    yield "image", names
    for size in ("width", "height"):
        if all(type(row[size]) is int for row in rows):
            yield size, [row[size] for row in rows]
    if any(row["boxes"] for row in rows) or not any(row["captions"] for row in rows):
        yield "boxes", [[box for box, _, _ in row["boxes"]] for row in rows]
        yield "labels", [[label for _, label, _ in row["boxes"]] for row in rows]
    if any(crowd for row in rows for *_, crowd in row["boxes"]):
        yield "crowd", [[crowd for *_, crowd in row["boxes"]] for row in rows]
    if any(row["captions"] for row in rows):
        yield "captions", [row["captions"] or None for row in rows]


def _id(entry: Row, number: int | None = None) -> str:
    """What an entry is called: its id, else its number, from 1."""
    return str(entry["id"]) if "id" in entry else f"number {(number or 0) + 1}"
