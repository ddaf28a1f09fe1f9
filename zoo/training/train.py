"""`zoo.train`: from a spec to a fine-tuned model and its run folder."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from zoo.checkpoint.folder import complete_or_absent
from zoo.checkpoint.lock import remarks
from zoo.checkpoint.verify import read_json
from zoo.component import Component
from zoo.data.augment import Augmentation, make_augmentation
from zoo.data.fit import fit_rows
from zoo.data.given import with_tables
from zoo.data.inputs import make_chain
from zoo.data.loader import Loader
from zoo.data.look_over import look_over_files, look_over_labels
from zoo.data.open import Labelled, labelled, loader
from zoo.data.open import training as loaders
from zoo.data.rows import Rows
from zoo.data.usable import SKIPPED, skipped_text
from zoo.errors import UsageError, ZooError
from zoo.evaluation.calibrate import calibrate
from zoo.evaluation.evaluate import evaluate_rows, row_groups
from zoo.files import replace_file
from zoo.model.build import build_fitted
from zoo.model.model import ZooModel
from zoo.model.run import HISTORY, LOCK, METRICS, read_run, write_history, write_metrics, write_run
from zoo.model.usable import UsableRows, usable_rows
from zoo.spec.load import as_spec
from zoo.spec.sections import Spec
from zoo.training.accelerator import make_accelerator, share_of
from zoo.training.frozen import FeatureCache
from zoo.training.loop import Training
from zoo.training.options import prepare_backbones, with_batch_size
from zoo.training.progress import Silent, Watch
from zoo.training.state import Record
from zoo.training.tracking import LOGS, check_tracker
from zoo.training.unfinished import STATE, as_begun, check_same, keep_weights, kept, unfinished
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
    resume: bool = False,
    components: Iterable[Component] = (),
    tables: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
) -> Run:
    """Builds a model and fine-tunes it as its spec says; the best epoch on the validation rows is kept.

    Labels, and files that cells name, are looked for before the first step, those of the test table too; with
    `data.on_error: skip` every row is prepared once, and those that cannot be used are left out and listed in
    `skipped.csv`. The run is written before it is measured: a row that cannot be read then costs the numbers, and not
    the training. Until it is written, `<output>.training` keeps where the training stands. Under `torchrun` or
    `accelerate launch` every process calls this; the first one writes, and its `Run` has the metrics.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.
        output: Folder of the run, complete in the end or absent; None keeps no files.
        resume: Go on where an interrupted training of this folder stands; begin if there is none; read the run if it
            is finished.
        components: Further components, of no installed plugin, which the spec names `local/<name>`: for notebooks.
        tables: Tables in memory, by the name that stands behind `memory:` in the spec: a pandas or polars frame, a
            pyarrow table, a `datasets.Dataset`, or a list of dicts.
        watch: Hears of every step and epoch; nobody unless given.

    Raises:
        UsageError: The spec or its data are wrong.
        Interrupted: A signal ended the training, whose state is saved.
        ConflictError: Something is in the folder already.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged, or of another architecture.
        NetworkError: Weights cannot be fetched.
    """
    checked = with_tables(as_spec(spec, components), tables)
    folder = Path(output) if output is not None else None
    if folder is not None and resume and (folder / LOCK).exists():
        return _finished(folder, checked, components)
    track = checked.train.track
    logs = None if folder is None else unfinished(folder) / LOGS
    if track == "tensorboard" and logs is None:
        raise UsageError("`train.track: tensorboard` writes files: name the folder of the run")
    check_tracker(track)
    accelerator = make_accelerator(checked.train.precision, track, logs, shard=checked.train.shard)
    first = accelerator.is_main_process
    watch = watch if watch is not None and first else Silent()
    with _working(checked, folder, resume, first) as working:
        model, history, validation = _learn(checked, working, watch, accelerator)
        if folder is not None and working is not None and first:
            with complete_or_absent(folder, within=working) as beside:
                for record in history:
                    write_history(beside / HISTORY, record)
                if (working / SKIPPED).exists():
                    shutil.copy(working / SKIPPED, beside / SKIPPED)
                write_run(model, beside, folder, {})
                accelerator.end_training()
                if (working / LOGS).exists():
                    shutil.move(working / LOGS, beside / LOGS)
    accelerator.end_training()
    metrics = _measured(model, validation, folder) if first else {}
    return Run(model, history, metrics, folder)


def _working(spec: Spec, folder: Path | None, resume: bool, first: bool) -> AbstractContextManager[Path | None]:
    """Where the training keeps what it has; the first of several processes looks after it."""
    if folder is None:
        return nullcontext()
    return kept(folder, spec, resume) if first else nullcontext(unfinished(folder))


def _finished(folder: Path, spec: Spec, components: Iterable[Component]) -> Run:
    """A run that was finished before; it is measured now if it was interrupted before that."""
    model = read_run(folder, components)
    check_same(folder, model.spec, spec)
    lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
    if (folder / METRICS).exists():
        metrics = read_json(folder / METRICS)
    elif os.environ.get("RANK", "0") != "0":  # the first of several processes measures
        metrics = {}
    else:
        model.spec = replace(model.spec, tables=spec.tables)
        measured = model.spec.data.test is not None or model.spec.data.validation is not None
        metrics = _measured(model, labelled(model) if measured else None, folder)
    return Run(model, [json.loads(line) for line in lines], metrics, folder)


def _learn(
    spec: Spec, working: Path | None, watch: Watch, accelerator: Accelerator
) -> tuple[ZooModel, list[Record], Labelled | None]:
    """The trained model, what each epoch was, and the rows that chose among them."""
    history: list[Record] = []

    def note(record: Record) -> None:
        history.append(record)
        if working is not None and accelerator.is_main_process:
            write_history(working / HISTORY, record)

    opened = usable_rows(spec)
    if opened.unusable and working is not None and accelerator.is_main_process:
        replace_file(working / SKIPPED, skipped_text(opened.unusable))
    state = working / STATE if working is not None else None
    model, validation = learn_rows(spec, opened, watch, accelerator, state, note)
    return model, history, Labelled("validation", validation, opened.unusable_aside) if validation else None


def learn_rows(
    spec: Spec,
    opened: UsableRows,
    watch: Watch,
    accelerator: Accelerator,
    state: Path | None = None,
    note: Callable[[Record], None] = lambda record: None,
) -> tuple[ZooModel, Loader | None]:
    """The model that is learnt from some rows, and the rows that chose its epoch.

    Args:
        spec: What to learn.
        opened: The rows: to learn from, to choose the epoch by, and those to measure on, which are looked over alone.
        watch: Hears of every step and epoch.
        accelerator: The devices.
        state: File in which the training saves where it stands; None where it saves nothing.
        note: Takes the record of each epoch.
    """
    spec, remark = with_batch_size(spec, sum(len(each.numbers) for each in opened.training))
    model = _built(as_begun(spec, state), opened)
    if accelerator.is_main_process:
        keep_weights(state, model.sources)
    prepare_backbones(model, accelerator.device)
    augmentation = make_augmentation(model)
    found = remarks(spec, model.sources)
    watch.start(model, [*opened.remarks, *augmentation.remarks, *filter(None, [remark]), *found])
    if spec.train.track is not None:
        accelerator.init_trackers(spec.name)
    training, validation = _loaders(model, opened, augmentation, accelerator, watch)
    Training(model, training, validation, watch, accelerator, state).run(note)
    if accelerator.num_processes > 1:  # what was measured on shares of the rows is measured on all of them in the end
        validation = loaders(model, opened)[1]
    calibrate(model, validation)
    model.frozen_rows = None
    model.to(memory_format=torch.contiguous_format)
    return model, validation


def _loaders(
    model: ZooModel, rows: Rows, augmentation: Augmentation, accelerator: Accelerator, watch: Watch
) -> tuple[Loader, Loader | None]:
    """Loaders of this process's share of the rows, with the features of frozen backbones."""
    share, train = share_of(accelerator), model.spec.train
    model.frozen_rows = -(-train.rows // (train.accumulate * share.processes))
    cache = FeatureCache(model, accelerator) if train.cache and train.epochs > 1 else None
    arithmetic = str(accelerator.mixed_precision)
    stored = cache.stored(rows.training, arithmetic) if cache else None
    training = loader(model, rows.training, share, stored, augmentation)
    validation = None
    if rows.validation:
        validation = loader(model, rows.validation, share, cache.stored(rows.validation, "no") if cache else None)
    if cache is not None and cache.names:
        watch.remark(cache.told())
    return training, validation


def _built(spec: Spec, opened: UsableRows) -> ZooModel:
    """The model, its transfer applied, once all rows were looked over: their files before weights are fetched."""
    rows = [*opened.training, *opened.validation, *opened.test]
    fitted = fit_rows(spec, opened.training)
    inputs = spec.inputs.items()
    look_over_files([make_chain(part, name, fitted["inputs"].get(name, {})) for name, part in inputs], rows)
    model = build_fitted(spec, fitted)
    apply_transfer(model)
    look_over_labels(model, rows)
    return model


def _measured(model: ZooModel, validation: Labelled | None, folder: Path | None) -> dict[str, Any]:
    """The quality on the test table, looked at this once; without one, on the rows that chose the epoch.

    The run is whole already: what goes wrong here costs no training.
    """
    try:
        rows = labelled(model) if model.spec.data.test is not None else validation
        if rows is None:
            return {}
        groups = row_groups(model.spec, rows.batches.selections)
        metrics = evaluate_rows(model, *rows, groups).as_dict()
    except ZooError as error:
        if folder is not None:
            error.args = (f"{error}; the run is kept in `{folder}`: mend this, then `zoo eval {folder}`",)
        raise
    if folder is not None and metrics:
        write_metrics(model, folder, metrics)
    return metrics
