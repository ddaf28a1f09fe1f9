import pytest

from zoo.spec.names import GROUPS, IDENTIFIERS, TARGETS, ends_with, is_called, words_of


@pytest.mark.parametrize("name", ["image_id", "imageId", "Image ID", "image-id", "IMAGE_ID"])
def test_a_name_has_the_same_words_however_they_are_joined(name: str) -> None:
    assert words_of(name) == ["image", "id"]
    assert ends_with(name, IDENTIFIERS)
    assert is_called(name, GROUPS)


@pytest.mark.parametrize("name", ["valid", "paid", "labelled", ""])
def test_a_part_of_a_word_is_none(name: str) -> None:
    assert not ends_with(name, IDENTIFIERS)
    assert not is_called(name, TARGETS[0])
