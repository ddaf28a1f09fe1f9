"""The folder of a cross-validation."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from zoo.checkpoint.folder import complete_or_absent
from zoo.checkpoint.lock import fingerprints, untested, versions
from zoo.data.usable import SKIPPED, Unusable, skipped_text
from zoo.files import json_text, replace_file
from zoo.model.run import LOCK, METRICS, SPEC
from zoo.spec.paths import moved
from zoo.spec.render import render_spec
from zoo.spec.sections import Spec
from zoo.training.crossed.found import CrossValidation
from zoo.training.crossed.side import MODELS

PREDICTIONS = "predictions.parquet"
AGAINST, PREDICTIONS_AGAINST = "against.yaml", "predictions-against.parquet"


def write_found(
    found: CrossValidation,
    folder: Path,
    working: Path,
    spec: Spec,
    other: Spec | None,
    theirs: pa.Table | None,
    unusable: Sequence[Unusable],
    keep_models: bool,
) -> None:
    """Writes what a cross-validation found into a folder that is complete in the end or absent.

    Args:
        found: All of it.
        folder: Where; nothing may be there.
        working: The folder of the unfinished one, which has the models.
        spec: The spec.
        other: The one that it was compared with.
        theirs: Predictions of that one.
        unusable: Rows that were left out.
        keep_models: Whether to keep the models.
    """
    with complete_or_absent(folder, within=working) as beside:
        parquet.write_table(found.predictions, beside / PREDICTIONS)
        replace_file(beside / METRICS, json_text(found.as_dict()))
        replace_file(beside / SPEC, render_spec(moved(spec, folder)))
        lock = {**versions(spec), "data": fingerprints(untested(spec)), "seed": spec.train.seed}
        if other is not None:
            replace_file(beside / AGAINST, render_spec(moved(other, folder)))
            parquet.write_table(theirs, beside / PREDICTIONS_AGAINST)
            lock["against"] = {**versions(other), "data": fingerprints(untested(other))}
        lock |= {"folds": found.folds, "repeats": found.repeats}
        replace_file(beside / LOCK, json_text(lock))
        if unusable:
            replace_file(beside / SKIPPED, skipped_text(unusable))
        if keep_models:
            (working / MODELS).rename(beside / MODELS)
