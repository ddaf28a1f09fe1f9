"""A proposal as a spec's text, with its reasons as comments, and as data."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from zoo.document.nodes import dotted
from zoo.document.write import write_yaml
from zoo.spec.proposal.propose import Path, Proposal

WIDTH = 110
COMPLETION = "For completion in an editor, run it with `--schema zoo.schema.json`."


def write(proposal: Proposal, schema: str | None = None) -> str:
    """The text of a spec. What stands behind a value is why it was chosen.

    Args:
        proposal: What is proposed.
        schema: A file with the JSON Schema of specs, by its path from the spec, for an editor.
    """
    header = [*proposal.header] if schema else [*proposal.header, COMPLETION]
    editor = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return editor + "".join(_comment(each, 0) for each in header) + "".join(_lines(proposal, proposal.spec, ()))


def as_data(proposal: Proposal) -> dict[str, Any]:
    """The spec, and every reason with the key or the column that it is for."""
    keys = {**proposal.above, **{path: (why,) for path, why in proposal.why.items()}}
    for path in proposal.above.keys() & proposal.why.keys():
        keys[path] = (*proposal.above[path], proposal.why[path])
    return {
        "spec": proposal.spec,
        "targets": proposal.targets,
        "left_out": proposal.left_out,
        "reasons": {dotted(path): list(told) for path, told in keys.items()},
        "rows": proposal.rows,
        "rows_looked_at": proposal.seen,
    }


def _lines(proposal: Proposal, data: Mapping[str, Any], path: Path) -> Iterator[str]:
    """Lines of a mapping, remarks above its keys, reasons behind its values."""
    indent = "  " * len(path)
    for key, value in data.items():
        here = (*path, key)
        yield from (_comment(each, len(path)) for each in proposal.above.get(here, ()))
        inner = value if isinstance(value, dict) else {}
        first = write_yaml({key: {"": 0} if inner else value}).splitlines()[0]
        why = _printable(proposal.why.get(here, ""))
        line = f"{indent}{first} # {why}" if why else f"{indent}{first}"
        yield from [f"{line}\n"] if len(line) <= WIDTH else [_comment(why, len(path)), f"{indent}{first}\n"]
        yield from _lines(proposal, inner, here)
        if here == ("inputs",):
            yield from (_comment(f"left out: `{name}`: {told}", 1) for name, told in proposal.left_out.items())


def _comment(text: str, depth: int) -> str:
    start = "  " * depth + "# "
    lines = wrap(_printable(text), WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
