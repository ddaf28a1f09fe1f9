"""A fifth of all requests goes wrong: every push is one commit all the same, and every pull is right."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.loopback.client import ask
from tests.loopback.faults import Corrupt, Drop, Lost, Stall, Status, Truncate
from tests.loopback.serving import Loopback
from tests.sharing.people import Person, same

ROUNDS = 30
WEATHER = (Status(429, {"Retry-After": "1"}), Status(500), Status(503), Drop(), Lost(), Truncate(100))


def share(run: str, rounds: int) -> list[tuple[str, bool, bool]]:
    """Pushes a run and pulls it again, so many times: each commit, whether it is a new one, and whether it is right.

    Only the waits are shorter, which would take an hour, and runs are read in this process and not in fresh ones.
    """
    from tests.sharing.proof import prove_here
    from zoo.hub.pull import pull
    from zoo.hub.push import push

    told = []
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as beside:
        wait = time.sleep
        patch.setattr(time, "sleep", lambda seconds: wait(min(seconds, 0.02)))
        prove_here(patch)
        mine = Path(beside) / "run"
        shutil.copytree(run, mine)
        for number in range(rounds):
            (mine / "README.md").write_text(f"{number}")
            pushed = push(mine, "acme/numbers")
            pulled = pull(pushed.reference, Path(beside) / f"pulled{number}").folder
            right = (pulled / "README.md").read_text() == f"{number}" and same(pulled, mine)
            told.append((str(pushed.reference.revision), pushed.new, right))
    return told


@pytest.mark.slow
def test_in_a_storm_every_push_is_one_commit(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    hub.storm(0.2, seed=0, faults=WEATHER)
    told = ask(hub, tmp_path / "ann", share, str(trained), ROUNDS)
    assert [(new, right) for _, new, right in told] == [(True, True)] * ROUNDS
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
