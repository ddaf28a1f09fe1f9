"""Pictures that are damaged, unusual or not there."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.bad.case import ROWS, SPOILT, TRAIN, Bad, good_rows, write_rows

SPEC = (
    """\
inputs:
  photo: {type: image, backbone: {use: timm/test_resnet, weights: none}}
heads: {kind: zoo/classifier}
data: {train: train.jsonl, validation: 0.25}
"""
    + TRAIN
)


def picture(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 32, 3), dtype=np.uint8))


def case(name: str, told: str, make: Callable[[Path], object], *, exit_code: int = 2, cell: str = "bad.png") -> Bad:
    """A table of pictures, one of which `make` writes."""

    def write(folder: Path) -> None:
        cells = [f"{row}.png" for row in range(ROWS)]
        for row, file in enumerate(cells):
            picture(row).save(folder / file)
        cells[SPOILT] = cell
        write_rows(folder / "train.jsonl", good_rows(cells, "photo"))
        make(folder / cell)

    return Bad(name, SPEC, write, told, exit_code)


def truncated(path: Path, kind: str) -> None:
    picture().save(path, kind)
    path.write_bytes(path.read_bytes()[:1000])


def bomb(path: Path) -> None:
    """A PNG of 20,000 x 10,000 pixels, as its header says."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b""))


def deep(path: Path) -> None:
    Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64).save(path)


def animated(path: Path) -> None:
    picture(1).save(path, save_all=True, append_images=[picture(2), picture(3)])


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture().save(path, exif=exif)


def palette(path: Path) -> None:
    picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=8).save(path, transparency=0)


def locked(path: Path) -> None:
    picture().save(path)
    path.chmod(0)


CASES = [
    case("a truncated PNG", "the picture is damaged", lambda path: truncated(path, "PNG")),
    case("a truncated JPEG", "the picture is damaged", lambda path: truncated(path, "JPEG"), cell="bad.jpg"),
    case("a text called .png", "no picture of a format that Pillow reads", lambda path: path.write_text("hello")),
    case("a picture of 0 bytes", "the file 'bad.png' is empty (0 bytes)", lambda path: path.touch()),
    case("a folder in place of a picture", "'bad.png' is a folder", lambda path: path.mkdir()),
    case("a picture that is not there", "there is no file 'bad.png'", lambda path: None),
    case("a picture that may not be read", "the file cannot be read: Permission denied", locked),
    case(
        "an address in place of a path",
        "is an address, and cells are not fetched",
        lambda path: None,
        cell="file:///etc/hostname",
    ),
    case("a picture of 200 million pixels", "the picture is too large: Image size (200000000 pixels)", bomb),
    case("an animated GIF", "Animated: its first frame counts", animated, exit_code=0, cell="bad.gif"),
    case("16 bits per channel", "16 bits per channel", deep, exit_code=0),
    case(
        "a CMYK JPEG",
        "CMYK",
        lambda path: picture().convert("CMYK").save(path),
        exit_code=0,
        cell="bad.jpg",
    ),
    case("a picture that EXIF turns", "Turned upright by EXIF", turned, exit_code=0, cell="bad.jpg"),
    case("a palette with transparency", "Transparent: white shows through", palette, exit_code=0),
    case("one pixel", "one pixel wide or high", lambda path: picture().crop((0, 0, 1, 1)).save(path), exit_code=0),
    case("a JPEG called .png", "A JPEG file called .png", lambda path: picture().save(path, "JPEG"), exit_code=0),
]
