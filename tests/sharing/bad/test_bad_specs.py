"""Rows 11 to 15: specs that nobody needs but who means harm, by hand and in what is pulled."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sharing.bad.runs import Cost, check_bounded, cost, refused, spoiled, stored
from tests.sharing.proof import prove_here
from tests.spec.wrong.case import GOOD

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + depth)}: &{chr(98 + depth)} [{', '.join([f'*{chr(97 + depth)}'] * 9)}]\n" for depth in range(9)
)
MERGE = "a0: &a0 {x: 1}\n" + "".join(
    f"a{depth}: &a{depth} {{<<: [{', '.join([f'*a{depth - 1}'] * 9)}], y{depth}: 1}}\n" for depth in range(1, 12)
)
FLAT = "inputs: [" + "1, " * (2 << 20) + "1]\n"
ALIASES = "a: &a [" + "*a, " * 65_000 + "x]\n"
WRONG = GOOD.replace("zoo/classifier", f"{{use: zoo/classifier, classes: [{'[1], ' * 10_000}1]}}")
DEEP = "a: " + "[" * 5000 + "]" * 5000 + "\n"
TAGS = [
    "!!python/object/apply:os.system ['touch ran']",
    "!!python/object/new:os.system ['touch ran']",
    "!!python/name:os.system",
    "!!binary aGVsbG8=",
    "!!set {a}",
    "!!str a",
    "!env HOME",
    "!<tag:yaml.org,2002:int> 3",
]
TEXTS: list[tuple[int, str, str, tuple[str, ...]]] = [
    (11, "an alias bomb", BOMB, (":1:4: the anchor `&a` is not allowed", "the alias `*a` is not allowed")),
    (11, "65,000 aliases", ALIASES, (":1:4: the anchor `&a` is not allowed", "no more than 100 errors are told")),
    (11, "an anchor alone", GOOD + "name: &a b\n", (":6:7: the anchor `&a` is not allowed",)),
    (11, "a merge key", GOOD + "train: {<<: {epochs: 1}}\n", (":6:9: the merge key `<<` is not allowed",)),
    (12, "a merge bomb", MERGE, ("the anchor `&a0` is not allowed", "the merge key `<<` is not allowed")),
    (12, "a flat list of 2 MB", FLAT, (":1:1: the file is larger than 256 KiB",)),
    (12, "nesting of 5000", DEEP, (":1:35: nested deeper than 32 levels",)),
    *[(13, tag.split()[0], f"{GOOD}name: {tag}\n", (":6:7: the tag `", "plain data")) for tag in TAGS],
    (14, "a key twice", GOOD + "heads: {}\n", (":6:1: the key `heads` is already at line 4",)),
    (14, "no for a truth value", GOOD + "train: {shard: no}\n", (":6:16: `train.shard`", "the text `no`", "false")),
    (14, "1:30 for a number", GOOD + "train: {epochs: 1:30}\n", (":6:17: `train.epochs`", "the text `1:30`")),
    (14, "1e3 for a whole number", GOOD + "train: {epochs: 1e3}\n", (":6:17: `train.epochs`", "`1e3`", "write 1000")),
    (14, "1.10 for a version", GOOD + "zoo_: 1.10\n", (":6:1: unknown key `zoo_`",)),
    (14, "a NUL", GOOD + "name: a\0b\n", (":6:8: the character U+0000 is not allowed",)),
    (14, "5000 digits", GOOD + f"train: {{seed: {'9' * 5000}}}\n", (":6:15: a number of 5000 characters",)),
    (14, "a date that is none", GOOD + "train: {seed: 2026-13-45}\n", (":6:15: `train.seed`", "the text `2026-13-45`")),
    (15, "_target_", GOOD + "train: {_target_: os.system}\n", (":6:9: unknown key `_target_` in `train`",)),
    (
        15,
        "_target_ of a part",
        GOOD.replace("zoo/classifier", "{_target_: os.system}"),
        (":5:3: `heads.mood` needs the key `use`",),
    ),
    (15, "a dotted path", GOOD.replace("zoo/classifier", "os.system"), (":5:9: ", "`os.system`")),
    (15, "a path with a colon", GOOD.replace("zoo/classifier", "'os:system'"), (":5:9: ", "`os:system`")),
    (15, "trust_remote_code", GOOD + "trust_remote_code: true\n", (":6:1: unknown key `trust_remote_code`",)),
    (15, "auto_map", GOOD + "auto_map: {AutoModel: evil.Model}\n", (":6:1: unknown key `auto_map`",)),
]


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_spec_that_is_refused(case: tuple[int, str, str, tuple[str, ...]], tmp_path: Path) -> None:
    _, _, text, words = case
    (tmp_path / "spec.yaml").write_text(text)
    told = (f"{tmp_path}/spec.yaml:", *words)
    refused(["check", tmp_path / "spec.yaml"], tmp_path, 2, told)
    refused(["build", tmp_path / "spec.yaml", "-o", tmp_path / "mine"], tmp_path, 2, told)


BERT = "transformers/bert, tokenizer: {train: wordpiece}"
OPTIONS = [
    ("text", BERT, "config: {trust_remote_code: true}", "`config.trust_remote_code`"),
    ("text", BERT, "config: {auto_map: {AutoModel: a.B}}", "`config.auto_map`"),
    ("text", BERT, "config: {_attn_implementation_internal: a/b}", "`config._attn_implementation_internal`"),
    ("text", BERT, "config: {attn_implementation: a/b}", "`config.attn_implementation`"),
    ("text", BERT, "config: {}, model: {trust_remote_code: true}", "`model.trust_remote_code`"),
    ("image", "timm/resnet18, weights: none", "model: {_target_: os.system}", "`model: _target_`"),
    ("image", "timm/resnet18, weights: none", "model: {pretrained_cfg: {hf_hub_id: a/b}}", "`model: pretrained_cfg`"),
    ("image", "timm/resnet18, weights: none", "model: {checkpoint_path: a.pth}", "`model: checkpoint_path`"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "use", "option", "told"), OPTIONS, ids=[each[2] for each in OPTIONS])
def test_15_an_option_of_a_library_that_would_run_code(
    kind: str, use: str, option: str, told: str, tmp_path: Path
) -> None:
    section = f"{{type: {kind}, backbone: {{use: {use}, {option}}}}}"
    (tmp_path / "spec.yaml").write_text(f"inputs: {{a: {section}}}\nheads: {{mood: zoo/classifier}}\n")
    refused(["plan", tmp_path / "spec.yaml"], tmp_path, 2, ("inputs.a.backbone", told))


PULLED = {
    11: BOMB,
    12: FLAT,
    13: f"{GOOD}name: {TAGS[0]}\n",
    14: GOOD + "heads: {}\n",
    15: GOOD + "trust_remote_code: true\n",
}


@pytest.mark.parametrize("row", PULLED)
def test_a_spec_that_is_pulled_is_refused_like_any(
    row: int, shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)  # which takes seconds, and calls the same
    place = tmp_path / "place"
    place.mkdir()
    files = spoiled(shared, lambda files: files.update({"zoo.yaml": PULLED[row].encode()}))
    reference = stored(files, place)
    refused(["pull", reference, "-o", place / "mine"], place, 2, (f"{reference}/zoo.yaml:",))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Cost:
    folder = tmp_path_factory.mktemp("usual")
    (folder / "spec.yaml").write_text(GOOD + "nmae: a\n")
    return cost(["check", folder / "spec.yaml"], folder / "work", 2, ("unknown key",))


@pytest.mark.parametrize(
    "text",
    [BOMB, ALIASES, MERGE, FLAT, DEEP, WRONG],
    ids=["11-a bomb", "11-aliases", "12-merges", "12-flat", "12-deep", "14-10,000 errors"],
)
def test_a_bomb_costs_nothing(text: str, usual: Cost, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    check_bounded(cost(["check", tmp_path / "spec.yaml"], tmp_path / "work", 2, ("/spec.yaml:",)), usual)
