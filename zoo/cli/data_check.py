"""What `zoo data check` found, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.output import note, print_table

if TYPE_CHECKING:
    from zoo.data.check.finding import Finding
    from zoo.data.check.report import Report

SHOWN = 3
"""Findings of a kind that are printed; all of them stand in the file."""

MEND = {
    "table": "mend the tables that cannot be read or learnt from",
    "column": "mend the columns that are missing, or name others in the spec",
    "cell": "mend the cells that cannot be decoded, or write `data: {on_error: skip}` to leave their rows out",
    "label": "mend the labels that are none, or leave the cells empty",
    "empty row": "fill in an input of the rows that have none, or remove them",
    "leak": "take the rows out of training that stand in the other tables too: they make every number look better",
    "tells the label": "look where the input that tells the label comes from",
    "conflict": "decide between the labels that contradict each other",
    "duplicate": "remove duplicates, or keep them on one side of a split with `evaluate: {groups: COLUMN}`",
    "content": "look at the values that hold next to nothing, or less than they should",
    "near leak": "look at the rows that nearly stand in training too",
    "label noise": "look at the labels that may be wrong, the first ones first: a quick model is no judge",
    "class": "gather more rows of rare classes, or join them",
}
"""What to do about a kind of finding, the most urgent first."""


def print_report(report: "Report", output: Path | None) -> None:
    """Prints what the tables are like, what was found, and what to mend first."""
    for table in report.tables:
        click.echo(f"{table['table']} ({table['role']})")
        for line in _table_lines(table):
            click.echo(f"  {line}")
    rows = [
        (each.level.value, each.kind, _place(each), each.message)
        for kind in dict.fromkeys((each.level, each.kind) for each in report.findings)
        for each in [one for one in report.findings if (one.level, one.kind) == kind][:SHOWN]
    ]
    counts = Counter((each.level.value, each.kind) for each in report.findings)
    if rows:
        click.echo()
        print_table(["level", "kind", "where", "what"], rows)
        if any(count > SHOWN for count in counts.values()) and output is None:
            note("note: of each kind the first ones are shown; -o problems.csv writes all")
    click.echo()
    click.echo(_total(counts))
    for number, line in enumerate(_advice(counts), 1):
        click.echo(f"  {number}. {line}")


def _place(finding: "Finding") -> str:
    place = finding.place.replace("`", "") or finding.table
    return f"{place}, {finding.column}" if place and finding.column else place or finding.column


def _table_lines(table: Mapping[str, Any]) -> Iterator[str]:
    unusable = f", {table['unusable']:,} of them cannot be used" if table["unusable"] else ""
    yield f"{table['rows']:,} rows{unusable}"
    for name, head in table["heads"].items():
        yield f"{name}: {head['labelled']:,} labelled{_classes(head['classes'])}"
    for name, told in table["inputs"].items():
        parts = [
            f"{measure} {_number(each['min'])} to {_number(each['max'])} (median {_number(each['median'])})"
            for measure, each in told["measures"].items()
        ]
        parts += [f"{told['beyond_max_length']:,} longer than is read"] if told["beyond_max_length"] else []
        parts += [f"{told['missing']:,} missing"] if told["missing"] else []
        parts += [f"{count:,} {trait}" for trait, count in told["traits"].items()]
        yield f"{name}: {', '.join(parts) or 'all there'}"
    if table["unused_columns"]:
        yield f"not read: {', '.join(table['unused_columns'])}"


def _classes(counts: Mapping[str, int], limit: int = 10) -> str:
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    told = ", ".join(f"{name} {count:,}" for name, count in ranked[:limit])
    more = f", ... ({len(ranked)} classes in all)" if len(ranked) > limit else ""
    return f": {told}{more}" if told else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"


def _total(counts: Mapping[tuple[str, str], int]) -> str:
    if not counts:
        return "nothing is wrong, and nothing is suspect"
    told = [f"{count:,} {kind} ({level})" for (level, kind), count in counts.items()]
    return "found: " + ", ".join(told)


def _advice(counts: Mapping[tuple[str, str], int]) -> Sequence[str]:
    kinds = {kind for _, kind in counts}
    return [told for kind, told in MEND.items() if kind in kinds]
