"""Tables given in Python: the same cells whatever holds them, and what is told of those that cannot be read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import csv

from tests.data.test_tables import cells
from tests.evaluation.numbers import same_numbers, values
from tests.tables import SPEC, write_tables
from zoo import evaluate, train
from zoo.checkpoint.lock import fingerprint
from zoo.data.given import given_table, with_tables
from zoo.data.tables import Table, open_table
from zoo.errors import UsageError
from zoo.evaluation.predict import predict_table
from zoo.model.run import check_split
from zoo.spec.load import load_spec

ROWS: list[dict[str, Any]] = [
    {"text": "ant", "n": 1, "x": 0.5, "many": ["a"], "raw": b"1"},
    {"text": "bee", "n": 2, "x": None, "many": [], "raw": b""},
    {"text": None, "n": 3, "x": 1.5, "many": ["b", "c"], "raw": None},
]
COLUMNS = list(ROWS[0])
VIEWS = pa.schema(
    [
        ("text", pa.string_view()),
        ("n", pa.int64()),
        ("x", pa.float64()),
        ("many", pa.large_list(pa.string_view())),
        ("raw", pa.binary_view()),
    ]
)
"""What a polars frame gives."""

FORMS: dict[str, Any] = {
    "rows": ROWS,
    "arrow": pa.Table.from_pylist(ROWS),
    "chunks": pa.concat_tables([pa.Table.from_pylist(ROWS[:1]), pa.Table.from_pylist(ROWS[1:])]),
    "pandas": pd.DataFrame(ROWS),
    "index": pd.DataFrame(ROWS, index=[5, 3, 1]),
    "views": pa.Table.from_pylist(ROWS).cast(VIEWS),
    "reader": pa.Table.from_pylist(ROWS).to_reader(),
    "dataset": datasets.Dataset.from_list(ROWS),
    "shuffled": datasets.Dataset.from_list([ROWS[2], ROWS[0], ROWS[0], ROWS[1]]).select([2, 3, 0]),
}


def opened(table: Any, columns: list[str]) -> Table:
    return open_table("memory:t", columns, given={"t": given_table("t", table)})


@pytest.mark.parametrize("form", FORMS)
def test_the_same_cells_in_every_form(form: str) -> None:
    table = opened(FORMS[form], COLUMNS)
    assert len(table) == 3
    for column in COLUMNS:
        assert cells(table, column) == [row[column] for row in ROWS]
    assert table.rows([2, 0], ["n", "text"]) == [{"n": 3, "text": None}, {"n": 1, "text": "ant"}]
    assert table.place(1) == "`memory:t`, row 2"


def test_the_fingerprint_is_of_the_cells_alone() -> None:
    def of(table: Any) -> dict[str, Any]:
        return fingerprint("memory:t", given={"t": given_table("t", table)})

    same = [of(each) for form, each in FORMS.items() if form not in ("reader", "index")]
    assert all(each == same[0] for each in same)
    assert same[0]["rows"] == 3
    changed = [[*ROWS[:2], {**ROWS[2], "n": 4}], ROWS[:2], ROWS[::-1], [{**row, "m": 1} for row in ROWS]]
    assert len({of(each)["sha256"] for each in changed} | {same[0]["sha256"]}) == 5


def test_the_fingerprint_of_pictures_and_arrays_is_of_their_values() -> None:
    def of(*values: Any) -> str:
        found: str = given_table("t", [{"x": each} for each in values]).fingerprint()["sha256"]
        return found

    big = np.zeros((100, 100), np.uint8)
    other = big.copy()
    other[50, 50] = 1
    assert of(big) == of(big.copy()) != of(other)
    assert of(Image.fromarray(big)) == of(Image.fromarray(big.copy())) != of(Image.fromarray(other))


def test_columns_of_categories() -> None:
    frame = pd.DataFrame({"c": pd.Categorical(["a", None, "b"])})
    views = pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), pa.array(["a", "b"], pa.string_view()))
    for table in (frame, pa.table({"c": views})):
        assert cells(opened(table, ["c"]), "c") == ["a", None, "b"]


def test_a_polars_frame() -> None:
    polars = pytest.importorskip("polars")
    table = opened(polars.DataFrame(ROWS), COLUMNS)
    assert {column: cells(table, column) for column in COLUMNS} == {
        name: [row[name] for row in ROWS] for name in COLUMNS
    }


def test_nan_is_null() -> None:
    assert cells(opened(pd.DataFrame({"x": [1.0, float("nan")]}), ["x"]), "x") == [1.0, None]
    assert opened([{"x": 1.0}, {"x": float("nan")}, {}], ["x"]).column("x") == [1.0, None, None]


def test_pictures_of_a_data_set(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    made = datasets.Dataset.from_dict({"image": [str(tmp_path / "a.png")]}).cast_column("image", datasets.Image())
    (cell,) = opened(made, ["image"]).column("image")
    assert (cell["bytes"], cell["path"]) == (None, str(tmp_path / "a.png"))


def test_a_data_set_of_arrays() -> None:
    features = datasets.Features({"x": datasets.Array2D((2, 2), "float32")})
    made = datasets.Dataset.from_dict({"x": [[[1, 2], [3, 4]]]}, features=features)
    assert opened(made, ["x"]).column("x") == [[[1.0, 2.0], [3.0, 4.0]]]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (3, "`t` is of type builtins.int; give a pandas or polars frame, a pyarrow table"),
        ("rows", "`t` is of type builtins.str; give"),
        ([1], "`t` is of type builtins.list; give"),
        (
            datasets.DatasetDict({"train": FORMS["dataset"], "test": FORMS["dataset"]}),
            "give one of its splits: test, train",
        ),
        (FORMS["dataset"].to_iterable_dataset(), "a stream has no rows to choose from"),
        ([], "`memory:t` has no rows"),
        (ROWS, "`memory:t` has no column `y`"),
    ],
)
def test_what_is_no_table(table: Any, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(table, ["y"])
    assert told in str(caught.value)


TABLES = {"train": "memory:some", "test": "memory:others"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_tables(tmp_path, SPEC.replace("train.csv", TABLES["train"]).replace("test.csv", TABLES["test"]))


def test_names_that_nobody_gave_or_nobody_reads(spec: Path) -> None:
    loaded = load_spec(spec)
    with pytest.raises(UsageError, match="nothing is called `memory:smoe`; did you mean `some`"):
        with_tables(loaded, {"smoe": ROWS})
    with pytest.raises(UsageError, match="write `memory:x` where a table is named"):
        with_tables(loaded, {"x": ROWS})
    with pytest.raises(UsageError, match="there is no table `memory:some`; it was in memory: give it in Python"):
        train(spec)
    with pytest.raises(UsageError, match="there is no table `memory:others`; `tables` has some"):
        train(spec, tables={"some": pd.read_csv(spec.parent / "train.csv")})


@pytest.mark.slow
def test_a_run_on_tables_in_memory(spec: Path, tmp_path: Path) -> None:
    frames = {"some": pd.read_csv(tmp_path / "train.csv"), "others": csv.read_csv(tmp_path / "test.csv")}
    run = train(load_spec(spec, overrides=["train.epochs=1"]), tmp_path / "run", tables=frames)
    assert same_numbers(evaluate(tmp_path / "run", tables=frames).as_dict(), run.metrics)
    assert (
        values(run.metrics["heads"]).items() <= values(evaluate(run, tmp_path / "test.csv").as_dict()["heads"]).items()
    )
    alone = evaluate(run, "memory:new", tables={"new": frames["others"]})
    assert (alone.split, set(alone.heads)) == ("memory:new", {"kind", "size"})
    assert predict_table(run, "memory:new", tmp_path / "p.csv", tables={"new": frames["others"]}).rows == 40
    with pytest.raises(UsageError, match="there is no table `memory:others`; it was in memory"):
        evaluate(tmp_path / "run")


def test_rows_that_were_set_aside_of_a_table_in_memory(spec: Path, tmp_path: Path) -> None:
    loaded = load_spec(spec, overrides=["data.test=null"])
    known = with_tables(loaded, {"some": ROWS})
    data = {"memory:some": fingerprint("memory:some", given=known.tables)}
    (tmp_path / "zoo.lock").write_text(json.dumps({"data": data}))
    check_split(tmp_path, known)
    with pytest.raises(UsageError, match="it was in memory: give it again, in Python with `tables`"):
        check_split(tmp_path, loaded)
    with pytest.raises(UsageError, match="`memory:some` is not what the run"):
        check_split(tmp_path, with_tables(loaded, {"some": ROWS[:2]}))


GIVEN = """
import sys
import pyarrow as pa
from zoo.data.given import given_table
table = given_table("t", pa.table({"x": pa.nulls(3), "y": pa.nulls(3)}))
table.rows([0, 1], ["x"]), table.filled("x"), table.fingerprint()
print(*{"pandas", "datasets", "polars"} & set(sys.modules))
"""


def test_no_library_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", GIVEN], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == ([], "")
