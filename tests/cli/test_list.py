"""`zoo list`: kinds in singular and plural, parts of names, patterns, and what is not there."""

import pytest

from tests.command import run
from zoo.cli.components import count, matches


def names(*words: str) -> list[str]:
    """The second column, of what is listed."""
    result = run("list", *words)
    assert result.exit_code == 0, result.stderr
    header, *rows = result.stdout.splitlines()
    place = header.index("name")
    return [row[place:].split()[0] for row in rows]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("input", "zoo/image"),
        ("inputs", "zoo/image"),
        ("Inputs", "zoo/image"),
        ("frontend", "torchaudio/log-mel"),
        ("frontends", "torchaudio/log-mel"),
        ("backbone", "zoo/mlp"),
        ("backbones", "timm/*"),
        ("fusion", "zoo/concat"),
        ("fusions", "zoo/concat"),
        ("head", "zoo/classifier"),
        ("heads", "zoo/classifier"),
        ("policy", "zoo/frozen"),
        ("policies", "zoo/frozen"),
    ],
)
def test_a_kind_in_singular_and_plural(word: str, name: str) -> None:
    listed = names(word)
    assert name in listed
    assert "zoo/classifier" not in listed or word.startswith("head")


@pytest.mark.parametrize("word", ["recipe", "recipes", "model", "models"])
def test_the_catalogue(word: str) -> None:
    result = run("list", word)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith(word.removesuffix("s"))
    assert result.stderr.startswith("next: zoo show ")


def test_without_a_kind_everything_is_listed_once() -> None:
    listed = names()
    assert {"zoo/image", "timm/*", "zoo/concat", "zoo/classifier", "zoo/full"} <= set(listed)
    assert len(listed) < 100


def test_a_family_is_one_row_that_tells_how_to_see_its_members() -> None:
    result = run("list", "backbones")
    assert any(line.startswith("timm/*") and "3,1" in line for line in result.stdout.splitlines())
    assert "--all" in result.stderr


def test_all_lists_every_member() -> None:
    listed = names("backbones", "--all")
    assert len(listed) > 3000
    assert "timm/*" not in listed


@pytest.mark.parametrize(
    ("words", "some", "none"),
    [
        (["resnet18"], "timm/resnet18", "timm/resnet50"),
        (["backbone", "ResNet18"], "timm/resnet18", "timm/resnet50"),
        (["backbones", "resnet18*"], "timm/resnet18.a1_in1k", "timm/seresnet18"),
        (["timm/resnet1?"], "timm/resnet18", "timm/resnet101"),
        (["backbones", "zoo/"], "zoo/mlp", "timm/resnet50"),
        (["heads", "class"], "zoo/classifier", "zoo/regressor"),
        (["concat"], "zoo/concat", "zoo/gated"),
        (["*hubert*"], "transformers/hubert", "transformers/bert"),
    ],
)
def test_a_pattern(words: list[str], some: str, none: str) -> None:
    listed = names(*words)
    assert some in listed
    assert none not in listed


@pytest.mark.parametrize(
    ("name", "pattern", "found"),
    [
        ("timm/resnet50", "net5", True),
        ("timm/resnet50", "RESNET", True),
        ("timm/resnet50", "resnet", True),
        ("timm/resnet50", "resnet?", False),
        ("timm/resnet50", "resnet*", True),
        ("timm/resnet50", "*50", True),
        ("timm/resnet50", "timm/*", True),
        ("timm/resnet50", "net*", False),
        ("timm/resnet50", "[r]esnet", False),
        ("timm/resnet50", "", True),
    ],
)
def test_matches(name: str, pattern: str, found: bool) -> None:
    assert matches(name, pattern) is found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["backbons"], "nothing matches `backbons`; did you mean `backbones`?"),
        (["polcies"], "did you mean `policies`?"),
        (["backbones", "resnet5O"], "did you mean `timm/resnet50`?"),
        (["heads", "xyzzy"], "nothing matches `xyzzy`"),
        (["banana", "resnet"], "`banana` is no kind"),
        (["backbons", "resnet"], "`backbons` is no kind; did you mean `backbones`?"),
        (["recipes", "image-txt"], "no recipe matches `image-txt`; did you mean `image-text`?"),
    ],
)
def test_what_is_not_there_exits_2(words: list[str], told: str) -> None:
    result = run("list", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, ""), (0, "0"), (999, "999"), (1000, "1.0k"), (25_557_032, "25.6M"), (7_000_000_000, "7.0B")],
)
def test_count(number: int | None, text: str) -> None:
    assert count(number) == text
