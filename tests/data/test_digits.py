import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

from tests.command import run
from zoo.data.digits.make import USELESS, make_digits
from zoo.data.digits.picture import picture
from zoo.data.digits.sound import RATE, TONES, sound
from zoo.data.digits.text import NUMBERS, OTHERS, text

ROOT = Path(__file__).parent.parent.parent
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data") / "digits"
    result = run("data", "digits", "-o", made, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows"] == {"train": 2516, "validation": 180, "test": 359}
    assert result.stderr.endswith(f"next: zoo show digits --yaml > {made.parent / 'digits.yaml'}\n")
    return made


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for split in SPLITS:
        found += parquet.read_table(folder / f"{split}.parquet").to_pylist()
    return found


def test_every_digit_stands_in_one_split_alone(folder: Path) -> None:
    """In training in two rows, spoilt anew in each; so the counts of the splits add up to those of the source."""
    from sklearn.datasets import load_digits

    tables = {split: parquet.read_table(folder / f"{split}.parquet").to_pylist() for split in SPLITS}
    assert [len(table) for table in tables.values()] == [2 * 1258, 180, 359]
    counts = {split: np.bincount([int(row["label"]) for row in table]) for split, table in tables.items()}
    source = np.bincount(load_digits().target)
    assert (counts["train"] // 2 + counts["validation"] + counts["test"]).tolist() == source.tolist()
    assert len({row["image"] for row in rows(folder)}) == 2 * 1258 + 180 + 359
    test = parquet.read_table(folder / "test.parquet").column("label").to_pylist()
    assert max(map(test.count, set(test))) - min(map(test.count, set(test))) <= 2


@pytest.mark.slow
def test_the_same_bytes_are_written_each_time(folder: Path, tmp_path: Path) -> None:
    make_digits(tmp_path / "again")
    for name in (*(f"{split}.parquet" for split in SPLITS), "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.slow
def test_another_seed_writes_other_rows(folder: Path, tmp_path: Path) -> None:
    result = run("data", "make", "digits", "--seed", "1", "-o", tmp_path / "other", "--json")
    assert json.loads(result.stdout)["rows"] == {"train": 2516, "validation": 180, "test": 359}
    assert (tmp_path / "other" / "test.parquet").read_bytes() != (folder / "test.parquet").read_bytes()
    assert "the seed 1" in (tmp_path / "other" / "README.md").read_text()


def test_cells_are_what_the_card_says(folder: Path) -> None:
    for row in rows(folder)[:40]:
        image = Image.open(BytesIO(row["image"]))
        assert (image.format, image.mode, image.size) == ("PNG", "L", (32, 32))
        heard, rate = soundfile.read(BytesIO(row["sound"]))
        assert (rate, heard.shape) == (8000, (2560,))
        assert 2 <= len(row["text"].split()) <= 5
        assert row["label"] in set("0123456789")


def test_the_card_tells_rates_seed_sizes_and_licence(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    told = (
        "11% of the rows",
        "names no digit in 11%",
        "drowned in 13%",
        "in 2 rows of `train.parquet`",
        "2% of the sounds",
        "seed 0",
        "| `test.parquet` | 359 |",
        "CC BY 4.0",
        "BSD",
    )
    for each in told:
        assert each in card.replace("\n", " ") or each in card
    assert USELESS == {"image": 0.11, "text": 0.11, "sound": 0.13}


def test_a_text_names_its_digit_unless_it_is_useless() -> None:
    words = {word: digit for language in NUMBERS for digit, word in enumerate(language)}
    assert not {word for language in OTHERS for word in language} & set(words)
    named = 0
    for seed in range(300):
        digit = seed % 10
        found = [words[word] for word in text(digit, False, np.random.default_rng(seed)).split() if word in words]
        named += found == [digit]
        useless = text(digit, True, np.random.default_rng(seed)).split()
        assert not set(useless) & set(words)
    assert 0.7 < named / 300 < 0.95


def test_no_word_names_two_digits() -> None:
    for word in {word for language in NUMBERS for word in language}:
        assert len({language.index(word) for language in NUMBERS if word in language}) == 1


@pytest.mark.parametrize("digit", range(10))
def test_a_sound_has_the_two_tones_of_its_digit(digit: int) -> None:
    heard, rate = soundfile.read(BytesIO(sound(digit, False, np.random.default_rng(digit))))
    assert rate == RATE
    power = np.abs(np.fft.rfft(heard)) ** 2
    frequencies = np.fft.rfftfreq(len(heard), 1 / RATE)
    tones = sorted({tone for pair in TONES.values() for tone in pair})
    loudest = sorted(tones, key=lambda tone: -power[np.abs(frequencies - tone) < 8].sum())[:2]
    assert sorted(loudest) == sorted(TONES[digit])


def test_a_useless_picture_hardly_depends_on_its_digit() -> None:
    def pixels(useless: bool) -> list[np.ndarray[Any, Any]]:
        strokes = (np.zeros((8, 8)), np.full((8, 8), 16.0))
        made = [picture(each, useless, np.random.default_rng(1)) for each in strokes]
        return [np.asarray(Image.open(BytesIO(each)), dtype=float) for each in made]

    assert np.abs(np.subtract(*pixels(True))).mean() < 5
    assert np.abs(np.subtract(*pixels(False))).mean() > 50


def test_a_folder_that_is_there_is_kept(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*(f"{split}.parquet" for split in SPLITS), "README.md"}
    again = run("data", "digits", "-o", folder)
    assert again.exit_code == 7
    assert "is there already" in again.stderr


def test_the_example_and_the_recipe_are_the_same_and_right(folder: Path) -> None:
    example = (ROOT / "examples" / "digits.yaml").read_text()
    assert run("show", "digits", "--yaml").stdout == example
    (folder.parent / "digits.yaml").write_text(example)
    checked = run("check", folder.parent / "digits.yaml")
    assert checked.exit_code == 0, checked.stderr
