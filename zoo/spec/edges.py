"""Do the parts fit? Modalities and capabilities along every edge, from declarations alone."""

from collections.abc import Iterator
from os.path import realpath
from pathlib import Path as FolderPath

from zoo.component import Kind
from zoo.document.nodes import Mapping, Node, Path, Scalar, Sequence, at, dotted
from zoo.errors import Problem, listed, nearest
from zoo.registry.registry import Registered, Registry
from zoo.spec.files import table_paths
from zoo.spec.sources import is_local

Parts = dict[Path, tuple[Registered, Node]]


def edge_problems(root: Mapping, parts: Parts, registry: Registry, folder: FolderPath) -> Iterator[Problem]:
    """What does not fit between input and front end, front end and backbone, backbone and fusion, fusion and heads.

    Args:
        root: The spec as it is written.
        parts: The components that it names.
        registry: All components.
        folder: Where its relative paths start.
    """
    yield from _taken_names(root)
    names = _names(root, "inputs")
    shared = dict(_shared(root, names))
    yield from _shared_problems(shared, names)
    yield from _transfer_problems(root, shared)
    towers: list[Registered] = []
    for name in names:
        yield from _input_problems(name, root, parts, shared, registry)
        path: Path = ("inputs", shared[name][0] if name in shared else name, "backbone")
        if path in parts:
            towers.append(parts[path][0])
    fusion = parts.get(("fusion",))
    if fusion:
        for tower in towers:
            yield from _needs(fusion, tower, ("fusion",))
    for name in _names(root, "heads"):
        head = parts.get(("heads", name))
        source = fusion[0] if fusion else towers[0] if len(towers) == 1 else None
        if head and source:
            yield from _needs(head, source, ("heads", name))
    yield from _table_problems(root)
    yield from _measured_problems(root, folder)
    yield from _choice_problems(root)


TAKEN = """
    T_destination add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu
    items keys load_state_dict modules mtia named_buffers named_children named_modules named_parameters
    parameters pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory smart_apply state_dict to
    to_empty train training type update values xpu zero_grad
""".split()  # noqa: SIM905  # sixty words are read more easily than sixty quoted ones
"""What a torch module calls its own: an input or a head of such a name could not be a part of one."""


def _taken_names(root: Mapping) -> Iterator[Problem]:
    for section in ("inputs", "heads"):
        node = at(root, (section,))
        for name in _names(root, section):
            if name in TAKEN and isinstance(node, Mapping):
                message = f"`{name}` is a name that torch's modules have for something of their own"
                hint = f"choose another, such as `{name}_1`, and say `column: {name}` if the column is called so"
                yield node.key(name).problem((section, name), message, hint=hint)
    if "row" in _names(root, "heads") and isinstance(heads := at(root, ("heads",)), Mapping):
        message = "`row` is the column with the number of the row in tables of predictions"
        yield heads.key("row").problem(("heads", "row"), message, hint="choose another, and say `column: row`")


def _names(root: Mapping, key: str) -> list[str]:
    node = at(root, (key,))
    return list(node.items) if isinstance(node, Mapping) else []


def _shared(root: Mapping, names: list[str]) -> Iterator[tuple[str, tuple[str, Scalar]]]:
    """Inputs that share another's backbone: the name of the other, and its place."""
    for name in names:
        other = at(root, ("inputs", name, "backbone", "same_as"))
        if isinstance(other, Scalar):
            yield name, (other.text, other)


def _shared_problems(shared: dict[str, tuple[str, Scalar]], names: list[str]) -> Iterator[Problem]:
    for name, (other, node) in shared.items():
        path: Path = ("inputs", name, "backbone", "same_as")
        if other == name:
            yield node.problem(path, f"the input `{name}` cannot share its own backbone")
        elif other not in names:
            message = f"there is no input `{other}` to share a backbone with"
            yield node.problem(path, message, suggestion=nearest(other, [known for known in names if known != name]))
        elif other in shared:
            message = f"the input `{other}` shares the backbone of `{shared[other][0]}` itself"
            yield node.problem(path, message, suggestion=shared[other][0])


def _transfer_problems(root: Mapping, shared: dict[str, tuple[str, Scalar]]) -> Iterator[Problem]:
    """A shared backbone has one transfer: that of the input it belongs to."""
    for name, (other, _) in shared.items():
        path: Path = ("inputs", name, "transfer")
        if transfer := at(root, path):
            message = f"the input `{name}` shares the backbone of `{other}`, and its transfer with it"
            yield transfer.problem(path, message, hint=f"say it under `inputs.{other}`")


def _input_problems(
    name: str, root: Mapping, parts: Parts, shared: dict[str, tuple[str, Scalar]], registry: Registry
) -> Iterator[Problem]:
    """Input to front end to backbone: what the one gives, the next must take."""
    path: Path = ("inputs", name)
    if path not in parts:
        return
    giver, _ = parts[path]
    given = giver.component.modality
    if at(root, (*path, "frontend")) and (*path, "frontend") not in parts:
        return  # a front end that is not known: nothing can be said of what follows it
    if front := parts.get((*path, "frontend")):
        takes, gives = front[0].component.modality[:1], front[0].component.modality[1:]
        if not set(takes) & set(given):
            message = f"`{front[0].name}` takes {_words(takes)}, but the input `{name}` gives {_words(given)}"
            yield front[1].problem((*path, "frontend"), message)
            return
        yield from _needs(front, giver, (*path, "frontend"))
        giver, given = front[0], gives
    if name in shared:
        place: Node = shared[name][1]
        backbone = parts.get(("inputs", shared[name][0], "backbone"))
    else:
        backbone = parts.get((*path, "backbone"))
        place = backbone[1] if backbone else parts[path][1]
    if backbone is None:
        return
    tower = backbone[0]
    if not set(tower.component.modality) & set(given):
        yield _misfit(name, place, tower, given, registry)
    yield from _needs((tower, place), giver, (*path, "backbone"))


def _misfit(name: str, node: Node, tower: Registered, given: tuple[str, ...], registry: Registry) -> Problem:
    """A backbone of another modality, with what would help: a front end between, or the families that do fit."""
    taken = tower.component.modality
    message = f"`{tower.name}` takes {_words(taken)}, but the input `{name}` gives {_words(given)}"
    bridges = [
        entry.name
        for entry in registry.components(Kind.FRONTEND)
        if entry.component.modality[0] in given and entry.component.modality[-1] in taken
    ]
    fitting = [entry.name for entry in registry.components(Kind.BACKBONE) if set(entry.component.modality) & set(given)]
    hint = f"put a front end between, `frontend: {bridges[0]}`, or take" if bridges else "take"
    hint = f"{hint} a backbone for {_words(given)}: {listed(fitting)}" if fitting else ""
    return node.problem(("inputs", name, "backbone"), message, hint=hint)


def _needs(taker: tuple[Registered, Node], giver: Registered, path: Path) -> Iterator[Problem]:
    component, node = taker
    missing = component.component.needs - giver.component.provides
    if missing:
        message = f"`{component.name}` needs {_words(sorted(missing))}, which `{giver.name}` does not provide"
        provided = listed(giver.component.provides) or "nothing"
        yield node.problem(path, message, hint=f"`{giver.name}` provides {provided}")


def _table_problems(root: Mapping) -> Iterator[Problem]:
    """Heads that `data.train` names must be there."""
    heads = _names(root, "heads")
    tables = at(root, ("data", "train"))
    for index in range(len(tables.items) if isinstance(tables, Sequence) else 0):
        named = at(root, ("data", "train", index, "heads"))
        for place, head in enumerate(named.items if isinstance(named, Sequence) else []):
            if isinstance(head, Scalar) and head.text not in heads:
                path: Path = ("data", "train", index, "heads", place)
                message = f"`{dotted(path)}`: there is no head `{head.text}`"
                yield head.problem(path, message, suggestion=nearest(head.text, heads))


def _measured_problems(root: Mapping, folder: FolderPath) -> Iterator[Problem]:
    """Tables to measure on that the model learns from, or that choose its epoch: their numbers would say nothing."""
    seen: set[str] = set()
    for path, name in table_paths(root):
        node, place = at(root, path), _real(folder / name) if is_local(name) else name
        if path[1] != "train" and place in seen and node is not None:
            message = f"`{dotted(path)}`: the model learns from `{name}`; what is measured on it says nothing"
            hint = "name another table, or set a share of the rows aside: `validation: 0.2`"
            yield node.problem(path, message, hint=hint)
        seen.add(place)


def _choice_problems(root: Mapping) -> Iterator[Problem]:
    """What is to choose the epoch, where there are no rows for it, or no such head."""
    data, select = at(root, ("data",)), at(root, ("train", "select"))
    if isinstance(data, Mapping) and "validation" in data.items and at(root, ("data", "validation")) is None:
        for key in ("select", "patience"):
            node = at(root, ("train", key))
            if isinstance(node, Scalar) and node.value not in (None, "loss"):
                message = f"`train.{key}` chooses by validation rows, and `data.validation` is null"
                yield node.problem(("train", key), message, hint="set a share of the rows aside: `validation: 0.1`")
    if isinstance(select, Scalar) and "." in select.text:
        head, heads = select.text.partition(".")[0], _names(root, "heads")
        if head not in heads:
            message = f"there is no head `{head}`"
            yield select.problem(("train", "select"), message, suggestion=nearest(head, heads))


def _real(path: FolderPath) -> str:
    """The file that a path means, whatever links lead there."""
    try:
        return realpath(path)
    except ValueError:  # no path at all, which is told where files are looked for
        return str(path)


def _words(names: tuple[str, ...] | list[str]) -> str:
    return " or ".join(names) or "nothing"
