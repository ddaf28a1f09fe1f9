"""A fifth of all requests goes wrong: every push is one commit all the same, and every pull is right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback.faults import Corrupt, Drop, Lost, Stall, Status, Truncate
from tests.loopback.serving import Loopback
from tests.sharing.people import Person

ROUNDS = 30
WEATHER = (Status(429, {"Retry-After": "1"}), Status(500), Status(503), Drop(), Lost(), Truncate(100))

SCRIPT = """\
import json, shutil, sys, time
from pathlib import Path
wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.02))  # the waits are real ones, and this test would take an hour
from zoo.hub.hub_store import HubStore
from zoo.hub.pull import _Pull
from zoo.hub.reference import read_reference
from zoo.hub.stage import stage

run, rounds = Path(sys.argv[1]), int(sys.argv[2])
beside = Path("beside")
beside.mkdir()
files = dict(stage(run, beside).files)
for number in range(rounds):
    card = Path(f"card{number}.md")
    card.write_text(f"{number}")
    store = HubStore(read_reference("acme/numbers"))
    pushed = store.commit({**files, "README.md": card}, store.tip(), f"push {number}")
    folder = Path(f"pulled{number}")
    folder.mkdir()
    again = HubStore(read_reference("acme/numbers").at(pushed.commit))
    _Pull(again, pushed.commit).into(folder, lambda: None)
    right = (folder / "README.md").read_text() == str(number) and all(
        (folder / name).read_bytes() == path.read_bytes() for name, path in files.items() if name != "README.md"
    )
    print(json.dumps([pushed.commit, pushed.new, right]), flush=True)
    shutil.rmtree(folder)
"""


@pytest.mark.slow
def test_in_a_storm_every_push_is_one_commit(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ann = Person(hub, tmp_path / "ann")
    hub.storm(0.2, seed=0, faults=WEATHER)
    command = [sys.executable, "-c", SCRIPT, str(trained), str(ROUNDS)]
    done = subprocess.run(command, cwd=ann.home, env=ann.environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [right for _, _, right in told] == [True] * ROUNDS
    hub.calm()
    commits = [each.oid for each in hub.commits("acme/numbers")]
    assert commits[:-1] == [commit for commit, _, _ in reversed(told)]  # behind the one that made the repository
    assert len(hub.met) > ROUNDS


@pytest.mark.slow
def test_what_was_garbled_on_the_way_is_fetched_again(plain_hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ann, bob = Person(plain_hub, tmp_path / "ann"), Person(plain_hub, tmp_path / "bob")
    ann.zoo("push", trained, "acme/numbers")
    plain_hub.fail("GET", r"zoo\.yaml", 1, Corrupt())
    bob.zoo("pull", "acme/numbers", "-o", "mine")
    plain_hub.fail("GET", r"zoo\.yaml", 1_000, Corrupt())
    eve = Person(plain_hub, tmp_path / "eve")
    assert "does not have the digest" in eve.zoo("pull", "acme/numbers", "-o", "mine", code=5)
    assert not (eve.home / "mine").exists()


HURRIED = """\
import sys
from zoo.checkpoint import network
network.READ = network.CONNECT = 0.5
network.FIRST_WAIT = network.LONGEST_PAUSE = 0.01
network.LONGEST_WAIT = 1  # the real ones are a minute
from zoo.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Stall(600), Status(429, {"Retry-After": "86400"})], ids=["stalled", "a day"])
@pytest.mark.parametrize("verb", ["pull", "push"])
def test_a_server_that_keeps_one_waiting_is_given_up(
    plain_hub: Loopback, trained: Path, tmp_path: Path, fault: Stall | Status, verb: str
) -> None:
    ann = Person(plain_hub, tmp_path / "ann")
    plain_hub.fail(".*", "/api/", 1_000, fault)
    words = ["pull", "acme/numbers", "-o", "mine"] if verb == "pull" else ["push", str(trained), "acme/numbers"]
    command = [sys.executable, "-c", HURRIED, *words]
    done = subprocess.run(command, cwd=ann.home, env=ann.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 6, done.stderr
    assert "tries failed" in done.stderr
    plain_hub.calm()
