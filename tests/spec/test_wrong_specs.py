"""Every wrong spec is told at its place, with what was probably meant, at once, and exits 2 (or 3 for a plugin)."""

import json
import time
from pathlib import Path

import pytest

from tests.command import run
from tests.spec.wrong import CASES
from tests.spec.wrong.case import GOOD, Wrong
from zoo.document.source import MAX_BYTES, Source
from zoo.errors import SpecError
from zoo.spec.load import read_spec


def told(error: SpecError) -> list[str]:
    return [
        f"{problem.line}:{problem.column}: {problem.message}"
        + (f" -> {problem.suggestion}" if problem.suggestion else "")
        for problem in error.problems
    ]


@pytest.mark.parametrize("wrong", CASES, ids=lambda wrong: wrong.name)
def test_a_wrong_spec_is_told_at_its_place(wrong: Wrong) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(Source(wrong.text, "spec.yaml"))
    assert told(caught.value) == list(wrong.problems)
    assert caught.value.exit_code == wrong.exit_code


@pytest.mark.parametrize("wrong", CASES, ids=lambda wrong: wrong.name)
def test_the_caret_stands_under_the_place(wrong: Wrong) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(Source(wrong.text, "spec.yaml"))
    for problem in caught.value.problems:
        place, line, caret = str(problem).splitlines()
        assert place == f"spec.yaml:{problem.line}:{problem.column}: {problem.message}"
        assert 0 <= problem.column - 1 <= len(problem.text)
        assert "^" in caret
        if problem.text.isascii() and problem.text.isprintable():
            rest = problem.text[problem.column - 1 :]
            assert line[caret.index("^") :].startswith(rest[:5])


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 80
    assert len({wrong.name for wrong in CASES}) == len(CASES)


@pytest.mark.parametrize("wrong", CASES, ids=lambda wrong: wrong.name)
def test_check_exits_with_places_in_json_and_in_words(wrong: Wrong, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(wrong.text)
    (tmp_path / "a.csv").write_text("photo,mood\n")
    start = time.process_time()
    result = run("check", spec, "--json")
    assert time.process_time() - start < 5  # a hang, not a slow machine
    answer = json.loads(result.stdout)
    assert result.exit_code == wrong.exit_code
    assert answer["ok"] is False
    assert len(answer["errors"]) == len(wrong.problems)
    for error in answer["errors"]:
        assert error["file"] == str(spec)
        assert error["line"] >= 1
        assert error["column"] >= 1
    in_words = run("check", spec)
    assert in_words.exit_code == wrong.exit_code
    assert in_words.stdout == ""
    assert f"{spec}:{answer['errors'][0]['line']}:" in in_words.stderr
    assert "Traceback" not in in_words.stderr


FILES = {
    "two megabytes": (b"zoo: 1\n" + b"# padding\n" * 200_000, "1:1: the file is larger than 256 KiB"),
    "a NUL byte": (GOOD.encode() + b"name: a\0b\n", "6:8: the character U+0000 is not allowed in YAML"),
    "an escape character": (GOOD.encode() + b"name: \x1b[31m\n", "6:7: the character U+001B is not allowed in YAML"),
    "Latin-1": (GOOD.encode() + "name: caf\xe9\n".encode("latin-1"), "6:10: byte 0xe9 is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "1:1: the file is in UTF-16; save it as UTF-8"),
    "UTF-16 big-endian": (b"\xfe\xff" + GOOD.encode("utf-16-be"), "1:1: the file is in UTF-16; save it as UTF-8"),
    "UTF-32": (GOOD.encode("utf-32"), "1:1: the file is in UTF-32; save it as UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "1:1: byte 0x89 is not UTF-8"),
    "an alias bomb": (
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 9)) for i in range(9)),
        "1:4: the anchor `&a` is not allowed",
    ),
    "a merge bomb": (b"a: &a {x: 1}\nb: {<<: [*a, *a, *a]}\n", "1:4: the anchor `&a` is not allowed"),
    "nesting of 5000": (b"a: " + b"[" * 5000 + b"]" * 5000, "nested deeper than 32 levels"),
    "nesting by indentation": (
        b"".join(b" " * level + b"a:\n" for level in range(400)),
        "nested deeper than 32 levels",
    ),
    "a flat list at the limit": (b"inputs: [" + b"1, " * ((MAX_BYTES - 20) // 3) + b"1]", "1:9: `inputs`: expected"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_spec(name: str, tmp_path: Path) -> None:
    content, expected = FILES[name]
    spec = tmp_path / "spec.yaml"
    spec.write_bytes(content)
    start = time.process_time()
    result = run("check", spec)
    assert time.process_time() - start < 5  # a hang, not a slow machine
    assert result.exit_code == 2
    assert f"{spec}:" in result.stderr
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert run("check", spec).exit_code == 0


def test_all_errors_at_once() -> None:
    text = "\n".join(
        [
            "inputs:",
            "  photo: {type: imge, backbone: timm/resnet5O}",
            "heads:",
            "  mood: {use: zoo/classifier, clases: [a, b]}",
            "train: {epochs: 0, sed: 1}",
            "triner: {}",
        ]
    )
    with pytest.raises(SpecError) as caught:
        read_spec(Source(text, "spec.yaml"))
    places = [(problem.line, problem.suggestion) for problem in caught.value.problems]
    assert places == [(2, "image"), (2, "timm/resnet50"), (4, "classes"), (5, None), (5, "seed"), (6, "train")]


@pytest.mark.parametrize("missing", ["no-such.yaml", "folder"])
def test_a_spec_that_cannot_be_read(missing: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    result = run("check", tmp_path / missing)
    assert result.exit_code == 2
    assert str(tmp_path / missing) in result.stderr
