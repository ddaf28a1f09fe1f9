"""From a file, or a text, to a checked spec."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.component import Component
from zoo.document import nodes
from zoo.document.nodes import found
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.document.write import write_yaml
from zoo.errors import SpecError, UsageError
from zoo.registry.registry import Registry, installed
from zoo.spec.augment import augment_problems
from zoo.spec.checker import SpecChecker
from zoo.spec.edges import edge_problems
from zoo.spec.override import override
from zoo.spec.requirements import requirement_problems
from zoo.spec.sections import Spec


def load_spec(
    path: str | Path | Mapping[str, Any], *, overrides: Sequence[str] = (), registry: Registry | None = None
) -> Spec:
    """Reads and checks a spec. Touches no network and no data, imports no torch.

    Args:
        path: The YAML file, or a spec's keys and values as a dict; then paths start at the working folder.
        overrides: Changes of the form `train.epochs=3`, as `--set` takes them.
        registry: Components to choose from; the installed ones unless given.

    Returns:
        The spec with every effective value, and where each came from in `origins`.

    Raises:
        UsageError: There is no such file.
        SpecError: All that is wrong, at once; `problems` tells file, line, column, path, message and suggestion.
    """
    return read_spec(_source(path), overrides=overrides, registry=registry)


def as_spec(spec: Spec | str | Path | Mapping[str, Any], components: Iterable[Component] = ()) -> Spec:
    """A spec, however it is given.

    Args:
        spec: A checked spec, the path of one, or its keys and values as a dict; then paths start at the working folder.
        components: Further components, of no installed plugin, which the spec names `local/<name>`.

    Raises:
        UsageError: There is no such file, or a checked spec is given together with further components.
        SpecError: All that is wrong with it.
    """
    further = list(components)
    if isinstance(spec, Spec):
        if further:
            raise UsageError("this spec is checked already; give its path, or its keys and values, with `components`")
        return spec
    return load_spec(spec, registry=Registry(unpackaged=further) if further else None)


def check_spec(path: str | Path, *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Spec:
    """Like `load_spec`, and also looks whether the local files are there and the tables have the columns.

    Of a table only the header is read.
    """
    from zoo.spec.files import file_problems

    source = Source.read(Path(path))
    root = _root(source, overrides)
    checker = SpecChecker(registry or installed())
    spec = _checked(root, checker, source.folder)
    checker.problems += file_problems(root, source.folder, checker.columns, checker.started)
    return _finished(spec, root, source, checker)


def read_spec(source: Source, *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Spec:
    """Checks the text of a spec, like `load_spec`."""
    root = _root(source, overrides)
    checker = SpecChecker(registry or installed())
    return _finished(_checked(root, checker, source.folder), root, source, checker)


def _source(spec: str | Path | Mapping[str, Any]) -> Source:
    return Source(write_yaml(dict(spec)), "spec").checked() if isinstance(spec, Mapping) else Source.read(Path(spec))


def _root(source: Source, overrides: Sequence[str]) -> nodes.Mapping:
    root = override(parse(source), overrides)
    if not isinstance(root, nodes.Mapping):
        hint = "a spec is a mapping with at least `inputs` and `heads`; try: zoo list recipes"
        raise SpecError([root.problem((), f"expected a spec, not {found(root)}", hint=hint)])
    return root


def _checked(root: nodes.Mapping, checker: SpecChecker, folder: Path) -> Any:
    """The spec, or FAILED; what is wrong is noted in the checker."""
    spec = checker.section(Spec, root, (), root)
    checker.problems += edge_problems(root, checker.parts, checker.registry, folder)
    checker.problems += augment_problems(root, checker.parts)
    checker.problems += requirement_problems(root, checker.parts)
    return spec


def _finished(spec: Any, root: nodes.Mapping, source: Source, checker: SpecChecker) -> Spec:
    """The spec with its name, folder and origins; all that is wrong with it, if anything is."""
    if checker.problems:
        raise SpecError(checker.problems)
    name = spec.name if "name" in root else _name_of(source)
    checked: Spec = replace(spec, name=name, folder=source.folder, origins=checker.origins)
    return checked


def _name_of(source: Source) -> str:
    """A name from the file's: letters, digits, dots, dashes and underscores."""
    stem = re.sub(r"[^\w.-]+", "-", Path(source.name).stem, flags=re.ASCII).strip(".-_")
    return stem or "model"
