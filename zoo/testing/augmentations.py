"""What holds for the augmentations that an input or a front end declares."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from zoo.contract import AugmentContext, ValueSpec
from zoo.data.augment import wanted
from zoo.data.inputs import make_augment
from zoo.data.samples import drawing
from zoo.errors import UsageError
from zoo.spec.sections import Augment
from zoo.testing.along import taken_along
from zoo.testing.case import Case
from zoo.testing.compare import differences
from zoo.testing.inputs import misfits

SEEDS = 8
"""So many random changes of each value are looked at."""


class Augmented(Protocol):
    """A trial of a component that declares augmentations."""

    case: Case

    def values(self) -> tuple[ValueSpec, list[Any]]:
        """Values that the component gives, new ones each time, and what they are."""

    @property
    def learnt(self) -> Any:
        """What it has learnt from them."""


def augmentations_keep_the_kind(trial: Augmented) -> Iterator[str]:
    """Every augmentation gives a value of the same kind and type, whatever is drawn."""
    spec, values = trial.values()
    for name, change in _changes(trial):
        for value in values:
            for seed in range(SEEDS):
                changed = _from_copy(change, value, seed)
                yield from (f"`{name}`: its value {misfit}" for misfit in misfits(changed, spec))
                if getattr(changed, "dtype", None) != getattr(value, "dtype", None):
                    yield f"`{name}` gives {changed.dtype} for {value.dtype}"


def augmentations_depend_on_the_seed_alone(trial: Augmented) -> Iterator[str]:
    """The same seed of torch's generator gives the same value, in a worker process too; among many, one differs."""
    _, values = trial.values()
    for name, change in _changes(trial):
        copy = taken_along(change)
        for number, value in enumerate(values):
            for seed in range(SEEDS):
                if _differ(_from_copy(change, value, seed), _from_copy(copy, value, seed)):
                    yield f"`{name}` makes another value of sample {number} from the same seed"
        if not any(_differ(value, _from_copy(change, value, seed)) for value in values for seed in range(4 * SEEDS)):
            yield f"`{name}` changes nothing"


def augmentations_leave_their_values(trial: Augmented) -> Iterator[str]:
    """What an augmentation is given it does not change: the value may be kept and used again."""
    for name, change in _changes(trial):
        for number, (value, before) in enumerate(zip(trial.values()[1], trial.values()[1], strict=True)):
            for seed in range(SEEDS):
                _drawn(change, value, seed)
            if _differ(value, before):
                yield f"`{name}` changes sample {number} in place"


LAWS = (
    augmentations_keep_the_kind,
    augmentations_depend_on_the_seed_alone,
    augmentations_leave_their_values,
)


def _changes(trial: Augmented) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Every augmentation with its defaults, and as the presets have it; not those that these values are none for."""
    part, (spec, _) = trial.case.part, trial.values()
    context = AugmentContext(name="sample", value=spec, options=part.options, fitted=trial.learnt)
    declared = part.registered.component.augmentations
    plain = [Augment(name=each.name, declared=each, options=each.options()) for each in declared]
    for each in [*plain, *wanted("light", part), *wanted("strong", part)]:
        try:
            yield each.name, make_augment(each, part, "sample.augment", context)
        except UsageError:
            continue


def _drawn(change: Callable[[Any], Any], value: Any, seed: int) -> Any:
    with drawing(seed):
        return change(value)


def _from_copy(change: Callable[[Any], Any], value: Any, seed: int) -> Any:
    """Like `_drawn`, whatever the change does to what it is given."""
    return _drawn(change, taken_along(value), seed)


def _differ(first: Any, second: Any) -> bool:
    return first != second if isinstance(first, str) else any(differences(first, second))
