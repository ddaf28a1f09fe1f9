"""`zoo.cross_validate`: how good a spec is, each row predicted by a model that did not learn from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoo.checkpoint.lock import fingerprints, untested
from zoo.component import Component
from zoo.data.folds import FoldRows
from zoo.data.given import with_tables
from zoo.data.order import seed_of
from zoo.errors import UsageError
from zoo.model.usable import UsableRows, usable_rows
from zoo.spec.load import as_spec
from zoo.spec.paths import moved
from zoo.spec.render import spec_data
from zoo.spec.sections import Spec
from zoo.training.accelerator import make_accelerator
from zoo.training.crossed.against import Against, check_alike, check_comparable, compare
from zoo.training.crossed.curve import SHARES, LearningCurve, learning_curve
from zoo.training.crossed.found import CrossValidation
from zoo.training.crossed.outcome import Outcome
from zoo.training.crossed.pooled import Pooled
from zoo.training.crossed.side import Side
from zoo.training.crossed.trial import Chosen, Trial
from zoo.training.crossed.working import kept_folds
from zoo.training.crossed.written import write_found
from zoo.training.progress import Silent, Watch

Tell = Callable[[str], None]


def cross_validate(
    spec: Spec | str | Path | Mapping[str, Any],
    output: str | Path | None = None,
    *,
    folds: int | None = None,
    repeats: int = 1,
    against: Spec | str | Path | Mapping[str, Any] | None = None,
    curve: bool = False,
    keep_models: bool = False,
    resume: bool = False,
    components: Iterable[Component] = (),
    tables: Mapping[str, Any] | None = None,
    tell: Tell = lambda line: None,
    watch: Watch | None = None,
) -> CrossValidation:
    """Divides the training rows into folds, trains without each in turn, and measures on the rows held out.

    Each row is held out once in every repeat: in whole groups where `evaluate.groups` names a column, else with equal
    shares of the classes of the first head. Means, class names, vocabularies are learnt from the rows of a fold alone;
    the share for validation is drawn from them too. The test table is not opened.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.
        output: Folder of the results, complete in the end or absent; None keeps no files.
        folds: How many folds; `evaluate.folds` unless given.
        repeats: How often the rows are divided anew.
        against: Another spec, trained on the same folds with the same seeds, to compare with.
        curve: Whether to train on an eighth, a quarter and half of each fold's rows too, of the first repeat.
        keep_models: Whether to keep the model of each fold, of the first spec, in `models`.
        resume: Go on where an interrupted cross-validation of this folder stands; begin if there is none.
        components: Further components, of no installed plugin, which the spec names `local/<name>`.
        tables: Tables in memory, by the name that stands behind `memory:` in the spec.
        tell: Hears a line after each training.
        watch: Hears of every step and epoch; nobody unless given.

    Raises:
        UsageError: The specs or their data are wrong, too few for so many folds, or not to be compared.
        Interrupted: A signal ended it; what is done is kept.
        ConflictError: Something is in the folder already.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged, or of another architecture.
        NetworkError: Weights cannot be fetched.
    """
    further = list(components)
    checked = with_tables(as_spec(spec, further), tables)
    count = checked.evaluate.folds if folds is None else folds
    if count < 2 or repeats < 1:
        raise UsageError(f"{count} folds, {repeats} times: there must be 2 folds, and once, at least")
    if keep_models and output is None:
        raise UsageError("models are kept in the folder of the results; name one")
    other = None
    if against is not None:
        other = paired(with_tables(as_spec(against, further), tables), checked)
    folder = None if output is None else Path(output)
    with _working(folder, checked, other, count, resume) as working:
        work = _Work(checked, other, count, repeats, curve, folder, working, keep_models, tell, watch or Silent())
        found = work.found()
        if folder is not None and working is not None:
            theirs = work.predictions_against if other is not None else None
            write_found(found, folder, working, checked, other, theirs, work.ours.opened.unusable, keep_models)
    return replace(found, folder=folder)


def paired(spec: Spec, like: Spec) -> Spec:
    """A spec with the seed, the folds and the groups of another."""
    return replace(spec, train=replace(spec.train, seed=like.train.seed), evaluate=like.evaluate)


def _working(
    folder: Path | None, spec: Spec, other: Spec | None, folds: int, resume: bool
) -> AbstractContextManager[Path | None]:
    if folder is None:
        return nullcontext()
    made_of = {
        "spec": spec_data(moved(spec, folder)),
        "against": None if other is None else spec_data(moved(other, folder)),
        "data": {"first": fingerprints(untested(spec)), "other": other and fingerprints(untested(other))},
        "folds": folds,
    }
    return kept_folds(folder, made_of, resume)


def _open(spec: Spec) -> UsableRows:
    """All rows to learn from, none set aside, and those of a validation table; the test table is not opened."""
    data = spec.data
    validation = data.validation if isinstance(data.validation, str) else None
    return usable_rows(untested(replace(spec, data=replace(data, validation=validation))))


class _Work:
    """A cross-validation; see `cross_validate`."""

    def __init__(
        self,
        spec: Spec,
        other: Spec | None,
        folds: int,
        repeats: int,
        curve: bool,
        folder: Path | None,
        working: Path | None,
        keep_models: bool,
        tell: Tell,
        watch: Watch,
    ) -> None:
        self.folds, self.repeats, self.curve, self.tell = folds, repeats, curve, tell
        if spec.train.shard:
            raise UsageError(
                "`train.shard: true` needs several processes, and zoo cv runs in one; write `shard: false`"
            )
        accelerator = make_accelerator(spec.train.precision)
        if accelerator.num_processes > 1:
            raise UsageError("zoo cv runs in one process; start it without torchrun, or launch folds on their own")
        opened = _open(spec)
        rows = FoldRows(spec, opened.training)
        keep = folder / "models" if keep_models and folder is not None else None
        self.ours = Side("first", spec, opened, rows, accelerator, working, keep, watch)
        self.theirs: Side | None = None
        if other is not None:
            also = _open(other)
            check_comparable(spec, other, opened.training, also.training)
            self.theirs = Side("other", other, also, FoldRows(other, also.training), accelerator, working, None, watch)
        seed = spec.train.seed
        self.held = [rows.folds(folds, seed_of(seed, "folds", each) % 2**32) for each in range(repeats)]
        self.predictions_against: pa.Table | None = None

    def found(self) -> CrossValidation:
        """All of it, once every training is done."""
        ours, theirs = [], []
        for repeat, fold in np.ndindex(self.repeats, self.folds):
            ours.append(self._outcome(self.ours, self._trial(self.ours, repeat, fold)))
            self.ours.check_alike(ours[0], ours[-1])
            if self.theirs is not None:
                theirs.append(self._outcome(self.theirs, self._trial(self.theirs, repeat, fold)))
                self.theirs.check_alike(theirs[0], theirs[-1])
                check_alike(self._head, ours[-1], theirs[-1])
        pooled = Pooled(self.ours.heads(ours[0]), self.ours.rows)
        against = self._against(pooled, ours, theirs) if self.theirs is not None else None
        curve = self._curve(pooled, ours[: self.folds]) if self.curve else None
        opened = self.ours.opened
        return CrossValidation(
            self.ours.spec.name,
            self.folds,
            self.repeats,
            self.ours.rows.count,
            len(opened.unusable),
            pooled.whole(ours),
            pooled.over_folds(ours),
            pooled.subsets(ours),
            self._predictions(ours),
            against,
            curve,
            self.remarks(),
        )

    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the rows."""
        rows = self.ours.rows
        told = [*self.ours.opened.remarks, *rows.remarks(self.folds)]
        if rows.column is not None:
            count = int(rows.units.max()) + 1
            told.append(f"the {count:,} groups of `{rows.column}` stay whole, and intervals count them as independent")
        return tuple(told)

    @property
    def _head(self) -> str:
        return next(iter(self.ours.spec.heads))

    def _trial(self, side: Side, repeat: int, fold: int, share: float = 1.0) -> Trial:
        spec = side.spec
        spec = replace(spec, train=replace(spec.train, seed=spec.train.seed + repeat))
        held: Chosen = self.held[repeat] == fold
        learns: Chosen = ~held
        name = f"{side.key}-{repeat + 1}-{fold + 1}"
        told = f"fold {fold + 1} of {self.folds}"
        if self.repeats > 1:
            told += f", repeat {repeat + 1} of {self.repeats}"
        if self.theirs is not None:
            told += f", {spec.name}" if side is self.ours else f", against {spec.name}"
        if share < 1:
            learns = side.rows.share(learns, share, seed_of(spec.train.seed, "curve", fold))
            name, told = f"{name}-of-{1 / share:.0f}", f"{told}, {share:g} of its rows"
        measured = self.curve and side is self.ours and repeat == 0
        return Trial(name, told, spec, repeat + 1, fold + 1, learns, held, measured)

    def _outcome(self, side: Side, trial: Trial) -> Outcome:
        outcome, fresh = side.outcome(trial)
        self.tell(f"{trial.told}: {side.line(outcome)}" + ("" if fresh else ", done before"))
        return outcome

    def _against(self, pooled: Pooled, ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Against:
        assert self.theirs is not None
        self.predictions_against = self._predictions(theirs)
        name = self.theirs.spec.name
        if name == self.ours.spec.name:
            name = "the other"
        return compare(self._head, name, pooled, ours, theirs)

    def _curve(self, pooled: Pooled, whole: Sequence[Outcome]) -> LearningCurve:
        outcomes: dict[float, Sequence[Outcome]] = {1.0: whole}
        for share in SHARES[:-1]:
            trials = [self._trial(self.ours, 0, fold, share) for fold in range(self.folds)]
            outcomes[share] = [self._outcome(self.ours, trial) for trial in trials]
        return learning_curve(self._head, pooled, outcomes)

    def _predictions(self, outcomes: Sequence[Outcome]) -> pa.Table:
        """Of every repeat, the rows in their order."""
        pairs = np.ndindex(self.repeats, self.folds)
        places = [(self.held[repeat] == fold).nonzero()[0] + repeat * self.ours.rows.count for repeat, fold in pairs]
        whole = pa.concat_tables([each.predictions for each in outcomes], promote_options="permissive")
        return whole.unify_dictionaries().take(np.concatenate(places).argsort())
