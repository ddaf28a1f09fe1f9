"""Labels that are none, too few or too many, and rows that stand on both sides of a split."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.data.bad.case import ROWS, TRAIN, Bad

SPEC = (
    """\
inputs: {price: {type: vector, backbone: {use: zoo/mlp, width: 8, layers: 1}}}
heads: {kind: zoo/classifier}
data: {train: train.csv, validation: 0.25}
"""
    + TRAIN
)
TESTED = SPEC.replace("validation: 0.25", "validation: 0.25, test: test.csv")


def write_labels(path: Path, labels: Sequence[str], shift: float = 0) -> None:
    lines = [f"{row + shift}.5,{label}" for row, label in enumerate(labels)]
    path.write_text("\n".join(["price,kind", *lines]) + "\n")


def case(
    name: str, told: str, labels: Sequence[str], *, exit_code: int = 2, skipped: bool = False, spec: str = SPEC
) -> Bad:
    return Bad(name, spec, lambda folder: write_labels(folder / "train.csv", labels), told, exit_code, skipped)


def tested(name: str, told: str, write: Callable[[Path], None], *, exit_code: int) -> Bad:
    def both(folder: Path) -> None:
        write_labels(folder / "train.csv", HALVES)
        write(folder)

    return Bad(name, TESTED, both, told, exit_code)


def contradicting(folder: Path) -> None:
    lines = ["price,kind", "7.5,a", "7.5,b", *(f"{row},{'ab'[row % 2]}" for row in range(ROWS))]
    (folder / "train.csv").write_text("\n".join(lines) + "\n")


HALVES = ["a", "b"] * (ROWS // 2)
CASES = [
    case("a row without a label", "kind: 11 labelled", ["", *HALVES[1:]], exit_code=0),
    case("no label in any row", "no training row has a label", [""] * ROWS),
    case("one class only", "a choice needs two classes", ["a"] * ROWS),
    case(
        "a class with one row", "classes of `kind` with fewer than 5 training rows: `c` 1", [*HALVES, "c"], exit_code=0
    ),
    case("as many classes as rows", "too many to be classes", [f"class {row}" for row in range(60)]),
    case(
        "a class that the spec does not name",
        "`c` is none of the 2 classes: a, b",
        [*HALVES, "c"],
        skipped=True,
        spec=SPEC.replace("kind: zoo/classifier", "kind: {use: zoo/classifier, classes: [a, b]}"),
    ),
    tested(
        "a class that training lacks",
        "`c` is none of the 2 classes: a, b",
        lambda folder: write_labels(folder / "test.csv", [*HALVES, "c"], 100),
        exit_code=2,
    ),
    tested(
        "test rows that stand in training",
        "12 leak (warning)",
        lambda folder: write_labels(folder / "test.csv", HALVES),
        exit_code=0,
    ),
    Bad("labels that contradict each other", SPEC, contradicting, "the same inputs have different labels: `a` in", 0),
]
