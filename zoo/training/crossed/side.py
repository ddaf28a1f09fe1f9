"""A spec in a cross-validation: its rows, and its trainings, those that were done before among them."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accelerate import Accelerator

from zoo.contract import Head
from zoo.data.fit import fit_rows
from zoo.data.folds import FoldRows
from zoo.errors import UsageError, ZooError
from zoo.model.model import ZooModel
from zoo.model.run import write_run
from zoo.model.unloaded import unloaded
from zoo.model.usable import UsableRows
from zoo.spec.sections import Spec
from zoo.training.crossed.outcome import Outcome, read_outcome, write_outcome
from zoo.training.crossed.pooled import value_of
from zoo.training.crossed.trial import Trial, run_trial
from zoo.training.progress import Watch

MODELS = "models"


@dataclass
class Side:
    """A spec and its rows.

    Args:
        key: What its files start with.
        spec: The spec.
        opened: Its rows, none of them set aside.
        rows: The same, to be divided.
        accelerator: The devices.
        working: Where outcomes are kept; None where they are not.
        keep: Where its models will stand in the end; None where they are not kept.
        watch: Hears of every step and epoch.
    """

    key: str
    spec: Spec
    opened: UsableRows
    rows: FoldRows
    accelerator: Accelerator
    working: Path | None
    keep: Path | None
    watch: Watch
    _heads: Mapping[str, Head] | None = field(default=None, init=False)

    def outcome(self, trial: Trial) -> tuple[Outcome, bool]:
        """What became of a training, and whether it was made now.

        Raises:
            ZooError: It failed; the message names the fold.
        """
        if (before := self._before(trial)) is not None:
            return before, False
        state = None if self.working is None else self.working / f"{trial.name}.state"
        try:
            model, outcome = run_trial(trial, self.rows, self.opened.validation, self.watch, self.accelerator, state)
        except ZooError as error:
            error.args = (f"{trial.told}: {error}",)
            raise
        self._heads = {name: model.head(name) for name in model.heads}
        if self.working is not None and state is not None:
            if self._is_kept(trial):
                self._keep(model.cpu(), trial, self.working / MODELS / trial.name)
            write_outcome(self.working, trial.name, outcome)
            state.unlink(missing_ok=True)
        return outcome, True

    def heads(self, outcome: Outcome) -> Mapping[str, Head]:
        """The heads, to measure rows with: those of a training or, where all were made before, without weights."""
        if self._heads is None:
            model = unloaded(self.spec, fit_rows(self.spec, self.opened.training))
            self._heads = {name: model.head(name) for name in model.heads}
        return {name: each for name, each in self._heads.items() if name in outcome.whole}

    def line(self, outcome: Outcome) -> str:
        """The first metric of each head, of the rows held out."""
        told = []
        for name, head in self.heads(outcome).items():
            metric, each = next(iter(head.metrics.items()))
            told.append(f"{name} {metric} {value_of(each, outcome.whole[name]):.3f}")
        return f"{', '.join(told)} on {len(outcome.predictions):,} rows ({outcome.seconds:.1f} s)"

    def check_alike(self, first: Outcome, outcome: Outcome) -> None:
        """Refuses folds whose heads learnt other classes, so that their predictions cannot be put together.

        Raises:
            UsageError: They did.
        """
        names, others = first.predictions.schema.names, outcome.predictions.schema.names
        if names != others:
            apart = sorted({*names} ^ {*others}) or names
            raise UsageError(
                f"folds of `{self.spec.name}` learnt other classes ({', '.join(apart[:3])}), so that they cannot be "
                "put together; write the `classes` of the head in the spec, or take fewer folds"
            )

    def _before(self, trial: Trial) -> Outcome | None:
        if self.working is None or (self._is_kept(trial) and not (self.working / MODELS / trial.name).is_dir()):
            return None
        return read_outcome(self.working, trial.name, learnt=trial.measures_learnt)

    def _is_kept(self, trial: Trial) -> bool:
        return self.keep is not None and "-of-" not in trial.name

    def _keep(self, model: ZooModel, trial: Trial, place: Path) -> None:
        assert self.keep is not None
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        write_run(model, place, self.keep / trial.name, {})
