"""What goes wrong on request, seen from the wire; and what the real client makes of it."""

import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download

from tests.loopback.client import ask, raised
from tests.loopback.faults import Corrupt, Drop, Fault, Lost, Stall, Status, Truncate
from tests.loopback.serving import Loopback
from tests.loopback.xet import flipped

TEXT = "0123456789"
BIG = random.Random(3).randbytes(50_000)
PATH = "/acme/pets/resolve/main/a.txt"


def get(hub: Loopback, path: str = PATH, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection(urlsplit(hub.endpoint).netloc, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_each_fault_once(plain_hub: Loopback) -> None:
    hub = plain_hub
    hub.put("acme/pets", {"a.txt": TEXT})
    fault = partial(hub.fail, "GET", r"a\.txt", 1)
    fault(Status(429, {"Retry-After": "7"}, b"later"))
    assert get(hub, method="HEAD")[0] == 200
    assert get(hub) == (429, b"later")
    fault(503)
    assert get(hub)[0] == 503
    fault(Drop())
    with pytest.raises(RemoteDisconnected):
        get(hub)
    fault(Truncate(4))
    with pytest.raises(IncompleteRead) as caught:
        get(hub)
    assert caught.value.partial == b"0123"
    fault(Corrupt())
    assert get(hub) == (200, b"0123446789")
    for after in (None, 3):
        fault(Stall(0.2, after))
        start = time.monotonic()
        assert get(hub) == (200, TEXT.encode())
        assert 0.2 <= time.monotonic() - start < 5
    fault(Lost())
    with pytest.raises(RemoteDisconnected):
        get(hub)
    assert get(hub) == (200, TEXT.encode())
    assert [call.status for call in hub.calls(path="a.txt", method="GET")] == [429, 503, 0, 200, 200, 200, 200, 0, 200]
    assert len(hub.met) == 8


def test_a_storm_is_the_same_for_the_same_seed(plain_hub: Loopback) -> None:
    hub = plain_hub
    hub.put("acme/pets", {"a.txt": TEXT})

    def weather(seed: int) -> list[int]:
        hub.storm(0.2, seed=seed, faults=(Status(500), Status(503)))
        return [get(hub)[0] for _ in range(100)]

    first = weather(1)
    assert 10 <= 100 - first.count(200) <= 30
    assert weather(1) == first != weather(2)
    hub.calm()
    assert get(hub)[0] == 200


def test_it_stops_though_a_connection_is_open_and_an_answer_stalls(plain_hub: Loopback) -> None:
    plain_hub.fail("GET", "whoami", 1, Stall(60))
    address = urlsplit(plain_hub.endpoint)
    idle = socket.create_connection((str(address.hostname), address.port or 0))
    waiting = socket.create_connection((str(address.hostname), address.port or 0))
    waiting.sendall(b"GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\n\r\n")
    while not plain_hub.met:
        time.sleep(0.01)
    idle.close()
    waiting.close()


NAMES = ("status", "refused", "dropped", "lost", "truncated", "corrupt", "stalled")


def fetch_all() -> dict[str, str]:
    def fetch(name: str) -> str:
        found: list[str] = []
        error = raised(lambda: found.append(Path(hf_hub_download("acme/pets", f"{name}.txt")).read_text()))
        return error or found[0]

    with ThreadPoolExecutor(len(NAMES)) as pool:
        return dict(zip(NAMES, pool.map(fetch, NAMES), strict=True))


def test_what_the_client_makes_of_faults_of_a_download(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    texts = {name: TEXT + name for name in NAMES}  # files of one content are one download
    hub.put("acme/pets", {f"{name}.txt": text for name, text in texts.items()})
    faults: dict[str, Fault] = {
        "status": Status(429, {"Retry-After": "0"}),
        "refused": Status(500),
        "dropped": Drop(),
        "lost": Lost(),
        "truncated": Truncate(4),
        "corrupt": Corrupt(),
        "stalled": Stall(3),
    }
    for name, fault in faults.items():
        hub.fail("GET", f"{name}.txt", 1, fault)
    told = ask(hub, tmp_path, fetch_all, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert told == {**texts, "refused": "HfHubHTTPError 500", "corrupt": flipped(texts["corrupt"].encode()).decode()}
    tries = {name: hub.count("", f"{name}.txt", "GET") for name in NAMES}
    assert tries == {**dict.fromkeys(NAMES, 2), "refused": 1, "corrupt": 1}


def commit(name: str) -> str:
    add = [CommitOperationAdd(f"{name}.bin", BIG + name.encode())]
    return raised(lambda: HfApi().create_commit("acme/pets", add, commit_message=name))


def commits() -> list[str]:
    return [commit("dropped"), commit("lost"), commit("landed")]


def test_a_commit_whose_reply_is_lost_has_landed(hub: Loopback, tmp_path: Path) -> None:
    hub.create("acme/pets")
    hub.fail("POST", "/commit/", 1, Drop())
    hub.fail("POST", "/commit/", 1, Lost())
    assert ask(hub, tmp_path, commits) == ["RemoteProtocolError", "RemoteProtocolError", ""]
    assert [commit.title for commit in hub.commits("acme/pets")] == ["landed", "lost", "initial commit"]


def race(parent: str) -> list[str]:
    api = HfApi()

    def add(number: int) -> str:
        files = [CommitOperationAdd(f"{number}.{suffix}", BIG + bytes([number])) for suffix in ("bin", "txt")]
        call = partial(api.create_commit, "acme/pets", files, commit_message=str(number), parent_commit=parent)
        return raised(call)

    with ThreadPoolExecutor(16) as pool:
        return sorted(pool.map(add, range(16)))


def test_of_sixteen_commits_with_one_parent_one_wins(hub: Loopback, tmp_path: Path) -> None:
    parent = hub.put("acme/pets", {"a.txt": TEXT})
    assert ask(hub, tmp_path, race, parent) == ["", *["HfHubHTTPError 412"] * 15]
    assert len(hub.commits("acme/pets")) == 3
    assert len(hub.read("acme/pets")) == 3


def upload(name: str) -> str:
    return commit(name)


def test_processes_push_at_the_same_time(hub: Loopback, tmp_path: Path) -> None:
    hub.create("acme/pets")
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda name: ask(hub, tmp_path / name, upload, name), ("one", "two")))
    assert told == ["", ""]
    assert hub.read("acme/pets") == {f"{name}.bin": BIG + name.encode() for name in ("one", "two")}
