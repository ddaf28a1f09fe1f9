"""Augmentations of zoo's own inputs: each does what its summary says. What holds for all of them the kit tries."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from zoo import AugmentContext, UsageError, ValueSpec
from zoo.data.samples import drawing
from zoo.registry.registry import installed
from zoo.registry.target import load_target

SOUND = ValueSpec(modality="audio", shape=(None,), rate=1000, max_length=1000)
MEANS, DEVIATIONS = [5.0, 7.0], [2.0, 3.0]


def made(owner: str, name: str, value: ValueSpec, **options: Any) -> Any:
    entry = installed().resolve(owner)
    (declared,) = (each for each in entry.component.augmentations if each.name == name)
    fitted = {"means": MEANS, "deviations": DEVIATIONS}
    standardize = options.pop("standardize", True)
    chosen = entry.component.options and entry.component.options()
    own = type("Own", (), {"standardize": standardize}) if owner in ("zoo/vector", "zoo/sequence") else chosen
    context = AugmentContext(name="x", value=value, options=own, fitted=fitted)
    return load_target(entry, declared.target)(declared.options(**options), context)


def draws(change: Any, value: Any, times: int = 60) -> Iterator[Any]:
    for seed in range(times):
        with drawing(seed):
            yield change(value)


def picture(channels: int = 3, dtype: torch.dtype = torch.uint8, side: int | None = None) -> tuple[ValueSpec, Tensor]:
    pixels = torch.rand(24, 36, channels, generator=torch.Generator().manual_seed(1)) * 255
    value = pixels.to(dtype).permute(2, 0, 1)
    return ValueSpec(modality="image", shape=(channels, side, side)), value


PLAIN = ("crop", "flip", "rotate", "erase")
CHANNELS = [
    *((name, channels) for name in PLAIN for channels in (1, 2, 3, 4, 5)),
    *(("colour", channels) for channels in (1, 3, 4)),
    *((name, channels) for name in ("randaugment", "trivialaugment") for channels in (1, 3)),
]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize(("name", "channels"), CHANNELS)
def test_pictures_of_all_channels_and_both_types(name: str, channels: int, dtype: torch.dtype) -> None:
    spec, value = picture(channels, dtype)
    changed = list(draws(made("zoo/image", name, spec), value))
    assert {(each.dtype, len(each)) for each in changed} == {(dtype, channels)}
    assert all(float(each.min()) >= 0 and float(each.max()) <= 255 for each in changed)
    assert any(each.shape != value.shape or not torch.equal(each, value) for each in changed)


@pytest.mark.parametrize(
    ("name", "channels"), [("colour", 2), ("colour", 5), ("randaugment", 4), ("trivialaugment", 2)]
)
def test_channels_that_are_no_colours_are_refused_when_it_is_built(name: str, channels: int) -> None:
    spec, _ = picture(channels)
    with pytest.raises(UsageError, match=rf"`{name}` knows .* the input have {channels} channels"):
        made("zoo/image", name, spec)


def test_a_crop_is_a_part_of_the_picture_of_the_wanted_size() -> None:
    spec, value = picture(1)
    for part in draws(made("zoo/image", "crop", spec, area=0.5), value, 200):
        _, rows, columns = part.shape
        assert 0.45 < rows * columns / (24 * 36) <= 1
        assert 1 / 1.45 < (columns / rows) / (36 / 24) < 1.45
        windows = value.unfold(1, rows, 1).unfold(2, columns, 1)
        assert (windows == part[:, None, None]).all(-1).all(-1).any()


def test_a_crop_of_pictures_of_one_size_has_that_size() -> None:
    spec = ValueSpec(modality="image", shape=(3, 24, 36))
    _, value = picture()
    assert {each.shape for each in draws(made("zoo/image", "crop", spec), value, 10)} == {value.shape}


def test_flips_are_mirror_images_as_often_as_is_said() -> None:
    spec, value = picture()
    changed = list(draws(made("zoo/image", "flip", spec, horizontal=0.2, vertical=1.0), value, 300))
    mirrored = [torch.equal(each, value.flip(-1, -2)) for each in changed]
    assert all(mirrored[row] or torch.equal(each, value.flip(-2)) for row, each in enumerate(changed))
    assert 0.12 < sum(mirrored) / 300 < 0.28


def test_opacity_is_no_colour() -> None:
    spec, value = picture(4)
    assert all(torch.equal(each[3], value[3]) for each in draws(made("zoo/image", "colour", spec, hue=0.5), value, 9))


def test_erased_is_a_rectangle_of_the_mean() -> None:
    spec, value = picture(1)
    for each in draws(made("zoo/image", "erase", spec, probability=1.0, area=0.2), value):
        different = (each != value)[0]
        rows, columns = different.any(1).nonzero(), different.any(0).nonzero()
        box = each[0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert bool((box == int(value.float().mean())).all())
        assert box.numel() <= 0.2 * value.numel() + 40


def test_sounds() -> None:
    wave = 0.5 * torch.sin(torch.arange(900) / 5)
    lengths = {len(each) for each in draws(made("zoo/audio", "speed", SOUND, change=0.1), wave)}
    assert lengths == {819, 900, 1000}
    moved = list(draws(made("zoo/audio", "shift", SOUND, seconds=9), wave))
    assert {len(each) for each in moved} == {900}
    edges = [int((each == 0).sum()) for each in moved]
    assert max(edges) <= 900 // 4 + 3
    peaks = [float(each.abs().max()) for each in draws(made("zoo/audio", "gain", SOUND, decibels=12), wave)]
    assert max(peaks) <= 1.0001
    assert min(peaks) >= 0.49 * 10 ** (-12 / 20)
    for each in draws(made("zoo/audio", "noise", SOUND, quietest=20, loudest=20), wave, 5):
        ratio = 10 * torch.log10(wave.square().mean() / (each - wave).square().mean())
        assert abs(float(ratio) - 20) < 0.5
    silence = torch.zeros(900)
    for name in ("speed", "shift", "gain", "noise"):
        assert all(float(each.abs().sum()) == 0 for each in draws(made("zoo/audio", name, SOUND), silence, 5))


@pytest.mark.parametrize("text", ["", "  ", "word", "two  words\nand a half ", "\tall of  them"])
def test_words_are_left_out_and_one_stays(text: str) -> None:
    change = made("zoo/text", "dropout", ValueSpec(modality="text"), probability=0.6)
    words = text.split()
    for each in draws(change, text):
        left = iter(words)
        assert all(word in left for word in each.split())  # in order
        assert bool(each.split()) == bool(words)


@pytest.mark.parametrize(("standardize", "spread"), [(True, [0.1, 0.1]), (False, [0.2, 0.3])])
def test_noise_is_in_the_scale_of_the_numbers(standardize: bool, spread: list[float]) -> None:
    spec = ValueSpec(modality="sequence", shape=(None, 2))
    change = made("zoo/sequence", "noise", spec, deviation=0.1, standardize=standardize)
    (noise,) = draws(change, torch.zeros(20000, 2), 1)
    torch.testing.assert_close(noise.std(0), torch.tensor(spread), rtol=0.05, atol=0)


def test_noise_leaves_categories_and_what_is_missing() -> None:
    spec = ValueSpec(modality="vector", shape=(3,), categories=(0, 4, 0))
    for each in draws(made("zoo/vector", "noise", spec, standardize=True), torch.tensor([0.5, 3.0, torch.nan]), 5):
        assert each[0] != 0.5
        assert each[1] == 3
        assert each[2].isnan()


def test_cells_are_dropped_and_one_that_is_there_stays() -> None:
    spec, value = ValueSpec(modality="vector", shape=(3,)), torch.tensor([torch.nan, 1.0, 2.0])
    changed = list(draws(made("zoo/vector", "dropout", spec, probability=0.9), value))
    assert all(int((~each.isnan()).sum()) >= 1 for each in changed)
    assert all(bool((each.isnan() | (each == value)).all()) for each in changed)
    assert any(int((~each.isnan()).sum()) == 2 for each in changed)


@pytest.mark.parametrize(("standardize", "blank"), [(True, [0.0, 0.0]), (False, MEANS)])
def test_steps_become_the_mean_and_one_stays(standardize: bool, blank: list[float]) -> None:
    spec, value = ValueSpec(modality="sequence", shape=(None, 2)), torch.full((4, 2), 9.0)
    change = made("zoo/sequence", "dropout", spec, probability=0.7, standardize=standardize)
    for each in draws(change, value):
        assert each.shape == value.shape
        kept = (each == 9).all(1)
        assert bool(kept.any())
        assert bool((each[~kept] == torch.tensor(blank)).all())


def test_spec_augment_masks_the_sounds_own_frames() -> None:
    real = torch.rand(1, 16, 20) + 1
    padded = torch.cat([real, torch.zeros(1, 16, 60)], 2)
    spec = ValueSpec(modality="image", shape=(1, 16, 80))
    frames = made("torchaudio/log-mel", "spec-augment", spec, bands=0.0, frames=0.5, masks=1)
    widths = [int((each != padded).all(1).sum()) for each in draws(frames, padded, 200)]
    assert max(widths) in range(8, 11)
    assert all(torch.equal(each[..., 20:], padded[..., 20:]) for each in draws(frames, padded, 50))
    bands = made("torchaudio/log-mel", "spec-augment", spec, bands=0.5, frames=0.0, masks=2)
    assert max(int((each != padded).all(2).sum()) for each in draws(bands, padded)) > 8


@pytest.mark.slow
def test_torchvision_is_imported_by_those_alone_that_need_it() -> None:
    code = """
import sys, torch
from zoo import AugmentContext, ValueSpec
from zoo_core.augment import image
from zoo_core.declarations.augment import Crop, Flip, Erase
context = AugmentContext(name="x", value=ValueSpec(modality="image", shape=(3, None, None)))
for build, options in ((image.Cropped, Crop()), (image.Flipped, Flip()), (image.Erased, Erase(probability=1.0))):
    build(options, context)(torch.zeros(3, 8, 8, dtype=torch.uint8))
assert "torchvision" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
