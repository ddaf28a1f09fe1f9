"""Texts that are unusual, or none."""

from pathlib import Path
from typing import Any

from tests.data.bad.case import ROWS, SPOILT, TRAIN, Bad, good_rows, write_rows

SPEC = (
    """\
inputs:
  review:
    type: text
    max_length: 32
    backbone:
      use: transformers/bert
      config: {hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16}
      tokenizer: {train: wordpiece, vocab_size: 200}
heads: {kind: zoo/classifier}
data: {train: train.jsonl, validation: 0.25}
"""
    + TRAIN
)


def case(name: str, told: str, cell: Any, *, exit_code: int = 0, skipped: bool = True) -> Bad:
    """A table of texts with one other cell."""

    def write(folder: Path) -> None:
        cells: list[Any] = [f"text number {row} is {'good' if row % 2 else 'bad'}" for row in range(ROWS)]
        cells[SPOILT] = cell
        write_rows(folder / "train.jsonl", good_rows(cells, "review"))

    return Bad(name, SPEC, write, told, exit_code, skipped)


def numbers(folder: Path) -> None:
    write_rows(folder / "train.jsonl", good_rows(range(ROWS), "review"))


CASES = [
    case("a text with NUL", "1 control characters", "nothing\0more"),
    case("a text of 1 MB", "1 longer than is read", "many words " * 100_000),
    case("an empty text", "1 empty", ""),
    case("a text whose characters were lost", "characters that were lost (U+FFFD)", "caf\ufffd"),
    case("no input at all", "it has no input at all", None, exit_code=2),
    case("a number among texts", "line 5, column `review`: cells differ in type", 7, exit_code=2, skipped=False),
    Bad("numbers in place of texts", SPEC, numbers, "0 (int) is no text", 2, skipped=False),
]
