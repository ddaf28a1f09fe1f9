"""Data sets that zoo makes: Parquet files with embedded pictures and sounds, and a card as the Hub reads it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from zoo.checkpoint.folder import complete_or_absent
from zoo.document.write import write_yaml

CARD = "README.md"


def write_made(
    folder: Path, splits: Mapping[str, Iterable[Mapping[str, Any]]], schema: pa.Schema, card: "Card"
) -> dict[str, int]:
    """Writes a Parquet file for each split, and the card, into a new folder.

    Args:
        folder: The folder, complete in the end or absent.
        splits: Rows by the split's name; they may be made as they are asked for.
        schema: Their columns.
        card: What is told of them.

    Returns:
        Rows of each split.

    Raises:
        ConflictError: Something is in the folder already.
        UsageError: It cannot be written.
    """
    sizes = {}
    with complete_or_absent(folder) as beside:
        for name, rows in splits.items():
            table = pa.Table.from_pylist(list(rows), schema)
            parquet.write_table(table, beside / f"{name}.parquet")
            sizes[name] = len(table)
        (beside / CARD).write_text(card.text(sizes), encoding="utf-8")
    return sizes


class Card:
    """A dataset card: metadata of the Hub, then words.

    Args:
        title: Name of the data set.
        words: Markdown; `{sizes}` in it becomes the table of splits.
        tasks: Task categories, as the Hub names them.
        licence: As the Hub names it.
        kinds: Columns that hold files, with what they are: `image` or `audio`.
        schema: All columns.
    """

    def __init__(
        self,
        title: str,
        words: str,
        *,
        tasks: Sequence[str],
        licence: str,
        kinds: Mapping[str, str],
        schema: pa.Schema,
    ) -> None:
        self.title, self.words, self.tasks, self.licence = title, words, list(tasks), licence
        self.features = [_feature(field, kinds.get(field.name)) for field in schema]

    def text(self, sizes: Mapping[str, int]) -> str:
        """The card of splits with so many rows."""
        files = [{"split": name, "path": f"{name}.parquet"} for name in sizes]
        total = sum(sizes.values())
        metadata = {
            "pretty_name": self.title,
            "license": self.licence,
            "task_categories": self.tasks,
            "tags": ["synthetic", "multimodal"],
            "size_categories": ["n<1K" if total < 1000 else "1K<n<10K" if total < 10_000 else "10K<n<100K"],
            "configs": [{"config_name": "default", "data_files": files}],
            "dataset_info": {"features": self.features},
        }
        rows = "\n".join(f"| `{name}.parquet` | {size} |" for name, size in sizes.items())
        words = self.words.replace("{sizes}", f"| split | rows |\n|---|---|\n{rows}")
        return f"---\n{write_yaml(metadata)}---\n# {self.title}\n\n{words}"


_TYPES = {"double": "float64", "int64": "int64", "string": "string", "bool": "bool"}


def _feature(field: pa.Field, kind: str | None) -> dict[str, Any]:
    """A column as the Hub's metadata tell it."""
    return {"name": field.name, **({"dtype": kind} if kind else _type(field.type))}


def _type(type_: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(type_):
        inner = _type(type_.value_type)
        return {"list": inner.get("dtype", inner)}
    return {"dtype": _TYPES[str(type_)]}
