"""`zoo.train`: from a spec to a fine-tuned model and its run folder."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import complete_or_absent
from zoo.component import Component
from zoo.data.fit import fit_rows
from zoo.data.inputs import make_chain
from zoo.data.loader import Loader
from zoo.data.look_over import look_over_files, look_over_labels
from zoo.data.open import labelled
from zoo.data.open import training as loaders
from zoo.data.rows import Rows, open_rows, select
from zoo.errors import ZooError
from zoo.evaluation.evaluate import evaluate_rows, row_groups
from zoo.model.build import build_fitted
from zoo.model.model import ZooModel
from zoo.model.run import HISTORY, write_history, write_metrics, write_run
from zoo.spec.load import as_spec
from zoo.spec.sections import Spec
from zoo.training.loop import Record, Training
from zoo.training.progress import Silent, Watch
from zoo.transfer.freeze import apply_transfer


@dataclass(frozen=True)
class Run:
    """A finished training.

    Args:
        model: The model as it was after its best epoch, on the CPU, in eval mode.
        history: A record of each epoch.
        metrics: What `zoo.evaluate` measured at the end, in the JSON shape of `zoo eval`.
        folder: Where the run is kept; None where it is not.
    """

    model: ZooModel
    history: list[Record] = field(repr=False)
    metrics: Mapping[str, Any] = field(repr=False)
    folder: Path | None


def train(
    spec: Spec | str | Path | Mapping[str, Any],
    output: str | Path | None = None,
    *,
    components: Iterable[Component] = (),
    watch: Watch | None = None,
) -> Run:
    """Builds a model and fine-tunes it as its spec says; the epoch with the lowest validation loss is kept.

    Labels, and files that cells name, are looked for before the first step, those of the test table too. The run is
    written before it is measured: a row that cannot be read then costs the numbers, and not the training.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.
        output: Folder of the run, complete in the end or absent; None keeps no files.
        components: Further components, of no installed plugin, which the spec names `local/<name>`: for notebooks.
        watch: Hears of every step and epoch; nobody unless given.

    Raises:
        UsageError: The spec or its data are wrong.
        ConflictError: Something is in the folder already.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged, or of another architecture.
        NetworkError: Weights cannot be fetched.
    """
    checked = as_spec(spec, components)
    folder = Path(output) if output is not None else None
    with complete_or_absent(folder) if folder else nullcontext() as beside:
        model, history, validation = _learn(checked, beside, watch or Silent())
        if folder is not None and beside is not None:
            write_run(model, beside, folder, {})
    # The run is whole already: what goes wrong from here on costs no training.
    try:
        metrics = _measured(model, validation)
    except ZooError as error:
        if folder is not None:
            error.args = (f"{error}; the run is kept in `{folder}`: mend this, then `zoo eval {folder}`",)
        raise
    if folder is not None and metrics:
        write_metrics(model, folder, metrics)
    return Run(model, history, metrics, folder)


def _learn(spec: Spec, beside: Path | None, watch: Watch) -> tuple[ZooModel, list[Record], Loader | None]:
    """The trained model, what each epoch was, and the rows that chose among them."""
    history: list[Record] = []

    def note(record: Record) -> None:
        history.append(record)
        if beside is not None:
            write_history(beside / HISTORY, record)

    opened = open_rows(spec)
    model = _built(spec, opened)
    training, validation = loaders(model, opened)
    watch.start(model, opened.remarks)
    Training(model, training, validation, watch).run(note)
    return model, history, validation


def _built(spec: Spec, opened: Rows) -> ZooModel:
    """The model, its transfer applied, once all rows were looked over: their files before weights are fetched."""
    test = [] if spec.data.test is None else [select(spec, spec.folder / spec.data.test)]
    rows = [*opened.training, *opened.validation, *test]
    fitted = fit_rows(spec, opened.training)
    inputs = spec.inputs.items()
    look_over_files([make_chain(part, name, fitted["inputs"].get(name, {})) for name, part in inputs], rows)
    model = build_fitted(spec, fitted)
    apply_transfer(model)
    look_over_labels(model, rows)
    return model


def _measured(model: ZooModel, validation: Loader | None) -> dict[str, Any]:
    """The quality on the test table, looked at this once; without one, on the rows that chose the epoch."""
    split, rows = labelled(model) if model.spec.data.test is not None else ("validation", validation)
    if rows is None:
        return {}
    return evaluate_rows(model, split, rows, row_groups(model.spec, rows.selections)).as_dict()
