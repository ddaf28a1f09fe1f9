"""What a spec's `transfer` means for a model: which parameters are trained, and that frozen is frozen."""

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import chain

from torch import nn

from zoo.component import Kind
from zoo.contract import Backbone, Policy, PolicyContext, Trainable
from zoo.errors import UsageError, nearest
from zoo.model.model import ZooModel
from zoo.registry.target import load_target
from zoo.spec.sections import BackbonePart, Transfer, named_parts


def apply_transfer(model: ZooModel) -> None:
    """Sets `requires_grad` as the spec's policies and patterns say, and makes `train()` leave frozen modules in eval.

    Raises:
        UsageError: A pattern of `freeze` matches no parameter, or nothing is left to train.
    """
    whole = model.spec.transfer
    for part in parts(model):
        transfer = own_transfer(model, part.name) or whole
        policy = load_target(transfer.registered, transfer.registered.component.target)
        made: Policy = policy(transfer.options, PolicyContext(name=part.name))
        chosen = part.new.union(made.trainable(part))
        module = model.get_submodule(part.name)
        for name in part.names:
            module.get_parameter(name).requires_grad_(name in chosen)
        if transfer is not whole:
            _freeze(transfer.freeze, module, f"the `transfer` of `{part.name}`")
    _freeze(whole.freeze, model, "`transfer`")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError("`transfer` freezes every parameter of the model: nothing is left to train")
    model.frozen = frozen_modules(model)
    model.train(model.training)


def parts(model: ZooModel) -> Iterator[Trainable]:
    """The parts of a model as policies see them: backbones, fusion, heads and the backbones inside heads."""
    for name, module in model.named_modules():
        if isinstance(module, Backbone):
            yield _part(model, name, Kind.BACKBONE, _parameters_of(module))
    if model.fusion is not None:
        yield _part(model, "fusion", Kind.FUSION, [_names(model.fusion)])
    for name in model.heads:
        # The backbones inside a head are parts of their own.
        names = [each for each in _names(model.heads[name]) if not each.startswith("parts.")]
        yield _part(model, f"heads.{name}", Kind.HEAD, [names])
    for name in model.auxiliary:
        yield _part(model, f"auxiliary.{name}", Kind.HEAD, [_names(model.auxiliary[name])])


def frozen_modules(model: nn.Module) -> list[nn.Module]:
    """The modules that training must leave in eval: those whose parameters are all frozen, and all within them.

    A module without parameters (dropout, a norm without scale) goes with the one registered before it.
    """
    frozen: list[nn.Module] = []

    def walk(module: nn.Module, before: bool) -> bool:
        parameters = list(module.parameters())
        fixed = before if not parameters else not any(parameter.requires_grad for parameter in parameters)
        if fixed:
            frozen.extend(module.modules())
        if fixed or not parameters:
            return fixed
        own = list(module.parameters(recurse=False))
        last = bool(own) and not any(parameter.requires_grad for parameter in own)
        for child in module.children():
            last = walk(child, last)
        return last

    walk(model, False)
    return frozen


def _part(model: ZooModel, name: str, kind: Kind, groups: Sequence[Sequence[str]]) -> Trainable:
    start = model.starts.get(name)
    pretrained = start is not None and bool(start.kept or start.resized)
    return Trainable(
        name=name,
        kind=kind,
        groups=tuple(map(tuple, groups)),
        pretrained=pretrained,
        chosen=own_transfer(model, name) is not None,
        new=frozenset(chain(*groups)).intersection(start.new if start and pretrained else ()),
    )


def own_transfer(model: ZooModel, part: str) -> Transfer | None:
    """What the spec says of this part's transfer alone."""
    match part.split("."):
        case ["backbones", name]:
            return model.spec.inputs[name].transfer
        case ["heads", name, "parts", option]:
            section = named_parts(model.spec.heads[name].options)[option]
            return section.transfer if isinstance(section, BackbonePart) else None
    return None


def _names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def _parameters_of(backbone: Backbone) -> list[list[str]]:
    """The backbone's layer groups without its buffers."""
    parameters = set(_names(backbone))
    return [[name for name in group if name in parameters] for group in backbone.layer_groups()]


def _freeze(patterns: Sequence[str], module: nn.Module, place: str) -> None:
    parameters = dict(module.named_parameters())
    for pattern in patterns:
        found = [each for name, each in parameters.items() if fnmatchcase(name, pattern)]
        if not found:
            advice = _advice(pattern, parameters)
            raise UsageError(f"{place}: `freeze` has `{pattern}`, which matches no parameter; {advice}")
        for parameter in found:
            parameter.requires_grad_(False)


def _advice(pattern: str, names: Collection[str]) -> str:
    """What a pattern may have meant: a parameter, or all that stand under one name, `backbones.photo.*`."""
    under = {name.rsplit(".", dots)[0] for name in names for dots in range(1, name.count(".") + 1)}
    if pattern.endswith(".*") and (guess := nearest(pattern.removesuffix(".*"), under)):
        return f"did you mean `{guess}.*`?"
    if guess := nearest(pattern.replace("*", ""), names):
        return f"did you mean `{guess}`?"
    return f"they begin with {', '.join(list(names)[:3])}"
