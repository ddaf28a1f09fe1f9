"""The verbs that use a run: `zoo eval`, `zoo predict`."""

from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.output import json_option, next_step, note, print_json, write_text
from zoo.errors import ConflictError, UsageError
from zoo.files import check_writable, json_text

if TYPE_CHECKING:
    from zoo.model.model import ZooModel

run_argument = click.argument("run", metavar="DIR", type=click.Path(path_type=Path))


@click.command("eval")
@run_argument
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="Learn plain models to compare with.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write what was found as JSON.")
@json_option
def eval_command(run: Path, data: Path | None, baselines: bool, output: Path | None, as_json: bool) -> None:
    """Say how good a model is, and which modality earns it.

    Measures it with every set of its modalities, on the table DATA, else on the test table of its spec, else on its
    validation rows; takes each modality away, and exchanges it among the rows; and learns plain models from the
    training rows to measure beside it. Every number comes with how many rows it stands on and its 95 % interval.
    """
    if output is not None:
        if output.exists():
            raise ConflictError(f"`{output}` is there already; name another file with -o, or remove it first")
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
@click.option("--table", type=click.Path(path_type=Path), help="Predict every row of a table.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write predictions as .parquet, .csv or .jsonl.")
@click.option("--absent", multiple=True, metavar="INPUT", help="Predict as if no sample had this input.")
@json_option
def predict_command(
    run: Path, values: tuple[str, ...], table: Path | None, output: Path | None, absent: tuple[str, ...], as_json: bool
) -> None:
    """Predict one sample, or every row of a table.

    A sample is given as NAME=VALUE for each input. A VALUE is what a cell of the table would hold: a file's path, a
    text, a number. An input that is not given is absent.
    """
    if bool(values) == bool(table):
        raise UsageError("give either one sample, as NAME=VALUE for each input, or a table with --table")
    if table is None and output is not None:
        raise UsageError("-o goes with --table; one sample is printed")
    if table is not None and output is None:
        raise UsageError("name the file for the predictions with -o: OUT.parquet, OUT.csv or OUT.jsonl")
    from zoo.model.run import read_run

    model = read_run(run)
    if table is not None and output is not None:
        _predict_table(model, table, output, absent)
        return
    found = _predict_sample(model, values, absent)
    if as_json:
        print_json(found)
        return
    for head, value in found.items():
        click.echo(f"{head}: {told(value)}")
    next_step(f"zoo eval {quote(str(run))}")


def _predict_table(model: "ZooModel", table: Path, output: Path, absent: tuple[str, ...]) -> None:
    from zoo.evaluation.predict import predict_table

    written = predict_table(model, table, output, absent)
    empty = f", {written.empty} of them without a prediction: they have no input" if written.empty else ""
    note(f"wrote {output}: {written.rows} row{'s' * (written.rows != 1)}{empty}")
    _tell_untaught(model, absent)


def _predict_sample(model: "ZooModel", words: tuple[str, ...], absent: tuple[str, ...]) -> dict[str, Any]:
    from zoo.evaluation.predict import predict, sample

    given = sample(model, words)
    (found,) = predict(model, [given], absent)
    _tell_untaught(model, {*absent, *model.spec.inputs} - ({*given} - {*absent}))
    return found


def _tell_untaught(model: "ZooModel", absent: Collection[str]) -> None:
    """A remark where an input is absent that never was in training."""
    from zoo.model.model import untaught

    if names := [name for name in model.never_absent() if name in absent]:
        note(f"note: {untaught(names)}")


def told(value: object) -> str:
    """A prediction in a line: the label and its probability, with the next best; else the value itself."""
    if not isinstance(value, dict) or "probabilities" not in value:
        return str(value)
    ranked = sorted(value["probabilities"].items(), key=lambda item: -item[1])[:3]
    chosen = ", ".join(value["labels"]) or "none" if "labels" in value else value["label"]
    return f"{chosen}  ({', '.join(f'{name} {share:.3f}' for name, share in ranked)})"
