"""Rows 30 and 32: bases of deltas that went, moved, or are not what a lock tells of them; row 24 in the Hub's cache."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tests.loopback.faults import Drop, Status
from tests.loopback.serving import Loopback
from tests.sharing.bad.resident import Resident, resident
from tests.sharing.bad.runs import Files, changed_json, spoiled
from tests.sharing.bad.test_bad_disks import disk, fill
from tests.tables import SPEC, write_tables
from zoo.checkpoint.raw import map_file, write_file

pytestmark = pytest.mark.slow

__all__ = ["disk"]

BASE, NAME = "acme/base", "acme/numbers"
WEIGHTS, DELTA = "model.safetensors", "delta.safetensors"
FOREVER = 1_000_000
SHAPES = {"missing": (2, 16), "numbers.bias": (16,), "numbers.weight": (16, 2)}
"""Of the tensors of the backbone in `SPEC`."""


class Shared:
    """A run that is a delta to a base, on a Hub.

    Args:
        hub: The Hub.
        files: The run, whole.
        folder: To work in.
    """

    def __init__(self, hub: Loopback, files: Mapping[str, bytes], folder: Path) -> None:
        self.hub, self.files, self.folder = hub, files, folder
        self.base = hub.put(BASE, {WEIGHTS: files[WEIGHTS], "README.md": "---\nlicense: mit\n---\n"})
        hub.put(NAME, self.delta(self.told()))

    @property
    def named(self) -> str:
        """The base, as a lock names it."""
        return f"{BASE}@{self.base}"

    def told(self, **changed: Any) -> dict[str, Any]:
        """What a lock tells of the file of the base."""
        content = self.files[WEIGHTS]
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **changed}

    def delta(self, told: Mapping[str, Any], repo: str = BASE, commit: str = "") -> dict[str, bytes]:
        """The run without what the base has, which is all of its weights but one."""
        name = f"{repo}@{commit or self.base}"
        base = {"repo": repo, "commit": commit or self.base, "files": {WEIGHTS: told}}
        rules = [{"base": name, "ours": "", "theirs": "", "renamed": {}}]
        delta = {"rules": rules, "bases": {name: base}}

        def spoil(files: Files) -> None:
            (self.folder / WEIGHTS).write_bytes(files.pop(WEIGHTS))
            tensors = map_file(self.folder / WEIGHTS)
            own = {each: tensors[each] for each in tensors if each.startswith("heads.kind.")}
            write_file(self.folder / DELTA, own)
            files[DELTA] = (self.folder / DELTA).read_bytes()
            changed_json("zoo.lock", lambda lock: lock["shared"].update(delta=delta))(files)

        return spoiled(self.files, spoil)


@pytest.fixture
def delta(plain_hub: Loopback, shared: Mapping[str, bytes], tmp_path: Path) -> Shared:
    return Shared(plain_hub, shared, tmp_path)


@pytest.fixture
def ann(plain_hub: Loopback, tmp_path: Path) -> Iterator[Resident]:
    with resident(plain_hub, tmp_path / "ann") as made:
        yield made


def fetched(hub: Loopback, content: bytes) -> int:
    """How often somebody asked for a large file."""
    return hub.count(path=f"^/files/{hashlib.sha256(content).hexdigest()}", method="GET")


def test_30_a_base_that_went(
    plain_hub: Loopback, delta: Shared, ann: Resident, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    ann.pulls(NAME, "before")
    assert (ann.home / "before" / WEIGHTS).read_bytes() == shared[WEIGHTS]
    commit = plain_hub.tip(NAME)
    plain_hub.put(BASE, {WEIGHTS: b"others", "README.md": "---\nlicense: cc-by-nc-4.0\n---\n"})  # another licence now
    plain_hub.rename(BASE, "acme/elsewhere", 301)
    with resident(plain_hub, tmp_path / "bob") as bob:
        bob.pulls(NAME, "renamed")
        assert (bob.home / "renamed" / WEIGHTS).read_bytes() == shared[WEIGHTS]
    plain_hub.forget("acme/elsewhere", delta.base)
    with resident(plain_hub, tmp_path / "eve") as eve:
        eve.refused(NAME, 6, f"the base {delta.named} is there no more", "cannot be made whole without it")
        ann.pulls(NAME, "from the cache")
        plain_hub.fail(".*", ".*", FOREVER, Drop())
        told = ann.pulls(NAME, "without a network")
        assert f"the commit {commit} of the cache is used" in told
        assert (ann.home / "without a network" / WEIGHTS).read_bytes() == shared[WEIGHTS]
        eve.refused(f"{NAME}@{commit}", 6, delta.named)


def test_30_a_base_that_was_deleted_or_hidden(plain_hub: Loopback, delta: Shared, ann: Resident) -> None:
    plain_hub.repo(BASE).gated = True
    with resident(plain_hub, delta.folder / "bob", plain_hub.stranger_token) as bob:
        bob.refused(NAME, 2, delta.named, "ask for access")
    del plain_hub.state.repos["model", BASE]
    ann.refused(NAME, 6, f"the base {delta.named} is there no more")


def test_30_a_base_that_was_deleted_and_is_listed_in_the_cache(
    plain_hub: Loopback, delta: Shared, ann: Resident
) -> None:
    ann.pulls(NAME, "before")
    shutil.rmtree(ann.home / "hf" / "hub" / f"models--{BASE.replace('/', '--')}")
    del plain_hub.state.repos["model", BASE]
    ann.refused(NAME, 6, f"the base {delta.named} is there no more", "cannot be made whole without it")


def test_30_nothing_of_a_base_is_fetched_that_is_another_one(plain_hub: Loopback, delta: Shared, ann: Resident) -> None:
    for number, (told, code, words) in enumerate(
        [
            (delta.told(size=10), 5, "is not the file that the delta was made against"),
            (delta.told(size=1 << 50), 2, "free"),
            (delta.told(sha256="0" * 64), 5, "is not the file that the delta was made against"),
        ]
    ):
        plain_hub.put(f"acme/numbers{number}", delta.delta(told))
        ann.refused(f"acme/numbers{number}", code, words)
    assert fetched(plain_hub, delta.files[WEIGHTS]) == 0
    ann.pulls(NAME, "mine")
    assert fetched(plain_hub, delta.files[WEIGHTS]) == 1


def test_32_a_base_that_is_a_delta_itself(plain_hub: Loopback, delta: Shared, ann: Resident) -> None:
    """Nor a run that is its own base: the commit of itself nobody knows, and an earlier one has no whole weights."""
    earlier = plain_hub.tip(NAME)
    plain_hub.put(NAME, delta.delta(delta.told(), NAME, earlier))
    ann.refused(NAME, 4, f"the base {NAME}@{earlier} is a delta itself")


def test_24_a_cache_on_a_full_disk(hub: Loopback, shared: Mapping[str, bytes], disk: Path, tmp_path: Path) -> None:
    hub.put(NAME, dict(shared))
    with resident(hub, tmp_path / "ann", HF_HOME=str(disk / "hf")) as ann:
        for left in (0, 4 << 12):
            fill(disk, left)
            ann.refused(
                NAME, 2, f"hf://{NAME}", f"the cache `{disk}/hf/hub` cannot be written", "No space left", "HF_HOME"
            )
            (disk / "others").unlink()
        ann.pulls(NAME, "mine")


def test_28_a_build_tells_which_commit_its_weights_are_of(plain_hub: Loopback, ann: Resident) -> None:
    tensors = {f"layers.0.0.{name}": torch.zeros(shape) for name, shape in SHAPES.items()}
    commit = plain_hub.put("acme/mlp", {WEIGHTS: save(tensors)})
    spec = write_tables(ann.home, SPEC.replace("dropout: 0}", "dropout: 0, weights: hf://acme/mlp}", 1))
    ann.zoo("build", spec, "-o", "first")
    plain_hub.fail(".*", ".*", FOREVER, Status(503))
    told = ann.ask("build", spec, "-o", "second", "--json")
    assert told.exit_code == 0, told.stderr
    assert f"`hf://acme/mlp`: the commit {commit} of the cache is used, because" in told.stderr
