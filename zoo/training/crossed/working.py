"""The folder of an unfinished cross-validation, beside that of its results: the folds that are done."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import Any

from zoo.errors import Interrupted, UsageError
from zoo.files import json_text, replace_file
from zoo.training.unfinished import FREE, MADE_OF, differences, held


@contextmanager
def kept_folds(folder: Path, made_of: Mapping[str, Any], resume: bool) -> Iterator[Path]:
    """The folder, which is gone when the block ends well, or when no training is done or under way in it.

    Args:
        folder: Where the results will stand.
        made_of: What the folds are made of, as JSON data: specs, tables, folds.
        resume: Go on with what is there, if there is any.

    Raises:
        ConflictError: Folds are there already that were not to be gone on with, or are being made.
        UsageError: What is there is of another spec, of other data, or of other folds.
        Interrupted: The user ended it, and there is something to go on from.
    """
    with held(folder, _begun, "holds a cross-validation that was interrupted", resume) as working:
        _check(working, json.loads(json_text(made_of)))
        try:
            yield working
        except BaseException as error:
            if not _begun(working):
                shutil.rmtree(working, ignore_errors=True)
            elif type(error) is KeyboardInterrupt:
                raise Interrupted(
                    SIGINT, "interrupted; the folds that are done are kept: go on with --resume"
                ) from None
            raise
        shutil.rmtree(working, ignore_errors=True)


def _begun(working: Path) -> bool:
    """Whether there is something to go on from."""
    return any(working.glob("*.outcome")) or any(working.glob("*.state"))


def _check(working: Path, made_of: Any) -> None:
    if not _begun(working):
        replace_file(working / MADE_OF, json_text(made_of))
        return
    before = json.loads((working / MADE_OF).read_text(encoding="utf-8"))
    for path, old, new in differences(before, made_of):
        if path.partition(".")[2].startswith(FREE):
            continue
        told = f"the folds in `{working}` are made of `{path}: {old}`, and now it is {new}"
        raise UsageError(f"{told}; set it back, or remove `{working}` to begin again")
