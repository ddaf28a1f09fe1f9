"""Rows 16, 20 to 23, 28, 29, 31 and 32 on a Hub: what goes wrong on the way, and what was changed there."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.loopback.faults import Corrupt, Drop, Fault, Stall, Status, Truncate
from tests.loopback.serving import Loopback
from tests.sharing.bad.resident import Resident, resident
from tests.sharing.bad.runs import changed_json, spoiled

pytestmark = pytest.mark.slow

NAME = "acme/numbers"
FOREVER = 1_000_000
HURRIED = {"HF_HUB_DOWNLOAD_TIMEOUT": "1", "DEADLINE": "3"}


@pytest.fixture
def ann(plain_hub: Loopback, tmp_path: Path) -> Iterator[Resident]:
    with resident(plain_hub, tmp_path / "ann", **HURRIED) as made:
        yield made


def card(number: int, shared: Mapping[str, bytes]) -> dict[str, bytes]:
    """The run, whose metrics are others."""
    return dict(spoiled(shared, changed_json("metrics.json", lambda told: told.update(number=number))))


def test_20_weights_that_were_garbled_are_fetched_once_more(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes]
) -> None:
    plain_hub.put(NAME, dict(shared))
    plain_hub.fail("GET", "^/files/", 1, Corrupt())
    ann.pulls(NAME, "mine")
    assert plain_hub.met == [Corrupt()]


def test_20_what_is_always_garbled_is_refused_and_a_cache_that_has_it_is_mended(
    hub: Loopback, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    commit = hub.put(NAME, dict(shared))
    hub.fail("GET", "xet-read-token|^/files/", FOREVER, Corrupt())
    with resident(hub, tmp_path / "ann") as ann:
        ann.refused(NAME, 5, f"{NAME}@{commit}", "'model.safetensors'", "digest")
    hub.calm()
    with resident(hub, tmp_path / "ann") as ann:
        ann.pulls(NAME, "mine")


@pytest.mark.parametrize(
    "fault",
    [Truncate(100), Drop(), Stall(600, 100), Status(500), Status(503)],
    ids=["21-cut", "21-dropped", "23-stalled", "22-500", "22-503"],
)
def test_a_body_that_never_comes_whole(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes], fault: Fault
) -> None:
    plain_hub.put(NAME, dict(shared))
    plain_hub.fail("GET", "/resolve/", FOREVER, fault)
    ann.refused(NAME, 6, NAME, "tries failed, the last with")
    assert not [each for each in (ann.home / "hf").rglob("*") if each.name.endswith(".incomplete")]
    plain_hub.calm()
    ann.pulls(NAME, "mine")


@pytest.mark.parametrize("status", [500, 503])
def test_22_a_hub_that_is_down(plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes], status: int) -> None:
    plain_hub.put(NAME, dict(shared))
    plain_hub.fail(".*", ".*", FOREVER, Status(status))
    told = ann.refused(NAME, 6, NAME, "tries failed, the last with", str(status))
    assert plain_hub.count() < 100, told


def test_28_which_commit_was_taken_is_told_whatever_moved(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    first = plain_hub.put(NAME, card(1, shared))
    plain_hub.tag(NAME, "v1")
    second = plain_hub.put(NAME, card(2, shared))
    assert f"@{first}" in ann.pulls(f"{NAME}@v1", "tag")
    assert f"@{second}" in ann.pulls(NAME, "branch")
    assert f"@{first}" in ann.pulls(f"{NAME}@{first}", "pinned")
    plain_hub.tag(NAME, "v1", second)  # moved
    assert f"@{second}" in ann.pulls(f"{NAME}@v1", "tag-moved")
    plain_hub.branch(NAME, "main", first)  # a forced push
    assert f"@{first}" in ann.pulls(NAME, "branch-moved")
    plain_hub.fail(".*", ".*", FOREVER, Status(503))
    told = ann.pulls(NAME, "stale")
    assert f"`hf://{NAME}`: the commit {first} of the cache is used, because" in told and "503" in told
    for words in (["verify", NAME], ["diff", NAME, "stale"]):
        assert f"the commit {first} of the cache is used" in ann.zoo(*words)
    plain_hub.calm()
    plain_hub.forget(NAME, second)
    ann.pulls(f"{NAME}@{second}", "gone")  # it was here already, and its digests are right
    told = ann.refused(f"{NAME}@v1", 2, f"hf://{NAME}@v1", "no commit, branch or tag `v1`")
    with resident(plain_hub, tmp_path / "bob") as bob:
        bob.refused(f"{NAME}@{second}", 2, f"the repository has no commit `{second}`")
        bob.refused(f"{NAME}@nothing", 2, "no commit, branch or tag `nothing`")


def test_29_a_token_that_ran_out_leaves_what_is_here(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes]
) -> None:
    commit = plain_hub.put(NAME, dict(shared))
    plain_hub.repo(NAME).private = True
    ann.pulls(NAME, "before")
    plain_hub.state.accounts.expire(plain_hub.token)
    told = ann.refused(NAME, 2, f"hf://{NAME}", "does not know the token", "HF_TOKEN")
    assert plain_hub.token not in told
    ann.pulls(f"{NAME}@{commit}", "after")


def test_29_what_is_not_there_is_told_alike_pinned_or_not(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes]
) -> None:
    """The Hub answers 404 to whoever has a token, 401 to others, and 404 of a commit too."""
    commit = plain_hub.put(NAME, dict(shared))
    nobody = ("there is no such repository on", "a private one needs HF_TOKEN")
    (ann.home / "spec.yaml").write_text(
        f"inputs: {{photo: {{type: image, backbone: {{use: timm/test_resnet, weights: 'hf://acme/nowhere@{commit}'}}}}}}\n"
        "heads: {kind: {use: zoo/classifier, classes: [a, b]}}\n"
    )
    for who in (plain_hub.token, ""):
        with resident(plain_hub, ann.home / f"with{bool(who)}", who, **HURRIED) as eve:
            for revision in ("", "@v1", f"@{commit}"):
                eve.refused(f"acme/nowhere{revision}", 2, *nobody)
            told = eve.zoo("build", ann.home / "spec.yaml", "-o", "run", code=2)
            assert all(each in told for each in nobody)
    unknown = "0123456789" * 4
    ann.refused(f"{NAME}@{unknown}", 2, f"the repository has no commit `{unknown}`, or has it no more")
    ann.pulls(f"{NAME}@{commit}", "before")
    shutil.rmtree(ann.home / "hf" / "hub" / "models--acme--numbers")
    plain_hub.forget(NAME, commit)
    del plain_hub.state.repos["model", NAME]
    ann.refused(f"{NAME}@{commit}", 2, *nobody)  # its files are listed in the cache still


NO_HUB: list[tuple[str, str, str, Status]] = [
    ("a page for everything", ".*", ".*", Status(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")),
    ("a page for files", ".*", "/resolve/", Status(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")),
    ("no commit told", "HEAD", "/resolve/", Status(200, {"ETag": '"a"', "X-Linked-Size": "1"})),
    ("another page for everything", ".*", ".*", Status(302, {"Location": "/login"})),
]


@pytest.mark.parametrize(("what", "method", "path", "fault"), NO_HUB, ids=[f"31-{each[0]}" for each in NO_HUB])
def test_an_address_that_is_no_hub(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes], what: str, method: str, path: str, fault: Status
) -> None:
    plain_hub.put(NAME, dict(shared))
    plain_hub.fail(method, path, FOREVER, fault)
    ann.refused(NAME, 6, f"{plain_hub.endpoint} does not look like a Hub", "HF_ENDPOINT")
    plain_hub.calm()
    ann.pulls(NAME, "mine")


def test_16_and_32_a_hub_that_lists_what_no_run_has(
    plain_hub: Loopback, ann: Resident, shared: Mapping[str, bytes]
) -> None:
    for number, (names, told) in enumerate(
        [
            (["../x"], "leads elsewhere"),
            (["/x"], "leads elsewhere"),
            (["..\\x"], "leads elsewhere"),
            (["parts/A", "parts/a"], "are one file on some systems"),
            (["parts/\u00e9", "parts/e\u0301"], "are one file on some systems"),
            (["parts/CON"], "none on Windows"),
            ([f"parts/{each}" for each in range(25_000)], "files, and a run has 10,000 at most"),
        ]
    ):
        name = f"acme/hostile{number}"
        plain_hub.put(name, {**shared, **dict.fromkeys(names, b"{}")})
        ann.refused(name, 4, name, told)
    assert not plain_hub.count(path="/resolve/")
