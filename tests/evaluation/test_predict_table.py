"""Tables of predictions: what is kept of the table, types, names, rows that cannot be read; whole files or none."""

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import zoo
from tests.command import run
from tests.tables import SPEC, write_tables
from zoo.data import stream
from zoo.errors import ConflictError, UsageError
from zoo.evaluation.predict import predict, predict_table
from zoo.model.model import ZooModel
from zoo.model.run import read_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    zoo.train(write_tables(folder, SPEC.replace("epochs: 4", "epochs: 1")), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def model(trained: Path) -> ZooModel:
    return read_run(trained)


OTHER: dict[str, list[Any]] = {
    "id": ["007", "008", "009"],
    "when": [datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.UTC), None, None],
    "tags": [["x"], [], None],
    "long": [list(range(100))] * 3,
    "image": [{"bytes": b"abc", "path": "a.png"}] * 3,
    "raw": [b"abc"] * 3,
}


def write_parquet(path: Path, **columns: Any) -> Path:
    table = {"a": [4.0, None, 0.0], "b": [0.0, None, 1.0], "c": [2.0, None, None], **columns}
    parquet.write_table(pa.table(table), path)
    return path


def test_light_columns_are_kept_with_their_types(model: ZooModel, tmp_path: Path) -> None:
    kinds = {"id": pa.array(OTHER["id"]).dictionary_encode(), "small": pa.array([1, 2, 3], pa.int8())}
    table = write_parquet(tmp_path / "in.parquet", **{**OTHER, **kinds})
    written = predict_table(model, table, tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")
    assert written.left_out == ("long", "image", "raw")
    before = parquet.read_schema(table)
    kept = ["a", "b", "c", "id", "when", "tags", "small"]
    assert found.schema.names[:8] == ["row", *kept]
    assert [found.schema.field(name).type for name in kept] == [before.field(name).type for name in kept]
    assert found.select(kept).to_pylist() == parquet.read_table(table).select(kept).to_pylist()
    kinds = {name: found.schema.field(name).type for name in found.schema.names[8:]}
    assert kinds == {
        "kind.label": pa.dictionary(pa.int32(), pa.string()),
        "kind.probability": pa.float64(),
        "kind.probabilities.high": pa.float64(),
        "kind.probabilities.low": pa.float64(),
        "size": pa.float64(),
    }
    assert [row["kind.label"] is None for row in found.to_pylist()] == [False, True, False]
    assert (written.rows, written.empty, written.wrong) == (3, 1, 0)


@pytest.mark.parametrize(
    ("columns", "kept"),
    [("none", []), (["id", "a"], ["id", "a"]), ("all", ["a", "b", "c", *OTHER]), (["image", "image"], ["image"])],
)
def test_columns_are_chosen(model: ZooModel, tmp_path: Path, columns: Any, kept: list[str]) -> None:
    table = write_parquet(tmp_path / "in.parquet", **OTHER)
    written = predict_table(model, table, tmp_path / "out.parquet", columns=columns)
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found.schema.names[1:-5] == kept
    assert found.select(kept).to_pylist() == parquet.read_table(table).select(kept).to_pylist()
    assert written.left_out == ()


def test_lines_hold_what_they_can(model: ZooModel, tmp_path: Path) -> None:
    table = write_parquet(tmp_path / "in.parquet", flag=[True, False, None], **OTHER)
    predict_table(model, table, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        first, second, _ = csv.DictReader(file)
    assert (first["id"], first["tags"], first["flag"]) == ("007", '["x"]', "true")
    assert first["when"] == "2024-01-02 03:04:00+00:00"
    assert (second["kind.label"], second["when"], second["tags"], second["flag"]) == ("", "", "[]", "false")
    predict_table(model, table, tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows[0]["tags"] == ["x"] and rows[2]["tags"] is None and rows[0]["flag"] is True
    for name in ("all.csv", "all.jsonl"):
        with pytest.raises(UsageError, match="cannot hold the bytes of the column `image`"):
            predict_table(model, table, tmp_path / name, columns="all")
        assert not (tmp_path / name).exists()


def test_a_name_that_predictions_have_is_told_apart(model: ZooModel, tmp_path: Path) -> None:
    """The label `size` beside the prediction `size`; and who has taken the other name already."""
    names = {"row": [7, 8, 9], "size": ["S", "M", "L"], "table.size": [1, 2, 3], "error": ["x"] * 3}
    table = write_parquet(tmp_path / "in.parquet", **names)
    predict_table(model, table, tmp_path / "out.parquet", columns=list(names))
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found.schema.names[:5] == ["row", "table.row", "table.table.size", "table.size", "error"]
    first = found.to_pylist()[0]
    assert (first["row"], first["table.row"], first["table.table.size"], first["table.size"]) == (0, 7, "S", 1)
    predict_table(model, table, tmp_path / "skip.parquet", columns=["error"], on_error="skip")
    assert "table.error" in parquet.read_schema(tmp_path / "skip.parquet").names


def test_columns_that_are_not_there_are_told(model: ZooModel, tmp_path: Path) -> None:
    table = write_parquet(tmp_path / "in.parquet", **OTHER)
    with pytest.raises(UsageError, match="has no column `idd`; did you mean `id`"):
        predict_table(model, table, tmp_path / "out.parquet", columns=["idd"])
    with pytest.raises(ValueError, match="neither `fail` nor `skip`"):
        predict_table(model, table, tmp_path / "out.parquet", on_error="ignore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="none of `light`"):
        predict_table(model, table, tmp_path / "out.parquet", columns="id")
    assert list(tmp_path.iterdir()) == [table]


def test_a_column_that_no_file_can_hold_is_left_out(model: ZooModel, tmp_path: Path) -> None:
    rows = [{"a": 1, "b": 1, "c": 1, "m": 1, "e": {}}, {"a": 2, "b": 1, "c": 1, "m": "x", "e": {}}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    written = predict_table(model, tmp_path / "in.jsonl", tmp_path / "out.parquet")
    assert written.left_out == ("e", "m")
    with pytest.raises(UsageError, match="`e`, of mappings without a key, cannot be kept"):
        predict_table(model, tmp_path / "in.jsonl", tmp_path / "other.parquet", columns=["e"])
    with pytest.raises(UsageError, match="line 2, column `m`: cells differ in type"):
        predict_table(model, tmp_path / "in.jsonl", tmp_path / "other.parquet", columns=["m"])


ROWS = "a,b,c,id\n4,0,2,x\n1,bad,2,y\n,,,z\n0,1,worse,v\n0,1,,w\n"


def test_a_row_that_cannot_be_read_ends_the_work(model: ZooModel, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(ROWS)
    with pytest.raises(UsageError, match=r"line 3, column.* `a`, `b`: "):
        predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("size", [1, 2, 256])
def test_a_row_that_cannot_be_read_is_skipped(
    model: ZooModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(stream, "CHUNK", size)
    (tmp_path / "in.csv").write_text(ROWS)
    written = predict_table(model, tmp_path / "in.csv", tmp_path / "out.parquet", on_error="skip", columns=["id"])
    assert (written.rows, written.empty, written.wrong) == (5, 1, 2)
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in rows] == list("xyzvw")
    assert [row["kind.label"] is None for row in rows] == [False, True, True, True, False]
    assert "line 3" in rows[1]["error"] and "line 5, column `c`" in rows[3]["error"]
    assert [rows[each]["error"] for each in (0, 2, 4)] == [None] * 3
    (alone,) = predict(model, [{"left": {"a": 0, "b": 1}}])
    assert rows[4]["size"] == pytest.approx(alone["size"], rel=1e-5)


def test_nothing_to_predict_is_an_error(model: ZooModel, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b,c\n1,bad,\n,,\n")
    with pytest.raises(UsageError, match=r"no row can be predicted; the first: .*line 2"):
        predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv", on_error="skip")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_a_bad_row_at_the_end_leaves_nothing(model: ZooModel, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.csv").write_text("a,b,c\n" + "1,2,3\n" * 700 + "1,2,3\nx,2,3\n")
    seen: list[tuple[int, int]] = []
    with pytest.raises(UsageError, match="line 703"):
        predict_table(model, tmp_path / "in.csv", tmp_path / name, watch=lambda done, rows: seen.append((done, rows)))
    assert seen[0] == (0, 702) and seen[-1][0] > 600
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_what_comes_to_stand_in_the_place_stays(model: ZooModel, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b,c\n1,2,3\n")
    output = tmp_path / "out.csv"

    def come(done: int, rows: int) -> None:
        output.write_text("mine")

    with pytest.raises(ConflictError):
        predict_table(model, tmp_path / "in.csv", output, watch=come)
    assert output.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_types_do_not_hang_on_the_first_rows(model: ZooModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 2)
    (tmp_path / "in.csv").write_text("a,b,c\n,,\n,,\n,,\n1,2,3\n")
    predict_table(model, tmp_path / "in.csv", tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.schema.field("kind.label").type == pa.dictionary(pa.int32(), pa.string())
    assert table.column("size").null_count == 3


def test_the_command_says_what_it_did(trained: Path, tmp_path: Path) -> None:
    write_parquet(tmp_path / "in.parquet", **OTHER)
    (tmp_path / "bad.csv").write_text(ROWS)
    done = run("predict", trained, "--table", tmp_path / "in.parquet", "-o", tmp_path / "out.csv", "--json")
    told = json.loads(done.stdout)
    assert (told["rows"], told["empty"], told["wrong"], told["left_out"]) == (3, 1, 0, ["long", "image", "raw"])
    assert " s, " in done.stderr and "rows/s" in done.stderr
    assert "note: left out: image, long, raw (heavy; --columns all keeps them)" in done.stderr
    words = ("--table", tmp_path / "bad.csv", "-o", tmp_path / "bad.jsonl", "--on-error", "skip", "--columns", "id,c")
    done = run("predict", trained, *words)
    assert "2 of them without a prediction: they cannot be read; `error` tells why" in done.stderr
    assert list(json.loads((tmp_path / "bad.jsonl").read_text().splitlines()[0]))[:3] == ["row", "id", "c"]
