"""What holds for front ends."""

from collections.abc import Iterator
from typing import Any

from zoo.contract import Frontend, ValueSpec
from zoo.data.inputs import make_frontend
from zoo.spec.sections import Input
from zoo.testing.along import parts_with_weights, taken_along
from zoo.testing.case import Case
from zoo.testing.compare import differences
from zoo.testing.inputs import misfits
from zoo.testing.samples import VALUES, sample_values


class FrontendTrial:
    """A front end, and values for it."""

    def __init__(self, case: Case) -> None:
        takes, self.gives = case.registered.component.modality
        self.case = case
        self.value = case.value or VALUES.get(takes) or ValueSpec(modality=takes)
        self._samples = sample_values(self.value) if case.samples is None else list(case.samples)

    @property
    def samples(self) -> list[Any]:
        """The values, new ones each time."""
        return taken_along(self._samples)

    def build(self) -> Frontend:
        """The front end."""
        (section,) = self.case.spec.inputs.values()
        assert isinstance(section, Input)
        made = make_frontend(section, "sample", self.value)
        assert made is not None
        return made

    @property
    def learnt(self) -> dict[str, Any]:
        """Nothing: a front end learns nothing from the training rows."""
        return {}

    def values(self) -> tuple[ValueSpec, list[Any]]:
        """What it makes of the samples, and what that is."""
        made = self.build()
        return made.value, [made(sample) for sample in self.samples]


def values_are_of_its_spec(trial: FrontendTrial) -> Iterator[str]:
    """Every value becomes one as `value` describes it, of the modality that is declared."""
    made = trial.build()
    if made.value.modality != trial.gives:
        yield f"`value` is of the modality `{made.value.modality}`; the component declares `{trial.gives}`"
    for number, sample in enumerate(trial.samples):
        for misfit in misfits(made(sample), made.value):
            yield f"the value of sample {number} {misfit}"


def values_can_be_made_again(trial: FrontendTrial) -> Iterator[str]:
    """A value becomes the same, a second time and in a worker process; the front end holds no weights."""
    made = trial.build()
    for name in parts_with_weights(made):
        yield f"it takes a {name} along to every worker process"
    for other, where in ((made, "a second time"), (taken_along(made), "in a worker process")):
        for number, (sample, copy) in enumerate(zip(trial.samples, trial.samples, strict=True)):
            for difference in differences(made(sample), other(copy)):
                yield f"sample {number} becomes another value {where}: {difference}"


def samples_stay_as_they_are(trial: FrontendTrial) -> Iterator[str]:
    """What it is given it does not change: the value may be used again."""
    made = trial.build()
    for number, (sample, before) in enumerate(zip(trial.samples, trial.samples, strict=True)):
        made(sample)
        for difference in differences(before, sample):
            yield f"sample {number} is changed in place: {difference}"


LAWS = (values_are_of_its_spec, values_can_be_made_again, samples_stay_as_they_are)
