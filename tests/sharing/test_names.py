"""What shared models and their files may be called."""

import pytest

from zoo.errors import CorruptError, UsageError
from zoo.hub.names import check_names, stray
from zoo.hub.reference import Reference, read_reference

COMMIT = "0123456789abcdef" * 2 + "01234567"
RUN = ["README.md", "config.json", "model.safetensors", "parts/photo/config.json", "zoo.lock", "zoo.yaml"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme/pets", Reference("acme/pets")),
        ("hf://acme/pets", Reference("acme/pets")),
        (f"acme/pets.v2-x@{COMMIT}", Reference("acme/pets.v2-x", revision=COMMIT)),
        ("acme/pets@refs/pr/1", Reference("acme/pets", revision="refs/pr/1")),
        ("file:///srv/models/pets", Reference("/srv/models/pets", folder=True)),
        (f"file:///srv/pets/@{COMMIT}", Reference("/srv/pets", True, COMMIT)),
    ],
)
def test_names_of_shared_models(text: str, expected: Reference) -> None:
    found = read_reference(text)
    assert found == expected
    assert read_reference(str(found)) == found
    assert found.pinned is (COMMIT in text)
    assert found.name in ("pets", "pets.v2-x")


NO_NAMES = [
    "pets",
    "acme/",
    "/pets",
    "a/b/c",
    "acme/../pets",
    "acme/pets@",
    "acme/a--b",
    "acme/-a",
    "acme/a.",
    "acme/p\u00e9ts",
    "http://acme/pets",
    "file://srv",
    "file:///",
    "file:///a/../b",
    "file:srv",
]


@pytest.mark.parametrize("text", [*NO_NAMES, "", "acme/pe ts", "acme/pets@a b", "x" * 200 + "/a"])
def test_texts_that_name_none(text: str) -> None:
    with pytest.raises(UsageError, match="write "):
        read_reference(text)


def test_the_files_of_a_run_and_what_is_none_of_them() -> None:
    names = [*RUN, ".gitattributes", "notes.txt", "picture.png"]
    assert check_names(names, "it") == RUN
    assert stray(names) == ["notes.txt", "picture.png"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../x", "leads elsewhere"),
        ("/x", "leads elsewhere"),
        ("a/../../x", "leads elsewhere"),
        ("..\\x", "leads elsewhere"),
        ("C:x", "leads elsewhere"),
        ("parts//x", "leads elsewhere"),
        ("parts/./x", "leads elsewhere"),
        ("parts/CON", "none on Windows"),
        ("parts/aux.txt", "none on Windows"),
        ("parts/a.", "none on Windows"),
        ("parts/a\x1b[2J", "no system would take"),
        ("parts/" + "a" * 300, "no system would take"),
        ("", "no system would take"),
    ],
)
def test_names_that_are_refused(name: str, told: str) -> None:
    with pytest.raises(CorruptError, match=told):
        check_names([*RUN, name], "it")


@pytest.mark.parametrize(
    "twins", [("parts/a", "parts/A"), ("parts/\u00e9", "parts/e\u0301"), ("README.md", "readme.md")]
)
def test_twins_are_refused(twins: tuple[str, str]) -> None:
    with pytest.raises(CorruptError, match="one file on some systems"):
        check_names(twins, "it")


def test_a_file_that_is_a_folder_too_and_names_that_are_long_in_bytes_are_refused() -> None:
    with pytest.raises(CorruptError, match="that is a folder too"):
        check_names(["parts/a", "parts/a/b"], "it")
    with pytest.raises(CorruptError, match="no system would take"):
        check_names(["parts/" + "\u20ac" * 150], "it")


def test_pickles_alone_and_too_many_files_are_refused() -> None:
    with pytest.raises(CorruptError, match="convert it to safetensors"):
        check_names(["zoo.yaml", "pytorch_model.bin"], "it")
    assert check_names(["model.safetensors", "pytorch_model.bin"], "it") == ["model.safetensors"]
    with pytest.raises(CorruptError, match="10,001 files"):
        check_names(map(str, range(10_001)), "it")
