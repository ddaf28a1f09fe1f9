import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image as Pillow

from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Image
from zoo_core.inputs.image import build

COLOURS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10
DEEP = np.array([[0, 257, 32896], [65535, 1, 300]], dtype=np.uint16)
WHITE, RED = (255, 255, 255), (255, 0, 0)


def image(channels: int = 3) -> InputType:
    return build(Image(channels=channels), InputContext(name="photo", columns=("photo",)))


def decode(cell: Any, channels: int = 3, folder: Path = Path()) -> NDArray[Any]:
    """The picture as (height, width, channels)."""
    value = image(channels).decode(cell, folder)
    assert value.shape[0] == channels
    return np.asarray(value.permute(1, 2, 0))


def encoded(picture: NDArray[Any] | Pillow.Image, kind: str = "PNG", **how: Any) -> bytes:
    picture = picture if isinstance(picture, Pillow.Image) else Pillow.fromarray(picture)
    file = BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


CELLS: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda file: file.read_bytes(),
    "bytearray": lambda file: bytearray(file.read_bytes()),
    "relative path": lambda file: file.name,
    "absolute path": lambda file: str(file),
    "Path": lambda file: Path(file.name),
    "bytes before path": lambda file: {"bytes": file.read_bytes(), "path": "elsewhere.png"},
    "path without bytes": lambda file: {"bytes": None, "path": file.name},
    "PIL": lambda file: Pillow.fromarray(COLOURS),
    "array": lambda file: COLOURS,
    "read-only array": lambda file: np.frombuffer(COLOURS.tobytes(), np.uint8).reshape(COLOURS.shape),
    "array of negative strides": lambda file: COLOURS[:, ::-1].copy()[:, ::-1],
    "tensor": lambda file: torch.from_numpy(COLOURS),
}


@pytest.mark.parametrize("kind", CELLS)
def test_a_picture_comes_in_many_ways(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encoded(COLOURS))
    cell = CELLS[kind](file)
    value = image().decode(cell, tmp_path)
    assert value.dtype == torch.uint8
    assert np.array_equal(value.permute(1, 2, 0), COLOURS)
    value += 1  # the value is its owner's to change
    assert np.array_equal(decode(cell, folder=tmp_path), COLOURS)


def test_it_tells_what_its_values_are_and_goes_to_workers() -> None:
    made = pickle.loads(pickle.dumps(image(4)))
    assert made.value == ValueSpec(modality="image", shape=(4, None, None))
    assert made.decode(COLOURS, Path()).shape == (4, 2, 3)


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=9).map(lambda s: (s[0], s[1], 3 + s[2] % 2))))
def test_a_lossless_file_comes_back_as_it_was(pixels: NDArray[np.uint8]) -> None:
    assert np.array_equal(decode(encoded(pixels), pixels.shape[2]), pixels)


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, COLOURS),
        (2, COLOURS[:, ::-1]),
        (3, COLOURS[::-1, ::-1]),
        (4, COLOURS[::-1]),
        (5, COLOURS.transpose(1, 0, 2)),
        (6, np.rot90(COLOURS, -1)),
        (7, COLOURS[::-1, ::-1].transpose(1, 0, 2)),
        (8, np.rot90(COLOURS)),
    ],
)
def test_a_picture_stands_upright(orientation: int, turned: NDArray[np.uint8]) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    png = encoded(COLOURS, exif=exif)
    assert np.array_equal(decode(png), turned)
    with Pillow.open(BytesIO(png)) as picture:
        assert np.array_equal(decode(picture), turned)
        assert np.array_equal(np.asarray(picture), COLOURS)  # the caller's own is left as it was


def test_exif_that_makes_no_sense_turns_nothing() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 99
    assert np.array_equal(decode(encoded(COLOURS, exif=exif)), COLOURS)
    assert np.array_equal(decode(encoded(COLOURS, exif=b"Exif\0\0no such thing")), COLOURS)


def test_channels_decides_the_colours() -> None:
    red = np.array([[RED]], dtype=np.uint8)
    assert decode(red, 1).tolist() == [[[76]]]  # ITU-R BT.601: 0.299 of red
    assert decode(red, 4).tolist() == [[[255, 0, 0, 255]]]
    assert decode(np.array([[7]], dtype=np.uint8), 3).tolist() == [[[7, 7, 7]]]
    assert decode(np.array([[[7]]], dtype=np.uint8), 4).tolist() == [[[7, 7, 7, 255]]]
    assert decode(Pillow.new("1", (1, 1), 1), 1).tolist() == [[[255]]]


def palette(transparent: bytes | int) -> bytes:
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([*RED, 0, 0, 255])
    picture.putdata([0, 1])
    return encoded(picture, transparency=transparent)


@pytest.mark.parametrize(
    ("picture", "seen"),
    [
        (Pillow.new("RGBA", (1, 1), (255, 0, 0, 0)), WHITE),
        (Pillow.new("RGBA", (1, 1), (255, 0, 0, 255)), RED),
        (Pillow.new("RGBA", (1, 1), (0, 0, 0, 128)), (127, 127, 127)),
        (Pillow.new("LA", (1, 1), (9, 0)), WHITE),
        (Pillow.new("LA", (1, 1), (9, 255)), (9, 9, 9)),
        (palette(b"\0"), WHITE),
        (palette(1), RED),
        (encoded(Pillow.new("RGB", (1, 1), RED), transparency=RED), WHITE),
        (encoded(Pillow.new("L", (1, 1), 9), transparency=9), WHITE),
    ],
    ids=[
        "clear",
        "opaque",
        "half",
        "clear grey",
        "opaque grey",
        "palette",
        "other in palette",
        "colour key",
        "grey key",
    ],
)
def test_what_is_transparent_is_white(picture: Any, seen: tuple[int, ...]) -> None:
    assert tuple(decode(picture)[0, 0]) == seen
    assert decode(picture, 1)[0, 0, 0] == (seen[0] if len(set(seen)) == 1 else 76)


def test_opacity_is_kept_where_it_is_asked_for() -> None:
    assert decode(Pillow.new("RGBA", (1, 1), (1, 2, 3, 0)), 4).tolist() == [[[1, 2, 3, 0]]]
    assert decode(palette(b"\0"), 4).tolist() == [[[*RED, 0], [0, 0, 255, 255]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bits_keep_their_depth(kind: str, order: str) -> None:
    if (kind, order) == ("PPM", ">u2"):
        return  # Pillow does not write it
    value = decode(encoded(DEEP.astype(order), kind), 1)
    assert value.dtype == np.float32
    assert np.allclose(value[..., 0], DEEP / 257, rtol=1e-6)
    assert value.max() == 255


def test_16_bits_as_colours_and_as_an_array() -> None:
    grey = DEEP[..., None] / np.float32(257)
    assert np.allclose(decode(encoded(DEEP), 3), grey.repeat(3, 2))
    assert np.allclose(decode(DEEP, 4), np.concatenate([grey.repeat(3, 2), np.full_like(grey, 255)], 2))
    assert np.allclose(decode(DEEP.reshape(1, 2, 3), 3), DEEP.reshape(1, 2, 3) / 257)


def test_print_colours_become_rgb() -> None:
    jpeg = encoded(Pillow.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert np.allclose(decode(jpeg).reshape(-1, 3), RED, atol=4)


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Pillow.new("RGB", (4, 3), colour) for colour in (RED, WHITE)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        how = {"lossless": True} if kind == "WEBP" else {}
        cell = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **how)
        assert (decode(cell) == RED).all(), kind


def test_other_numbers_of_channels_are_the_picture_s_own() -> None:
    bands = np.arange(2 * 2 * 5, dtype=np.uint8).reshape(2, 2, 5)
    assert np.array_equal(decode(bands, 5), bands)
    assert decode(encoded(Pillow.new("LA", (1, 1), (9, 7))), 2).tolist() == [[[9, 7]]]
    for cell in (bands[..., :4], encoded(COLOURS), encoded(DEEP)):
        with pytest.raises(ValueError, match=r"has [134] channels; this input takes 5 \(its option `channels`\)"):
            decode(cell, 5)


FLOATS = encoded(np.ones((2, 2), np.float32), "TIFF")
LARGE = encoded(np.array([[70000]], np.int32), "TIFF")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("nowhere.png", "there is no file 'nowhere.png' in `data`; expected the path of a picture"),
        ("", "there is no file ''"),
        ("nul\0byte", "there is no file"),
        (3.5, r"3.5 \(float\) is not a picture; expected a file's path, its bytes"),
        ([[1, 2]], r"\[\[1, 2\]\] \(list\) is not a picture"),
        ({"url": "x"}, "is not a picture"),
        (b"", "holds no bytes; expected a picture, or an empty"),
        (b"hello", "no picture of a format that Pillow reads"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "PostScript program"),
        (FLOATS, "float pixels, whose range is unknown"),
        (LARGE, "pixels up to 70000; expected 8 or 16 bits"),
        (encoded(COLOURS)[:45], "the picture is damaged"),
        (np.ones((2, 2)), "an array of float64, 2 x 2, is no picture; expected uint8 or uint16"),
        (np.ones((2, 2, 3, 1), np.uint8), "2 x 2 x 3 x 1"),
        (np.ones((0, 2), np.uint8), "0 x 2, is no picture"),
        (np.ones((3, 2, 9), np.uint8), "has 9 channels; this input takes 3"),
        (np.ones((3, 2, 4), np.uint16), "has 4 channels; this input takes 3"),
    ],
)
def test_what_is_no_picture_is_told(cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(cell, folder=Path("data"))


def test_a_truncated_photo_is_refused() -> None:
    jpeg = encoded(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), "JPEG")
    with pytest.raises(ValueError, match="the picture is damaged: image file is truncated"):
        decode(jpeg[: len(jpeg) // 2])


@pytest.mark.parametrize("limit", [200, 500])
def test_bombs_are_refused(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = encoded(np.zeros((28, 28), np.uint8))
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", limit)  # from once to twice the limit Pillow warns
    with pytest.raises(ValueError, match="the picture is too large: Image size"):
        decode(bomb)


PHOTOS = [encoded(np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8), kind) for kind in ("PNG", "JPEG")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PHOTOS), st.data())
def test_damage_is_a_picture_or_a_value_error(photo: bytes, data: st.DataObject) -> None:
    damaged = bytearray(photo[: data.draw(st.integers(1, len(photo)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        value = image().decode(bytes(damaged), Path())
    except ValueError:
        return
    assert value.dtype == torch.uint8
    assert value.shape[0] == 3


def test_a_long_text_in_place_of_a_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no file 'a review"):
        decode("a review " * 100, folder=tmp_path)
