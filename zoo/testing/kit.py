"""Tries a component against the laws of its kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from zoo.component import Component, Kind
from zoo.contract import ValueSpec
from zoo.testing import (
    abilities,
    augmentations,
    backbones,
    declared,
    frontends,
    fusions,
    heads,
    inputs,
    modules,
    policies,
    rows,
    targets,
)
from zoo.testing.case import Case, make_case
from zoo.testing.head_trial import HeadTrial

Law = Callable[[Any], Iterator[str]]


@dataclass(frozen=True)
class Finding:
    """A law that a component breaks.

    Args:
        law: Name of the function that says and checks the law: `frozen_is_frozen`.
        message: How it is broken.
    """

    law: str
    message: str

    def __str__(self) -> str:
        return f"{self.law}: {self.message}"


@dataclass(frozen=True)
class _Trials:
    """How components of a kind are tried: what makes a trial, laws to begin with, and the others."""

    make: Callable[[Case], Any]
    first: Sequence[Law]
    laws: Sequence[Law]


_KINDS = {
    Kind.INPUT: _Trials(inputs.InputTrial, (), (*inputs.LAWS, *augmentations.LAWS)),
    Kind.FRONTEND: _Trials(frontends.FrontendTrial, (), (*frontends.LAWS, *augmentations.LAWS)),
    Kind.BACKBONE: _Trials(backbones.BackboneTrial, modules.FIRST, (*backbones.LAWS, *rows.LAWS, *abilities.LAWS)),
    Kind.FUSION: _Trials(fusions.FusionTrial, modules.FIRST, fusions.LAWS),
    Kind.HEAD: _Trials(HeadTrial, modules.FIRST, (*heads.LAWS, *targets.LAWS)),
    Kind.POLICY: _Trials(policies.PolicyTrial, (), policies.LAWS),
}


class Given(TypedDict, total=False):
    """What a trial may be given beside the options; all of it has defaults where zoo knows the modality.

    Args:
        samples: Cells of an input; values of a front end or a backbone; labels of a head, as they stand in a table,
            which a head that learns from labels needs.
        value: What the values of a front end or a backbone are.
        unused: Patterns of names of parameters that no output depends on, such as `*.mask_token`.
        components: Components of no installed plugin, which are named `local/<name>`.
    """

    samples: Sequence[Any]
    value: ValueSpec
    unused: Sequence[str]
    components: Iterable[Component]


def conformance(name: str, options: Mapping[str, Any] | None = None, **given: Unpack[Given]) -> list[Finding]:
    """Tries a component, with random weights, against all laws of its kind.

    Choose options that make it tiny: a trial builds it two dozen times.

    Args:
        name: Its full name: `acme/tiny`.
        options: What a spec would say to it.
        **given: See `Given`.

    Returns:
        What it breaks; nothing where it conforms. Where it cannot be built, or gives random numbers or none, that
        alone is told.

    Raises:
        UnknownName: There is no such component.
        SpecError: It does not take these options.
        ValueError: It is of a modality that zoo does not know, or learns from labels, and no samples are given.
    """
    components = given.get("components", ())
    case = make_case(name, options or {}, components, given.get("samples"), given.get("value"), given.get("unused", ()))
    kind = _KINDS[case.registered.kind]
    trial = kind.make(case)
    for law in (builds, *kind.first):
        if found := list(_broken(trial, law)):
            return found
    return [finding for law in (*declared.LAWS, *kind.laws) for finding in _broken(trial, law)]


def check(name: str, options: Mapping[str, Any] | None = None, **given: Unpack[Given]) -> None:
    """Like `conformance`, for a test.

    Raises:
        AssertionError: The component breaks a law; the message tells all of them.
    """
    found = conformance(name, options, **given)
    assert not found, f"`{name}` does not conform:\n" + "\n".join(map(str, found))


def laws_of(kind: Kind) -> dict[str, str]:
    """Names of the laws that components of a kind are tried against, with what they say."""
    trials = _KINDS[kind]
    laws = (builds, *trials.first, *declared.LAWS, *trials.laws)
    return {law.__name__: (law.__doc__ or "").partition("\n")[0] for law in laws}


def builds(trial: Any) -> Iterator[str]:
    """It can be built at all."""
    trial.build()
    yield from ()


def _broken(trial: Any, law: Law) -> Iterator[Finding]:
    try:
        yield from (Finding(law.__name__, message) for message in law(trial))
    except Exception as error:
        yield Finding(law.__name__, f"{type(error).__name__}: {error}")
