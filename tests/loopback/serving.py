"""Starts a Hub on this machine, and says what it is asked to do by tests rather than by clients."""

import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.loopback.accounts import READ, STRANGER, WRITE
from tests.loopback.faults import Drop, Fault, Rule, Status, Storm
from tests.loopback.log import Call
from tests.loopback.server import Server
from tests.loopback.state import State
from tests.loopback.store import MAIN, Change, Commit, File, Kind, Repo
from tests.loopback.xet import Storage

SAMPLE = 512
FOREVER = 1 << 60
BAD_WEATHER: Sequence[Fault] = (Status(500), Status(503), Drop())


class Loopback:
    """A Hub that runs. Repositories are named by their path: `acme/pets` is a model, `datasets/acme/pets` is data.

    Args:
        state: What it knows.
        xet: Whether large files go to the xet storage, and clients use it, unless said otherwise.
    """

    token = WRITE
    """To write, for `ann` of `acme`."""
    read_token = READ
    """To read, for the same."""
    stranger_token = STRANGER
    """To write, for `bob`, who has nothing to do with `acme`."""

    def __init__(self, state: State, *, xet: bool) -> None:
        self.state = state
        self.xet = xet

    @property
    def endpoint(self) -> str:
        """The address of the Hub."""
        return self.state.endpoint

    @property
    def cdn(self) -> str:
        """The address of large files, which is another origin."""
        return self.state.cdn

    def repo(self, name: str) -> Repo:
        """A repository, to look at and to change: `private`, `gated`, `admitted`, `branches`, `tags`.

        Raises:
            KeyError: There is none.
        """
        return self.state.repos[named(name)]

    def create(self, name: str, *, private: bool = False, gated: bool = False) -> Repo:
        """A new repository, with a first commit that holds a `.gitattributes`."""
        repo = self.state.create(*named(name), private=private)
        repo.gated = gated
        return repo

    def put(
        self, name: str, files: Mapping[str, bytes | str | None], *, branch: str = MAIN, title: str = "Put by the test"
    ) -> str:
        """A commit of files, of which None deletes one. No path is refused. The repository is created if need be.

        Returns:
            The commit, in 40 hexadecimal digits.
        """
        repo = self.state.repos.get(named(name)) or self.create(name)
        contents = {path: one.encode() if isinstance(one, str) else one for path, one in files.items()}
        changes = [
            Change(path, None if content is None else self._kept(repo, path, content, branch))
            for path, content in contents.items()
        ]
        if self.xet:
            self.state.storage.add([self.state.blobs[one.file.key] for one in changes if one.file and one.file.sha256])
        return repo.commit(changes, title, branch=branch).oid

    def _kept(self, repo: Repo, path: str, content: bytes, branch: str) -> File:
        is_large = self.state.is_large(repo, path, len(content), content[:SAMPLE], branch)
        return self.state.keep_large(content) if is_large else self.state.keep(content)

    def read(self, name: str, revision: str = MAIN) -> dict[str, bytes]:
        """All files of a revision, but for the `.gitattributes` that every repository starts with."""
        files = dict(self.repo(name).resolve(revision).files)
        files.pop(".gitattributes", None)
        return self.state.contents(files)

    def commits(self, name: str, revision: str = MAIN) -> list[Commit]:
        """A commit and those that it came from, newest first."""
        return self.repo(name).history(revision)

    def tip(self, name: str, branch: str = MAIN) -> str:
        """The newest commit of a branch."""
        return self.repo(name).branches[branch]

    def tag(self, name: str, tag: str, revision: str = MAIN) -> None:
        """Has a tag mean a commit."""
        repo = self.repo(name)
        repo.tags[tag] = repo.resolve(revision).oid

    def branch(self, name: str, branch: str, revision: str = MAIN) -> None:
        """Has a branch end at a commit: a new branch, or one that a forced push moves."""
        repo = self.repo(name)
        repo.branches[branch] = repo.resolve(revision).oid

    def forget(self, name: str, revision: str) -> None:
        """Deletes a commit, and the tags and branches that end at it."""
        repo = self.repo(name)
        oid = repo.resolve(revision).oid
        del repo.commits[oid]
        for names in (repo.branches, repo.tags):
            for one in [one for one, target in names.items() if target == oid]:
                del names[one]

    def rename(self, name: str, to: str, status: int = 307) -> None:
        """Gives a repository another name; requests for the old one are sent on with a status."""
        self.state.move(*named(name), named(to)[1], status)

    def fail(self, method: str, path: str, times: int, fault: Fault | int) -> Rule:
        """Has the next requests whose method matches, and in whose path the pattern is found, go wrong.

        Args:
            method: A regular expression of the whole method.
            path: A regular expression of a part of the path and query.
            times: How many of them.
            fault: How; a number is a status.
        """
        what = Status(fault) if isinstance(fault, int) else fault
        rule = Rule(re.compile(method), re.compile(path), times, what)
        self.state.faults.rules.append(rule)
        return rule

    def storm(self, probability: float, *, seed: int, faults: Sequence[Fault] = BAD_WEATHER, path: str = "") -> None:
        """Has requests go wrong by chance, the same ones for the same seed as long as one follows another."""
        self.state.faults.storm = Storm(random.Random(seed), probability, faults, re.compile(path))

    def calm(self) -> None:
        """Ends all rules and the storm."""
        self.state.faults.calm()

    @property
    def met(self) -> list[Fault]:
        """The faults that came to pass."""
        return self.state.faults.met

    def calls(self, route: str = "", path: str = "", method: str = "") -> list[Call]:
        """Requests of a route, with a path in which a pattern is found, and with a method; any unless said."""
        return self.state.log.calls(route, path, method)

    def count(self, route: str = "", path: str = "", method: str = "") -> int:
        """How many requests those were."""
        return len(self.calls(route, path, method))

    def received(self, route: str = "") -> int:
        """Bytes of the bodies of requests."""
        return sum(call.received for call in self.calls(route))

    def sent(self, route: str = "") -> int:
        """Bytes of the bodies of answers."""
        return sum(call.sent for call in self.calls(route))

    def xet_received(self) -> int:
        """Bytes that clients wrote to the xet storage."""
        return self.state.storage.sent()

    def forget_calls(self) -> None:
        """Starts to count anew; not what went to the xet storage."""
        self.state.log.clear()

    def environment(self, home: Path | str, *, xet: bool | None = None, token: str | None = WRITE) -> dict[str, str]:
        """Variables for a process whose clients speak to this Hub.

        Args:
            home: Where they keep what they fetch.
            xet: Whether they use xet; as the Hub does unless said.
            token: Their token; None is none.
        """
        uses_xet = self.xet if xet is None else xet
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_TOKEN": token or "",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "0" if uses_xet else "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def named(name: str) -> tuple[Kind, str]:
    """The kind and the name in a path."""
    short = name.removeprefix("datasets/")
    return ("model" if short == name else "dataset"), short


@contextmanager
def loopback(*, xet: bool = False) -> Iterator[Loopback]:
    """A Hub, as long as it is wanted.

    Raises:
        Exception: The Hub had a defect.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = State(Storage(Path(folder) / "xet"))
        with Server("127.0.0.1", state) as hub, Server("localhost", state) as cdn:
            state.endpoint, state.cdn = hub.url, cdn.url
            yield Loopback(state, xet=xet)
        for crash in (*hub.crashes, *cdn.crashes):
            raise crash
