"""The verbs that use a run: `zoo eval`, `zoo predict`."""

import os
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import click

from zoo.cli.output import json_option, next_step, note, print_json, write_text
from zoo.cli.waiting import duration, rate, row_bar, waiting
from zoo.errors import UsageError, listed
from zoo.files import check_new, check_writable, json_text

if TYPE_CHECKING:
    from zoo.evaluation.predict import Written

run_argument = click.argument("run", metavar="DIR", type=click.Path(path_type=Path))


@click.command("eval")
@run_argument
@click.argument("data", required=False)
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="Learn plain models to compare with.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write what was found as JSON.")
@json_option
def eval_command(run: Path, data: str | None, baselines: bool, output: Path | None, as_json: bool) -> None:
    """Say how good a model is, and which modality earns it.

    Measures it with every set of its modalities, on the table DATA, else on the test table of its spec, else on its
    validation rows; takes each modality away, and exchanges it among the rows; and learns plain models from the
    training rows to measure beside it. Every number comes with how many rows it stands on and its 95 % interval.
    """
    if output is not None:
        check_new(output)
        check_writable(output)
    from zoo.cli.evaluation import print_evaluation
    from zoo.evaluation.evaluate import evaluate

    found = evaluate(run, data, baselines=baselines).as_dict()
    if as_json:
        print_json(found)
    else:
        print_evaluation(found)
    if output is not None:
        write_text(json_text(found), output)
    next_step(f"zoo predict {quote(str(run))} --table TABLE -o OUT.parquet")


@click.command("predict")
@run_argument
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--table", help="Predict every row of a table.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write predictions as .parquet, .csv or .jsonl.")
@click.option("--absent", multiple=True, metavar="INPUT", help="Predict as if no sample had this input.")
@click.option(
    "--columns",
    metavar="all|none|A,B",
    help="Columns of the table to keep; unless said, all but embedded files and long lists.",
)
@click.option(
    "--on-error",
    type=click.Choice(["fail", "skip"]),
    help="What to do about a row that cannot be read: fail, or skip it and tell why in a column `error`.",
)
@json_option
def predict_command(
    run: Path,
    values: tuple[str, ...],
    table: str | None,
    output: Path | None,
    absent: tuple[str, ...],
    columns: str | None,
    on_error: Literal["fail", "skip"] | None,
    as_json: bool,
) -> None:
    """Predict one sample, or every row of a table.

    A sample is given as NAME=VALUE for each input. A VALUE is what a cell of the table would hold: a file's path, a
    text, a number. An input that is not given is absent.
    """
    if bool(values) == bool(table):
        raise UsageError("give either one sample, as NAME=VALUE for each input, or a table with --table")
    if table is None and (output is not None or columns is not None or on_error is not None):
        raise UsageError("-o, --columns and --on-error go with --table; one sample is printed")
    if table is not None and output is None:
        raise UsageError("name the file for the predictions with -o: OUT.parquet, OUT.csv or OUT.jsonl")
    first = os.environ.get("RANK", "0") == "0"
    if table is not None and output is not None:
        _predict_table(run, table, output, absent, columns, on_error or "fail", as_json, first)
        return
    if not first:
        return  # one process answers for all
    with waiting("loading the model"):
        found, remarks = _predict_sample(run, values, absent)
    for remark in remarks:
        note(f"note: {remark}")
    if as_json:
        print_json(found)
        return
    for head, value in found.items():
        click.echo(f"{head}: {told(value)}")
    next_step(f"zoo eval {quote(str(run))}")


def _predict_table(
    run: Path,
    table: str,
    output: Path,
    absent: tuple[str, ...],
    columns: str | None,
    on_error: Literal["fail", "skip"],
    as_json: bool,
    first: bool,
) -> None:
    with waiting("loading zoo") if first else nullcontext():
        from zoo.evaluation.predict import predict_table
    chosen = {None: "light", "all": "all", "none": "none"}.get(columns) or (columns or "").split(",")
    with row_bar() if first else nullcontext() as watch:
        written = predict_table(run, table, output, absent, columns=chosen, on_error=on_error, watch=watch)
    if not first:
        return  # one process tells for all
    if as_json:
        print_json({"file": str(output), **asdict(written)})
    _tell_written(output, written)


def _tell_written(output: Path, written: "Written") -> None:
    """What was written, how fast, and what is not in it."""
    rows = f"{written.rows:,} row{'s' * (written.rows != 1)}"
    note(f"wrote {output}: {rows} in {duration(written.seconds)}, {rate(written.rows, written.seconds)}")
    if written.empty:
        note(f"note: {written.empty:,} of them without a prediction: they have no input")
    if written.wrong:
        note(f"note: {written.wrong:,} of them without a prediction: they cannot be read; `error` tells why")
    if written.left_out:
        note(f"note: left out: {listed(written.left_out)} (heavy; --columns all keeps them)")
    for remark in written.remarks:
        note(f"note: {remark}")


def _predict_sample(run: Path, words: tuple[str, ...], absent: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """What the heads say of a sample, and what the user should know of that."""
    from zoo.evaluation.predict import predict, remarks_on
    from zoo.evaluation.words import sample
    from zoo.model.run import read_run

    model = read_run(run)
    given = sample(model, words)
    (found,) = predict(model, [given], absent)
    return found, list(remarks_on(model, {*absent, *model.spec.inputs} - ({*given} - {*absent})))


def told(value: object) -> str:
    """A prediction in a line: the label and its probability, with the next best; else the value itself."""
    if not isinstance(value, dict) or "probabilities" not in value:
        return str(value)
    ranked = sorted(value["probabilities"].items(), key=lambda item: -item[1])[:3]
    chosen = ", ".join(value["labels"]) or "none" if "labels" in value else value["label"]
    return f"{chosen}  ({', '.join(f'{name} {share:.3f}' for name, share in ranked)})"
