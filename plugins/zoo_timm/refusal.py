"""Why timm refuses a network, told in the words of a spec. It is looked for only after a refusal."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from typing import get_args, get_type_hints

import torch
from torch import nn

from zoo import UsageError
from zoo_timm.declaration import Timm
from zoo_timm.layout import layout_of
from zoo_timm.network import OPTIONS, Request, make, stages_of

POOLS = ("avg", "max", "avgmax", "token")
TRIES = 4
"""How many sizes above and below one that does not fit are tried."""


def refusal(request: Request, error: Exception) -> Exception:
    """The error to raise for a network that cannot be made: which option is to blame, and what to write instead.

    Each option is tried alone, on the meta device.

    Args:
        request: The network.
        error: What timm or torch said.
    """
    plain = replace(request, options=Timm(), size=request.configuration.size)
    if isinstance(error, UsageError):
        return error
    if _failure(plain):
        return _channels(plain, error)
    options = request.options
    looks: tuple[tuple[Request, Callable[[Request, Request, Exception], str]], ...] = (
        (_with(plain, model=options.model), _model),
        (_with(plain, drop_path_rate=options.drop_path_rate), _drop_path),
        (_with(plain, depth=options.depth), _together),
        (_with(plain, pool=options.pool), _pool),
        (replace(plain, size=request.size, options=replace(plain.options, resolution=options.resolution)), _size),
    )
    for tried, say in looks:
        if alone := _failure(tried):
            return UsageError(say(tried, plain, alone))
    return UsageError(_together(request, plain, error))


def _with(request: Request, **options: object) -> Request:
    return replace(request, options=replace(request.options, **options))  # type: ignore[arg-type]


def _failure(request: Request) -> Exception | None:
    """What is said where the network cannot be made."""
    try:
        with torch.device("meta"):
            layout_of(make(request)[0], request)
    except Exception as error:  # each architecture has checks of its own, with errors of its own
        return error
    return None


def _channels(plain: Request, error: Exception) -> Exception:
    own = plain.configuration.channels
    if _failure(replace(plain, channels=own)):
        return error
    return UsageError(f"`{plain.name}` cannot read pictures of {plain.channels} channels; it takes {own} alone")


def _model(request: Request, plain: Request, error: Exception) -> str:
    with torch.device("meta"):
        known = set(_arguments(make(plain)[0]))
    for name in request.options.model:
        if name not in known:
            near = get_close_matches(name, {*known, *OPTIONS}, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            return f"`model: {name}`: `{request.name}` has no such argument{hint}"
        # Where another error is being handled, CPython leaves it at `KeyError(name)`.
        if f"multiple values for keyword argument '{name}'" in str(error) or error.args == (name,):
            return f"`model: {name}`: `{request.name}` is defined by its own; take another architecture"
    said = ", ".join(f"{name}: {value}" for name, value in request.options.model.items())
    return f"`model: {{{said}}}`: `{request.name}` cannot be made so: {_first_line(error)}"


def _drop_path(request: Request, plain: Request, error: Exception) -> str:
    return f"`drop_path_rate`: `{request.name}` has no stochastic depth; leave the option out"


def _pool(request: Request, plain: Request, error: Exception) -> str:
    possible = [pool for pool in POOLS if not _failure(_with(plain, pool=pool))]
    ways = ", ".join(["auto", *possible])
    return f"`pool: {request.options.pool}`: `{request.name}` cannot pool so; it can by: {ways}"


def _size(request: Request, plain: Request, error: Exception) -> str:
    with torch.device("meta"):
        step = max(stride for _, stride in stages_of(make(plain)[0]))
    height, width = request.size
    fitting = [f"`resolution: {side}`" for side in sorted(_near(plain, min(height, width), step))]
    own = " x ".join(map(str, plain.size))
    advice = f"write {' or '.join(fitting)}; multiples of {step} may fit" if fitting else f"it takes {own}"
    return f"`{request.name}` cannot read pictures of {height} x {width} pixels ({_first_line(error)}): {advice}"


def _near(plain: Request, side: int, step: int) -> Iterator[int]:
    """The next sides below and above that the network takes."""
    below = range(side // step * step, 0, -step)
    above = range(side // step * step + step, side + (TRIES + 1) * step, step)
    for sides in (below, above):
        fitting = (each for each in sides[:TRIES] if each >= 8 and not _failure(replace(plain, size=(each, each))))
        yield from list(fitting)[:1]


def _together(request: Request, plain: Request, error: Exception) -> str:
    return f"`{request.name}` cannot be made with these options: {_first_line(error)}"


def _arguments(network: nn.Module) -> Iterator[str]:
    """Names that the constructor of a network takes, those of the configuration that it is overlaid on included."""
    for cls in type(network).__mro__:
        if "__init__" not in vars(cls) or cls is nn.Module:
            continue
        for name, parameter in inspect.signature(cls).parameters.items():
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                yield name
        said = get_type_hints(vars(cls)["__init__"]).get("cfg")
        for overlaid in get_args(said) or (said,):  # it may be optional, as of a NaFlexViT
            if is_dataclass(overlaid):
                yield from (each.name for each in fields(overlaid))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
