"""`zoo.train`: from a spec to a fine-tuned model and its run folder."""

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import complete_or_absent
from zoo.component import Component
from zoo.data.fit import fit_rows
from zoo.data.loader import Loader
from zoo.data.open import training as loaders
from zoo.data.rows import open_rows
from zoo.evaluation.evaluate import evaluate, evaluate_rows
from zoo.model.build import build_fitted
from zoo.model.model import ZooModel
from zoo.model.run import HISTORY, write_run
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
    metrics: Mapping[str, Any]
    folder: Path | None


def train(
    spec: Spec | str | Path | Mapping[str, Any],
    output: str | Path | None = None,
    *,
    components: Iterable[Component] = (),
    watch: Watch | None = None,
) -> Run:
    """Builds a model and fine-tunes it as its spec says; the epoch with the lowest validation loss is kept.

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
        return _train(checked, folder, beside, watch or Silent())


def _train(spec: Spec, folder: Path | None, beside: Path | None, watch: Watch) -> Run:
    history: list[Record] = []

    def note(record: Record) -> None:
        history.append(record)
        if beside is not None:
            with (beside / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    opened = open_rows(spec)
    model = build_fitted(spec, fit_rows(spec, opened.training))
    apply_transfer(model)
    training, validation = loaders(model, opened)
    watch.start(model, opened.remarks)
    Training(model, training, validation, watch).run(note)
    metrics = _measured(model, validation)
    if folder is not None and beside is not None:
        write_run(model, beside, folder, metrics)
    return Run(model, history, metrics, folder)


def _measured(model: ZooModel, validation: Loader | None) -> dict[str, Any]:
    """The quality on the test table, looked at this once; without one, on the rows that chose the epoch."""
    if model.spec.data.test is not None:
        return evaluate(model).as_dict()
    return evaluate_rows(model, "validation", validation).as_dict() if validation is not None else {}
