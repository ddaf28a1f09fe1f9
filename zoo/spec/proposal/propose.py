"""Proposes a spec for a table: what to learn, from which columns, with which parts, and why."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from shlex import quote
from typing import Any, TypeAlias

from zoo.errors import UsageError
from zoo.spec.names import TRAINING
from zoo.spec.peek import peek
from zoo.spec.proposal.columns import Choice, choose_inputs
from zoo.spec.proposal.parts import Circumstances, Weights
from zoo.spec.proposal.slugs import plain_name, slug
from zoo.spec.proposal.splits import Tables, find_tables
from zoo.spec.proposal.targets import Task, choose
from zoo.spec.proposal.training import evaluation, fusion, training, transfer
from zoo.spec.sources import locate

Path: TypeAlias = tuple[str, ...]


@dataclass
class Proposal:
    """A proposed spec.

    Args:
        rows: How many rows there are to learn from; an estimate where not all were looked at.
        seen: How many were looked at.
        header: What is to be said of the whole.
        spec: Its keys and values.
        above: What is to be said above a key, by its path.
        why: Why a value was chosen, by its path.
        left_out: Columns that nothing is learnt from, each with why.
        targets: The columns to learn, each with what they are.
    """

    rows: int
    seen: int
    header: list[str] = field(default_factory=list)
    spec: dict[str, Any] = field(default_factory=dict)
    above: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    why: dict[Path, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path, value: Any, why: dict[Path, str] | None = None, *above: str) -> None:
        """Adds a value at a path, with reasons for it and what is in it, and what is to be said above it."""
        place = self.spec
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value
        self.why |= {(*path, *inner): told for inner, told in (why or {}).items()}
        if told := tuple(filter(None, above)):
            self.above[path] = told


def propose(table: FilePath, targets: Sequence[str], weights: Weights, folder: FilePath) -> Proposal:
    """Proposes a spec that learns columns of a table from the others.

    Args:
        table: A file, a glob or a folder; tables beside it are used if they are called like its other splits.
        targets: The columns to learn; none if it is plain by the names which.
        weights: `pretrained` parts, or small ones that start at random (`none`) and need no network.
        folder: Where the spec will stand.

    Raises:
        UsageError: The table cannot be read or has no such column, or nothing can be learnt of it.
    """
    tables = find_tables(table)
    seen = peek(tables.train)
    shown = str(tables.train)
    tasks, plain = choose(seen, targets, shown)
    at = Circumstances(locate(tables.train).folder, weights, seen.rows)
    chosen = choose_inputs(seen, list(tasks), at)
    if not chosen.inputs:
        told = "; ".join(f"`{name}`: {why}" for name, why in chosen.left_out.items()) or "there is none"
        raise UsageError(f"`{shown}`: no column beside {_named(tasks)} can be learnt from: {told}")
    proposal = Proposal(seen.rows, seen.seen, left_out=chosen.left_out)
    _add_beginning(proposal, table, tasks, weights, bool(targets))
    _add_inputs(proposal, chosen)
    fusion(proposal, chosen, at)
    _add_heads(proposal, tasks, plain)
    transfer(proposal, chosen, at)
    _add_data(proposal, tables, folder, chosen, list(tasks))
    training(proposal, chosen, at)
    evaluation(proposal, chosen)
    return proposal


def _named(names: Collection[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _add_beginning(proposal: Proposal, table: FilePath, tasks: Collection[str], weights: Weights, asked: bool) -> None:
    words = ["zoo", "init", quote(str(table)), *(f"--target {quote(each)}" for each in tasks if asked)]
    words += ["--weights none"] if weights == "none" else []
    rows = (
        f"all {proposal.rows:,}" if proposal.seen >= proposal.rows else f"{proposal.seen:,} of about {proposal.rows:,}"
    )
    proposal.header += [
        f"Proposed by `{' '.join(words)}` from {rows} rows.",
        "Each choice says why it was made; change what is wrong, then run `zoo check`.",
    ]
    tells = table.stem not in ("", "data", *TRAINING) and "*" not in table.name
    name = table.stem if tells else table.resolve().parent.name
    proposal.add(("zoo",), 1)
    proposal.add(("name",), plain_name(name, "model", "[^A-Za-z0-9_.-]+"))


def _add_inputs(proposal: Proposal, chosen: Choice) -> None:
    for name, given in chosen.inputs.items():
        proposal.add(("inputs", name), given.section, given.why, *given.above)


def _add_heads(proposal: Proposal, tasks: dict[str, Task], plain: str) -> None:
    names: set[str] = set()
    for column, task in tasks.items():
        names.add(name := slug(column, "target", taken={*names, "row"}))
        section = {"use": task.section["use"], **({"column": column} if column != name else {}), **task.section}
        why = {(): f"{task.told}; {plain}" if plain else task.told, **task.why}
        if len(section) == 1:
            section = section["use"]
        proposal.add(("heads", name), section, why, *task.remarks)
        proposal.targets[column] = task.told


def _add_data(proposal: Proposal, tables: Tables, folder: FilePath, chosen: Choice, targets: Sequence[str]) -> None:
    """The tables, and a share of the rows to choose an epoch by where no table is for it."""
    read = [*targets, *chosen.columns]
    beside = {"validation": tables.validation, "test": tables.test}
    used: dict[str, FilePath] = {}
    above: list[str] = []
    for part, table in beside.items():
        if table is None:
            continue
        lacks = _lacks(table, read)
        if lacks:
            above.append(f"not used: `{table.name}`: {lacks}")
        else:
            used[part] = table
    if "test" not in used:
        told = "what chooses the epoch is measured too kindly" if "validation" in used else "of rows kept apart"
        above.append(f"no table for the final number; name one under `test:`, {told}")
    proposal.add(("data", "train"), _path(tables.train, folder))
    if "validation" in used:
        path = _path(used["validation"], folder)
        proposal.add(("data", "validation"), path, {(): "beside it, by its name; chooses the best epoch"})
    else:
        share = 0.1 if proposal.rows >= 500 else 0.2
        told = "share of the rows that chooses the best epoch"
        proposal.add(
            ("data", "validation"), share, {(): f"{told}: whole groups of `{chosen.group}`" if chosen.group else told}
        )
    if "test" in used:
        path = _path(used["test"], folder)
        proposal.add(("data", "test"), path, {(): "beside it, by its name; looked at once, at the end"})
    above += chosen.splits
    if above:
        proposal.above[("data",)] = tuple(above)


def _lacks(table: FilePath, columns: Sequence[str]) -> str:
    """Why a table cannot be used for columns; "" if it can."""
    try:
        found = locate(table).header() or []
    except UsageError as error:
        return str(error)
    lacking = next((each for each in columns if each not in found), None)
    return "" if lacking is None else f"it has no column `{lacking}`; `zoo predict --table` takes it"


def _path(table: FilePath, folder: FilePath) -> str:
    return FilePath(os.path.relpath(table, folder)).as_posix()
