import csv
import io
import json
import subprocess
import sys
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.command import run
from zoo.document.source import Source
from zoo.spec.load import read_spec
from zoo.spec.peek import peek
from zoo.spec.proposal.propose import propose
from zoo.spec.proposal.write import write
from zoo.spec.sections import Backbone, Spec

PNG = b"\x89PNG\r\n\x1a\n...."


def sound(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(2 * round(8000 * seconds)))
    return file.getvalue()


ROWS: list[dict[str, Any]] = [
    {
        "id": 1000 + row,
        "photo": f"img/{row}.jpg",
        "what it says": f"number {row} of a list that goes on",
        "price": row / 7,
        "colour": ["red", "green", None][row % 3],
        "seen": f"2024-01-{row % 28 + 1:02}",
        "label": ["cat", "dog"][row % 2],
        "stars": row % 5,
        "weight": 0.1 * row,
    }
    for row in range(40)
]
WHOLE = [{**row, "voice": sound(0.3), "photo": PNG, "tags": ["a", "b"][: row["id"] % 3]} for row in ROWS]


@pytest.fixture(autouse=True)
def _a_picture(tmp_path: Path) -> None:
    """One of the pictures that rows name."""
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "0.jpg").write_bytes(PNG)


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_json_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(list(rows)), path)


WRITERS: dict[str, Callable[[Path, Sequence[dict[str, Any]]], None]] = {
    "t.csv": write_csv,
    "t.tsv": write_csv,
    "t.jsonl": write_json_lines,
    "t.parquet": write_parquet,
}


def proposed(table: Path, target: str, weights: Any = "pretrained") -> Spec:
    """The proposal, which is right, and whose columns are there."""
    output = table.parent / "spec.yaml"
    output.unlink(missing_ok=True)
    result = run("init", table, "--target", target, "--weights", weights, "-o", output)
    assert result.exit_code == 0, result.stderr
    checked = run("check", output)
    assert checked.exit_code == 0, checked.stderr
    return read_spec(Source.read(output))


def error(table: Path, target: str) -> str:
    result = run("init", table, "--target", target)
    assert result.exit_code == 2
    return result.stderr


@pytest.mark.parametrize("weights", ["pretrained", "none"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_a_table_gets_a_spec_that_is_right(name: str, weights: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, ROWS)
    spec = proposed(tmp_path / name, "label", weights)
    assert {each: part.type for each, part in spec.inputs.items()} == {
        "photo": "zoo/image",
        "what_it_says": "zoo/text",
        "facts": "zoo/vector",
    }
    assert spec.inputs["what_it_says"].column == "what it says"
    assert spec.inputs["facts"].options.columns == ["price", "stars", "weight", "colour"]
    assert spec.inputs["facts"].options.categories == ["colour"]
    assert spec.heads["label"].use == "zoo/classifier"
    assert spec.data.train[0].path == name


def test_without_network_nothing_is_pretrained(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet", WHOLE)
    spec = proposed(tmp_path / "t.parquet", "label", "none")
    assert {part.backbone.weights for part in spec.inputs.values() if isinstance(part.backbone, Backbone)} == {"none"}
    assert spec.inputs["voice"].frontend is not None
    assert proposed(tmp_path / "t.parquet", "label").inputs["voice"].frontend is None


def test_a_sound_is_as_long_as_those_in_the_table(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet", WHOLE)
    assert proposed(tmp_path / "t.parquet", "label").inputs["voice"].options.max_seconds == 0.4
    (tmp_path / "a.wav").write_bytes(sound(2))
    write_csv(tmp_path / "t.csv", [{"file": f"{'ab'[row % 2]}.wav", "y": row % 2} for row in range(9)])
    assert proposed(tmp_path / "t.csv", "y").inputs["file"].options.max_seconds == 2.4
    (tmp_path / "a.wav").write_bytes(b"no sound")
    assert proposed(tmp_path / "t.csv", "y").inputs["file"].options.max_seconds == 10


@pytest.mark.parametrize(
    ("target", "use"),
    [("label", "zoo/classifier"), ("price", "zoo/regressor"), ("stars", "zoo/regressor"), ("id", "zoo/regressor")],
)
def test_the_head_fits_the_target(target: str, use: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    assert proposed(tmp_path / "t.csv", target).heads[target].use == use


def test_lists_of_classes_are_many_labels(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet", WHOLE)
    assert proposed(tmp_path / "t.parquet", "tags").heads["tags"].options.multi_label


def test_rare_classes_count_as_much_as_common_ones(tmp_path: Path) -> None:
    rows = [{"x": row % 7, "y": "rare" if row == 0 else "often"} for row in range(20)]
    write_csv(tmp_path / "t.csv", rows)
    assert proposed(tmp_path / "t.csv", "y").heads["y"].options.class_weights == "balanced"
    write_csv(tmp_path / "t.csv", [{"x": row % 7, "y": "ab"[row % 2]} for row in range(20)])
    assert proposed(tmp_path / "t.csv", "y").heads["y"].options.class_weights == "none"


def test_each_guess_is_told_and_so_is_what_is_left_out(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    text = run("init", tmp_path / "t.csv", "--target", "label").stdout
    for remark in (
        "# paths of pictures",
        "# texts of 8 words on average",
        "# cat 20, dog 20",
        "label: zoo/classifier # 2 classes",
        "# left out: `id`: it numbers the rows",
        "# left out: `seen`: dates or times",
        "from all 40 rows",
    ):
        assert remark in text


@pytest.mark.parametrize(("rows", "epochs"), [(30, 20), (3000, 10)])
def test_more_rows_need_fewer_epochs(rows: int, epochs: int, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{"x": row % 7, "y": "ab"[row % 2]} for row in range(rows)])
    assert proposed(tmp_path / "t.csv", "y").train.epochs == epochs
    assert proposed(tmp_path / "t.csv", "y", "none").train.epochs == 2 * epochs


def test_how_many_rows_there_are_is_estimated_from_the_first(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{"x": row % 7, "y": "ab"[row % 2]} for row in range(25_000)])
    found = peek(tmp_path / "t.csv")
    assert (found.seen, found.whole) == (20_000, False)
    assert 24_500 <= found.rows <= 25_500
    text = run("init", tmp_path / "t.csv", "--target", "y").stdout
    assert f"from 20,000 of about {found.rows:,}" in " ".join(text.replace("#", "").split())


def test_paths_start_at_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "my table.csv", [{"x": row % 7, "y": "ab"[row % 2]} for row in range(9)])
    monkeypatch.chdir(tmp_path)
    result = run("init", "data/my table.csv", "--target", "y", "-o", "specs/my spec.yaml")
    assert result.stderr.endswith("next: zoo check 'specs/my spec.yaml'\n")
    assert run("check", "specs/my spec.yaml").exit_code == 0
    assert "../data/my table.csv" in Path("specs/my spec.yaml").read_text()


def test_a_spec_that_is_there_is_kept(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    (tmp_path / "spec.yaml").write_text("mine")
    result = run("init", tmp_path / "t.csv", "--target", "label", "-o", tmp_path / "spec.yaml")
    assert result.exit_code == 7
    assert (tmp_path / "spec.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("rows", "target", "told"),
    [
        (ROWS, "lable", "has no column `lable`; did you mean `label`?"),
        (ROWS, "zzzz", "has no column `zzzz`; its columns: colour, id, label"),
        (ROWS, "what it says", "40 different texts in 40 rows are no classes"),
        ([{"x": 1, "y": "a"}] * 3, "y", "no head learns the column `y`: all its cells are the same"),
        ([{"x": 1, "y": "ab"[row % 2]} for row in range(4)], "y", "`x`: all its cells are the same"),
        ([{"y": "ab"[row % 2]} for row in range(4)], "y", "can be learnt from: there is none"),
    ],
)
def test_what_cannot_be_proposed(rows: list[dict[str, Any]], target: str, told: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", rows)
    assert told in error(tmp_path / "t.csv", target)


def test_pictures_are_no_target(tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet", WHOLE)
    assert "no head learns the column `photo`: pictures inside the table" in error(tmp_path / "t.parquet", "photo")


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,\xff\n")
    assert "cannot be read as .csv" in error(tmp_path / "t.csv", "a")
    (tmp_path / "e.csv").write_bytes(b"a,b\n")
    assert "has no rows" in error(tmp_path / "e.csv", "a")
    assert "no such file" in error(tmp_path / "gone.csv", "a")
    (tmp_path / "empty").mkdir()
    assert "is no table: it is empty" in error(tmp_path / "empty", "a")


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1),
        min_size=2,
        max_size=5,
        unique=True,
    )
)
def test_whatever_the_columns_are_called_the_spec_is_right(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("named")
    rows = [dict.fromkeys(names[1:], f"a text of five words {row}") | {names[0]: "ab"[row % 2]} for row in range(8)]
    write_json_lines(folder / "t.jsonl", rows)
    text = write(propose(folder / "t.jsonl", names[:1], "none", folder))
    spec = read_spec(Source(text, "spec.yaml", folder).checked())
    assert {part.column for part in spec.inputs.values()} == set(names[1:])


def test_columns_called_like_what_torch_calls_its_own(tmp_path: Path) -> None:
    rows = [{"train": "ab"[row % 2], "type": f"a text of five words {row}"} for row in range(8)]
    write_json_lines(tmp_path / "t.jsonl", rows)
    spec = read_spec(Source(write(propose(tmp_path / "t.jsonl", ["train"], "none", tmp_path)), "spec.yaml", tmp_path))
    assert {name: part.column for name, part in spec.inputs.items()} == {"type_2": "type"}
    assert {name: part.column for name, part in spec.heads.items()} == {"train_2": "train"}


def test_it_is_quick_because_it_imports_little(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    code = "import sys; from zoo.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: print(*sys.modules)"
    command = [sys.executable, "-c", code, "init", str(tmp_path / "t.csv"), "--target", "label"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()
    assert not {"torch", "numpy", "pyarrow", "pydantic", "timm"} & set(found)


def test_the_target_may_be_left_out_where_it_is_plain(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    text = run("init", tmp_path / "t.csv").stdout
    assert "label: zoo/classifier # 2 classes; chosen by its name" in text
    assert f"`zoo init {tmp_path}/t.csv`" in " ".join(text.replace("#", "").split())


def test_several_targets_are_heads_of_one_model(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    run("init", tmp_path / "t.csv", "--target", "label", "--target", "stars", "-o", tmp_path / "s.yaml")
    spec = read_spec(Source.read(tmp_path / "s.yaml"))
    assert list(spec.heads) == ["label", "stars"]
    assert "stars" not in spec.inputs["facts"].options.columns


def test_tables_beside_are_used_if_they_have_the_columns(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", ROWS)
    write_csv(tmp_path / "valid.csv", ROWS)
    write_csv(tmp_path / "test.csv", [{name: row[name] for name in row if name != "label"} for row in ROWS])
    spec = proposed(tmp_path / "train.csv", "label")
    assert (spec.data.validation, spec.data.test) == ("valid.csv", None)
    assert "# not used: `test.csv`: it has no column `label`" in (tmp_path / "spec.yaml").read_text()
    write_csv(tmp_path / "test.csv", ROWS)
    assert proposed(tmp_path / "train.csv", "label").data.test == "test.csv"


def test_a_group_is_kept_together(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{**row, "patient": f"p{number // 4}"} for number, row in enumerate(ROWS)])
    spec = proposed(tmp_path / "t.csv", "label")
    assert spec.evaluate.groups == "patient"
    assert "# 10 different ones" in (tmp_path / "spec.yaml").read_text()
    write_csv(tmp_path / "t.csv", [{**row, "patient": f"p{number // 20}"} for number, row in enumerate(ROWS)])
    assert proposed(tmp_path / "t.csv", "label").evaluate.groups is None
    assert "`evaluate: {groups: patient, folds: 2}`" in (tmp_path / "spec.yaml").read_text()


def test_pictures_are_augmented_where_they_are_trained_on_and_labels_are_classes(tmp_path: Path) -> None:
    rows = [{"photo": f"img/{row % 5}.jpg", "label": "ab"[row % 2], "price": row / 7} for row in range(600)]
    write_csv(tmp_path / "t.csv", rows)
    assert proposed(tmp_path / "t.csv", "label").inputs["photo"].augment == "light"
    assert proposed(tmp_path / "t.csv", "price").inputs["photo"].augment == "none"
    write_csv(tmp_path / "t.csv", [{**row, "words": f"a red cat on mat {number}"} for number, row in enumerate(rows)])
    assert proposed(tmp_path / "t.csv", "label").inputs["photo"].augment == "none"
    write_csv(tmp_path / "t.csv", rows[:99])
    assert proposed(tmp_path / "t.csv", "label").inputs["photo"].augment == "none"


def test_a_folder_for_each_class_needs_nothing_more(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / "pets" / split / name).mkdir(parents=True)
            for number in range(4):
                (tmp_path / "pets" / split / name / f"{number}.png").write_bytes(PNG)
    result = run("init", tmp_path / "pets", "-o", tmp_path / "s.yaml")
    assert result.exit_code == 0, result.stderr
    spec = read_spec(Source.read(tmp_path / "s.yaml"))
    assert (spec.name, spec.data.train[0].path, spec.data.validation) == ("pets", "pets/train", "pets/val")
    run("init", tmp_path / "pets" / "train", "-o", tmp_path / "t.yaml")
    assert read_spec(Source.read(tmp_path / "t.yaml")).name == "pets"
    assert run("check", tmp_path / "s.yaml").exit_code == 0


def test_an_editor_is_told_of_the_schema(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    (tmp_path / "specs").mkdir()
    run("init", tmp_path / "t.csv", "--schema", tmp_path / "z.json", "-o", tmp_path / "specs" / "s.yaml")
    text = (tmp_path / "specs" / "s.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../z.json\n")
    assert json.loads((tmp_path / "z.json").read_text())["properties"]["inputs"]
    assert run("check", tmp_path / "specs" / "s.yaml").exit_code == 0
    (tmp_path / "z.json").write_text("{}")
    run("init", tmp_path / "t.csv", "--schema", tmp_path / "z.json")
    assert (tmp_path / "z.json").read_text() == "{}"
    assert "--schema zoo.schema.json" in run("init", tmp_path / "t.csv").stdout


def test_guesses_and_reasons_as_data(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ROWS)
    result = run("init", tmp_path / "t.csv", "--json", "-o", tmp_path / "s.yaml")
    told = json.loads(result.stdout)
    assert told["targets"] == {"label": "2 classes"}
    assert told["left_out"]["id"] == "it numbers the rows"
    assert told["reasons"]["inputs.photo"] == ["paths of pictures"]
    assert told["rows"] == told["rows_looked_at"] == 40
    assert told["spec"]["heads"] == {"label": "zoo/classifier"}
    assert yaml.safe_load((tmp_path / "s.yaml").read_text()) == told["spec"]


def test_a_glob_names_a_table_and_brings_others(tmp_path: Path) -> None:
    for name in ("train-0.csv", "train-1.csv", "test-0.csv"):
        write_csv(tmp_path / name, ROWS)
    result = run("init", tmp_path / "train-*.csv", "-o", tmp_path / "s.yaml")
    assert result.exit_code == 0, result.stderr
    spec = read_spec(Source.read(tmp_path / "s.yaml"))
    assert (spec.data.train[0].path, spec.data.test) == ("train-*.csv", "test-0.csv")
    assert run("check", tmp_path / "s.yaml").exit_code == 0


def test_classes_that_the_table_names_are_told(tmp_path: Path) -> None:
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    table = pa.Table.from_pylist([{**row, "label": number % 2} for number, row in enumerate(WHOLE)])
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert "# 0 (cat) 20, 1 (dog) 20" in run("init", tmp_path / "t.parquet").stdout
    parquet.write_table(table.replace_schema_metadata({"huggingface": "[]"}), tmp_path / "t.parquet")
    assert "# 0 20, 1 20" in run("init", tmp_path / "t.parquet").stdout


def test_rows_from_all_over_a_file_are_looked_at(tmp_path: Path) -> None:
    rows = [{"x": row % 7, "y": "ab"[row >= 49_000]} for row in range(50_000)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet", row_group_size=1000)
    assert set(peek(tmp_path / "t.parquet").cells["y"]) == {"a", "b"}
