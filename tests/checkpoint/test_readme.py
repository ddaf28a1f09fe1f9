"""The head of a card: what it tells, and that a stranger's text neither hangs nor stops who reads it."""

from pathlib import Path

import pytest

from zoo.checkpoint.readme import LARGEST, front_matter

GROWING = "\n".join(
    ["a0: &a0 {k: v, l: w}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12))]
)
"""Under a kilobyte, and more than the memory of any machine where merge keys are followed."""

MANY = "\n".join(["a0: &a0 [1, 2]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))])
"""As little, and as much to whoever walks through it."""

REFUSED = {
    "growing": (GROWING, "merge keys"),
    "many": (MANY, "more than 100,000 values"),
    "alias": ("license: *mine", "an alias of nothing, or of what it stands in: 'mine'"),
    "within": ("license: &mine [*mine]", "an alias of nothing, or of what it stands in: 'mine'"),
    "merged": ("<<: {license: mit}", "merge keys"),
    "bool": ("license: !!bool x", "tags are not read: 'tag:yaml.org,2002:bool'"),
    "int": ("license: !!int ''", "tags are not read"),
    "timestamp": ("license: !!timestamp x", "tags are not read"),
    "own tag": ("license: !mine {a: b}", "tags are not read"),
    "set": ("license: !!set {a, b}", "tags are not read"),
    "no date": ("license: 2024-13-45", "month must be in 1..12"),
    "no number": (f"license: {'1:' * 300}1.5", "OverflowError"),
    "endless": (f"license: {'1:' * 30_000}1", "a number has more than 1,000 digits"),
    "binary": ("license: 0b_", ""),
    "key": ("{[a]: b}", "unhashable"),
    "deep": ("license: " + "[" * 20_000, "nested deeper than 32 levels"),
    "deep block": ("license:\n" + "- " * 20_000, "nested deeper than 32 levels"),
    "second": ("a: b\n...\nc: d\n", ""),
    "list": ("- mit", "expected keys and values, not list"),
    "control": ("license: \x00", ""),
    "large": ("license: mit\n" + "# more\n" * 10_000, "it has more than 65,536 bytes"),
}
"""Heads of cards, and what is said of them."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_a_value_error_alone(tmp_path: Path, name: str) -> None:
    text, told = REFUSED[name]
    (tmp_path / "README.md").write_text(f"---\n{text}\n---\n# Words\n")
    with pytest.raises(ValueError) as raised:
        front_matter(tmp_path / "README.md")
    assert told in str(raised.value)


def test_what_cards_have_is_read(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    head = 'license: other\nlicense: mit  # twice\ntags:\n- "<<"\n- a & b\nsize: 1_000\nnew: true\nmore: {a: [b]}\n'
    card.write_text(f"---\n{head}---\n{'words ' * LARGEST}")
    assert front_matter(card) == {
        "license": "mit",
        "tags": ["<<", "a & b"],
        "size": 1000,
        "new": True,
        "more": {"a": ["b"]},
    }
    card.write_text(
        "---\na: &id001 {b: [c]}\nd: [*id001, *id001]\n---\n"
    )  # as a writer of YAML makes them of equal objects
    assert front_matter(card) == {"a": {"b": ["c"]}, "d": [{"b": ["c"]}] * 2}
    for text, told in {"": {}, "# Words\n---\na: b\n---\n": {}, "---\n---\n": {}, "---\na: b": {"a": "b"}}.items():
        card.write_text(text)
        assert front_matter(card) == told


def test_a_reader_may_take_more(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n" + "# more\n" * 10_000 + "---\n")
    assert front_matter(tmp_path / "README.md", 2 * LARGEST) == {"license": "mit"}
