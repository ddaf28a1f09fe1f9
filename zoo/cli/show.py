"""What `zoo show` prints: a recipe, a model or a data set of the catalogue, a component, a family or its member."""

import re
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import click

from zoo.cli.components import count
from zoo.cli.output import next_step, print_json
from zoo.component import Augmentation, Kind
from zoo.document.fields import Field, describe, fields_of
from zoo.document.write import write_yaml
from zoo.errors import UnknownName, UsageError, nearest
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
    same = [entry for entry in families.values() if entry.name.partition("/")[2] == name]
    if len(same) == 1:
        return same[0]
    try:
        return registry.resolve(name)
    except UnknownName as error:
        if "/" in name:
            raise
        if any(entry.plugin.name == name for entry in families.values()):
            raise UnknownName(f"`{name}` is a plugin; try: zoo list {name}/") from None
        bare = {entry.name.partition("/")[2]: entry.name for entry in families.values()}
        bare |= {known.rpartition("/")[2]: known for known in catalogue().models}
        near = nearest(name, [*catalogue().names, *bare])
        message = f"nothing is called `{name}`; try: zoo list {name}"
        same_name = error.suggestion if (error.suggestion or "").partition("/")[2] == name else None
        raise UnknownName(message, same_name or bare.get(near or "", near) or error.suggestion) from None


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
        "requires": list(component.requires),
        "target": component.target,
        "options": {name: _option_facts(field) for name, field in options.items()},
        "augmentations": {each.name: _augmentation_facts(each) for each in component.augmentations},
        "record": entry.record,
    }


def _option_facts(field: Field) -> dict[str, Any]:
    default = {} if field.required else {"default": _plain(field.default)}
    kind = describe(field.hint, field.bounds, field.unit)
    return {"type": kind, "required": field.required, **default, "doc": field.doc}


def _augmentation_facts(each: Augmentation) -> dict[str, Any]:
    return {
        "summary": each.summary,
        "source": each.source,
        "alters": sorted(each.alters),
        "light": _plain(each.light),
        "strong": _plain(each.strong),
        "options": {name: _option_facts(field) for name, field in fields_of(each.options).items()},
    }


def _show_component(entry: Registered) -> None:
    component = entry.component
    click.echo(f"{entry.name} ({component.kind.value})\n{component.summary}\n")
    _facts(_declared(entry) | _record(entry.record))
    titles = {card.title: card for card in catalogue().datasets.values()}
    for title in re.split(", then | and ", entry.record.get("data", "")):
        if title in titles:
            click.echo(f"\npretrained on {_data_line(titles[title])}")
    _show_options(component.options)
    _show_augmentations(component.augmentations)
    if entry.record and not entry.pretrained:
        click.echo("\nIt has no pretrained weights.")
    elif component.name != "*" and not entry.record and entry.component.family:
        click.echo("\nIt is in no index: a Hub repository, which was not looked up.")
    click.echo(f"\nin a spec:  {_example(entry)}")


def _example(entry: Registered) -> str:
    """How a spec names the component."""
    name = f"{entry.plugin.name}/NAME" if entry.component.name == "*" else entry.name
    short = name.removeprefix("zoo/")
    random = bool(entry.record) and entry.expects_weights
    given = entry.component.modality[0] if entry.component.modality else "image"
    return {
        Kind.INPUT: f"inputs: {{NAME: {{type: {short}, backbone: ...}}}}",
        Kind.FRONTEND: f"inputs: {{NAME: {{type: {given}, frontend: {name}, backbone: ...}}}}",
        Kind.BACKBONE: f"backbone: {{use: {name}, weights: none}}" if random else f"backbone: {name}",
        Kind.FUSION: f"fusion: {name}",
        Kind.HEAD: f"heads: {{NAME: {name}}}",
        Kind.POLICY: f"transfer: {short}",
    }[entry.kind]


def _declared(entry: Registered) -> dict[str, str]:
    component = entry.component
    joint = " -> " if component.kind is Kind.FRONTEND else ", "
    return {
        "plugin": f"{entry.plugin.name} ({entry.plugin})",
        "modality": joint.join(component.modality),
        "provides": ", ".join(sorted(component.provides)),
        "needs": ", ".join(sorted(component.needs)),
        "requires": ", ".join(component.requires),
        "source": component.source,
        "names": _names(entry),
    }


def _names(entry: Registered) -> str:
    if entry.component.family is None or entry.component.name != "*":
        return ""
    members, stale = installed().members(entry), installed().stale(entry)
    told = f"{len(members):,}" if members else "none can be read"
    return f"{told}; {stale}" if stale else told


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
    for field in fields:
        default = "required" if field.required else write_yaml(_plain(field.default)).strip()
        click.echo(f"  {field.name}: {default}  ({describe(field.hint, field.bounds, field.unit)})")
        click.echo(f"      {field.doc}")


def _show_augmentations(declared: Sequence[Augmentation]) -> None:
    if declared:
        click.echo("\naugmentations in training, for `augment`:")
    for each in declared:
        presets = [name for name in ("light", "strong") if getattr(each, name) is not None]
        click.echo(
            f"  {each.name}" + (f"  (in the preset{'s'[: len(presets) - 1]} {', '.join(presets)})" if presets else "")
        )
        click.echo(f"      {each.summary}")
        for field in fields_of(each.options).values():
            told = {name: getattr(getattr(each, name), field.name) for name in presets}
            differing = [f"{name}: {value}" for name, value in told.items() if value != field.default]
            default = ", ".join([write_yaml(field.default).strip(), *differing])
            click.echo(f"      {field.name}: {default}  ({describe(field.hint, field.bounds, field.unit)})")


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _show_recipe(name: str, recipe: Recipe, as_yaml: bool, as_json: bool) -> None:
    if as_json:
        print_json({"kind": "recipe", "name": name, **asdict(recipe)})
    elif as_yaml:
        click.echo(f"# {' '.join(recipe.summary.split())}\n{recipe.spec}", nl=False)
    else:
        click.echo(f"{name} (recipe: {recipe.task})\n{recipe.summary}\n\n{recipe.spec}", nl=False)
        next_step(f"zoo show {name} --yaml > spec.yaml")


def _show_model(name: str, card: ModelCard, as_json: bool) -> None:
    entry, data = installed().resolve(card.use, Kind.BACKBONE), catalogue().data_of(card)
    if as_json:
        facts = {"kind": "model", "name": name, **catalogue().facts(card), "component": component_facts(entry)}
        print_json({**facts, "datasets": [told if isinstance(told, str) else asdict(told) for told in data]})
        return
    click.echo(f"{name} (pretrained model)\n{card.summary}\n")
    shown = catalogue().facts(card) | {"parameters": count(card.parameters), "modality": ", ".join(card.modality)}
    card_facts = {key: str(shown[key]) for key in shown if key not in ("use", "summary", "data") and shown[key]}
    _facts(_declared(entry) | card_facts)
    for told in data:
        click.echo(f"\npretrained on {told if isinstance(told, str) else _data_line(told)}")
    _show_options(entry.component.options)
    own = card.weights not in (entry.record.get("weights"), card.use.partition("/")[2])
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
    click.echo(f"{name} (data set)\n{_data_line(card)}\n\nmodels of the catalogue pretrained on it:")
    for user in users or ["none"]:
        click.echo(f"  {user}")
