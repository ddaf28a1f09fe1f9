"""Proposes a spec for a table: which columns to learn from, with which parts, and why."""

import math
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from textwrap import wrap
from typing import Any

from zoo.document.write import write_yaml
from zoo.errors import UsageError, listed, nearest
from zoo.spec.edges import TAKEN
from zoo.spec.guess import Guess, guess
from zoo.spec.peek import Peek, peek
from zoo.spec.sources import locate
from zoo.spec.starts import PROPOSE, Section, Weights

CLASSES = 20
"""Most different whole numbers that are taken for classes."""


def propose(table: Path, target: str, weights: Weights, folder: Path) -> str:
    """The text of a spec that learns a column of a table from the others, with each guess as a comment.

    Args:
        table: A Parquet, CSV, TSV or JSON lines file, of which the first rows are looked at.
        target: The column to learn.
        weights: `pretrained` parts, or small ones that start at random (`none`) and need no network.
        folder: Where the spec will stand.

    Raises:
        UsageError: The table cannot be read or has no such column, or nothing can be learnt of it.
    """
    seen = peek(table)
    if target not in seen.cells:
        near = nearest(target, seen.cells)
        advice = f"did you mean `{near}`?" if near else f"its columns: {listed(seen.cells)}"
        raise UsageError(f"`{table}` has no column `{target}`; {advice}")
    head, why = _head(table, target, seen.cells[target])
    path = Path(os.path.relpath(table, folder)).as_posix()
    return "".join(
        [
            _comment(f"Proposed by `zoo init {table.name} --target {target}` from the first {seen.seen} rows.", 0),
            _comment("Each guess says what it was told by; change what is wrong, then run `zoo check`.", 0),
            write_yaml({"zoo": 1, "name": _name(table.stem, "model", "[^A-Za-z0-9_.-]+")}),
            "inputs:\n",
            *_inputs(table, target, seen, weights),
            "heads:\n",
            _entry(_slug(target, "target"), target, head, why),
            *_data(path, seen, weights),
        ]
    )


def _inputs(table: Path, target: str, seen: Peek, weights: Weights) -> Iterator[str]:
    """An input for each column with something to decode, one for all numbers and categories, and what is left out."""
    names: set[str] = set()
    facts: dict[Guess, list[str]] = {Guess.NUMBER: [], Guess.CATEGORY: []}
    left_out: list[str] = []
    folder = locate(table).folder
    for column, cells in seen.cells.items():
        if column == target:
            continue
        guessed = guess(column, cells)
        if guessed.kind in facts:
            facts[guessed.kind].append(column)
        elif guessed.kind in PROPOSE:
            proposal = PROPOSE[guessed.kind](cells, folder, weights)
            names.add(name := _slug(column, "input", taken=names))
            yield _entry(name, column, proposal.section, guessed.why, proposal.why)
        else:
            left_out.append(f"`{column}`: {guessed.why}")
    columns = [*facts[Guess.NUMBER], *facts[Guess.CATEGORY]]
    if columns:
        section = {"type": "vector", "columns": columns, "categories": facts[Guess.CATEGORY], "backbone": "zoo/mlp"}
        why = "numbers, and as `categories` texts of which there are few different ones"
        yield _entry(_slug("facts", "", taken=names), None, section, why)
    if not names and not columns:
        told = "; ".join(left_out) or "there is none"
        raise UsageError(f"`{table}`: no column beside `{target}` can be learnt from: {told}")
    yield from (_comment(f"left out: {line}", 1) for line in left_out)


def _head(table: Path, target: str, cells: Sequence[Any]) -> tuple[Section, str]:
    """The head that learns the target, and why this one.

    Raises:
        UsageError: No head learns such labels.
    """
    if cells and all(isinstance(cell, list) and all(isinstance(each, str) for each in cell) for cell in cells):
        counts = Counter(chain.from_iterable(cells))
        return {"use": "zoo/classifier", "multi_label": True}, f"lists of classes: {_counted(counts)}"
    if not all(isinstance(cell, (str, int, float)) for cell in cells):
        raise UsageError(f"`{table}`: no head learns the column `{target}`: {guess(target, cells).why}")
    counts = Counter(cells)
    if len(counts) < 2:
        raise UsageError(
            f"`{table}`: nothing can be learnt of the column `{target}`: it has {len(counts)} different cells"
        )
    if not any(isinstance(cell, (str, bool)) for cell in cells):
        whole = all(float(cell).is_integer() for cell in counts)
        if not whole or len(counts) > CLASSES or 2 * len(counts) > len(cells):
            return {"use": "zoo/regressor"}, f"numbers from {min(counts):g} to {max(counts):g}"
        why = f"few whole numbers, so classes: {_counted(counts)}; write zoo/regressor if they are amounts"
        return _classifier(counts), why
    if 2 * len(counts) > len(cells):
        told = f"{len(counts)} different texts in {len(cells)} rows"
        raise UsageError(f"`{table}`: no head learns the column `{target}`: {told} are no classes")
    return _classifier(counts), f"{len(counts)} classes: {_counted(counts)}"


def _classifier(counts: Counter[Any]) -> Section:
    rare = 10 * min(counts.values()) < max(counts.values())
    return {"use": "zoo/classifier", **({"class_weights": "balanced"} if rare else {})}


def _counted(counts: Counter[Any]) -> str:
    told = ", ".join(f"{name} {count}" for name, count in counts.most_common(8))
    return f"{told} and {len(counts) - 8} more" if len(counts) > 8 else told


def _data(path: str, seen: Peek, weights: Weights) -> Iterator[str]:
    """Table, split, and as many epochs as so many rows need."""
    yield _comment("a share of the rows chooses the best epoch; name a table under `test:` for the final number", 0)
    yield write_yaml({"data": {"train": path, "validation": 0.1 if seen.rows >= 500 else 0.2}})
    epochs = next(count for rows, count in ((1000, 20), (10_000, 10), (100_000, 5), (math.inf, 3)) if seen.rows < rows)
    yield _comment(
        f"about {seen.rows} rows" + ("; parts that start at random need more epochs" if weights == "none" else ""), 0
    )
    size = 32 if seen.rows >= 500 else 8
    yield write_yaml({"train": {"epochs": 2 * epochs if weights == "none" else epochs, "batch_size": size}})


def _entry(name: str, column: str | None, section: Section, *why: str) -> str:
    """A key of a section, with comments above it; the column is said where it has another name."""
    named = {"column": column} if column not in (None, name) else {}
    (selector, chosen), *rest = section.items()
    lines = write_yaml({name: {selector: chosen, **named, **dict(rest)}}).splitlines(keepends=True)
    return "".join([*(_comment(each, 1) for each in why if each), *(f"  {line}" for line in lines)])


def _comment(text: str, depth: int) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in text)
    start = "  " * depth + "# "
    return "".join(f"{line}\n" for line in wrap(plain, 100, initial_indent=start, subsequent_indent=start))


def _slug(text: str, otherwise: str, taken: Collection[str] = ()) -> str:
    """A name for a part, made from a text; with a number behind it if another part, or torch, has it already."""
    name, gone = _name(text, otherwise, "[^A-Za-z0-9_-]+"), {*taken, *TAKEN}
    return next(each for number in count(1) if (each := name if number == 1 else f"{name}_{number}") not in gone)


def _name(text: str, otherwise: str, strange: str) -> str:
    """A name that a spec admits, made from a text without what is strange in names."""
    name = re.sub(strange, "_", text).strip("_.-") or otherwise
    return name if name[0].isalpha() else f"{otherwise}_{name}"
