"""What becomes of each column beside those to learn: an input, a part of one, whose a row is, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.spec.guess import Guess, Guessed, guess
from zoo.spec.names import SPLIT, TARGETS, TESTING, TRAINING, VALIDATION, ends_with
from zoo.spec.peek import Peek
from zoo.spec.proposal.media import missing
from zoo.spec.proposal.parts import PROPOSE, Circumstances, Part, Reasons, Section, facts
from zoo.spec.proposal.relations import gives_away, groups
from zoo.spec.proposal.slugs import slug

FEWEST_GROUPS = 5
"""Groups from which whole ones can be set aside in folds."""


@dataclass(frozen=True)
class Given:
    """An input.

    Args:
        kind: What its cells are.
        section: Its keys and values.
        why: The reasons for them.
        above: What is to be said of the whole.
    """

    kind: Guess
    section: Section
    why: Reasons
    above: tuple[str, ...]


@dataclass
class Choice:
    """What became of the columns.

    Args:
        inputs: By name.
        columns: All columns that are read by inputs.
        left_out: The others, each with why.
        group: The column whose rows are to stay together; "" if none.
        groups: How many different ones of each column there are that tells whose rows are.
        splits: What is to be said of columns that tell which split a row is of.
        shared: Inputs that share the backbone of another.
    """

    inputs: dict[str, Given] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    group: str = ""
    groups: dict[str, int] = field(default_factory=dict)
    splits: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)


def choose_inputs(seen: Peek, targets: Sequence[str], at: Circumstances) -> Choice:
    """An input for each column with something to decode, one for all numbers and categories.

    Args:
        seen: The beginning of the table.
        targets: The columns to learn.
        at: What parts are chosen by.
    """
    choice = Choice()
    rest = {name: cells for name, cells in seen.columns.items() if name not in targets}
    choice.groups = groups(rest)
    choice.group = next((name for name, number in choice.groups.items() if number >= FEWEST_GROUPS), "")
    used: dict[str, Guessed] = {}
    for name in rest:
        if why := _left_out(name, seen, targets, at, choice):
            choice.left_out[name] = why
        else:
            used[name] = guess(name, seen.cells[name])
    towers: dict[Any, str] = {}
    for name, guessed in used.items():
        if guessed.kind in PROPOSE:
            _add(choice, name, guessed, seen, PROPOSE[guessed.kind](seen.cells[name], at), towers)
    numbers = [name for name, guessed in used.items() if guessed.kind is Guess.NUMBER]
    categories = [name for name, guessed in used.items() if guessed.kind is Guess.CATEGORY]
    if numbers or categories:
        _add_facts(choice, numbers, categories, seen, at)
    return choice


def _left_out(name: str, seen: Peek, targets: Sequence[str], at: Circumstances, choice: Choice) -> str:
    """Why nothing is learnt from a column; "" if something is."""
    cells = seen.cells[name]
    if told := _split_told(name, cells):
        choice.splits.append(f"`{name}` tells which split a row is of: save a table of each, and name them here")
        return told
    if name in choice.groups:
        return f"it tells whose a row is ({choice.groups[name]:,} different ones), to be learnt by heart and no more"
    guessed = guess(name, cells)
    if guessed.kind in (Guess.NOTHING, Guess.LABELS):
        return guessed.why if guessed.kind is Guess.NOTHING else "lists of texts, which no input reads"
    if guessed.kind in (Guess.IMAGE, Guess.AUDIO):
        path = missing(cells, at.folder)
        return f"{guessed.why}, none of which is there; paths start at the table's folder: `{path}`" if path else ""
    for target in targets:
        if told := gives_away(seen.columns[name], seen.columns[target]):
            beside = f" (`{target}`)" if len(targets) > 1 else ""
            return f"WARNING, {told}{beside}; add it only if it is known before the label is"
    return ""


def _split_told(name: str, cells: Sequence[Any]) -> str:
    if not ends_with(name, SPLIT) or not all(isinstance(cell, (str, int)) for cell in cells):
        return ""
    values = {str(cell).lower() for cell in cells}
    known = values <= TRAINING | VALIDATION | TESTING or (len(values) <= 20 and all(map(str.isdecimal, values)))
    return f"it tells which part a row is of: {', '.join(sorted(values))}" if known and len(values) > 1 else ""


def _add(choice: Choice, column: str, guessed: Guessed, seen: Peek, part: Part, towers: dict[Any, str]) -> None:
    """Adds an input; one that is like another before shares its backbone."""
    name = slug(column, "input", taken=choice.inputs)
    section, why = dict(part.section), dict(part.why)
    first = towers.setdefault((guessed.kind, part.alike), name) if part.alike else name
    if first != name:
        why = {path: told for path, told in why.items() if path[:1] not in (("backbone",), ("transfer",))}
        section.pop("transfer", None)
        section["backbone"] = {"same_as": first}
        why[("backbone", "same_as")] = "one network for both, which learns from the rows of both"
        choice.shared.append(name)
    kind, *rest = section.items()
    named = {} if column == name else {"column": column}
    above = _remarks(column, seen)
    choice.inputs[name] = Given(guessed.kind, dict([kind, *named.items(), *rest]), {(): guessed.why, **why}, above)
    choice.columns.append(column)


def _add_facts(choice: Choice, numbers: list[str], categories: list[str], seen: Peek, at: Circumstances) -> None:
    part = facts(numbers, categories, at)
    told = {
        ("columns",): f"numbers{', categories' if categories else ''}" if numbers else "categories",
        ("categories",): ", ".join(f"{len(set(seen.cells[name]))} different" for name in categories[:4])
        + ("" if len(categories) <= 4 else ", ..."),
    }
    why: Reasons = {path: each for path, each in told.items() if path[0] in part.section}
    above = tuple(each for name in (*numbers, *categories) for each in _remarks(name, seen, named=True))
    name = slug("facts", "", taken=choice.inputs)
    choice.inputs[name] = Given(Guess.NUMBER, part.section, why, above)
    choice.columns += [*numbers, *categories]


def _remarks(column: str, seen: Peek, named: bool = False) -> tuple[str, ...]:
    """What is to be said of an input's column: that cells are empty, that it is called like a label."""
    cells, known = seen.columns[column], seen.cells[column]
    start = f"`{column}`: " if named else ""
    remarks = []
    if len(known) < len(cells):
        share = 100 * (1 - len(known) / len(cells))
        remarks.append(f"{start}{share:.2g} % of the cells are empty, which the model learns to do without")
    if ends_with(column, TARGETS[0] | TARGETS[1]):
        told = f"`{column}` is called like a label: remove it if it is not known beforehand, or learn it"
        remarks.append(f"{told} with `--target {column}`")
    return tuple(remarks)
