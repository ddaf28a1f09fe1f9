"""Scores as a table: every number with how many rows, which split and its interval."""

from collections.abc import Mapping
from typing import Any

import click

from zoo.cli.evaluation import numbers
from zoo.cli.output import note, print_table


def print_scores(metrics: Mapping[str, Any]) -> None:
    """Prints what `zoo.evaluate` measured, the whole model first, then every set of its modalities.

    Args:
        metrics: The JSON shape of `zoo eval`; empty where nothing was measured.
    """
    if not metrics:
        note("nothing was measured: the spec names no test table, and no validation rows")
        return
    click.echo(f"measured on {metrics['split']}")
    subsets = metrics["subsets"]
    rows = [
        (subset, head, metric, *numbers(each))
        for subset, heads in sorted(subsets.items(), key=lambda item: -item[0].count("+"))
        for head, found in heads.items()
        for metric, each in found.items()
    ]
    if unusable := metrics.get("unusable"):
        from zoo.evaluation.evaluation import left_out

        note(f"note: {left_out(metrics['split'], unusable)}")
    if metrics["never_absent"]:
        from zoo.model.model import untaught

        note(f"note: {untaught(metrics['never_absent'])}")
    if len({row[-2] for row in rows}) > 1:
        note("note: the numbers stand on different rows: a row counts where it has a label and any of these modalities")
    print_table(["modalities", "head", "metric", "value", "95 % interval", "rows", "remark"], rows)


def interval(found: tuple[float | None, ...] | None) -> str:
    """A value with the ends of its interval; a dash where there is none."""
    if found is None or found[0] is None:
        return "-"
    value, low, high = found
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
