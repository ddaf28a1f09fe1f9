"""Numbers, lists of numbers and targets that are none."""

from pathlib import Path
from typing import Any

from tests.data.bad.case import ROWS, SPOILT, TRAIN, Bad, write_rows

MLP = "backbone: {use: zoo/mlp, width: 8, layers: 1}"
SPEC = (
    f"""\
inputs: {{price: {{type: vector, {MLP}}}}}
heads: {{stars: zoo/regressor}}
data: {{train: train.jsonl, validation: 0.25}}
"""
    + TRAIN
)
SEQUENCES = SPEC.replace("type: vector", "type: sequence").replace("zoo/mlp, width: 8", "zoo/gru, width: 8")


def case(name: str, told: str, column: str, cell: Any, *, good: Any = 1.5, spec: str = SPEC, exit_code: int = 2) -> Bad:
    """A table with one other cell."""

    def write(folder: Path) -> None:
        rows: list[dict[str, Any]] = [{"price": spread(good, row), "stars": float(row)} for row in range(ROWS)]
        rows[SPOILT][column] = cell
        write_rows(folder / "train.jsonl", rows)

    return Bad(name, spec, write, told, exit_code)


def spread(good: Any, row: int) -> Any:
    return [spread(each, row) for each in good] if isinstance(good, list) else good + row


def in_csv(name: str, told: str, cell: str, *, exit_code: int = 2) -> Bad:
    """A CSV table with one other cell, which makes texts of its column."""

    def write(folder: Path) -> None:
        lines = [f"{row}.5,{row}" for row in range(ROWS)]
        lines[SPOILT] = f"{cell},4"
        (folder / "train.csv").write_text("\n".join(["price,stars", *lines]) + "\n")

    return Bad(name, SPEC.replace("train.jsonl", "train.csv"), write, told, exit_code)


PAIR = [1.0, 2.0]
STEPS = [[1.0, 2.0], [3.0, 4.0]]
CASES = [
    in_csv("a word among numbers", "'cheap' (str) is no number", "cheap"),
    in_csv("an infinite number", "inf is too large a number", "inf"),
    in_csv("a number beyond float32", "is too large a number", "1e99"),
    case("NaN as the only input", "it has no input at all", "price", float("nan"), exit_code=2),
    case("a target that is infinite", "inf (float) is too large a number", "stars", float("inf")),
    case("a target that is NaN", "stars: 11 labelled", "stars", float("nan"), exit_code=0),
    case("a list of another length", "it has 3 numbers, where the first row has 2", "price", [1, 2, 3], good=PAIR),
    case("a list with a null in it", "price: all there", "price", [1.0, None], good=PAIR, exit_code=0),
    case("an empty list", "expected a list of numbers", "price", [], good=PAIR),
    case(
        "steps of different widths",
        "its steps have 1 and 2 features",
        "price",
        [[1.0], [2.0, 3.0]],
        good=STEPS,
        spec=SEQUENCES,
    ),
    case("a sequence without steps", "it has no steps", "price", [], good=STEPS, spec=SEQUENCES),
]
