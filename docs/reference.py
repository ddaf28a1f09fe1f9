"""Writes docs/reference.md from the declarations, so that what is documented is what is checked.

Run it as `python docs/reference.py`; a test compares the file with what this would write.
"""

from collections.abc import Iterator
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any, get_type_hints

from zoo.component import Augmentation, Kind
from zoo.document.fields import Field, describe, fields_of, section_in, sections_under
from zoo.document.scalars import write
from zoo.document.write import write_yaml
from zoo.registry.registry import Registered, Registry
from zoo.spec.sections import Part, SharedBackbone, Spec

TARGET = Path(__file__).with_name("reference.md")
HEAD = """\
# Reference of the spec

<!-- Written by docs/reference.py from the declarations. Change those, then run it again. -->

Every key of a spec, with its type, its default and what it means; then every component that comes with zoo, with its
options. `zoo show NAME` prints the same for what is installed, plugins of others included; `zoo spec schema` prints it
as JSON Schema for editors.
"""


def reference(registry: Registry) -> str:
    """The reference as Markdown."""
    parts = [HEAD, "## Keys of the language\n"]
    for path, cls in sections(Spec, ""):
        parts.append(section(path, cls))
    parts.append("## Components\n")
    for kind in Kind:
        parts.append(f"### {kind.plural.capitalize()}\n")
        parts += [component(entry) for entry in registry.components(kind)]
    return "\n".join(parts)


def sections(cls: type, path: str) -> Iterator[tuple[str, type]]:
    """Every section of the language with the path it stands at, parents first."""
    yield path, cls
    for name, hint in get_type_hints(cls).items():
        if name not in fields_of(cls):
            continue
        here = f"{path}.{name}".removeprefix(".")
        if found := section_in(hint):
            yield from sections(found, here)
        if named := sections_under(hint, dict):
            yield from sections(named, f"{here}.NAME")
        if several := sections_under(hint, list):
            yield from sections(several, f"{here}[]")
        if name == "backbone":
            yield f"{here} (shared)", SharedBackbone


def section(path: str, cls: type) -> str:
    """One section: what it is, and a table of its keys."""
    title = f"`{path}`" if path else "The top"
    more = "\n\nThe component's own options stand beside these keys." if issubclass(cls, Part) else ""
    told = (cls.__doc__ or "").strip().splitlines()[0]
    keys = fields_of(cls)
    return f"### {title}\n\n{told}{more}\n" + (f"\n{table(keys.values())}" if keys else "")


def table(fields: Any) -> str:
    """Keys with type, default and meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{field.name}` | {cell(kind(field))} | {cell(default(field))} | {cell(field.doc)} |" for field in fields
    ]
    return "\n".join(rows) + "\n"


def kind(field: Field) -> str:
    """The type in words."""
    return describe(field.hint, field.bounds, field.unit)


def default(field: Field) -> str:
    """The default as it would be written; a section's default is told in the section."""
    if field.default is MISSING:
        return "required"
    if section_in(field.hint) or sections_under(field.hint, list):
        return ""
    return f"`{write_yaml(field.default).strip()}`"


def cell(text: str) -> str:
    """Text that cannot end a table's cell."""
    return text.replace("|", "\\|")


def component(entry: Registered) -> str:
    """One component: summary, source, what it takes, needs and provides, and its options."""
    declared = entry.component
    lines = [f"#### `{entry.name}`\n", declared.summary, ""]
    joint = " to " if declared.kind is Kind.FRONTEND else ", "
    facts = {
        "Modality": joint.join(declared.modality),
        "Needs": ", ".join(sorted(declared.needs)),
        "Provides": ", ".join(sorted(declared.provides)),
        "Source": declared.source,
    }
    lines += [f"- {name}: {value}" for name, value in facts.items() if value]
    options = fields_of(declared.options)
    lines += ["", table(options.values()) if options else "No options.\n"]
    if declared.augmentations:
        lines.append(augmentations(declared.augmentations))
    return "\n".join(lines)


def augmentations(declared: tuple[Augmentation, ...]) -> str:
    """What can be done to values in training: what each does and is in the presets, and its options."""
    rows = ["Augmentations:\n", "| name | `light` | `strong` | alters | meaning |", "|---|---|---|---|---|"]
    for each in declared:
        presets = [preset(each.light), preset(each.strong), ", ".join(sorted(each.alters))]
        source = f" ({each.source})" if each.source else ""
        rows.append(f"| `{each.name}` | {' | '.join(presets)} | {each.summary}{source} |")
    fields = [replace(field, name=f"{each.name}.{name}") for each in declared for name, field in options_of(each)]
    return "\n".join([*rows, "", table(fields)])


def options_of(each: Augmentation) -> list[tuple[str, Field]]:
    """The options of an augmentation, by name."""
    return list(fields_of(each.options).items())


def preset(options: Any) -> str:
    """Options as a spec would say them; nothing where the preset leaves the augmentation out."""
    if options is None:
        return ""
    said = ", ".join(f"{name}: {write(value)}" for name, value in vars(options).items())
    return f"`{said}`" if said else "as it is"


if __name__ == "__main__":
    from zoo.registry.registry import installed

    TARGET.write_text(reference(installed()), encoding="utf-8")
