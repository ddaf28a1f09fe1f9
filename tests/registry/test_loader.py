"""Plugins made up on the spot: whatever one of them does, the others go on working and it is told who broke where."""

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

from tests.registry.made_up import GOOD, SALAD, SOUP, MakePlugin, declaring, plugin
from zoo.cli import Verbs
from zoo.component import Kind
from zoo.errors import PluginError, UnknownName
from zoo.registry.plugins import HEAVY, Loader, Stage
from zoo.registry.registry import Registry

__all__ = ["plugin"]


def registry_of(*points: EntryPoint) -> Registry:
    return Registry(Loader(points))


def told(registry: Registry) -> list[tuple[str, str, Stage]]:
    return [(broken.plugin, f"{broken.distribution} {broken.version}", broken.stage) for broken in registry.broken]


BROKEN = {
    "dependency": (Stage.IMPORT, "import salt_mine", "No module named 'salt_mine'"),
    "syntax": (Stage.IMPORT, "def zoo_components(:", "SyntaxError"),
    "exit": (Stage.IMPORT, "import sys\nsys.exit(7)", "SystemExit: 7"),
    "assertion": (Stage.IMPORT, "assert False", "AssertionError"),
    "future": (Stage.API, f"ZOO_PLUGIN_API = 99\n{GOOD}", "plugin API 99; this zoo speaks 1: pip install -U zoo"),
    "past": (Stage.API, f"ZOO_PLUGIN_API = 0\n{GOOD}", "look for a newer release of the plugin"),
    "signature": (Stage.REGISTER, GOOD.replace("zoo_components()", "zoo_components(pot)"), "{'pot'}"),
    "spelling": (Stage.REGISTER, GOOD.replace("zoo_components", "zoo_componets"), "zoo_componets"),
    "unmarked": (Stage.REGISTER, GOOD.replace("@hookimpl", ""), "is @zoo.hookimpl missing"),
    "empty": (Stage.REGISTER, "", "implements no hook"),
    "raising": (Stage.COMPONENTS, GOOD.replace("return", "raise OSError('no fire') #"), "OSError: no fire"),
    "late": (Stage.COMPONENTS, GOOD.replace("return", "yield 1 / 0 #"), "ZeroDivisionError"),
    "bare": (Stage.COMPONENTS, declaring(SOUP).replace("[", "(").replace("]", ")"), "not iterable"),
    "stranger": (Stage.COMPONENTS, declaring("'soup'"), "'soup', which is no zoo.Component"),
    "twice": (Stage.COMPONENTS, declaring(SOUP, SALAD.replace("salad", "soup")), "`soup` is declared twice"),
    "kind": (
        Stage.COMPONENTS,
        declaring('Component("dish", "soup", "a:b")'),
        "kind must be one of zoo.Kind, not 'dish'",
    ),
    "name": (Stage.COMPONENTS, declaring('Component(Kind.HEAD, "hot soup", "a:b")'), "`hot soup` is no component name"),
    "path": (Stage.COMPONENTS, declaring('Component(Kind.HEAD, "../soup", "a:b")'), "`../soup` is no component name"),
    "target": (Stage.COMPONENTS, declaring('Component(Kind.HEAD, "soup", "a.b")'), "`a.b` is not of the form module:"),
    "code": (Stage.COMPONENTS, declaring('Component(Kind.HEAD, "soup", "a:b()")'), "is not of the form"),
    "star": (Stage.COMPONENTS, declaring('Component(Kind.HEAD, "*", "a:b")'), "a family, and nothing else"),
    "family": (
        Stage.COMPONENTS,
        declaring('Component(Kind.HEAD, "soup", "a:b", family=Family("x", "y:z", "a:b"))'),
        "a family, and nothing else",
    ),
    "options": (
        Stage.COMPONENTS,
        declaring('Component(Kind.HEAD, "soup", "a:b", options=dict)'),
        "must be a dataclass",
    ),
    "reserved": (
        Stage.COMPONENTS,
        declaring(SOUP.replace("FUSION", "HEAD"), before="    weight: float = option(1.0, 'Of the dish.')\n"),
        "the option `weight` is a key of the language for every head",
    ),
}
"""The stage that each breaks at, its source, and words of the reason."""


@pytest.mark.parametrize("defect", BROKEN)
def test_broken_plugin_is_told_and_harms_nobody(plugin: MakePlugin, defect: str) -> None:
    stage, source, words = BROKEN[defect]
    registry = registry_of(plugin("aaa"), plugin("bad", source, version="0.3"), plugin("zzz"))
    assert told(registry) == [("bad", "zoo-bad 0.3", stage)]
    (broken,) = registry.broken
    assert words in broken.error and "\n" not in broken.error
    assert "zoo-bad 0.3" in str(broken) and "pip" in broken.advice
    assert registry.names() == ["aaa/soup", "zzz/soup", "aaa/salad", "zzz/salad"]
    with pytest.raises(PluginError, match=r"`bad/soup` cannot be had: .*zoo-bad 0\.3"):
        registry.resolve("bad/soup")


# What a plugin may get wrong and zoo does not catch yet: each of these breaks a verb for everybody, or passes unsaid.
ILL_FORMED = {
    "kind-as-text": declaring('Component("fusion", "soup", "a:b")'),
    "modality-as-text": declaring('Component(Kind.BACKBONE, "soup", "a:b", modality="audio")'),
    "provides-as-text": declaring('Component(Kind.BACKBONE, "soup", "a:b", provides="pooled")'),
    "frontend-without-modality": declaring('Component(Kind.FRONTEND, "soup", "a:b")'),
    "options-instance": declaring(SOUP.replace("Knife", "Knife()")),
    "annotation": declaring(SOUP, before="    edge: 'Edge' = option(None, 'Of the blade.')\n"),
    "type": declaring(SOUP, before="    edge: object() = option(None, 'Of the blade.')\n"),
    "pattern": declaring(SOUP, before="    brand: str = option('x', 'Its name.', pattern='(')\n"),
    "beyond": declaring('Component(Kind.HEAD, "*", "a:b", family=Family("x", "y:z.json", "a:b", beyond="("))'),
    "nothing": GOOD.replace("return", "_ ="),
    "summary": declaring('Component(Kind.HEAD, "soup", "a:b", summary=3)'),
    "source": declaring('Component(Kind.HEAD, "soup", "a:b", source=None)'),
    "no-modality": declaring('Component(Kind.BACKBONE, "soup", "a:b")'),
    "default": declaring(SOUP, before="    edge: int = option('sharp', 'Of the blade.')\n"),
    "default-none": declaring(SOUP, before="    edge: list[str] = option(None, 'Of the blade.')\n"),
    "requirement": declaring('Component(Kind.HEAD, "soup", "a:b", requires=("a b",))'),
}


@pytest.mark.parametrize("defect", ILL_FORMED)
def test_ill_formed_declaration_is_told(plugin: MakePlugin, defect: str) -> None:
    assert told(registry_of(plugin("bad", ILL_FORMED[defect]))) == [("bad", "zoo-bad 1.0", Stage.COMPONENTS)]


def test_entry_point_that_is_none(plugin: MakePlugin) -> None:
    registry = registry_of(plugin("none", target="zoo.errors:__cached__.__class__.__base__.__base__"), plugin("aaa"))
    assert [broken.plugin for broken in registry.broken] == ["none"]


def test_distribution_without_metadata(plugin: MakePlugin) -> None:
    registry = registry_of(plugin("ghost", distribution=""), plugin("aaa"))
    assert "aaa" in [good.name for good in registry.plugins]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("made_up_moved", "No module named 'made_up_moved'"),
        ("zoo.errors:gone", "has no attribute 'gone'"),
        ("not a module", "is not of the form module"),
    ],
)
def test_dead_entry_point(plugin: MakePlugin, target: str, words: str) -> None:
    registry = registry_of(plugin("dead", target=target), plugin("aaa"))
    assert told(registry) == [("dead", "zoo-dead 1.0", Stage.IMPORT)]
    assert words in registry.broken[0].error


def test_interrupt_is_not_swallowed(plugin: MakePlugin) -> None:
    with pytest.raises(KeyboardInterrupt):
        Loader([plugin("slow", "raise KeyboardInterrupt")])
    registry = registry_of(plugin("slow", GOOD.replace("return", "raise KeyboardInterrupt #")))
    with pytest.raises(KeyboardInterrupt):
        registry.names()


def test_plugin_that_failed_is_not_asked_again(plugin: MakePlugin) -> None:
    points = [plugin(name, BROKEN["spelling"][1]) for name in ("one", "two")]
    registry = registry_of(*points, plugin("zzz"))
    assert [broken.plugin for broken in registry.broken] == ["one", "two"]
    assert all("there is no hook `zoo_componets`" in broken.error for broken in registry.broken)
    assert registry.names() == ["zzz/soup", "zzz/salad"]


@pytest.mark.parametrize("namespace", ["Upper", "9lives", "with.dot", "-dash"])
def test_ill_formed_namespace(plugin: MakePlugin, namespace: str) -> None:
    registry = registry_of(plugin(namespace, "raise RuntimeError('imported')", distribution="zoo-bad"))
    assert told(registry) == [(namespace, "zoo-bad 1.0", Stage.NAMESPACE)]
    assert f"`{namespace}` is no namespace" in registry.broken[0].error


def test_zoo_keeps_its_namespaces_and_loads_first(plugin: MakePlugin) -> None:
    squatter = plugin("timm", "raise RuntimeError('imported')", distribution="a-timm", version="9.0")
    points = [squatter, plugin("aaa", distribution="aaa"), plugin("timm", distribution="zoo", version="0.1")]
    loader = Loader(points)
    assert list(loader.plugins) == ["timm", "aaa"]
    assert loader.plugins["timm"].distribution == "zoo"
    (broken,) = loader.broken
    assert (broken.distribution, broken.stage) == ("a-timm", Stage.NAMESPACE)
    assert broken.error == "the namespace `timm` belongs to zoo 0.1"
    assert broken.advice.endswith("pip uninstall a-timm")


def test_clash_names_both(plugin: MakePlugin) -> None:
    points = [plugin("pot", distribution="one", version="1.1"), plugin("pot", distribution="two", version="2.2")]
    registry = registry_of(*points, plugin("zzz"))
    assert told(registry) == [("pot", "one 1.1", Stage.NAMESPACE), ("pot", "two 2.2", Stage.NAMESPACE)]
    assert ["two 2.2" in registry.broken[0].error, "one 1.1" in registry.broken[1].error] == [True, True]
    assert "ZOO_PLUGINS (`one:pot`)" in registry.broken[0].advice
    assert [good.name for good in registry.plugins] == ["zzz"]
    with pytest.raises(PluginError, match="also claimed by"):
        registry.resolve("pot/soup")


def test_who_takes_long_is_named(
    plugin: MakePlugin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("zoo.registry.slow.PATIENCE", 0.05)
    registry_of(plugin("slow", f"import time\ntime.sleep(0.5)\n{GOOD}"), plugin("quick"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "plugin `slow` (zoo-slow 1.0) is at import" in line and "ZOO_PLUGINS" in line


def test_one_module_under_two_namespaces(plugin: MakePlugin) -> None:
    first = plugin("first")
    registry = registry_of(first, plugin("second", target=first.value))
    assert told(registry) == [("second", "zoo-second 1.0", Stage.REGISTER)]
    assert registry.names() == ["first/soup", "first/salad"]


def test_printing_goes_to_stderr(plugin: MakePlugin, capsys: pytest.CaptureFixture[str]) -> None:
    source = "print('imported')\n" + GOOD.replace("    return", "    print('declares')\n    return")
    assert registry_of(plugin("chatty", source)).names() == ["chatty/soup", "chatty/salad"]
    assert capsys.readouterr() == ("", "imported\ndeclares\n")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"import torch\n{GOOD}", id="at-import"),
        pytest.param(
            GOOD.replace("    return", "    import torch\n    return"),
            id="in-hook",
        ),
    ],
)
def test_heavy_import_is_named(
    plugin: MakePlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    for library in HEAVY:
        monkeypatch.delitem(sys.modules, library, raising=False)
    (tmp_path / "torch.py").write_text("import time\ntime.sleep(0.05)\n", encoding="utf-8")
    registry = registry_of(plugin("aaa"), plugin("heavy", source), plugin("zzz", source))
    plugins = {good.name: good for good in registry.plugins}
    sys.modules.pop("torch", None)
    assert registry.broken == []
    assert {name: good.heavy for name, good in plugins.items()} == {"aaa": (), "heavy": ("torch",), "zzz": ()}
    assert plugins["heavy"].seconds >= 0.05 > plugins["zzz"].seconds


def commands(body: str) -> str:
    return f"{GOOD}\nimport click\n@hookimpl\ndef zoo_commands(cli):\n    {body}\n"


@pytest.mark.parametrize("body", ["cli.commands.clear()", "cli.commands['check'] = click.Command('mine')"])
def test_commands_of_others_are_out_of_reach(plugin: MakePlugin, body: str) -> None:
    loader = Loader([plugin("bad", commands(body))])
    check = click.Command("check")
    group = click.Group("zoo", commands={"check": check})
    loader.add_commands(group)
    assert group.commands == {"check": check}
    assert [broken.stage for broken in loader.broken] == [Stage.COMMANDS]


def test_a_taken_name_is_refused_though_its_verb_is_not_imported(plugin: MakePlugin) -> None:
    loader = Loader([plugin("bad", commands("cli.commands['check'] = click.Command('mine')"))])
    group = click.Group("zoo")
    loader.add_commands(group, taken=["check"])
    assert group.commands == {}
    assert "the verb `check` is not its own" in loader.broken[0].error


def test_commands_are_added_and_failures_are_told(plugin: MakePlugin) -> None:
    hello = commands("cli.command('hello')(lambda: click.echo('hello'))")
    points = [
        plugin("aaa", hello),
        plugin("bad", commands("raise OSError('no terminal')")),
        plugin("greedy", commands("cli.command('check')(lambda: None)")),
        plugin("late", hello),
        plugin("zzz", commands("cli.add_command(click.Command('bye'))")),
    ]
    loader, group = Loader(points), Verbs("zoo")
    loader.add_commands(group)
    assert sorted(group.commands) == ["bye", "hello"]
    assert [(broken.plugin, broken.stage) for broken in loader.broken] == [
        ("bad", Stage.COMMANDS),
        ("greedy", Stage.COMMANDS),
        ("late", Stage.COMMANDS),
    ]
    assert [broken.error for broken in loader.broken] == [
        "OSError: no terminal",
        "ValueError: the verb `check` is taken",
        "ValueError: the verb `hello` is taken",
    ]
    assert isinstance(group.commands["hello"], click.Command)


def test_names_resolve_and_misspelt_ones_are_guessed(plugin: MakePlugin) -> None:
    registry = registry_of(plugin("inn"), plugin("bar", declaring(SALAD)))
    found = registry.resolve("inn/soup", Kind.FUSION)
    assert (found.name, found.kind, str(found.plugin)) == ("inn/soup", Kind.FUSION, "zoo-inn 1.0")
    for name, suggestion in (("inn/suop", "inn/soup"), ("bra/salad", "bar/salad"), ("soup", "inn/soup")):
        with pytest.raises(UnknownName) as caught:
            registry.resolve(name)
        assert caught.value.suggestion == suggestion
    with pytest.raises(PluginError, match="no installed plugin has components in `x/`"):
        registry.resolve("x/y")
    with pytest.raises(UnknownName, match="the fusion `inn/soup` stands where a head belongs"):
        registry.resolve("inn/soup", Kind.HEAD)


FAMILY = r"""Component(
    Kind.BACKBONE, "*", "kitchen:wine", modality=("image",), provides=frozenset({"pooled", "pretrained"}),
    family=Family("click", f"{__name__}:wines.json", "kitchen:refresh", beyond=r"[\w-]+/[\w-]+"),
)"""


def family(folder: Path, models: str) -> str:
    (folder / "wines.json").write_text(
        f'{{"library": "click", "version": "0.1", "models": {models}}}', encoding="utf-8"
    )
    return declaring(FAMILY, before="FOLDER = f'{__name__}:wines.json'\n")


def test_family(plugin: MakePlugin, tmp_path: Path) -> None:
    records = {"merlot": {"weights": "cellar", "summary": "Dark."}, "house/red": {"modality": "image+text"}}
    registry = registry_of(plugin("wine", family(tmp_path, json.dumps(records))), plugin("inn"))
    (declared,) = registry.components(Kind.BACKBONE)
    assert declared.name == "wine/*"
    assert registry.names(Kind.BACKBONE) == ["wine/merlot", "wine/house/red"]
    merlot, red, hub = map(registry.resolve, ("wine/merlot", "wine/house/red", "wine/owner/model"))
    assert (merlot.pretrained, merlot.component.summary) == (True, "Dark.")
    assert (red.pretrained, red.expects_weights, red.component.modality) == (False, True, ("image", "text"))
    assert hub.pretrained and hub.component.name == "owner/model"
    with pytest.raises(UnknownName, match="zoo plugins refresh wine") as caught:
        registry.resolve("wine/merlo")
    assert caught.value.suggestion == "wine/merlot"


def test_family_itself_is_no_component(plugin: MakePlugin, tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        registry_of(plugin("wine", family(tmp_path, "{}"))).resolve("wine/*", Kind.BACKBONE)


@pytest.mark.parametrize("models", ["", "[]"], ids=["not-json", "no-mapping"])
def test_broken_index_harms_nobody(plugin: MakePlugin, tmp_path: Path, models: str) -> None:
    registry = registry_of(plugin("wine", family(tmp_path, models)), plugin("inn"))
    assert registry.names() == ["inn/soup", "inn/salad"]
