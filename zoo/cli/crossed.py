"""A cross-validation on the terminal: a bar while it trains, tables and words in the end."""

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import click

from zoo.cli.evaluation import (
    Told,
    difference,
    interval,
    numbers,
    print_subsets,
    print_verdicts,
    title,
    value,
    with_interval,
)
from zoo.cli.output import note, print_table
from zoo.training.progress import Silent


class FoldBar(Silent):
    """A bar for the training that is under way, and a line for each that is done, on stderr.

    Where stderr is no terminal, the lines alone are written.

    Args:
        epochs: Epochs of a training.
    """

    def __init__(self, epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs, self._done = epochs, 0
        self._told: set[str] = set()
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("training {task.fields[number]}"),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("train", total=None, number="1", epoch=f"1/{epochs}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, line: str) -> None:
        """Writes the line of a training that is done."""
        self._done += 1
        self._bar.reset(self._task, total=None, number=str(self._done + 1), epoch=f"1/{self._epochs}")
        self._console.print(line, markup=False, soft_wrap=True)

    def remark(self, text: str) -> None:
        """Writes it, once for all folds."""
        kind = text.partition(":")[0]
        if kind not in self._told:
            self._told.add(kind)
            self._console.print(f"note: {text}", markup=False, soft_wrap=True)

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        """Moves the bar."""
        told: dict[str, Any] = {"epoch": f"{epoch}/{self._epochs}"}
        self._bar.update(self._task, total=steps * self._epochs, completed=steps * (epoch - 1) + done, **told)


def print_crossed(found: Told) -> None:
    """Prints what `zoo.cross_validate` found.

    Args:
        found: The JSON shape of `zoo cv`.
    """
    times = f", {found['repeats']} times" if found["repeats"] > 1 else ""
    click.echo(f"measured on {found['rows']:,} rows, each held out once, in {found['folds']} folds{times}")
    for head, metrics in found["heads"].items():
        _print_head(head, metrics)
        if len(found["subsets"]) > 1:
            print_subsets(head, found, next(iter(next(iter(found["subsets"].values()))[head])))
    said = []
    if found["against"] is not None:
        _print_against(found["name"], found["against"])
        said.append(found["against"]["text"])
    if found["learning_curve"] is not None:
        _print_curve(found["learning_curve"])
        said += found["learning_curve"]["verdict"]
    print_verdicts(said)
    for remark in found["remarks"]:
        note(f"note: {remark}")


def _print_head(head: str, metrics: Mapping[str, Told]) -> None:
    title(f"{head}: all rows together, and fold by fold")
    rows = [
        (name, each[0], each[1], each[2], _folds(found["folds"]), each[3])
        for name, found in metrics.items()
        for each in [numbers(found)]
    ]
    print_table(["metric", "value", "95 % interval", "rows", "folds: mean (sd)", "remark"], rows)


def _folds(found: Told) -> str:
    if found["mean"] is None:
        return "-"
    return f"{found['mean']:.3f}" + ("" if found["sd"] is None else f" ({found['sd']:.3f})")


def _print_against(name: str, against: Told) -> None:
    metric, share = against["metric"], against["share"]
    title(f"{against['head']}: {against['name']} against {name}, in {metric}")
    p = against["folds"]["p"]
    gains = [
        ("over the folds (corrected t-test)", difference(against["folds"], share), "-" if p is None else f"{p:.3f}"),
        ("on all rows (paired)", difference(against["gain"], share), ""),
    ]
    print_table(
        ["spec", metric], [(name, with_interval(against["ours"])), (against["name"], with_interval(against["theirs"]))]
    )
    print_table([f"gain of {against['name']}{' (points)' if share else ''}", "with 95 % interval", "p"], gains)


def _print_curve(curve: Told) -> None:
    metric = curve["metric"]
    title(f"{curve['head']}: {metric} by the number of rows")
    rows = [
        (f"{each['rows']:,}", value(each["held"]), interval(each["held"]), with_interval(each["learnt"]))
        for each in curve["sizes"]
    ]
    rows += [(f"{each['rows']:,}, expected", value(each), interval(each), "") for each in curve["expected"]]
    print_table(["rows", "held out", "95 % interval", "learnt from"], rows)
