from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from zoo.component import Modality
from zoo.contract import ValueSpec
from zoo.data.check.looks import looker
from zoo.data.check.looks.look import Look
from zoo.data.check.near import near_pairs

RATE = 8000


def look(modality: str, value: Any, cell: Any = None) -> Look:
    spec = ValueSpec(modality=modality, rate=RATE if modality == Modality.AUDIO else None)
    return looker(spec)(value, cell, Path(), spec)


def pairs(modality: str, values: list[Any]) -> list[tuple[int, int]]:
    sketches = [each.sketch for each in (look(modality, value) for value in values) if each.sketch is not None]
    return [(int(one), int(other)) for one, other in near_pairs(np.stack(sketches), modality)]


def photo(seed: int) -> NDArray[np.uint8]:
    """Soft shapes, as photographs have."""
    small = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (7, 9, 3), dtype=np.uint8))
    return np.asarray(small.resize((160, 120), Image.Resampling.BICUBIC))


def pixels(picture: Image.Image | NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def encoded(picture: NDArray[np.uint8], quality: int) -> Image.Image:
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return Image.open(file)


def test_a_picture_is_found_again_compressed_made_smaller_or_brighter() -> None:
    others = [pixels(photo(seed)) for seed in range(1, 40)]
    again = [
        pixels(encoded(photo(0), 60)),
        pixels(Image.fromarray(photo(0)).resize((80, 60))),
        pixels((photo(0).astype(int) + 2).clip(0, 255).astype(np.uint8)),
    ]
    found = pairs(Modality.IMAGE, [pixels(photo(0)), *again, *others])
    assert {(0, 1), (0, 2), (0, 3)} <= set(found)
    assert all(other <= 3 for _, other in found)


def test_however_many_are_alike_only_neighbours_are_compared() -> None:
    sketch = look(Modality.IMAGE, pixels(photo(0))).sketch
    assert sketch is not None
    found = near_pairs(np.tile(sketch, (1000, 1)), Modality.IMAGE)
    assert 999 <= len(found) <= 1000 * 4 * 8


TEXT = "the film has a slow start and a fine end and everybody in it plays as if it were the last film that they make"


def test_a_text_is_found_again_with_a_word_changed_and_not_with_its_words_in_another_order() -> None:
    words = TEXT.split()
    changed = " ".join([*words[:-1], "made"])
    shuffled = " ".join(np.random.default_rng(0).permutation(words))
    assert pairs(Modality.TEXT, [TEXT, "something else is said here", changed, shuffled]) == [(0, 2)]


@pytest.mark.parametrize("shared", [5, 20, 35])
def test_equal_hashes_are_as_frequent_as_shared_shingles(shared: int) -> None:
    one = [f"w{number}" for number in range(40)]
    other = [*one[:shared], *(f"v{number}" for number in range(40 - shared))]
    same = [look(Modality.TEXT, " ".join(each)).sketch for each in (one, other)]
    assert same[0] is not None and same[1] is not None
    expected = (shared - 2) / (2 * 38 - (shared - 2))
    assert np.mean(same[0].view(np.uint16) == same[1].view(np.uint16)) == pytest.approx(expected, abs=0.15)


def test_texts_that_differ_in_case_and_white_space_are_the_same() -> None:
    assert look(Modality.TEXT, "A  fine\nfilm").digest == look(Modality.TEXT, "a fine film").digest
    assert look(Modality.TEXT, "a fine film!").digest != look(Modality.TEXT, "a fine film").digest


def sound(seed: int) -> NDArray[np.float32]:
    """Tones that come and go."""
    random = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    tones = [
        random.normal() * np.sin(2 * np.pi * random.uniform(100, 3000) * time + random.uniform(0, 6)) for _ in range(8)
    ]
    swells = [np.interp(time, np.linspace(0, 1, 9), random.uniform(0, 1, 9)) for _ in tones]
    mixed = np.sum([tone * swell for tone, swell in zip(tones, swells, strict=True)], axis=0)
    return np.asarray(0.1 * mixed, np.float32)


def test_a_sound_is_found_again_quieter_or_with_a_little_noise() -> None:
    noise = np.random.default_rng(9).normal(0, 1e-5, RATE).astype(np.float32)
    values = [torch.from_numpy(each) for each in (sound(0), sound(0) * 0.5, sound(0) + noise)]
    found = pairs(Modality.AUDIO, [*values, *(torch.from_numpy(sound(seed)) for seed in range(1, 30))])
    assert {(0, 1), (0, 2)} <= set(found)
    assert all(other <= 2 for _, other in found)
