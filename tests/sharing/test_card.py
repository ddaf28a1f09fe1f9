"""What a push tells in its card, and what it does not tell of the machine that pushed."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

import zoo
from tests.command import run
from tests.sharing.proof import prove_here
from tests.tables import SPEC, write_tables
from zoo.hub.diff import diff
from zoo.hub.folder_store import FolderStore
from zoo.hub.public import public_names, public_text
from zoo.hub.push import push
from zoo.hub.reference import read_reference
from zoo.hub.reproduce import reproduce
from zoo.hub.verify import verify
from zoo.spec.load import load_spec
from zoo.training.train import train

SPEC = SPEC.replace("epochs: 4, batch_size: 16", "epochs: 1, batch_size: 64")


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Her home folder, with a run whose spec names tables and weights by their whole paths."""
    home = tmp_path_factory.mktemp("machine") / "home" / "ann"
    (home / "tables" / "other").mkdir(parents=True)
    write_tables(home / "tables")
    (home / "tables" / "test.csv").rename(home / "tables" / "other" / "train.csv")
    text = (
        "inputs: {note: {type: text, backbone: zoo/text-cnn}, left: {type: vector, columns: [a, b], backbone: zoo/mlp}}"
    )
    parts = f"{text}\nfusion: zoo/concat\nheads: {{kind: zoo/classifier}}\n"
    for each in (home / "tables" / "train.csv", home / "tables" / "other" / "train.csv"):
        head, *rows = each.read_text().splitlines()
        each.write_text("\n".join([f"note,{head}", *(f"a note on {row.split(',')[3]},{row}" for row in rows)]) + "\n")
    data = f"data: {{train: {home}/tables/train.csv, validation: 0.25, test: {home}/tables/other/train.csv}}\n"
    settings = "train: {epochs: 1, batch_size: 64}\n"
    (home / "first.yaml").write_text(parts + data + settings)
    train(home / "first.yaml", home / "first")
    started = parts.replace("backbone: zoo/text-cnn", f"backbone: {{use: zoo/text-cnn, weights: '{home}/first#note'}}")
    (home / "mood.yaml").write_text(started + data + settings)
    train(home / "mood.yaml", home / "mood")
    return home


@pytest.fixture
def here(ann: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(ann))
    monkeypatch.chdir(tmp_path)
    prove_here(monkeypatch)
    return tmp_path


def shared(store: Path) -> dict[str, bytes]:
    found = FolderStore(read_reference(f"file://{store}"))
    return {name: found.fetch(found.resolve(), name).read_bytes() for name in found.tree(found.resolve())}


def test_no_file_of_a_push_names_a_folder_of_this_machine(ann: Path, here: Path) -> None:
    before = {path: path.read_bytes() for path in (ann / "mood").rglob("*") if path.is_file()}
    assert any(str(ann).encode() in each for each in before.values())
    done = push(ann / "mood", f"file://{here}/store")
    assert [each for each in done.remarks if f"the weights `{ann}/first` are told as `first`" in each]
    for path in (here / "store").rglob("*"):
        assert path.is_dir() or str(ann).encode() not in path.read_bytes(), path
    files = shared(here / "store")
    assert b"weights: first#note" in files["zoo.yaml"] and b"2/train.csv" in files["zoo.yaml"]
    assert list(json.loads(files["zoo.lock"])["data"]) == ["train.csv", "2/train.csv"]
    assert {path: path.read_bytes() for path in before} == before

    verify(f"file://{here}/store")
    pulled = zoo.pull(f"file://{here}/store", "again")
    assert not push(pulled.folder, f"file://{here}/store").new and not push(ann / "mood", f"file://{here}/store").new
    difference = diff(ann / "mood", f"file://{here}/store")
    assert difference.same_weights and any("2/train.csv" in line for line in difference.spec)


def test_a_run_that_was_pushed_without_its_folders_is_reproduced(ann: Path, here: Path) -> None:
    push(ann / "first", f"file://{here}/store")
    shutil.copytree(ann / "tables", here / "theirs")
    again = reproduce(f"file://{here}/store", here / "again", data=[here / "theirs"])
    assert again.same_weights and not again.outside


def test_the_lines_of_a_pushed_card_work_as_they_stand(ann: Path, here: Path) -> None:
    (ann / "first" / "README.md").write_text(
        (ann / "first" / "README.md").read_text().replace("## Quality", "My own words.\n\n## Quality")
    )
    push(ann / "first", f"file://{here}/shelf/moods")
    card = shared(here / "shelf" / "moods")["README.md"].decode()
    assert "My own words." in card
    assert "0.0001 of a number is allowed (float32)" in card
    shell, python = (re.search(rf"```{kind}\n(.*?)```", card, re.DOTALL)[1] for kind in ("sh", "python"))  # type: ignore[index]
    install, *lines = shell.splitlines()
    assert install == "pip install zoo"
    said = [run(*shlex.split(line)[1:]) for line in lines]
    assert [each.exit_code for each in said] == [0, 0], said
    assert "kind: " in said[1].stdout
    shutil.rmtree(shlex.split(lines[0])[-1])
    exec(python, {})


def test_what_a_user_took_out_of_the_card_stays_out(ann: Path, here: Path) -> None:
    shutil.copytree(ann / "first", here / "mine")
    (here / "mine" / "README.md").write_text("# Mine\n")
    push(here / "mine", f"file://{here}/store")
    assert shared(here / "store")["README.md"] == b"# Mine\n"


def test_which_names_of_tables_are_told_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "ann"))
    folder = tmp_path / "home" / "ann" / "runs" / "mood"
    folder.mkdir(parents=True)
    write_tables(folder, SPEC.replace("test.csv", "../../../ann/a/test.csv").replace("train.csv", "../../t/train.csv"))
    assert public_names(load_spec(folder / "spec.yaml"), folder) == {"../../../ann/a/test.csv": "test.csv"}
    write_tables(folder, SPEC.replace("test.csv", "../" * 40 + "x/train.csv"))
    names = public_names(load_spec(folder / "spec.yaml"), folder)
    assert names == {"../" * 40 + "x/train.csv": "2/train.csv"}


def test_a_path_is_replaced_where_it_stands_alone() -> None:
    names = {"/a/b": "b", "/a/b/c.csv": "c.csv"}
    text = "`/a/b`, /a/b/c.csv, /a/bc and /x/a/b in /a/b."
    assert public_text(text, names) == "`b`, c.csv, /a/bc and /x/a/b in b."
