"""Licences of bases, from their cards at the commit that was used; a push tells them, and where one is not kept."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tests.checkpoint.test_readme import GROWING
from tests.command import run
from tests.loopback.client import ask
from tests.loopback.faults import Drop
from tests.loopback.serving import Loopback
from tests.sharing.licensed import lock, spec, told
from tests.sharing.people import Person
from tests.sharing.proof import prove_here
from tests.tables import SPEC, write_tables
from zoo.hub.licences import MOST_PLACES, MOST_RUNS, base_licences
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.spec.load import load_spec

NC = "---\nlicense: cc-by-nc-4.0\n---\n# A base\n"

CARDS = {
    "nc": (NC, "cc-by-nc-4.0", ""),
    "other": ("---\nlicense: other\nlicense_name: llama3.1\nlicense_link: LICENSE\n---\n", "llama3.1", ""),
    "unnamed": ("---\nlicense: other\n---\n", "other", ""),
    "several": ("---\nlicense: [mit, cc-by-sa-4.0]\n---\n", "mit and cc-by-sa-4.0", ""),
    "silent": ("# Words alone\n", None, "its card tells none"),
    "unknown": ("---\nlicense: unknown\n---\n", None, "its card tells none"),
    "nested": ("---\nlicense: {name: mit}\n---\n", None, "its card tells none"),
    "evil": ('---\nlicense: "mit |\\n# Mine"\n---\n', None, "its card tells none"),
    "broken": ("---\nlicense: [mit\n---\n", None, "the head of its card cannot be read"),
    "deep": ("---\nlicense: " + "[" * 1000 + "\n---\n", None, "the head of its card cannot be read"),
    "growing": (
        f"---\n{GROWING}\n---\n",
        None,
        "the head of its card cannot be read: merge keys (`<<`) are not read",
    ),
    "bool": ("---\nlicense: !!bool x\n---\n", None, "the head of its card cannot be read: tags are not read"),
    "int": ("---\nlicense: !!int ''\n---\n", None, "the head of its card cannot be read: tags are not read"),
    "time": ("---\nlicense: !!timestamp x\n---\n", None, "the head of its card cannot be read: tags are not read"),
    "endless": (f"---\nlicense: {'1:' * 300}1.5\n---\n", None, "the head of its card cannot be read: a value that"),
    "list": ("---\n- mit\n---\n", None, "the head of its card cannot be read"),
    "large": ("---\nlicense: mit\n---\n" + "x" * (600 << 10), None, "its README.md has more than 524,288 bytes"),
    "cardless": (None, None, "it has no card"),
}
"""Cards of repositories, what licence they tell, and why none."""


def records(commits: dict[str, str]) -> dict[str, Any]:
    return {
        f"backbones.i{number}": {"repo": repo, "commit": commit}
        for number, (repo, commit) in enumerate(commits.items())
    }


def test_the_card_at_the_commit_tells(plain_hub: Loopback, tmp_path: Path) -> None:
    commits = {}
    for name, (card, _, _) in CARDS.items():
        files = {"config.json": "{}"} | ({"README.md": card} if card is not None else {})
        commits[f"acme/{name}"] = plain_hub.put(f"acme/{name}", files)
    plain_hub.put("acme/nc", {"README.md": "---\nlicense: mit\n---\n"})  # relicensed since
    commits["acme/gone"] = "0" * 40
    places = [f"hf://{name}" for name in commits]
    found = ask(plain_hub, tmp_path / "hf", told, str(tmp_path), spec(places), records(commits))
    assert [base for base, _, _ in found] == [f"hf://{name}@{commit}" for name, commit in commits.items()]
    for (base, licence, why), (_, expected, reason) in zip(found, CARDS.values(), strict=False):
        assert licence == expected and why.startswith(reason) and bool(why) == (licence is None), (base, licence, why)
    assert found[-1][1] is None and "acme/gone" in str(found[-1][2])


def test_a_run_of_the_hub_tells_its_own_and_those_of_its_bases(plain_hub: Loopback, tmp_path: Path) -> None:
    base = plain_hub.put("acme/base", {"README.md": NC})
    theirs = {"i0": {"repo": "acme/base", "commit": base}, "i1": {"path": "/secret"}}
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "README.md").write_text(NC)
    places = [f"hf://acme/base@{base}", str(tmp_path / "secret"), "hf://acme/nowhere#it"]
    files = {"zoo.yaml": spec(places, "hub: {license: mit}"), "zoo.lock": json.dumps(lock(**theirs))}
    moods = plain_hub.put("acme/moods", files)
    mended = plain_hub.put(
        "acme/mended", {"zoo.yaml": spec([places[0]]), "zoo.lock": files["zoo.lock"], "README.md": NC}
    )
    nameless = {"i0": {"repo": "-/..", "commit": base}}
    strange = plain_hub.put("acme/strange", {"zoo.yaml": "inputs: {x: 1}", "zoo.lock": "{}"})
    lockless = plain_hub.put("acme/lockless", {**files, "zoo.lock": json.dumps(lock(i0="nothing"))})
    commits = {"acme/moods": moods, "acme/mended": mended, "acme/strange": strange, "acme/base": base}
    named_so = plain_hub.put("acme/so", {"zoo.yaml": spec(["hf://acme/so"]), "zoo.lock": json.dumps(lock(**nameless))})
    commits |= {"acme/lockless": lockless, "acme/so": named_so}
    named = [f"hf://{name}#i0" for name in list(commits)]
    found = ask(plain_hub, tmp_path / "hf", told, str(tmp_path), spec(named), records(commits))
    assert [(each, licence) for each, licence, _ in found] == [
        (f"hf://acme/moods@{moods}#i0", "mit"),
        (f"hf://acme/base@{base}", "cc-by-nc-4.0"),
        ("secret", None),
        ("hf://acme/nowhere#it", None),
        (f"hf://acme/mended@{mended}#i0", "cc-by-nc-4.0"),
        (f"hf://acme/strange@{strange}#i0", None),
        (f"hf://acme/base@{base}#i0", None),
        (f"hf://acme/lockless@{lockless}#i0", "mit"),
        (f"the bases of hf://acme/lockless@{lockless}#i0", None),
        (f"hf://acme/so@{named_so}#i0", None),
        (f"hf://-/..@{base}", None),
    ]
    assert all(bool(why) == (licence is None) for _, licence, why in found)
    assert found[2][2] == "it is on the machine of somebody else"
    assert found[6][2] == "there is no run any more"


def test_a_library_and_a_head_start_there_too(plain_hub: Loopback, tmp_path: Path) -> None:
    """What no index knows is looked up where the library's own route led to; what one knows, nobody is asked for."""
    bert = plain_hub.put("acme/bert", {"README.md": NC})
    moods = plain_hub.put(
        "acme/moods", {"zoo.yaml": spec(["none"], "hub: {license: mit}"), "zoo.lock": json.dumps(lock())}
    )
    text = (
        "inputs:\n  note: {type: text, backbone: transformers/acme/bert}\n"
        "  photo: {type: image, backbone: timm/resnet50}\n"
        f"fusion: zoo/concat\nheads: {{mood: {{use: zoo/classifier, weights: 'hf://acme/moods@{moods}#mood'}}}}\n"
    )
    weights = {
        "backbones.note": {"repo": "acme/bert", "commit": bert},
        "backbones.photo": {"repo": "timm/resnet50.a1_in1k", "commit": "0" * 40},
        "heads.mood": {"repo": "acme/moods", "commit": moods, "part": "mood"},
    }
    found = ask(plain_hub, tmp_path / "hf", told, str(tmp_path), text, weights)
    assert found == [
        ["transformers/acme/bert", "cc-by-nc-4.0", ""],
        ["timm/resnet50", "apache-2.0", ""],
        [f"hf://acme/moods@{moods}#mood", "mit", ""],
    ]
    assert plain_hub.count(path="resnet50") == 0


def test_without_a_network_the_cache_tells_and_nobody_waits(plain_hub: Loopback, tmp_path: Path) -> None:
    commits = {f"acme/{name}": plain_hub.put(f"acme/{name}", {"README.md": NC}) for name in ("a", "b", "c")}
    given = (str(tmp_path), spec([f"hf://{name}" for name in commits]), records(commits))
    first = {"acme/a": commits["acme/a"]}
    ask(plain_hub, tmp_path / "hf", told, str(tmp_path), spec(["hf://acme/a"]), records(first))
    plain_hub.fail(".*", ".*", 1_000_000, Drop())
    plain_hub.forget_calls()
    found = ask(plain_hub, tmp_path / "hf", told, *given, HF_HUB_OFFLINE="1")
    assert [licence for _, licence, _ in found] == ["cc-by-nc-4.0", None, None]
    assert found[1][2] == found[2][2] and "cannot be reached" in found[1][2]
    assert not plain_hub.calls()


def test_runs_that_start_at_themselves_end(tmp_path: Path) -> None:
    for number in range(MOST_RUNS + 2):
        (tmp_path / f"{number}").mkdir()
        following = f"../{number + 1 if number < MOST_RUNS + 1 else number}"
        (tmp_path / f"{number}" / "zoo.yaml").write_text(spec([f"{following}#i0"], "hub: {license: mit}"))
        (tmp_path / f"{number}" / "zoo.lock").write_text(json.dumps(lock(i0={"path": following})))
    last = base_licences(load_spec(tmp_path / f"{MOST_RUNS}" / "zoo.yaml"), {})
    assert [(each.base, each.licence) for each in last] == [(f"{MOST_RUNS + 1}#i0", "mit")]
    *_, end = base_licences(load_spec(tmp_path / "0" / "zoo.yaml"), {})
    assert (end.base, end.licence) == (f"the bases of {MOST_RUNS + 1}#i0", None)
    assert f"more than {MOST_RUNS} runs" in end.why


def test_the_same_place_is_looked_at_once(plain_hub: Loopback, tmp_path: Path) -> None:
    """Without it, a stranger's run of many inputs at a repository that is gone has the Hub asked for each of them."""
    many = [f"hf://acme/gone@{'0' * 40}"] * 30
    gone = {f"backbones.i{number}": {"repo": "acme/gone", "commit": "0" * 40} for number in range(30)}
    (one,) = ask(plain_hub, tmp_path / "hf", told, str(tmp_path), spec(many[:1]), gone)
    asked = len(plain_hub.calls())
    plain_hub.forget_calls()
    (other,) = ask(plain_hub, tmp_path / "hf", told, str(tmp_path), spec(many), gone)
    assert one == other and one[1] is None and 0 < len(plain_hub.calls()) <= asked


def test_places_beyond_a_number_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for number in range(MOST_PLACES + 2):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "README.md").write_text(NC)
    places = [f"../{number}" for number in [*range(MOST_PLACES + 2), 0]]
    (tmp_path / "run" / "zoo.yaml").write_text(spec(places))
    found = base_licences(load_spec(tmp_path / "run" / "zoo.yaml"), {})
    assert [each.licence for each in found] == ["cc-by-nc-4.0"] * MOST_PLACES + [None] * 2
    assert found[-1].why == f"more than {MOST_PLACES} places are not looked at"


def built(folder: Path, name: str, text: str) -> Path:
    (folder / f"{name}.yaml").write_text(text)
    done = run("build", folder / f"{name}.yaml", "-o", folder / name)
    assert done.exit_code == 0, done.stderr
    return folder / name


def test_a_push_tells_where_the_licence_of_an_earlier_run_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)
    write_tables(tmp_path)
    built(tmp_path, "first", SPEC + "hub: {license: cc-by-nc-sa-4.0}\n")
    started = SPEC.replace("dropout: 0}", f"dropout: 0, weights: '{tmp_path}/first#left'}}", 1)
    second = built(tmp_path, "second", started + "hub: {license: mit}\n")
    assert "| first#left | not known |" in (second / "README.md").read_text()
    done = push(second, f"file://{tmp_path}/store")
    conflict = "first#left is under cc-by-nc-sa-4.0, which forbids commercial use and wants the same licence"
    assert [each for each in done.remarks if each.startswith(conflict)]
    back = pull(f"file://{tmp_path}/store", tmp_path / "back").folder
    card = (back / "README.md").read_text()
    assert f"- {conflict}" in card and "| first#left | cc-by-nc-sa-4.0 |" in card and "under mit." in card
    (tmp_path / "first").rename(tmp_path / "elsewhere")  # as on the machine of whoever pulled it
    again = push(back, f"file://{tmp_path}/store")
    assert not again.new and [each for each in again.remarks if each.startswith(conflict)]


@pytest.mark.slow
def test_a_base_of_the_hub_that_forbids_commercial_use(plain_hub: Loopback, tmp_path: Path) -> None:
    shapes = {"missing": (2, 16), "numbers.bias": (16,), "numbers.weight": (16, 2)}
    weights = save({f"layers.0.0.{name}": torch.zeros(shape) for name, shape in shapes.items()})
    commit = plain_hub.put("acme/mlp", {"model.safetensors": weights, "README.md": NC})
    ann = Person(plain_hub, tmp_path / "ann")
    text = SPEC.replace("dropout: 0}", f"dropout: 0, weights: 'hf://acme/mlp@{commit}'}}", 1)
    write_tables(ann.home, text + "hub: {license: apache-2.0}\n")
    ann.zoo("build", "spec.yaml", "-o", "run")
    conflict = f"hf://acme/mlp@{commit} is under cc-by-nc-4.0, which forbids commercial use"
    assert conflict in ann.zoo("push", "run", "acme/numbers")
    assert f"- {conflict}" in plain_hub.read("acme/numbers")["README.md"].decode()
