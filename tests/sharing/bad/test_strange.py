"""What strangers wrote into small files of a run, and what a process that reads one may say, is told in words."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.sharing.bad.runs import changed_json, spoiled, stored, written
from tests.sharing.proof import prove_here
from zoo.checkpoint.lock import FORMAT
from zoo.checkpoint.verify import FORMATS
from zoo.errors import CorruptError, DigestError, UsageError, ZooError
from zoo.hub import prove
from zoo.hub.diff import measured
from zoo.hub.pickles import _ending
from zoo.hub.pull import pull
from zoo.hub.verify import verify
from zoo.model.run import read_run

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def proven_here(monkeypatch: pytest.MonkeyPatch) -> None:
    prove_here(monkeypatch)


def with_lock(run: Path, folder: Path, change: Change) -> Path:
    """A copy of a run with another lock."""
    shutil.copytree(run, folder)
    lock = json.loads((folder / "zoo.lock").read_text())
    change(lock)
    (folder / "zoo.lock").write_text(json.dumps(lock))
    return folder


def refused(words: list[object], code: int, told: str) -> None:
    done = run(*words)
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize(
    "value", ['"a"', "true", "[1]", "{}", "NaN", "Infinity", "-1e999", "1" + "0" * 400], ids=lambda each: str(each)[:9]
)
@pytest.mark.parametrize("key", ["value", "low", "high"])
def test_a_score_that_is_no_number_is_told(key: str, value: str, tmp_path: Path) -> None:
    told = '{"subsets": {"left": {"kind": {"accuracy": {"value": 1, "KEY": VALUE}}}}}'
    (tmp_path / "metrics.json").write_text(told.replace("KEY", key).replace("VALUE", value))
    with pytest.raises(CorruptError, match=r"metrics\.json`.*'accuracy' of 'kind'"):
        measured(tmp_path)


def test_scores_and_intervals_that_are_not_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"subsets": {"left": {"kind": {"accuracy": {"value": 1, "low": null}}}}}')
    assert measured(tmp_path) == {("left", "kind", "accuracy"): (1, None, None)}


def test_zoo_diff_refuses_a_score_that_is_no_number(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "other")
    metrics = json.loads((trained / "metrics.json").read_text())
    metrics["subsets"]["left"]["kind"]["accuracy"]["value"] = "a"
    (tmp_path / "other" / "metrics.json").write_text(json.dumps(metrics))
    refused(["diff", trained, tmp_path / "other"], 4, f"`{tmp_path}/other/metrics.json`")


NAMES = ["parts/\0x", "parts/x\ud800", "parts/a\nb", "parts//x", "parts/./x", "parts/..\\x", "parts/" + "a" * 300]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("read", [verify, read_run])
def test_a_lock_that_tells_of_a_name_that_is_none(
    read: Callable[[Path], object], name: str, trained: Path, tmp_path: Path
) -> None:
    mine = with_lock(trained, tmp_path / "mine", lambda lock: lock["files"].update({name: "0" * 64}))
    with pytest.raises(CorruptError, match=r"zoo\.lock` tells of '.*, which is no file of a run"):
        read(mine)


def test_an_input_may_be_called_what_is_a_device_on_windows(trained: Path, tmp_path: Path) -> None:
    """Such a run is not shared, and read all the same."""
    mine = with_lock(trained, tmp_path / "mine", lambda lock: lock["files"].update({"parts/aux/x": "0" * 64}))
    with pytest.raises(CorruptError, match="aux/x` is missing"):
        verify(mine)


@pytest.mark.parametrize("name", ["../secret", "parts/../../secret", "/etc/hostname", "parts/\0x", "parts/x\ud800"])
def test_files_of_a_push_that_lead_elsewhere_are_not_looked_at(
    name: str, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("x")
    mine = written(shared, tmp_path / "mine")
    lock = json.loads((mine / "zoo.lock").read_text())
    lock["shared"]["files"][name] = {"size": 1, "sha256": "0" * 64}
    (mine / "zoo.lock").write_text(json.dumps(lock))
    with pytest.raises(CorruptError, match="whose name"):
        verify(mine)


def test_a_name_of_a_million_folders_costs_nothing(shared: Mapping[str, bytes], tmp_path: Path) -> None:
    name = "a/" * 1_000_000 + "a"
    told = {"size": 1, "sha256": "0" * 64}
    reference = stored(
        spoiled(shared, changed_json("zoo.lock", lambda lock: lock["shared"]["files"].update({name: told}))), tmp_path
    )
    with pytest.raises(CorruptError, match="no system would take"):
        pull(reference, tmp_path / "mine")


def test_the_format_that_is_written_is_read() -> None:
    assert FORMAT in FORMATS


@pytest.mark.parametrize("value", [99, 0, -1])
def test_a_lock_of_an_unknown_format_is_refused(value: object, trained: Path, tmp_path: Path) -> None:
    mine = with_lock(trained, tmp_path / "mine", lambda lock: lock.update(format=value))
    for read in (verify, read_run):
        with pytest.raises(UsageError, match=r"zoo\.lock` is of format .*reads the formats 1, 2 and 3"):
            read(mine)


@pytest.mark.parametrize("value", ["3", None, True, 3.0, [3], {"3": 3}], ids=str)
def test_a_lock_without_a_format_is_damaged(value: object, trained: Path, tmp_path: Path) -> None:
    mine = with_lock(trained, tmp_path / "mine", lambda lock: lock.update(format=value))
    for read in (verify, read_run):
        with pytest.raises(CorruptError, match=r"zoo\.lock` tells of no format"):
            read(mine)


@pytest.mark.parametrize("value", [1, 2, 3])
def test_a_lock_of_an_older_format_is_read(value: int, trained: Path, tmp_path: Path) -> None:
    assert verify(with_lock(trained, tmp_path / "mine", lambda lock: lock.update(format=value))).tensors > 0


def test_verbs_refuse_a_lock_of_an_unknown_format(trained: Path, shared: Mapping[str, bytes], tmp_path: Path) -> None:
    mine = with_lock(trained, tmp_path / "mine", lambda lock: lock.update(format=99))
    reference = stored(spoiled(shared, changed_json("zoo.lock", lambda lock: lock.update(format=99))), tmp_path)
    told = "is of format 99; this zoo"
    refused(["pull", reference, "-o", tmp_path / "pulled"], 2, told)
    refused(["push", mine, f"file://{tmp_path}/new"], 2, told)
    refused(["diff", trained, mine], 2, told)
    for table in trained.parent.glob("*.csv"):
        shutil.copy(table, tmp_path)
    refused(["build", mine / "zoo.yaml", "--locked", "-o", tmp_path / "built"], 2, told)
    refused(["reproduce", mine, "-o", tmp_path / "again"], 2, told)
    assert not (tmp_path / "pulled").exists() and not (tmp_path / "new").exists()


def test_pull_tells_of_other_versions_and_of_what_is_not_installed(shared: Mapping[str, bytes], tmp_path: Path) -> None:
    libraries = {"torch": "1.0", "no-such-library": "2.0"}
    change = changed_json("zoo.lock", lambda lock: lock["libraries"].update(libraries))
    reference = stored(spoiled(shared, change), tmp_path)
    torch, lacking = pull(reference, tmp_path / "mine").remarks
    assert torch.startswith("made with torch 1.0; ") and torch.endswith(" is installed here")
    assert lacking == "made with no-such-library 2.0; it is not installed here"
    assert verify(reference).remarks == verify(tmp_path / "mine").remarks == (torch, lacking)
    done = run("pull", reference, "-o", tmp_path / "told")
    assert torch in done.stderr and lacking in done.stderr


def test_a_lock_names_no_more_libraries_than_anybody_has(shared: Mapping[str, bytes], tmp_path: Path) -> None:
    many = {f"no-such-{number}": "1" for number in range(1001)}
    change = changed_json("zoo.lock", lambda lock: lock["libraries"].update(many))
    with pytest.raises(CorruptError, match=r"1,\d+ libraries"):
        pull(stored(spoiled(shared, change), tmp_path), tmp_path / "mine")


SAYS = """\
import os, sys
sys.stdin.readline()
open(sys.argv[1], "w").write({answer!r})
print('{{"difference": 0.25}}')
print("a line of a plugin", file=sys.stderr)
{ending}
"""


def asked(patch: pytest.MonkeyPatch, answer: str, golden: Path | None = None, ending: str = "") -> object:
    """What a reader makes of the answer of its process."""
    patch.undo()
    patch.setattr(prove, "WORDS", (sys.executable, "-S", "-c", SAYS.format(answer=answer, ending=ending)))
    return prove.make_golden(Path("run"), golden) if golden is not None else prove.prove(Path("run"))


NONE = ["", "3", "[1]", "{}", "null", '{"error":1}', '{"error":"x"}', '{"error":"x","code":"4"}', '{"difference":"x"}']
NONE += ['{"error":"x","code":true}', '{"difference":true}', '{"difference":NaN}', '{"difference":-1}', '{"made":true}']
NONE += ['{"difference":0.5,"more":1}', '{"difference":0.5', '{"difference":Infinity}', "[" * 100_000]


@pytest.mark.parametrize("answer", NONE, ids=lambda each: each[:30])
def test_an_answer_that_is_none_proves_nothing(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorruptError, match="could not be read in a process of its own: a line of a plugin"):
        asked(monkeypatch, answer)


@pytest.mark.parametrize("answer", ['{"difference": 0.5}', '{"made": 1}', '{"made": null}'])
def test_an_answer_that_makes_no_golden_outputs(answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="could not be read in a process of its own"):
        asked(monkeypatch, answer, tmp_path / "golden.json")


def test_an_answer_stands_whatever_is_printed_beside_it_and_however_the_process_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert asked(monkeypatch, '{"difference": 0.5}') == 0.5
    assert asked(monkeypatch, '{"difference": null}', ending="os._exit(3)") is None
    assert asked(monkeypatch, '{"made": false}', tmp_path / "golden.json") is False
    with pytest.raises(DigestError, match="`run`: no"):
        asked(monkeypatch, '{"error": "no", "code": 5}')
    with pytest.raises(CorruptError, match="`run`: no"):
        asked(monkeypatch, '{"error": "no", "code": 77}')


@pytest.mark.skipif(sys.platform != "linux", reason="signals without a name are those of Linux")
@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (40, "signal 40")])
def test_a_process_that_is_ended_by_a_signal(number: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZooError, match=f"was ended by {name}"):
        asked(monkeypatch, "", ending=f"os.kill(os.getpid(), {number})")


def test_pickles_tell_of_signals_without_a_name(tmp_path: Path) -> None:
    assert _ending(-100, tmp_path / "errors") == "it was ended by signal 100"


def test_nothing_of_a_reader_stays_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with prove.Reader() as reader:
        reader.start()
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())
