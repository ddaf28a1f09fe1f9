"""Pickles: what is read of them, and that nothing in them is called."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.command import run
from tests.sharing.pickled import PROTOCOL, Runs, WithAttributes, archived, put, reserving, saved, shared
from zoo.checkpoint.tensors import digest, read_tensors
from zoo.errors import CorruptError
from zoo.hub import pickles
from zoo.hub.import_folder import import_folder
from zoo.hub.pickles import Request
from zoo.hub.state import read_pickle
from zoo.hub.unpickle import convert

TENSORS = {"a": torch.arange(10.0), "b": torch.ones(3)}


def converted(folder: Path, value: object, *, ties: bool = False) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors that are written of a value, and what is told of them."""
    file = put(folder, "weights.pt", saved(value)) / "weights.pt"
    (folder / "out").mkdir()
    told = convert(Request({str(file): None}, file.stat().st_size, 1, str(folder / "out"), "", ties))
    return read_tensors(folder / "out" / "model.safetensors"), told


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return {name: digest(each) for name, each in found.items()} == {name: digest(each) for name, each in wanted.items()}


def test_numbers_of_every_kind_stay_what_they_are(tmp_path: Path) -> None:
    kinds = (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int64, torch.uint8)
    wanted = {str(kind): torch.linspace(-2, 100, 7).to(kind) for kind in (*kinds, torch.bool, torch.complex64)}
    wanted |= {"nothing": torch.empty(0, 3), "number": torch.tensor(3), "turned": torch.arange(6.0).view(2, 3).T}
    found, _ = converted(tmp_path, wanted)
    assert same(found, wanted)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "module"])
def test_weights_in_a_checkpoint_are_found_and_the_rest_is_told(key: str, tmp_path: Path) -> None:
    inner = {f"module._orig_mod.{name}": each for name, each in TENSORS.items()} | {"extra": "no tensor"}
    found, told = converted(tmp_path, {"epoch": 3, "best": torch.tensor(1.0), key: inner, 5: []})
    assert same(found, TENSORS)
    assert told == {"tensors": 2, "tied": 0, "left": ["epoch", "best", "(int)", "extra"], "more": 0}


def test_a_prefix_that_not_all_names_have_stays(tmp_path: Path) -> None:
    wanted = {"module.a": torch.ones(2), "b": torch.ones(3)}
    assert same(converted(tmp_path, wanted)[0], wanted)


def test_what_is_tied_is_stored_once_where_the_library_ties_it_again(tmp_path: Path) -> None:
    table = torch.arange(6.0)
    wanted = {"decoder.weight": table, "embeddings.weight": table, "half": table[:3]}
    once, told = converted(tmp_path, wanted, ties=True)
    assert same(once, {"embeddings.weight": table, "half": table[:3]}) and told["tied"] == 1
    (tmp_path / "other").mkdir()
    assert same(converted(tmp_path / "other", wanted)[0], wanted)


def test_the_format_before_archives_is_read(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert {name: each.shape for name, each in read_pickle(tmp_path / "old.pth")[0].items()} == {
        "weight": (3, 2),
        "bias": (3,),
    }


def test_what_a_pickle_says_of_an_object_stands_before_nothing_of_its_class(tmp_path: Path) -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.detach = torch.Size  # type: ignore[assignment]
    state = WithAttributes({**TENSORS, "c": weight})
    found, _ = read_pickle(put(tmp_path, "model.bin", saved(state)) / "model.bin")
    assert found.keys() == {"a", "b", "c"} and type(found["c"]) is Tensor


def without(name: str) -> Callable[[str, bytes], bytes | None]:
    return lambda each, data: None if each.endswith(name) else data


def repeated() -> Tensor:
    return torch.ones(1).expand(1 << 14, 1 << 12)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "it ends too soon"),
    "no pickle": (lambda: bytes(range(256)) * 40, "cannot be read as weights alone"),
    "half an archive": (lambda: saved(TENSORS)[:300], "cannot be read as weights alone"),
    "half a pickle": (lambda: saved({"a": list(range(99))})[:100], "cannot be read as weights alone"),
    "a command": (lambda: b"cposix\nsystem\n(Vtouch ran\ntR.", "cannot be read as weights alone"),
    "a command in an archive": (lambda: saved(Runs("touch ran")), "it wants `posix.system` to be called"),
    "a command among weights": (lambda: saved({**TENSORS, "c": Runs("touch ran")}), "`posix.system`"),
    "a whole module": (lambda: saved(nn.Linear(1, 1)), "it wants `torch.nn.modules.linear.Linear` to be called"),
    "eval": (lambda: PROTOCOL + b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R.", "it wants `eval` to be called"),
    "memory": (lambda: reserving(1 << 62), "it asks for more memory"),
    "a list": (lambda: saved([torch.ones(2)]), "no weights by name, but one list"),
    "no tensors": (lambda: saved({"epoch": 1, "net": {}}), "it holds epoch, net"),
    "no numbers": (lambda: saved({"a": torch.empty(3, device="meta")}), "has a shape and no numbers"),
    "sparse": (lambda: saved({"a": torch.eye(3).to_sparse()}), "is sparse, quantized or nested"),
    "a kind without a name": (lambda: saved({"a": torch.ones(2, dtype=torch.complex128)}), "type complex128"),
    "a path for a name": (lambda: saved({"../a": torch.ones(2)}), "is no name of a tensor"),
    "a terminal's word": (lambda: saved({"a\x1b[2J": torch.ones(2)}), "is no name of a tensor"),
    "packed": (lambda: archived(TENSORS, lambda name, data: data, packed=True), "files in it are packed"),
    "short numbers": (lambda: archived(TENSORS, lambda name, data: data[:12]), "cannot be read|other sizes"),
    "few numbers": (
        lambda: archived(TENSORS, lambda name, data: data[:8] if name.endswith("data/0") else data),
        "its tensors have other sizes",
    ),
    "no file of numbers": (lambda: archived(TENSORS, without("data/0")), "failed locating file data/0"),
    "no pickle in it": (lambda: archived(TENSORS, without("data.pkl")), "cannot be read as weights alone"),
}


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize("case", BAD)
def test_what_is_no_weights_is_refused_in_words(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = BAD[case]
    put(tmp_path, "weights.bin", make())
    with pytest.raises(CorruptError, match=words) as refused:
        read_pickle(tmp_path / "weights.bin")
    assert "weights_only" not in str(refused.value) and len(str(refused.value)) < 600 + len(str(tmp_path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_program_is_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "program.pt")
    with pytest.raises(CorruptError, match="is a program of TorchScript"):
        read_pickle(tmp_path / "program.pt")


def names_of_one() -> dict[str, Tensor]:
    tensor = torch.zeros(1 << 16)
    return {f"a{number}": tensor for number in range(1 << 10)}


@pytest.mark.parametrize("value", [{"a": repeated()}, names_of_one()], ids=["views", "names"])
def test_what_is_stored_once_does_not_fill_a_disk(value: dict[str, Tensor], tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="would take 268,435,456 bytes"):
        converted(tmp_path, value)
    assert not any((tmp_path / "out").iterdir())


def test_a_process_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "PATIENCE", 0)
    with pytest.raises(CorruptError, match="could not be read within 0 s"):
        import_folder(put(tmp_path / "model", "pytorch_model.bin", saved(TENSORS)), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(reserving(1 << 35), "it asks for more memory than weights", id="memory"),
        pytest.param(shared(30), "it took more time than weights", id="time"),
        pytest.param(
            PROTOCOL + b")" + b"\x85" * 300_000 + b"q\x00}h\x00K\x01s.",
            "torch crashed|cannot be read|no tensors",
            id="depth",
        ),
        pytest.param(saved({**TENSORS, "c": Runs("touch ran")}), "`posix.system`", id="a command"),
    ],
)
def test_a_hostile_pickle_takes_nothing_from_whoever_asks(
    data: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pickles, "SECONDS", 2)
    done = run("import", put(tmp_path / "model", "pytorch_model.bin", data), "-o", tmp_path / "out")
    assert done.exit_code == 4 and re.search(words, done.stderr), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.slow
def test_an_import_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    put(tmp_path / "model", "pytorch_model.bin", shared(30))
    words = [sys.executable, "-m", "zoo", "import", "model", "-o", "out", "--json"]
    work = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while work.poll() is None and not list(tmp_path.glob(".out.*")):
        time.sleep(0.05)
    time.sleep(1)
    work.send_signal(signal.SIGTERM)
    _, told = work.communicate(timeout=60)
    assert (work.returncode, told.splitlines()[-1]) == (128 + signal.SIGTERM, "ended by SIGTERM")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
