"""What `zoo show` prints: a recipe, a model or a data set of the catalogue, a component, a family or its member."""

from dataclasses import MISSING, asdict
from typing import Any

import click

from zoo.cli.components import count
from zoo.cli.output import next_step, print_json, print_table
from zoo.component import Kind
from zoo.document.fields import Field, describe, fields_of
from zoo.document.write import write_yaml
from zoo.errors import PluginError, UnknownName, UsageError, nearest
from zoo.registry.catalogue import DataCard, ModelCard, Recipe, catalogue
from zoo.registry.registry import Registered, Registry, installed


def show(name: str, as_yaml: bool, as_json: bool) -> None:
    """Prints all there is to know under a name. A model's card is followed by the backbone that it belongs to.

    Raises:
        UnknownName: Nothing has the name.
        UsageError: `as_yaml` without a recipe, or with `as_json`.
    """
    found = catalogue()
    if as_yaml and (as_json or name not in found.recipes):
        what = "and --json exclude each other" if as_json else f"prints a recipe, and `{name}` is none"
        raise UsageError(f"--yaml {what}; `zoo list recipes` lists the recipes")
    if name in found.recipes:
        _show_recipe(name, found.recipes[name], as_yaml, as_json)
    elif name in found.models:
        _show_model(name, found.models[name], as_json)
    elif name in found.datasets:
        _show_dataset(name, found.datasets[name], as_json)
    elif as_json:
        print_json(component_facts(_component(name, installed())))
    else:
        _show_component(_component(name, installed()))


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
        guess = nearest(name, catalogue().names)
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
    kind = describe(field.hint, field.bounds, field.unit)
    return {"type": kind, "required": field.required, **default, "doc": field.doc}


def _show_component(entry: Registered) -> None:
    component = entry.component
    click.echo(f"{entry.name} ({component.kind.value})\n{component.summary}\n")
    _facts(_declared(entry) | _record(entry.record))
    _show_options(component.options)
    example = f"{entry.plugin.name}/NAME" if component.name == "*" else entry.name
    key = {Kind.INPUT: "type", Kind.POLICY: "policy"}.get(component.kind, component.kind.value)
    click.echo(f"\nin a spec:  {key}: {example.removeprefix('zoo/') if key in ('type', 'policy') else example}")


def _declared(entry: Registered) -> dict[str, str]:
    component = entry.component
    joint = " -> " if component.kind is Kind.FRONTEND else ", "
    return {
        "plugin": f"{entry.plugin.name} ({entry.plugin})",
        "modality": joint.join(component.modality),
        "provides": ", ".join(sorted(component.provides)),
        "needs": ", ".join(sorted(component.needs)),
        "source": component.source,
        "names": _names(entry),
    }


def _names(entry: Registered) -> str:
    if entry.component.family is None or entry.component.name != "*":
        return ""
    index = installed().index(entry)
    told = f"{len(index.models):,}, of {entry.component.family.library} {index.version}"
    return f"{told}; {index.stale}" if index.stale else told


def _record(record: dict[str, Any]) -> dict[str, str]:
    """What the index knows of a family's member, beyond what is told anyway."""
    shown = {key: value for key, value in record.items() if key not in ("modality", "summary")}
    return {key: count(value) if key == "parameters" else str(value) for key, value in shown.items()}


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
    if as_json:
        print_json({"kind": "recipe", "name": name, **asdict(recipe)})
    elif as_yaml:
        click.echo(f"# {recipe.summary}\n{recipe.spec}", nl=False)
    else:
        click.echo(f"{name} (recipe: {recipe.task})\n{recipe.summary}\n\n{recipe.spec}", nl=False)
        next_step(f"zoo show {name} --yaml > spec.yaml")


def _show_model(name: str, card: ModelCard, as_json: bool) -> None:
    entry, data = installed().resolve(card.use, Kind.BACKBONE), catalogue().data_of(card)
    if as_json:
        facts = {"kind": "model", "name": name, **asdict(card), "component": component_facts(entry)}
        print_json({**facts, "datasets": [told if isinstance(told, str) else asdict(told) for told in data]})
        return
    click.echo(f"{name} (pretrained model)\n{card.summary}\n")
    shown = asdict(card) | {"parameters": count(card.parameters), "modality": ", ".join(card.modality)}
    card_facts = {key: str(shown[key]) for key in shown if key not in ("use", "summary", "data") and shown[key]}
    _facts(_declared(entry) | card_facts)
    for told in data:
        click.echo(f"\npretrained on {told if isinstance(told, str) else _data_line(told)}")
    _show_options(entry.component.options)
    own = card.weights.startswith("hf://")
    click.echo(f"\nin a spec:  backbone: {f'{{use: {card.use}, weights: {card.weights}}}' if own else card.use}")


def _data_line(card: DataCard) -> str:
    size = f"{card.samples:,} {card.unit}" if card.samples else "size unknown"
    classes = f", {card.classes:,} classes" if card.classes else ""
    return f"{card.title}: {size}{classes}; {card.domain}; license: {card.license}\n  ({card.source})"


def _show_dataset(name: str, card: DataCard, as_json: bool) -> None:
    users = [model for model, told in catalogue().models.items() if name in told.data]
    if as_json:
        print_json({"kind": "dataset", "name": name, **asdict(card), "models": users})
        return
    click.echo(f"{name} (data set)\n{_data_line(card)}\n\nmodels pretrained on it: {', '.join(users) or 'none listed'}")
