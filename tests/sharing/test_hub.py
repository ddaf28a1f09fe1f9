"""Sharing through the Hub, over LFS and xet, with the real client in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.loopback.faults import Drop, Lost, Status
from tests.loopback.serving import Loopback
from tests.sharing.people import Person, same
from zoo.checkpoint.headers import read_header

pytestmark = pytest.mark.slow

SPEC = """\
inputs: {photo: {type: image, backbone: {use: timm/test_resnet, weights: "hf://acme/base@COMMIT", resolution: 32}}}
heads: {kind: zoo/classifier}
transfer: frozen
data: {train: train.csv, validation: null}
train: {epochs: 1, batch_size: 16, cache: false}
"""


def test_a_colleague_pulls_what_was_pushed(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ann, bob = Person(hub, tmp_path / "ann"), Person(hub, tmp_path / "bob", hub.read_token)
    assert "a new repository, private" in ann.zoo("push", trained, "acme/numbers", "--dry-run")
    told = json.loads(ann.zoo("push", trained, "acme/numbers", "--json").partition("\n}")[0] + "}")
    assert told["new"] and told["difference"] == 0
    assert hub.repo("acme/numbers").private
    assert len(hub.commits("acme/numbers")) == 2  # the first has the store's own file alone
    assert "all of it was there already" in ann.zoo("push", trained, "acme/numbers")
    assert len(hub.commits("acme/numbers")) == 2
    bob.zoo("pull", "acme/numbers", "-o", "mine")
    assert same(bob.home / "mine", trained)
    assert (bob.home / "mine" / "metrics.json").read_bytes() == (trained / "metrics.json").read_bytes()
    tip = hub.tip("acme/numbers")
    assert f"hf://acme/numbers@{tip}" in bob.zoo("verify", f"acme/numbers@{tip}")
    assert "may not" in bob.zoo("push", trained, "acme/numbers2", code=2)


def test_without_a_network_the_cache_is_enough_if_its_digests_are_right(
    plain_hub: Loopback, trained: Path, tmp_path: Path
) -> None:
    ann = Person(plain_hub, tmp_path / "ann")
    ann.zoo("push", trained, "acme/numbers")
    ann.zoo("pull", "acme/numbers", "-o", "first")
    ann.unplugged().zoo("pull", "acme/numbers", "-o", "again")
    (blob,) = [each for each in (ann.home / "hf").rglob("blobs/*") if each.stat().st_size == 7440]
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(content)
    told = ann.unplugged().zoo("pull", "acme/numbers", "-o", "damaged", code=6)
    assert "tries failed" in told and "Connection refused" in told
    assert not (ann.home / "damaged").exists()
    ann.zoo("pull", "acme/numbers", "-o", "healed")
    assert same(ann.home / "healed", trained)


def pictures(folder: Path, commit: str) -> None:
    random = np.random.default_rng(0)
    lines = ["photo,kind"]
    for row in range(16):
        pixels = random.integers(0, 120, (32, 32, 3), dtype=np.uint8) + np.uint8(120 * (row % 2))
        Image.fromarray(pixels).save(folder / f"{row}.png")
        lines.append(f"{row}.png,{'ab'[row % 2]}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    (folder / "spec.yaml").write_text(SPEC.replace("COMMIT", commit))


def test_of_a_frozen_backbone_that_is_pinned_the_difference_is_sent(hub: Loopback, clean: Path, tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save

    torch.manual_seed(0)
    base = timm.create_model("test_resnet")
    commit = hub.put("acme/base", {"model.safetensors": save(base.state_dict()), "config.json": "{}"})
    ann, bob = Person(hub, tmp_path / "ann"), Person(hub, tmp_path / "bob", python=clean)
    pictures(ann.home, commit)
    ann.zoo("train", "spec.yaml", "-o", "run")
    hub.forget_calls()
    before = hub.xet_received()
    told = ann.zoo("push", "run", "acme/kinds")
    assert f"differs from acme/base@{commit}, which must stay where it is" in told
    files = hub.read("acme/kinds")
    assert "delta.safetensors" in files and "model.safetensors" not in files
    (tmp_path / "delta.safetensors").write_bytes(files["delta.safetensors"])
    header = read_header(tmp_path / "delta.safetensors")
    assert {name.split(".")[0] for name in header} == {"heads"}
    tuned = sum(each.stop - each.start for each in header.values())
    assert hub.received() + hub.xet_received() - before <= 1.05 * tuned + (64 << 10)
    hub.put("acme/base", {"model.safetensors": b"other weights now"})  # the base's branch moves on
    hub.rename("acme/base", "acme/elsewhere")
    bob.zoo("pull", "acme/kinds", "-o", "mine")
    assert same(bob.home / "mine", ann.home / "run")
    hub.forget("acme/elsewhere", commit)
    zoe = Person(hub, tmp_path / "zoe")
    assert "base" in zoe.zoo("pull", "acme/kinds", "-o", "mine", code=6)
    assert not (zoe.home / "mine").exists()
    whole = json.loads(ann.zoo("push", "run", "acme/whole", "--full", "--dry-run", "--json").partition("\n}")[0] + "}")
    assert whole["files"]["model.safetensors"] and not whole["delta"]


@pytest.mark.parametrize("fault", [Lost(), Status(500), Status(503), Drop()], ids=["lost", "500", "503", "dropped"])
def test_a_reply_that_is_lost_makes_no_second_commit(
    plain_hub: Loopback, trained: Path, tmp_path: Path, fault: object
) -> None:
    ann = Person(plain_hub, tmp_path / "ann")
    plain_hub.fail("POST", "/commit/", 1, fault)  # type: ignore[arg-type]
    ann.zoo("push", trained, "acme/numbers")
    assert len(plain_hub.commits("acme/numbers")) == 2  # it was pulled back, and is right


def test_who_may_not_is_told_and_no_token_is_shown(plain_hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ann, bob = Person(plain_hub, tmp_path / "ann"), Person(plain_hub, tmp_path / "bob", plain_hub.stranger_token)
    ann.zoo("push", trained, "acme/numbers")
    wrong = Person(plain_hub, tmp_path / "wrong", "hf_not_a_token_of_anybody")
    told = [
        bob.zoo("pull", "acme/numbers", "-o", "mine", code=2),
        bob.zoo("push", trained, "acme/numbers", code=2),
        wrong.zoo("push", trained, "acme/numbers", code=2),
        wrong.zoo("pull", "acme/numbers", "-o", "mine", code=2),
    ]
    assert "a private one needs HF_TOKEN" in told[0]
    assert "may not" in told[1]
    assert "does not know the token" in told[2] and "does not know the token" in told[3]
    plain_hub.repo("acme/numbers").gated = True
    plain_hub.repo("acme/numbers").private = False
    assert "ask for access" in bob.zoo("pull", "acme/numbers", "-o", "mine", code=2)
    for each in told:
        assert plain_hub.stranger_token not in each and "hf_not_a_token" not in each


def test_an_address_that_is_no_hub_is_told(trained: Path, tmp_path: Path, plain_hub: Loopback) -> None:
    ann = Person(plain_hub, tmp_path / "ann")
    plain_hub.fail(".*", ".*", 1_000, Status(200, {"Content-Type": "text/html"}))
    assert "does not look like a Hub" in ann.zoo("pull", "acme/numbers", "-o", "mine", code=6)


def test_of_many_pushes_at_once_one_wins(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ann = Person(hub, tmp_path / "ann")
    ann.zoo("push", trained, "acme/numbers")
    parent = hub.tip("acme/numbers")
    script = (
        "import sys, pathlib; from zoo.hub.hub_store import HubStore; from zoo.hub.reference import read_reference\n"
        "from zoo.errors import ConflictError\n"
        "store = HubStore(read_reference('acme/numbers')); print('ready', flush=True); sys.stdin.readline()\n"
        "path = pathlib.Path(f'file{sys.argv[1]}'); path.write_text(sys.argv[1])\n"
        f"try: print(store.commit({{'README.md': path}}, '{parent}', sys.argv[1]).commit)\n"
        "except ConflictError as error: print('conflict', error)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(number)],
            cwd=ann.home,
            env=ann.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(16)
    ]
    for each in started:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    told = []
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in started:
        told.append(each.communicate(timeout=120)[0].strip())
    won = [each for each in told if not each.startswith("conflict")]
    assert won == [hub.tip("acme/numbers")], told
    assert all(f"is at {won[0]} and no longer at {parent}" in each for each in told if each != won[0])
    assert len(hub.commits("acme/numbers")) == 3
