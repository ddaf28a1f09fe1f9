"""What is to be learnt, and as what: classes, many labels, a number."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from zoo.errors import UsageError, listed, nearest
from zoo.spec.guess import Guess, guess
from zoo.spec.names import BOXES, RATINGS, SENTIMENTS, TARGETS, TEXTS, ends_with, is_called
from zoo.spec.peek import Peek
from zoo.spec.proposal.parts import Reasons, Section

CLASSES = 20
"""Most different whole numbers that are taken for classes."""

RARE = 10
"""Rows of a class below which it is remarked."""

UNEVEN = 10
"""How many times as many rows as the rarest class the most common must have, to weigh classes."""


@dataclass(frozen=True)
class Task:
    """How a column is learnt.

    Args:
        section: The head.
        told: In a few words, what it is.
        remarks: What else is to be said.
        why: The reasons for the head's values.
    """

    section: Section
    told: str
    remarks: tuple[str, ...] = ()
    why: Reasons = field(default_factory=dict)


class NotLearnable(UsageError):
    """No head learns such a column; the message tells why, without the column's name."""


def choose(seen: Peek, targets: Sequence[str], table: str) -> tuple[dict[str, Task], str]:
    """The columns to learn, each with its task, and why these.

    Args:
        seen: The beginning of the table.
        targets: Those that were asked for; the one that is plainly meant where there are none.
        table: What messages call the table.

    Raises:
        UsageError: One is not there or cannot be learnt, or nobody can tell which are meant.
    """
    if not targets:
        return _plain(seen, table)
    tasks = {}
    for name in targets:
        if name not in seen.columns:
            near = nearest(name, seen.columns)
            advice = f"did you mean `{near}`?" if near else f"its columns: {listed(seen.columns)}"
            raise UsageError(f"`{table}` has no column `{name}`; {advice}")
        try:
            tasks[name] = task(name, seen)
        except NotLearnable as error:
            raise UsageError(f"`{table}`: no head learns the column `{name}`: {error}") from None
    return tasks, ""


def _plain(seen: Peek, table: str) -> tuple[dict[str, Task], str]:
    """The one column that by its name is meant to be learnt."""
    known: dict[str, Task] = {}
    refused: dict[str, str] = {}
    for name in seen.columns:
        try:
            known[name] = task(name, seen)
        except NotLearnable as error:
            refused[name] = str(error)
    for words in TARGETS:
        for is_meant in (_is_word, ends_with):
            meant = [name for name in seen.columns if is_meant(name, words) and (name in known or words is TARGETS[0])]
            if len(meant) == 1 and meant[0] in known:
                return {meant[0]: known[meant[0]]}, "chosen by its name"
            if meant:
                raise _question(table, known, refused, f"{len(meant)} columns are called like one" if meant[1:] else "")
    raise _question(table, known, refused, "no column is called like one")


def _is_word(name: str, words: Collection[str]) -> bool:
    return name.strip().lower() in words


def _question(table: str, known: Mapping[str, Task], refused: Mapping[str, str], told: str) -> UsageError:
    """The error that asks which column is meant, with what each would become."""
    lines = [f"`{table}`: which column is to be learnt?{f' {told[0].upper()}{told[1:]}.' if told else ''}"]
    lines += [f"  --target {name}: {each.told}" for name, each in known.items()]
    named = [name for name in refused if is_called(name, TARGETS[0] | TARGETS[1] | BOXES | TEXTS) or not known]
    lines += [f"  `{name}` cannot be learnt: {refused[name]}" for name in named]
    return UsageError("\n".join(lines))


def task(name: str, seen: Peek) -> Task:
    """How a column would be learnt.

    Args:
        name: The column.
        seen: The beginning of its table.

    Raises:
        NotLearnable: No head learns such labels.
    """
    cells = seen.cells[name]
    if cells and all(isinstance(cell, list) for cell in cells):
        return _of_lists(name, cells, seen)
    guessed = guess(name, cells)
    if not all(isinstance(cell, (str, int, float)) for cell in cells):
        raise NotLearnable(guessed.why)
    counts = Counter(cells)
    if len(counts) < 2:
        raise NotLearnable("all its cells are the same" if counts else "it is empty")
    empty = len(seen.columns[name]) - len(cells)
    remarks = (f"{empty} of {seen.seen:,} rows have no label: they teach this head nothing",) if empty else ()
    if any(isinstance(cell, (str, bool)) for cell in cells):
        return _of_texts(cells, counts, guessed.kind, remarks)
    return _of_numbers(name, cells, counts, seen, remarks)


def _of_texts(cells: Sequence[Any], counts: Counter[Any], kind: Guess, remarks: tuple[str, ...]) -> Task:
    if kind in (Guess.IMAGE, Guess.AUDIO):
        raise NotLearnable(f"paths of {kind.value} files, which are inputs")
    words = sum(len(str(cell).split()) for cell in cells) / len(cells)
    if 2 * len(counts) > len(cells) or (words >= 4 and len(counts) > 100):
        told = f"{len(counts)} different texts in {len(cells)} rows are no classes"
        more = f"; texts of {words:.0f} words, which zoo's heads do not write" if words >= 3 else ""
        raise NotLearnable(told + more)
    if not isinstance(cells[0], bool):
        return _classes(counts, f"{len(counts)} classes", remarks)
    return _classes(counts, "true or false", remarks)


def _of_numbers(name: str, cells: Sequence[float], counts: Counter[Any], seen: Peek, remarks: tuple[str, ...]) -> Task:
    least, most = min(counts), max(counts)
    whole = all(float(cell).is_integer() for cell in counts)
    if _are_sentiments(name, cells, counts, whole):
        why: Reasons = {("sentiment",): "from -3 to 3: `zoo eval` tells acc2 and acc7 too"}
        told = f"sentiments from {least:g} to {most:g}"
        return Task({"use": "zoo/regressor", "sentiment": True}, told, remarks, why)
    if whole and is_called(name, RATINGS) and 4 <= len(counts) <= 11 and name not in seen.names:
        told = f"ratings from {least:g} to {most:g}, which have an order"
        remark = f"{_counted(counts)}; write zoo/classifier if the numbers are names of classes"
        return Task({"use": "zoo/regressor"}, told, (remark, *remarks))
    if whole and name in seen.names:
        return _classes(counts, f"{len(counts)} classes", remarks, seen.names[name])
    if not whole or len(counts) > CLASSES or 2 * len(counts) > len(cells):
        return Task({"use": "zoo/regressor"}, f"numbers from {least:g} to {most:g}", remarks)
    advice = () if len(counts) == 2 else ("write zoo/regressor if the numbers are amounts",)
    return _classes(counts, f"{len(counts)} different whole numbers, so classes", (*advice, *remarks))


def _are_sentiments(name: str, cells: Sequence[float], counts: Counter[Any], whole: bool) -> bool:
    """Whether numbers are marks of sentiment as CMU-MOSI has them (Zadeh et al. 2016): means of whole ones to 3."""
    if max(map(abs, counts)) > 3 or min(counts) >= 0 or max(counts) <= 0 or len(counts) < 4:
        return False
    named = is_called(name, SENTIMENTS)
    marks = max(counts) >= 2 and min(counts) <= -2 and 2 * len(counts) < len(cells)
    return named or (marks and not whole and is_called(name, TARGETS[0] | TARGETS[1]))


def _of_lists(name: str, cells: Sequence[list[Any]], seen: Peek) -> Task:
    items = list(chain.from_iterable(cells))
    if is_called(name, BOXES) or any(is_called(other, BOXES) for other in seen.columns):
        raise NotLearnable("it tells boxes in pictures; `zoo init` does not propose a head that finds them yet")
    if not items or not all(isinstance(each, str) for each in items):
        raise NotLearnable("lists of something else than names of classes")
    counts = Counter(items)
    words = sum(len(each.split()) for each in items) / len(items)
    if words >= 4 or 2 * len(counts) > len(items):
        told = f"lists of texts of {words:.0f} words, such as captions; `zoo init` does not propose a head that writes"
        raise NotLearnable(
            f"{told} them yet" if words >= 3 else f"{len(counts)} different labels on {len(items)} places"
        )
    section = {"use": "zoo/classifier", "multi_label": True}
    each = len(items) / len(cells)
    why: Reasons = {("multi_label",): f"a row has {each:.1f} of them on average"}
    return _weighed(Task(section, f"lists of {len(counts)} classes", (_counted(counts),), why), counts)


def _classes(counts: Counter[Any], told: str, remarks: tuple[str, ...], names: Sequence[str] = ()) -> Task:
    return _weighed(Task({"use": "zoo/classifier"}, told, (_counted(counts, names), *remarks)), counts)


def _weighed(task: Task, counts: Counter[Any]) -> Task:
    """The task with classes weighed where some are far rarer than others, and rare ones remarked."""
    rarest, most = min(counts.values()), max(counts.values())
    rare = [str(name) for name, number in counts.items() if number < RARE]
    remarks = task.remarks
    if rare and len(counts) > 1:
        told = f"{len(rare)} classes have" if rare[1:] else f"the class {rare[0]} has"
        remarks = (*remarks, f"{told} fewer than {RARE} rows: too few to learn them well or to measure them")
    if most < UNEVEN * rarest:
        return Task(task.section, task.told, remarks, task.why)
    why: Reasons = {
        ("class_weights",): f"the most common class has {most / rarest:.0f} times as many rows as the rarest"
    }
    return Task({**task.section, "class_weights": "balanced"}, task.told, remarks, task.why | why)


def _counted(counts: Counter[Any], names: Sequence[str] = ()) -> str:
    """Classes and how many rows each has, in an order of their own where it can be told, else the most common first."""
    shown = {
        each: f"{each} ({names[each]})" if isinstance(each, int) and 0 <= each < len(names) else str(each)
        for each in counts
    }
    numbers = all(isinstance(each, (int, float)) for each in counts)
    ordered = sorted(counts.items()) if numbers and len(counts) <= CLASSES else counts.most_common(8)
    if len(counts) > 2 and len(set(counts.values())) == 1:
        told = f"{counts[ordered[0][0]]} rows each: {', '.join(shown[name] for name, _ in ordered)}"
    else:
        told = ", ".join(f"{shown[name]} {count}" for name, count in ordered)
    return f"{told} and {len(counts) - len(ordered)} more" if len(counts) > len(ordered) else told
