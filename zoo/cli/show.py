"""What `zoo show` prints of a component, a family, a recipe, or a model of the catalogue."""

from dataclasses import MISSING, asdict
from typing import Any

import click

from zoo.cli.components import count
from zoo.cli.output import next_step, print_json, print_table
from zoo.component import Kind
from zoo.document.fields import Field, describe, fields_of
from zoo.document.write import write_yaml
from zoo.errors import PluginError, UnknownName, UsageError, nearest
from zoo.registry.catalogue import ModelCard, Recipe, catalogue
from zoo.registry.registry import Registered, Registry, installed


def show(name: str, as_yaml: bool, as_json: bool) -> None:
    """Prints what there is to know under a name; the catalogue is asked first, since its cards say more.

    Raises:
        UnknownName: Nothing has the name.
    """
    found = catalogue()
    if name in found.recipes:
        _show_recipe(name, found.recipes[name], as_yaml, as_json)
    elif as_yaml:
        raise UsageError(f"--yaml prints a recipe, and `{name}` is none; `zoo list recipes` lists them")
    elif name in found.models:
        _show_model(name, found.models[name], as_json)
    else:
        _show_component(_component(name, installed()), as_json)


def _component(name: str, registry: Registry) -> Registered:
    """The component of a full name, of a family's `timm/*`, or of a short name that only one component has."""
    families = {entry.name: entry for entry in registry.components()}
    if name in families:
        return families[name]
    try:
        return registry.resolve(name)
    except (UnknownName, PluginError) as error:
        same = [entry for entry in registry.components() if entry.name.partition("/")[2] == name]
        if len(same) == 1:
            return same[0]
        guess = nearest(name, [*catalogue().recipes, *catalogue().models])
        if isinstance(error, UnknownName) and guess and not error.suggestion:
            raise UnknownName(f"nothing is called `{name}`", guess) from None
        raise


def component_facts(entry: Registered) -> dict[str, Any]:
    """All that is declared about a component, for JSON."""
    component = entry.component
    options = fields_of(component.options)
    return {
        "kind": component.kind.value,
        "name": entry.name,
        "plugin": entry.plugin.name,
        "distribution": entry.plugin.distribution,
        "version": entry.plugin.version,
        "summary": component.summary,
        "source": component.source,
        "modality": list(component.modality),
        "provides": sorted(component.provides),
        "needs": sorted(component.needs),
        "target": component.target,
        "options": {name: _option_facts(field) for name, field in options.items()},
        "record": entry.record,
    }


def _option_facts(field: Field) -> dict[str, Any]:
    default = {} if field.required else {"default": field.default}
    return {
        "type": describe(field.hint, field.bounds, field.unit),
        "required": field.required,
        **default,
        "doc": field.doc,
    }


def _show_component(entry: Registered, as_json: bool) -> None:
    if as_json:
        print_json(component_facts(entry))
        return
    component = entry.component
    click.echo(f"{entry.name} ({component.kind.value})")
    click.echo(f"{component.summary}\n")
    joint = " -> " if component.kind is Kind.FRONTEND else ", "
    _facts(
        {
            "plugin": f"{entry.plugin.name} ({entry.plugin})",
            "modality": joint.join(component.modality),
            "provides": ", ".join(sorted(component.provides)),
            "needs": ", ".join(sorted(component.needs)),
            "source": component.source,
            "names": _names(entry),
            **_record(entry.record),
        }
    )
    _show_options(component.options)
    example = f"{entry.plugin.name}/NAME" if component.name == "*" else entry.name
    key = {Kind.INPUT: "type", Kind.POLICY: "policy"}.get(component.kind, component.kind.value)
    click.echo(f"\nin a spec:  {key}: {example.removeprefix('zoo/') if key in ('type', 'policy') else example}")


def _record(record: dict[str, Any]) -> dict[str, str]:
    """What the index knows of a family's member, beyond what is told anyway."""
    shown = {key: value for key, value in record.items() if key not in ("modality", "summary")}
    return {key: count(value) if key == "parameters" else str(value) for key, value in shown.items()}


def _names(entry: Registered) -> str:
    if entry.component.family is None or entry.component.name != "*":
        return ""
    index = installed().index(entry)
    return f"{len(index.models):,}, of {entry.component.family.library} {index.version}" + f"; {index.stale}" * bool(
        index.stale
    )


def _facts(facts: dict[str, str]) -> None:
    told = {name: value for name, value in facts.items() if value}
    width = max(map(len, told))
    for name, value in told.items():
        click.echo(f"  {name:<{width}}  {value}")


def _show_options(options: type | None) -> None:
    fields = fields_of(options).values()
    click.echo("\noptions" + (":" if fields else ": none"))
    if fields:
        print_table(["  key", "default", "type", "meaning"], [_option_row(field) for field in fields])


def _option_row(field: Field) -> list[str]:
    default = "(required)" if field.default is MISSING else write_yaml(field.default).strip()
    return [f"  {field.name}", default, describe(field.hint, field.bounds, field.unit), field.doc]


def _show_recipe(name: str, recipe: Recipe, as_yaml: bool, as_json: bool) -> None:
    text = write_yaml(recipe.spec)
    if as_json:
        print_json({"kind": "recipe", "name": name, **asdict(recipe)})
    elif as_yaml:
        click.echo(f"# {recipe.summary}\n{text}", nl=False)
    else:
        click.echo(f"{name} (recipe: {recipe.task})\n{recipe.summary}\n\n{text}", nl=False)
        next_step(f"zoo show {name} --yaml > spec.yaml")


def _show_model(name: str, card: ModelCard, as_json: bool) -> None:
    found = catalogue()
    data = [entry if isinstance(entry, str) else asdict(entry) for entry in found.data_of(card)]
    if as_json:
        print_json({"kind": "model", "name": name, **asdict(card), "datasets": data})
        return
    click.echo(f"{name} (pretrained model)\n{card.summary}\n")
    shown = asdict(card) | {"parameters": count(card.parameters), "modality": ", ".join(card.modality)}
    _facts({key: str(value) for key, value in shown.items() if key not in ("summary", "data") and value})
    for entry in found.data_of(card):
        if isinstance(entry, str):
            click.echo(f"\npretrained on {entry}")
            continue
        size = f"{entry.samples:,} {entry.unit}" if entry.samples else "size unknown"
        classes = f", {entry.classes:,} classes" if entry.classes else ""
        click.echo(f"\npretrained on {entry.title}: {size}{classes}; {entry.domain}; licence {entry.license}")
        click.echo(f"  ({entry.source})")
    click.echo(f"\nin a spec:  backbone: {card.use}")
