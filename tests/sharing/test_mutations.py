"""Two thousand runs that somebody changed before they were pulled: each is refused in words, or is the same model."""

import hashlib
import json
import random
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sharing.proof import prove_here
from zoo.checkpoint.raw import map_file
from zoo.errors import ZooError
from zoo.files import json_text
from zoo.hub.folder_store import FolderStore
from zoo.hub.pull import pull
from zoo.hub.reference import read_reference
from zoo.hub.stage import stage

pytestmark = pytest.mark.slow

CASES = 2000
VALUES: list[Any] = [None, True, -1, 0, 2**70, 1e308, "", "a", "../../x", "x" * 10_000, [], [[]], {}, {"a": None}]
JSONS = ["zoo.lock", "config.json", "preprocessing.json", "golden.json"]
WORDS = ["zoo/mlp", "zoo/classifier", "vector", "left", "kind", "[a, b]", "16", "true", "null"]
STRANGE = ["*a", "&a", "!!python/name:os.system", "<<: {}", "timm/resnet18", "-1", "[", "'", "\t", "zoo/gone", "1e999"]


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def longer(content: bytes, chance: random.Random) -> bytes:
    return content + chance.randbytes(chance.randint(1, 100))


def header_changed(content: bytes, chance: random.Random) -> bytes:
    """Bytes of the header of weights, its length among them."""
    end = 8 + int.from_bytes(content[:8], "little")
    return flipped(content[:end], chance) + content[end:]


def json_changed(content: bytes, chance: random.Random) -> bytes:
    """A value somewhere in JSON becomes another, goes, or comes under another key."""
    told = json.loads(content)
    place = told
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or chance.random() < 0.3:
            break
        place = inner
    fate = chance.random()
    if fate < 0.7:
        place[key] = chance.choice(VALUES)
    elif isinstance(place, dict):
        value = place.pop(key)
        if fate < 0.85:
            place[f"{key}x"] = value
    return json_text(told).encode()


def words_changed(content: bytes, chance: random.Random) -> bytes:
    text = content.decode()
    known = [each for each in WORDS if each in text]
    return text.replace(chance.choice(known), chance.choice([*STRANGE, *WORDS]), 1).encode()


BYTES: list[Callable[[bytes, random.Random], bytes]] = [flipped, cut, longer]


def changed(files: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """The files with a change in one of them; mostly the lock is made to tell of it, as somebody would who means it."""
    name = chance.choice(
        [*JSONS, *JSONS, "zoo.yaml", "zoo.yaml", "model.safetensors", "model.safetensors", "metrics.json"]
    )
    ways = [*BYTES, *([json_changed] * 6 if name in JSONS else [])]
    ways += [words_changed] * 6 if name == "zoo.yaml" else [header_changed] * 3 if "safetensors" in name else []
    result = {**files, name: chance.choice(ways)(files[name], chance)}
    if name != "zoo.lock" and chance.random() < 0.8:
        lock = json.loads(files["zoo.lock"])
        digest = hashlib.sha256(result[name]).hexdigest()
        lock["shared"]["files"][name] = {"size": len(result[name]), "sha256": digest}
        if name in lock["files"]:
            lock["files"][name] = digest
        result["zoo.lock"] = json_text(lock).encode()
    return result


def test_a_changed_run_is_refused_or_is_the_same_model(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside").mkdir()
    staged = stage(trained, tmp_path / "beside")
    files = {name: path.read_bytes() for name, path in staged.files.items()}
    weights = {name: each.digest() for name, each in map_file(trained / "model.safetensors").items()}
    # A fresh process for each would take hours, and calls the same.
    prove_here(monkeypatch)
    before, accepted, told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, set()
    for case in range(CASES):
        chance = random.Random(case)
        given = changed(files, chance)
        work = tmp_path / "work"
        for name, content in given.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(content)
        store = FolderStore(read_reference(f"file://{tmp_path}/store"))
        store.commit({name: work / name for name in given}, None, "changed")
        started = time.monotonic()
        try:
            pulled = pull(store.reference, tmp_path / "pulled")
        except ZooError as error:
            told.add(type(error).__name__)
            assert "Traceback" not in str(error) and len(str(error)) < 20_000, case
            assert not (tmp_path / "pulled").exists(), case
        else:
            accepted += 1
            found = {name: each.digest() for name, each in map_file(pulled.folder / "model.safetensors").items()}
            assert found == weights, case
        assert time.monotonic() - started < 5, case
        for name in ("work", "store", "pulled"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 300, f"{grown:.0f} MB more"
    assert {"CorruptError", "DigestError", "PluginError"} <= told
    assert 0 < accepted < CASES / 2
