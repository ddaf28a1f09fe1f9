"""From a file, or a text, to a checked spec."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zoo.document.nodes import Mapping, Node, found
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.errors import Problem, SpecError
from zoo.registry.registry import Registry, installed
from zoo.spec.checker import SpecChecker
from zoo.spec.edges import edge_problems
from zoo.spec.override import override
from zoo.spec.requirements import requirement_problems
from zoo.spec.sections import Spec


def load_spec(path: str | Path, *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Spec:
    """Reads and checks a spec. Touches no network and no data, imports no torch.

    Args:
        path: The YAML file.
        overrides: Changes of the form `train.epochs=3`, as `--set` takes them.
        registry: Components to choose from; the installed ones unless given.

    Returns:
        The spec with every effective value, and where each came from in `origins`.

    Raises:
        UsageError: There is no such file.
        SpecError: All that is wrong, at once; `problems` tells file, line, column, path, message and suggestion.
    """
    return read_spec(Source.read(Path(path)), overrides=overrides, registry=registry)


def check_spec(path: str | Path, *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Spec:
    """Like `load_spec`, and also looks whether the local files are there and the tables have the columns.

    Of a table only the header is read.
    """
    from zoo.spec.files import file_problems

    source = Source.read(Path(path))
    root = _root(source, overrides)
    spec = _checked(root, source, registry or installed())
    problems = list(file_problems(spec, root))
    if problems:
        raise SpecError(problems)
    return spec


def read_spec(source: Source, *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Spec:
    """Checks the text of a spec, like `load_spec`."""
    return _checked(_root(source, overrides), source, registry or installed())


def _root(source: Source, overrides: Sequence[str]) -> Mapping:
    root = override(parse(source), overrides)
    if not isinstance(root, Mapping):
        raise SpecError([_no_spec(root)])
    return root


def _checked(root: Mapping, source: Source, registry: Registry) -> Spec:
    """The spec, with its name, folder and origins; or all that is wrong with it."""
    checker = SpecChecker(registry)
    spec: Spec = checker.section(Spec, root, (), root)
    checker.problems += edge_problems(root, checker.parts, registry)
    checker.problems += requirement_problems(root, checker.parts)
    if checker.problems:
        raise SpecError(checker.problems)
    if "name" not in root:
        spec = replace(spec, name=_name_of(source))
    return replace(spec, folder=source.folder, origins=checker.origins)


def _no_spec(root: Node) -> Problem:
    hint = "a spec is a mapping with at least `inputs` and `heads`; try: zoo list recipes"
    return root.problem((), f"expected a spec, not {found(root)}", hint=hint)


def _name_of(source: Source) -> str:
    """A name from the file's: letters, digits, dots, dashes and underscores."""
    stem = re.sub(r"[^\w.-]+", "-", Path(source.name).stem, flags=re.ASCII).strip(".-_")
    return stem or "model"
