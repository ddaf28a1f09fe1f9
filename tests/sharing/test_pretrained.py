"""Pretrained parts load from the Hub, by a commit and through each library's own route, as the libraries load them."""

import functools
import json
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.loopback.client import ask
from tests.loopback.faults import Drop
from tests.loopback.serving import Loopback
from tests.sharing import published
from tests.sharing.people import Person
from zoo.checkpoint.headers import read_header
from zoo.checkpoint.verify import read_json
from zoo.files import file_digest
from zoo.hub.raw_run import raw_weights

pytestmark = pytest.mark.slow

SPEC = """\
inputs: {it: {type: TYPE, backbone: BACKBONE}}
heads: {kind: {use: zoo/classifier, classes: [a, b]}}
"""
RESNET, VIT = "timm/test_resnet.r160_in1k", "timm/test_vit.r160_in1k"
"""Where timm says that the weights of its own names are."""

BRANCH = "acme/bert@better"
NAME = "wav2vec2_base"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What stands on the Hub, by name of the repository."""
    folder = tmp_path_factory.mktemp("published")
    own = {"mean": (0.1, 0.2, 0.3), "std": (0.7, 0.8, 0.9), "input_size": (3, 64, 64)}
    return {
        "acme/resnet": published.timm_files("test_resnet", folder / "resnet", **own),
        RESNET: published.timm_files("test_resnet", folder / "test_resnet"),
        VIT: published.timm_files("test_vit", folder / "test_vit"),
        "acme/bert": published.bert_files(folder / "bert"),
        "acme/shards": published.bert_files(folder / "shards", shard=6000),
        "acme/vit": published.vit_files(folder / "vit"),
        BRANCH: published.bert_files(folder / "better", seed=7),
    }


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that torchaudio publishes, below a folder that stands for its server."""
    path = tmp_path_factory.mktemp("torchaudio") / "torchaudio" / "models" / "wav2vec2_fairseq_base_ls960.pth"
    path.parent.mkdir(parents=True)
    published.save_speech(path)
    return path


class Quiet(SimpleHTTPRequestHandler):
    """Answers with files, and prints nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(speech: Path) -> Iterator[str]:
    """Where that server is."""
    answer = functools.partial(Quiet, directory=speech.parents[2])
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def put(hub: Loopback, repositories: dict[str, dict[str, bytes]]) -> dict[str, str]:
    """The commit of each repository, once they are on the Hub; one has a branch with other weights too."""
    commits = {name: hub.put(name, files) for name, files in repositories.items() if "@" not in name}
    hub.branch("acme/bert", "better")
    return commits | {BRANCH: hub.put("acme/bert", repositories[BRANCH], branch="better")}


def cases(commits: dict[str, str]) -> dict[str, tuple[str, str, str, str]]:
    """By name the library, what it calls the model, the modality and what zoo calls the backbone."""
    resnet, bert = f"acme/resnet@{commits['acme/resnet']}", f"acme/bert@{commits['acme/bert']}"
    at_a_commit = {name: f'weights: "hf://{name}"' for name in (resnet, bert, BRANCH)}
    speech = json.dumps(published.SPEECH)
    return {
        "timm_at_a_commit": ("timm", f"hf-hub:{resnet}", "image", f"{{use: timm/test_resnet, {at_a_commit[resnet]}}}"),
        "timm_by_name": ("timm", "test_resnet", "image", "timm/test_resnet"),
        "timm_by_tag": ("timm", "test_vit.r160_in1k", "image", "{use: timm/test_vit.r160_in1k, weights: pretrained}"),
        "text_at_a_commit": ("text", bert, "text", f"{{use: transformers/bert, {at_a_commit[bert]}}}"),
        "text_of_a_branch": ("text", BRANCH, "text", f"{{use: transformers/bert, {at_a_commit[BRANCH]}}}"),
        "text_by_name": ("text", "acme/bert", "text", "{use: transformers/acme/bert, weights: pretrained}"),
        "text_in_shards": ("text", "acme/shards", "text", "transformers/acme/shards"),
        "picture_by_name": ("image", "acme/vit", "image", "transformers/acme/vit"),
        "sound_by_name": ("torchaudio", NAME, "audio", f"{{use: torchaudio/{NAME}, model: {speech}}}"),
    }


def specs(wanted: dict[str, tuple[str, str, str, str]]) -> dict[str, str]:
    """The text of a spec for each case."""
    return {case: spec(modality, backbone) for case, (_, _, modality, backbone) in wanted.items()}


def spec(modality: str, backbone: str) -> str:
    return SPEC.replace("TYPE", modality).replace("BACKBONE", backbone)


def folders(tmp_path: Path, *names: str) -> list[Path]:
    for name in names:
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in names]


def test_they_say_what_the_libraries_say(
    hub: Loopback, repositories: dict[str, dict[str, bytes]], speech: Path, address: str, tmp_path: Path
) -> None:
    commits = put(hub, repositories)
    wanted = cases(commits)
    theirs, ours = folders(tmp_path, "theirs", "ours")
    names = {case: (library, name) for case, (library, name, _, _) in wanted.items()}
    torch_home = str(tmp_path / "torch")
    ask(hub, tmp_path / "hf-theirs", published.say_libraries, names, str(theirs), address, TORCH_HOME=torch_home)
    told = ask(hub, tmp_path / "hf", published.build_runs, specs(wanted), str(ours), address, str(theirs))
    assert all(code == 0 for code, _ in told.values()), told
    for case, (library, *_) in wanted.items():
        compare(load_file(ours / f"{case}.safetensors"), load_file(theirs / f"{case}.safetensors"), library)
    found = {case: place(ours / case) for case in wanted}
    url = f"https://download.pytorch.org/torchaudio/models/{speech.name}"
    assert found == {
        "timm_at_a_commit": {"repo": "acme/resnet", "commit": commits["acme/resnet"]},
        "timm_by_name": {"repo": RESNET, "commit": commits[RESNET]},
        "timm_by_tag": {"repo": VIT, "commit": commits[VIT]},
        "text_at_a_commit": {"repo": "acme/bert", "commit": commits["acme/bert"]},
        "text_of_a_branch": {"repo": "acme/bert", "commit": commits[BRANCH]},
        "text_by_name": {"repo": "acme/bert", "commit": commits["acme/bert"]},
        "text_in_shards": {"repo": "acme/shards", "commit": commits["acme/shards"]},
        "picture_by_name": {"repo": "acme/vit", "commit": commits["acme/vit"]},
        "sound_by_name": {"url": url, "sha256": file_digest(speech)},
    }


def place(run: Path) -> dict[str, str]:
    """Where a run's lock says that its weights came from."""
    record = read_json(run / "zoo.lock")["weights"]["backbones.it"]
    return {key: record[key] for key in ("repo", "commit", "url", "sha256") if key in record}


def compare(ours: dict[str, Tensor], theirs: dict[str, Tensor], library: str) -> None:
    """Of equal values equal features, bit by bit; pictures are resized by other code, and differ by two grey levels."""
    shared = theirs.keys() - {"values"}
    assert shared
    for key in shared:
        assert torch.equal(ours[key], theirs[key]), key
    levels = 2 / 255 / 0.22 if library in ("timm", "image") else 0
    torch.testing.assert_close(ours["values"], theirs["values"], rtol=0, atol=levels)


def test_what_is_in_the_cache_is_enough(
    plain_hub: Loopback, repositories: dict[str, dict[str, bytes]], address: str, tmp_path: Path
) -> None:
    wanted = specs(cases(put(plain_hub, repositories)))
    first, dropped, offline = folders(tmp_path, "first", "dropped", "offline")
    ask(plain_hub, tmp_path / "hf", published.build_runs, wanted, str(first), address)
    plain_hub.fail(".*", ".*", 1_000_000, Drop())
    for folder, says in ((dropped, "0"), (offline, "1")):
        plain_hub.forget_calls()
        given = (wanted, str(folder), NOWHERE)
        told = ask(plain_hub, tmp_path / "hf", published.build_runs, *given, HF_HUB_OFFLINE=says)
        assert all(code == 0 for code, _ in told.values()), told
        for case in wanted:
            assert digests(folder / case) == digests(first / case)
            assert (folder / case / "zoo.lock").read_bytes() == (first / case / "zoo.lock").read_bytes()
    assert not plain_hub.calls()


def digests(run: Path) -> dict[str, str]:
    return {name: each.digest() for name, each in raw_weights(run).items()}


def test_what_cannot_be_had_is_told(
    plain_hub: Loopback, repositories: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    bert = repositories["acme/bert"]
    without = {name: each for name, each in bert.items() if name != "model.safetensors"}
    plain_hub.put("acme/pickles", {**without, "pytorch_model.bin": b"of a pickle"})
    gone = plain_hub.put("acme/gone", bert)
    plain_hub.put("acme/gone", {"README.md": "later"})
    plain_hub.forget("acme/gone", gone)
    closed, gated = (plain_hub.put(name, bert) for name in ("acme/closed", "acme/gated"))
    plain_hub.repo("acme/closed").private = plain_hub.repo("acme/gated").gated = True
    nobody = "there is no such repository on .* a private one needs HF_TOKEN"
    expected = {
        "acme/pickles": (4, "as a pickle alone .`pytorch_model.bin`.*`zoo import`"),
        f"acme/gone@{gone}": (2, f"the repository has no commit `{gone}`, or has it no more"),
        "acme/closed": (2, nobody),
        f"acme/closed@{closed}": (2, nobody),
        f"acme/gated@{gated}": (2, "ask for access on its page"),
        f"acme/nowhere@{gone}": (2, nobody),
    }
    (folder,) = folders(tmp_path, "runs")
    wanted = {
        str(number): spec("text", f'{{use: transformers/bert, weights: "hf://{name}"}}')
        for number, name in enumerate(expected)
    }
    told = ask(plain_hub, tmp_path / "hf", published.build_runs, wanted, str(folder), NOWHERE, token=None)
    for (name, (code, words)), (found, said) in zip(expected.items(), told.values(), strict=True):
        assert found == code and re.search(words, said) and said.count(f"hf://{name}") == 1, (name, said)
    assert not [each for each in folder.iterdir() if each.is_dir()]


IN_SHARDS = """\
import sys
from zoo.checkpoint import weights
weights.write_weights.__defaults__ = (4000,)
from zoo.cli import main
main(sys.argv[1:])
"""


def test_a_run_of_a_library_is_sent_as_what_differs_from_it(
    plain_hub: Loopback, repositories: dict[str, dict[str, bytes]], clean: Path, tmp_path: Path
) -> None:
    """Here the base is in shards, and so is the run."""
    commit = plain_hub.put("acme/shards", repositories["acme/shards"])
    ann, bob = Person(plain_hub, tmp_path / "ann"), Person(plain_hub, tmp_path / "bob", python=clean)
    (ann.home / "spec.yaml").write_text(spec("text", "transformers/acme/shards"))
    ann.run("-c", IN_SHARDS, "build", "spec.yaml", "-o", "run")
    assert len(list((ann.home / "run").glob("model-*.safetensors"))) > 2
    assert f"differs from acme/shards@{commit}, which must stay where it is" in ann.zoo("push", "run", "acme/texts")
    files = plain_hub.read("acme/texts")
    assert [name for name in files if name.endswith(".safetensors")] == ["delta.safetensors"]
    (tmp_path / "delta.safetensors").write_bytes(files["delta.safetensors"])
    assert {name.partition(".")[0] for name in read_header(tmp_path / "delta.safetensors")} == {"heads"}
    plain_hub.put("acme/shards", {"model.safetensors.index.json": "{}"})  # its branch moves on
    bob.zoo("pull", "acme/texts", "-o", "mine")
    for path in (ann.home / "run").glob("*.safetensors*"):
        assert (bob.home / "mine" / path.name).read_bytes() == path.read_bytes()
