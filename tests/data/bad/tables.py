"""Tables that are damaged, or written in another way."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from tests.data.bad.case import ROWS, Bad
from tests.data.bad.labels import SPEC

LINES = ["price,kind", *(f"{row}.5,{'ab'[row % 2]}" for row in range(ROWS))]
GOOD = "\n".join(LINES) + "\n"
NOTHING = "nothing is wrong, and nothing is suspect"


def case(name: str, told: str, content: bytes | str, *, exit_code: int = 2, file: str = "train.csv") -> Bad:
    data = content.encode() if isinstance(content, str) else content

    def write(folder: Path) -> None:
        (folder / file).write_bytes(data)

    return Bad(name, SPEC.replace("train.csv", file), write, told, exit_code, skipped=False)


def written(name: str, told: str, write: Callable[[Path], None], file: str) -> Bad:
    return Bad(name, SPEC.replace("train.csv", file), lambda folder: write(folder / file), told, skipped=False)


def truncated_parquet(path: Path) -> None:
    parquet.write_table(pa.table({"price": [1.5] * 100, "kind": ["a"] * 100}), path)
    path.write_bytes(path.read_bytes()[:400])


def empty_parquet(path: Path) -> None:
    parquet.write_table(pa.table({"price": pa.array([], pa.float64()), "kind": pa.array([], pa.string())}), path)


JSON = [json.dumps({"price": row, "kind": "ab"[row % 2]}) for row in range(ROWS)]
CASES = [
    case("a CSV that is not UTF-8", "line 6, is not UTF-8", GOOD.replace("4.5,a", "4.5,é").encode("latin-1")),
    case("a line with too many cells", "line 6, has 3 cells; the header has 2", GOOD.replace("4.5,a", "4,5,a")),
    case("two columns of one name", "has two columns `price`", GOOD.replace("price,kind", "price,price")),
    case("columns separated by semicolons", "separated by semicolons", GOOD.replace(",", ";")),
    case("a column that is not there", "did you mean `prize`?", GOOD.replace("price", "prize")),
    case("a table without rows", "has no rows", "price,kind\n"),
    case("an empty file", "it is empty", ""),
    case("a byte order mark", NOTHING, b"\xef\xbb\xbf" + GOOD.encode(), exit_code=0),
    case("lines that end with CR LF", NOTHING, GOOD.replace("\n", "\r\n"), exit_code=0),
    case(
        "a broken line of JSON",
        "its line 5 is not a JSON object",
        "\n".join([*JSON[:4], JSON[4][:-4], *JSON[5:]]),
        file="train.jsonl",
    ),
    written("a truncated Parquet file", "cannot be read as .parquet", truncated_parquet, "train.parquet"),
    written("a Parquet file without rows", "has no rows", empty_parquet, "train.parquet"),
    written("a table that is not there", "no such file or folder", lambda path: None, "train.csv"),
]
