"""What is tried: a component in the smallest spec around it, in which stand-ins fill the other places."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from zoo.component import Component, Kind
from zoo.contract import ValueSpec
from zoo.document.fields import Field, fields_of
from zoo.document.source import Source
from zoo.document.write import write_yaml
from zoo.registry.registry import Registered, Registry
from zoo.registry.target import load_target
from zoo.spec.load import read_spec
from zoo.spec.sections import Part, Spec

ABLE = frozenset({"tokens", "pooled", "maps", "encode"})
"""What the stand-in backbone provides."""


@dataclass(frozen=True)
class Case:
    """A component, and what it is tried with.

    Args:
        registered: The component.
        spec: The smallest spec that names it.
        options: What is said to it there.
        registry: Where it stands, with stand-ins.
        samples: Cells of an input, values of a front end or a backbone, labels of a head; None: zoo's own.
        value: What the values of a front end or a backbone are; None: zoo's own.
        unused: Patterns of names of parameters that no output depends on.
    """

    registered: Registered
    spec: Spec
    options: Mapping[str, Any]
    registry: Registry
    samples: Sequence[Any] | None = None
    value: ValueSpec | None = None
    unused: Sequence[str] = ()

    @property
    def part(self) -> Part:
        """What the spec says of the component."""
        sample, head = next(iter(self.spec.inputs.values())), self.spec.heads["tested"]
        places = (sample, sample.frontend, sample.backbone, self.spec.fusion, head, self.spec.transfer)
        return next(each for each in places if isinstance(each, Part) and each.kind is self.registered.kind)

    def with_defaults(self) -> "Case":
        """The same with those options alone that have no default."""
        return self._with(lambda option: option.required)

    def beside_weights(self) -> "Case":
        """The same without the options that shape a part which starts at random."""
        return self._with(lambda option: not option.only_random)

    def _with(self, wanted: Callable[[Field], bool]) -> "Case":
        fields = fields_of(self.registered.component.options)
        # What is no option of its own is a key of the language, such as a head's `column`.
        options = {name: each for name, each in self.options.items() if name not in fields or wanted(fields[name])}
        return replace(self, options=options, spec=_spec(self.registered, options, self.registry))

    def seeded(self, seed: int) -> Spec:
        """The spec with another seed."""
        return replace(self.spec, train=replace(self.spec.train, seed=seed))

    def fitted(self, context: Any, samples: Sequence[Any]) -> Mapping[str, Any]:
        """What the component's `fit` learns from the samples."""
        if not self.registered.component.fit:
            return {}
        learn = load_target(self.registered, self.registered.component.fit)
        with torch.device("cpu"):  # whatever it is built on
            learnt: Mapping[str, Any] = learn(self.part.options, context, iter(samples))
        return learnt


def make_case(
    name: str,
    options: Mapping[str, Any],
    components: Iterable[Component],
    samples: Sequence[Any] | None,
    value: ValueSpec | None,
    unused: Sequence[str],
) -> Case:
    """A component by its name, with the parts around it, its options checked as those of any spec are.

    Raises:
        UnknownName: There is no such component.
        SpecError: It does not take these options.
    """
    known = list(components)
    registered = Registry(unpackaged=known).resolve(name)
    registry = Registry(unpackaged=[*known, *_stand_ins(registered.component)])
    return Case(registered, _spec(registered, options, registry), options, registry, samples, value, unused)


def _spec(registered: Registered, options: Mapping[str, Any], registry: Registry) -> Spec:
    return read_spec(Source(write_yaml(_around(registered, options)), registered.name), registry=registry)


def _around(registered: Registered, options: Mapping[str, Any]) -> dict[str, Any]:
    """The keys and values of a spec with the component in its place."""
    tested = {"use": registered.name, **options}
    tower: dict[str, Any] = {"type": "local/stand-in-input", "backbone": "local/stand-in-backbone"}
    spec: dict[str, Any] = {"inputs": {"sample": tower}, "heads": {"tested": "local/stand-in-head"}}
    match registered.kind:
        case Kind.INPUT:
            spec["inputs"] = {"sample": {**tower, "type": registered.name, **options}}
        case Kind.FRONTEND:
            spec["inputs"] = {"sample": {**tower, "frontend": tested}}
        case Kind.BACKBONE:
            spec["inputs"] = {"sample": {**tower, "backbone": {"weights": "none", **tested}}}
        case Kind.FUSION:
            spec |= {"inputs": {"first": tower, "second": tower, "third": tower}, "fusion": tested}
        case Kind.HEAD:
            spec["heads"] = {"tested": tested}
        case Kind.POLICY:
            spec["transfer"] = {"policy": registered.name, **options}
    return spec


def _stand_ins(component: Component) -> list[Component]:
    """Parts that fit the component from all sides."""
    modality = component.modality or ("image",)
    able = ABLE | component.needs
    taken, given = (modality[:1], modality[1:]) if component.kind is Kind.FRONTEND else (modality, modality)
    where = "zoo.testing.stand_ins"
    return [
        Component(Kind.INPUT, "stand-in-input", f"{where}:build_input", modality=taken, provides=able),
        Component(Kind.BACKBONE, "stand-in-backbone", f"{where}:build_backbone", modality=given, provides=able),
        Component(Kind.HEAD, "stand-in-head", f"{where}:build_head"),
    ]


def refusal(take: Callable[[Any], Any], wrong: Any, what: str) -> Iterator[str]:
    """What is wrong with how something refuses what it cannot take: it should raise ValueError."""
    try:
        take(wrong)
    except ValueError:
        return
    except Exception as error:
        yield f"{what} refuses what it cannot take with {type(error).__name__}; raise ValueError"
    else:
        yield f"{what} takes anything, even a bare object; raise ValueError for what it cannot take"
