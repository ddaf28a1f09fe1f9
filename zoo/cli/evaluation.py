"""An evaluation in words and tables: what a model is worth, and what earns it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from zoo.cli.output import note, print_table

FEW = 20
"""Most classes that a table is printed of; JSON tells all."""

CONFUSED = 3
"""How many pairs of classes that are taken for each other are told."""

Told = Mapping[str, Any]


def print_evaluation(found: Told) -> None:
    """Prints what `zoo.evaluate` found.

    Args:
        found: The JSON shape of `zoo eval`.
    """
    click.echo(f"measured on {found['split']}")
    for head in found["heads"]:
        _print_head(head, found)
    _print_remarks(found)


def _print_head(head: str, found: Told) -> None:
    title(f"{head}: all modalities" if len(found["heads"]) > 1 or len(found["subsets"]) > 1 else head)
    metrics = found["heads"][head].items()
    print_table(
        ["metric", "value", "95 % interval", "rows", "remark"],
        [(name, *numbers(each)) for name, each in metrics],
    )
    _print_classes(head, found)
    audit = found["audit"][head]
    if len(audit["modalities"]) > 1:
        print_subsets(head, found, audit["metric"])
        _print_audit(head, audit)
    if found["baselines"].get(head):
        _print_baselines(head, found["baselines"][head], audit)
    print_verdicts([each["text"] for each in found["verdict"] if each["head"] == head])


def _print_classes(head: str, found: Told) -> None:
    classes = found["classes"].get(head, {})
    if 0 < len(classes) <= FEW:
        title(f"{head}: classes")
        rows = [
            (name, str(each["recall"]["n"]), *(with_interval(each[key]) for key in ("precision", "recall", "f1")))
            for name, each in classes.items()
        ]
        print_table(["class", "rows", "precision", "recall", "f1"], rows)
    if confused := list(_confused(found["confusion"].get(head)))[:CONFUSED]:
        click.echo(f"most often taken for another: {'; '.join(confused)}")


def _confused(table: Told | None) -> Iterator[str]:
    """The pairs of classes that are confused, the most frequent first."""
    if table is None:
        return
    names = table["classes"]
    cells = [(count, true, told) for true, row in enumerate(table["counts"]) for told, count in enumerate(row)]
    for count, true, told in sorted(cells, key=lambda cell: -cell[0]):
        if count and true != told:
            yield f"{names[true]} for {names[told]} ({count} of {sum(table['counts'][true])} rows)"


def print_subsets(head: str, found: Told, metric: str) -> None:
    """Prints a metric of a head for every set of modalities."""
    title(f"{head}: {metric} of every set of modalities")
    subsets = sorted(found["subsets"].items(), key=lambda item: -item[0].count("+"))
    rows = [(subset, *numbers(heads[head][metric])) for subset, heads in subsets if head in heads]
    print_table(["modalities", metric, "95 % interval", "rows", "remark"], rows)


def _print_audit(head: str, audit: Told) -> None:
    metric, share = audit["metric"], audit["share"]
    unit = "points of " if share else ""
    title(f"{head}: what each modality brings, in {unit}{metric}")
    rows = [
        (name, value(each["alone"]), *(difference(each[key], share) for key in ("dropped", "permuted", "shapley")))
        for name, each in audit["modalities"].items()
    ]
    print_table(["modality", "alone", "beside the others", "against another's", "Shapley value"], rows)
    missing = audit["missing"]
    if missing["area"] is not None:
        told = ", ".join(
            f"{100 * rate:.0f} % {value(each)}" for rate, each in zip(missing["rates"], missing["values"], strict=True)
        )
        click.echo(f"{metric} where modalities go missing at random: {told}; mean {with_interval(missing['area'])}")
    click.echo(f"worst set: {audit['worst']}, {with_interval(audit['worst_value'])}")


def _print_baselines(head: str, baselines: Sequence[Told], audit: Told) -> None:
    metric, share = audit["metric"], audit["share"]
    title(f"{head}: plain models beside it, learnt from the training rows")
    rows = [
        (
            each["told"],
            value(each["metrics"][metric]),
            difference(each["gain"], share),
            interval(each["metrics"][metric]),
            str(each["rows"]),
        )
        for each in sorted(baselines, key=lambda each: each["gain"]["value"] or 0)
    ]
    gains = f"model gains{' (points)' if share else ''}"
    print_table(["baseline", metric, gains, "95 % interval", "learnt from"], rows)


def print_verdicts(texts: Sequence[str]) -> None:
    """Prints sentences, if there are any."""
    if texts:
        title("in words")
        for text in texts:
            click.echo(f"- {text}")


def _print_remarks(found: Told) -> None:
    if found["never_absent"]:
        from zoo.model.model import untaught

        note(f"note: {untaught(found['never_absent'])}")
    for remark in found["remarks"]:
        note(f"note: {remark}")
    counts = {each["n"] for heads in found["subsets"].values() for each in _estimates(heads)}
    if len(counts) > 1:
        note("note: the numbers stand on different rows: a row counts where it has a label and any of these modalities")


def _estimates(heads: Told) -> Iterator[Told]:
    for metrics in heads.values():
        yield from metrics.values()


def title(text: str) -> None:
    """A line above a table."""
    click.echo(f"\n{text}")


def value(each: Told) -> str:
    """A number; "-" where there is none."""
    return "-" if each["value"] is None else f"{each['value']:.3f}"


def interval(each: Told) -> str:
    """Its interval; nothing where it has none."""
    return "" if each["low"] is None else f"{each['low']:.3f} to {each['high']:.3f}"


def numbers(each: Told) -> tuple[str, str, str, str]:
    """A number, its interval, how many rows it stands on, and why there is no number or no interval."""
    return value(each), interval(each), str(each["n"]), each.get("reason", "")


def with_interval(each: Told) -> str:
    """A number and its interval in brackets."""
    return value(each) if each["low"] is None else f"{value(each)} [{each['low']:.3f}, {each['high']:.3f}]"


def difference(each: Told, share: bool) -> str:
    """A difference with its sign and interval, of shares in points."""
    if each["value"] is None:
        return "-"
    factor, digits = (100, 1) if share else (1, 3)
    told = f"{factor * each['value']:+.{digits}f}"
    if each["low"] is None:
        return told
    return f"{told} [{factor * each['low']:+.{digits}f}, {factor * each['high']:+.{digits}f}]"
