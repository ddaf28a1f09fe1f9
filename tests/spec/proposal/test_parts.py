import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from zoo.spec.proposal.parts import Circumstances, audio, image, sequence, text


def at(rows: int, weights: Any = "pretrained") -> Circumstances:
    return Circumstances(Path(), weights, rows)


def picture(side: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, "PNG")
    return file.getvalue()


def sound(rate: int, seconds: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(rate * seconds)), rate, format="FLAC")
    return file.getvalue()


def test_few_rows_leave_a_pretrained_backbone_as_it_is() -> None:
    for proposed in (image([picture(99)], at(100)), text(["a b c"], at(100)), audio([sound(8000, 1)], at(100))):
        assert proposed.section["transfer"] == "frozen"
        assert "100 rows" in proposed.why[("transfer",)]
    assert "transfer" not in image([picture(99)], at(1000)).section
    assert "transfer" not in text(["a b c"], at(1000)).section
    assert audio([sound(8000, 1)], at(1000)).section["transfer"] == "last:4"


def test_many_rows_get_a_larger_backbone() -> None:
    backbones = [image([picture(99)], at(rows)).section["backbone"] for rows in (1000, 50_000)]
    assert backbones == ["timm/convnext_tiny.in12k_ft_in1k", "timm/convnext_base.fb_in22k_ft_in1k"]
    # Chinese, which is written without blanks
    backbones = [
        text(["\u4eca\u5929\u5929\u6c14\u5f88\u597d" * 4], at(rows, "none")).section["backbone"]
        for rows in (1000, 50_000)
    ]
    assert [each["config"]["hidden_size"] for each in backbones] == [128, 256]


def test_texts_of_words_get_convolutions_where_nothing_is_pretrained() -> None:
    proposed = text(["a b c", "d e"], at(1000, "none"))
    assert proposed.section["backbone"] == {"use": "zoo/text-cnn", "weights": "none", "dim": 300}
    assert proposed.section["lowercase"]


def test_small_pictures_need_a_small_network_and_grey_ones_one_channel() -> None:
    small = image([picture(28, "L")], at(1000, "none")).section
    assert small["channels"] == 1
    assert small["backbone"]["resolution"] == 32
    assert small["backbone"]["depth"] == 3
    large = image([picture(500)], at(1000, "none")).section
    assert "channels" not in large
    assert large["backbone"] == {"use": "timm/resnet10t", "weights": "none", "resolution": 128}
    assert image([picture(28)], at(1000)).section["backbone"]["resolution"] == 128


@pytest.mark.parametrize(("words", "length"), [(3, 16), (40, 64), (200, 272), (5000, 512)])
def test_texts_are_as_long_as_nearly_all_need(words: int, length: int) -> None:
    cells = ["word " * words] * 99 + ["word " * 10_000]
    proposed = text(cells, at(1000))
    assert proposed.section["max_length"] == length
    assert ("cut off" in proposed.why[("max_length",)]) == (words == 5000)


def test_scripts_without_blanks_are_counted_by_their_signs() -> None:
    assert text(["猫" * 300] * 20, at(1000)).section["max_length"] >= 100


@pytest.mark.parametrize(
    ("cell", "backbone"),
    [("кошка на ковре", "FacebookAI/xlm-roberta-base"), ("a cat on a mat", "google-bert/bert-base-uncased")],
)
def test_texts_that_are_not_english_get_a_backbone_that_reads_them(cell: str, backbone: str) -> None:
    assert text([cell] * 20, at(10_000)).section["backbone"] == f"transformers/{backbone}"


def test_sounds_have_the_rate_of_their_files_or_of_the_backbone() -> None:
    cells = [sound(22050, 0.5), sound(22050, 0.8)]
    random = audio(cells, at(1000, "none")).section
    assert (random["sample_rate"], random["max_seconds"]) == (22050, 1.0)
    assert random["frontend"]["hop_length"] == 220
    known = audio(cells, at(1000))
    assert known.section["sample_rate"] == 16000
    assert "22050 Hz" in known.why[("sample_rate",)]


def test_long_sounds_are_cut_off_and_it_is_said() -> None:
    proposed = audio([sound(1000, 40)], at(1000))
    assert proposed.section["max_seconds"] == 30
    assert "cut off" in proposed.why[("max_seconds",)]


def test_sequences_are_as_long_as_the_longest() -> None:
    assert sequence([[1.0], [1.0, 2.0]], at(1000)).section["max_length"] == 2
