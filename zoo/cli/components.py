"""`zoo list` and `zoo show`: what there is to build with."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.output import json_option, next_step, note, print_json, print_table
from zoo.component import Kind
from zoo.errors import UnknownName, nearest

if TYPE_CHECKING:
    from zoo.registry.registry import Registered, Registry

CATALOGUE = ("recipe", "dataset", "model")
"""What `zoo list` knows beside the kinds of components."""


@click.command("list")
@click.argument("kind", required=False)
@click.argument("pattern", required=False)
@click.option("--all", "everything", is_flag=True, help="List every member of every family.")
@json_option
def list_command(kind: str | None, pattern: str | None, everything: bool, as_json: bool) -> None:
    """List components, recipes and pretrained models.

    KIND is input, frontend, backbone, fusion, head, policy, recipe, model or dataset (plurals are fine). PATTERN is a
    part of a name, or a whole one with * and ?. A family such as timm/* is one row unless a pattern, --all or --json
    asks for its members.
    """
    chosen = _kind(kind)
    if chosen in CATALOGUE:
        _list_catalogue(chosen, pattern, as_json)
        return
    if kind is not None and chosen is None:
        if pattern is not None:
            raise UnknownName(f"`{kind}` is no kind", nearest(kind, _kinds()))
        kind, pattern = None, kind
    from zoo.registry.registry import installed

    registry = installed()
    found = _matching(registry, Kind(chosen) if chosen else None, pattern, everything or as_json)
    cards = _cards(pattern, {entry.name for entry in found}) if chosen is None and pattern is not None else []
    if not found and not cards:
        _tell_nothing(registry, chosen, pattern)
    if as_json:
        print_json([_facts(entry) for entry in found] + cards)
        return
    rows = [_row(registry, entry) for entry in found]
    rows += [[card["kind"], card["name"], ", ".join(card.get("modality", [])), "", _gist(card)] for card in cards]
    start = 0 if len({row[0] for row in rows}) > 1 else 1
    print_table(["kind", "name", "modality", "parameters", "summary"][start:], [row[start:] for row in rows])
    if any(entry.component.family and entry.component.name == "*" for entry in found):
        note("a family's members: zoo list backbone resnet, or --all")
    if registry.broken:
        note(f"broken plugins are left out: {', '.join(broken.plugin for broken in registry.broken)}")
        next_step("zoo plugins doctor")


def _tell_nothing(registry: "Registry", kind: str | None, pattern: str | None) -> None:
    """Nothing is listed: because nothing is installed, or because nothing matches."""
    if pattern is None:
        note("there is nothing; `zoo plugins` tells what is loaded")
        return
    entries = list(registry.everything(Kind(kind) if kind else None))
    bare = {entry.name.partition("/")[2]: entry.name for entry in reversed(entries)}
    known = [entry.name for entry in entries] + ([] if kind else list(_kinds()))
    near = nearest(pattern, [*bare, *known])
    raise UnknownName(f"nothing matches `{pattern}`", bare.get(near or "", near))


def _cards(pattern: str, listed: set[str]) -> list[dict[str, Any]]:
    """What the catalogue has for a pattern, beyond the backbones that are listed already."""
    from zoo.registry.catalogue import catalogue

    found = [entry for kind in CATALOGUE for entry in catalogue().listing(kind)]
    return [entry for entry in found if matches(entry["name"], pattern) and entry["name"] not in listed]


def _gist(card: dict[str, Any]) -> str:
    """What a recipe, a data set or a model is, in a sentence."""
    return str(card.get("summary") or card.get("domain"))


def _kind(word: str | None) -> str | None:
    """The kind that a word names in singular or plural, or None."""
    return _kinds().get((word or "").lower())


def _kinds() -> dict[str, str]:
    names = {kind.value: kind.value for kind in Kind} | {kind.plural: kind.value for kind in Kind}
    return names | {name: name for name in CATALOGUE} | {f"{name}s": name for name in CATALOGUE}


def _matching(registry: "Registry", kind: Kind | None, pattern: str | None, members: bool) -> "list[Registered]":
    if pattern is None:
        return list(registry.everything(kind)) if members else registry.components(kind)
    return [entry for entry in registry.everything(kind) if matches(entry.name, pattern)]


def matches(name: str, pattern: str) -> bool:
    """Whether a name holds the pattern; one with * or ? stands for the whole name, or for what follows `/`."""
    name, pattern = name.lower(), pattern.lower()
    if not set("*?") & set(pattern):
        return pattern in name
    return fnmatchcase(name, pattern) or fnmatchcase(name.partition("/")[2], pattern)


def _facts(entry: "Registered") -> dict[str, Any]:
    """The JSON shape of one row of `zoo list`."""
    component = entry.component
    return {
        "kind": component.kind.value,
        "name": entry.name,
        "plugin": entry.plugin.name,
        "modality": list(component.modality),
        "summary": component.summary,
        **{key: value for key, value in entry.record.items() if key not in ("modality", "summary")},
    }


def _row(registry: "Registry", entry: "Registered") -> list[str]:
    component = entry.component
    modality = " -> ".join(component.modality) if component.kind is Kind.FRONTEND else ", ".join(component.modality)
    summary = component.summary
    if component.family and component.name == "*":
        summary = f"{len(registry.members(entry)):,} names. {summary}"
    elif entry.record:
        facts = [str(entry.record[key]) for key in ("input", "data", "license") if key in entry.record]
        summary = ", ".join(facts if entry.pretrained else [*facts, "no pretrained weights"])
    return [component.kind.value, entry.name, modality, count(entry.record.get("parameters")), summary]


def count(number: int | None) -> str:
    """A number of parameters as people say it: `25.6M`."""
    if number is None:
        return ""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)


def _list_catalogue(kind: str, pattern: str | None, as_json: bool) -> None:
    from zoo.registry.catalogue import catalogue

    entries = [entry for entry in catalogue().listing(kind) if pattern is None or matches(entry["name"], pattern)]
    if as_json:
        print_json(entries)
    elif entries:
        print_table(*_catalogue_table(kind, entries))
        example = entries[0]["name"]
        next_step(f"zoo show {example} --yaml > spec.yaml" if kind == "recipe" else f"zoo show {example}")
    elif pattern is None:
        note(f"the catalogue has no {kind}s")
    else:
        known = [entry["name"] for entry in catalogue().listing(kind)]
        raise UnknownName(f"no {kind} matches `{pattern}`", nearest(pattern, known))


def _catalogue_table(kind: str, entries: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows for the entries of a kind."""
    if kind == "recipe":
        return ["recipe", "task", "summary"], [[e["name"], e["task"], e["summary"]] for e in entries]
    if kind == "dataset":
        sizes = [f"{e['samples']:,} {e['unit']}" if e["samples"] else "" for e in entries]
        classes = [f"{e['classes']:,}" if e["classes"] else "" for e in entries]
        rows = [[e["name"], *told, e["license"], e["domain"]] for e, *told in zip(entries, sizes, classes, strict=True)]
        return ["dataset", "size", "classes", "license", "domain"], rows
    rows = [[e["name"], ", ".join(e["modality"]), count(e["parameters"]), e["license"], e["summary"]] for e in entries]
    return ["model", "modality", "parameters", "license", "summary"], rows


@click.command("show")
@click.argument("name")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print a recipe's spec and nothing else.")
@json_option
def show_command(name: str, as_yaml: bool, as_json: bool) -> None:
    """Tell all about one of them.

    NAME is a component (zoo/concat), a member of a family (timm/resnet50), a family (timm/*), a recipe, or a model of
    the catalogue.
    """
    from zoo.cli.show import show

    show(name, as_yaml, as_json)
