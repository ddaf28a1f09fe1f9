"""Data sets of the Hub: which files are a split, at which commit, and what is told when that cannot be known."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import run
from tests.loopback.serving import FOREVER, Loopback, loopback
from tests.tables import SPEC, write_tables
from zoo.checkpoint.dataset import pinned, repository, snapshot
from zoo.checkpoint.lock import fingerprint
from zoo.data.tables import open_table
from zoo.errors import NetworkError, UsageError
from zoo.spec.load import load_spec
from zoo.spec.sources import HubTable, locate

PETS = "datasets/acme/pets"
CARD = """\
---
license: mit
configs:
- config_name: default
  data_files:
  - split: train
    path: data/a-*.parquet
  - split: extra
    path: ["data/x.parquet", data/deep/**]
- config_name: small
  data_dir: little
  data_files: "*.csv"
---
# Pets
"""


def table(*cells: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"x": list(cells)}), sink)
    return sink.getvalue()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    from huggingface_hub import constants

    repository.cache_clear()
    with loopback() as server:
        monkeypatch.setenv("HF_TOKEN", server.token)
        for name in ("FIRST_WAIT", "LONGEST_PAUSE"):
            monkeypatch.setattr(f"zoo.checkpoint.network.{name}", 0.01)
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server
    repository.cache_clear()


def cells(name: str) -> list[Any]:
    return open_table(name, ["x"]).column("x")


def refusal(name: str) -> str:
    with pytest.raises(UsageError) as caught:
        open_table(name, ["x"])
    return str(caught.value)


def test_splits_that_the_card_names(hub: Loopback) -> None:
    hub.put(
        PETS,
        {
            "README.md": CARD.encode(),
            "data/a-0.parquet": table(1),
            "data/a-1.parquet": table(2, 3),
            "data/deep/er/b.parquet": table(5),
            "data/x.parquet": table(4),
            "little/c.csv": b"x\n6\n",
            "other.parquet": table(7),
        },
    )
    hub.tag(PETS, "v1")
    assert cells("hf://datasets/acme/pets#train") == [1, 2, 3]
    assert cells("hf://datasets/acme/pets") == [1, 2, 3]
    assert cells("hf://datasets/acme/pets@v1#default/extra") == [4, 5]
    assert cells("hf://datasets/acme/pets#small/train") == [6]
    assert not hub.calls(path="other.parquet")
    assert "has no split `trian`; did you mean `train`?" in refusal("hf://datasets/acme/pets#trian")
    assert "`small` is a configuration; name a split of it too: #small/train" in refusal(
        "hf://datasets/acme/pets#small"
    )
    assert "has no configuration `smal`; did you mean `small`?" in refusal("hf://datasets/acme/pets#smal/train")


def test_splits_that_names_tell(hub: Loopback) -> None:
    hub.put(
        PETS,
        {
            "data/train-00000-of-00002.parquet": table(1),
            "data/train-00001-of-00002.parquet": table(2),
            "data/validation-00000-of-00001.parquet": table(3),
            "test/part.parquet": table(4),
            "picture.png": b"",
            ".gitattributes": b"",
        },
    )
    found = {split: cells(f"hf://datasets/acme/pets#{split}") for split in ("train", "validation", "test")}
    assert found == {"train": [1, 2], "validation": [3], "test": [4]}
    assert "has no split `dev`; there are test, train, validation" in refusal("hf://datasets/acme/pets#dev")


def test_a_data_set_of_one_file_is_one_split(hub: Loopback) -> None:
    hub.put(PETS, {"pets.jsonl": b'{"x": 1}\n'})
    assert cells("hf://datasets/acme/pets") == cells("hf://datasets/acme/pets#train") == [1]


def test_several_configurations_without_a_default(hub: Loopback) -> None:
    told = "---\nconfigs:\n- {config_name: a, data_files: a.csv}\n- {config_name: b, data_files: b.csv}\n---\n"
    hub.put(PETS, {"README.md": told.encode(), "a.csv": b"x\n1\n", "b.csv": b"x\n2\n"})
    assert "several configurations (a, b); name one: #a/train" in refusal("hf://datasets/acme/pets#train")
    assert cells("hf://datasets/acme/pets#b/train") == [2]


def test_pictures_in_a_folder_for_each_class(hub: Loopback) -> None:
    pictures = {f"train/{name}/{number}.png": b"p" for name in ("cat", "dog") for number in "12"}
    hub.put(PETS, {**pictures, "test/cat/1.png": b"", "README.md": b"# no front matter"})
    source = locate("hf://datasets/acme/pets#train")
    assert isinstance(source, HubTable)
    found = open_table("hf://datasets/acme/pets#train", ["image", "label"])
    assert found.column("label") == ["cat", "cat", "dog", "dog"]
    assert (found.folder / found.column("image")[0]).read_bytes() == b"p"
    assert found.name == snapshot(source).name == "hf://datasets/acme/pets#train"


def test_pictures_with_metadata(hub: Loopback) -> None:
    hub.put(PETS, {"train/metadata.csv": b"file_name,x\n1.png,7\n", "train/1.png": b"p", "logo.png": b""})
    found = open_table("hf://datasets/acme/pets", ["image", "x"])
    assert found.rows([0], ["image", "x"]) == [{"image": "1.png", "x": 7}]
    assert (found.folder / "1.png").is_file()


def test_a_script_is_never_run(hub: Loopback) -> None:
    hub.put(PETS, {"pets.py": b"raise SystemExit", "README.md": b""})
    assert "has no files that zoo reads" in refusal("hf://datasets/acme/pets")
    assert "its script `pets.py` is not run, ever" in refusal("hf://datasets/acme/pets")


@pytest.mark.parametrize("front", ["configs: [", "configs: 3", "configs: [3]", "configs: [{data_files: [{split: a}]}]"])
def test_a_card_that_cannot_be_read(front: str, hub: Loopback) -> None:
    hub.put(PETS, {"README.md": f"---\n{front}\n---\n".encode(), "a.csv": b"x\n1\n"})
    assert "the `configs:` of its README.md cannot be read" in refusal("hf://datasets/acme/pets")


def test_what_is_not_there(hub: Loopback) -> None:
    hub.create(PETS)
    assert "there is no such repository" in refusal("hf://datasets/acme/none")
    assert "no commit, branch or tag `v2`" in refusal("hf://datasets/acme/pets@v2")


def test_the_commit_is_what_the_lock_keeps(hub: Loopback, tmp_path: Path) -> None:
    commit = hub.put(PETS, {"a.csv": b"x\n1\n"})
    hub.tag(PETS, "v1")
    assert fingerprint("hf://datasets/acme/pets@v1") == {"repo": "datasets/acme/pets", "commit": commit}
    spec = load_spec(write_tables(tmp_path), overrides=["data.train=hf://datasets/acme/pets@v1#train"])
    assert pinned(spec).data.train[0].path == f"hf://datasets/acme/pets@{commit}#train"
    assert pinned(spec).data.test == "test.csv"
    assert pinned(pinned(spec)) == pinned(spec)


def test_a_training_means_one_commit(hub: Loopback) -> None:
    commit = hub.put(PETS, {"a.csv": b"x\n1\n"})
    assert cells("hf://datasets/acme/pets") == [1]
    assert hub.put(PETS, {"a.csv": b"x\n2\n"}) != commit
    assert fingerprint("hf://datasets/acme/pets")["commit"] == commit


def test_what_was_fetched_needs_no_network(hub: Loopback) -> None:
    commit = hub.put(PETS, {"a.csv": b"x\n1\n"})
    assert cells("hf://datasets/acme/pets") == [1]
    repository.cache_clear()
    hub.fail(".*", "", FOREVER, 500)
    assert cells("hf://datasets/acme/pets") == [1]
    assert cells(f"hf://datasets/acme/pets@{commit}") == [1]


def test_a_server_that_refuses(hub: Loopback) -> None:
    hub.fail(".*", "", FOREVER, 500)
    with pytest.raises(NetworkError, match="cannot be reached"):
        open_table("hf://datasets/acme/pets", ["x"])


def test_a_run_on_a_data_set_of_the_hub(hub: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = write_tables(tmp_path, SPEC.replace("train.csv", "hf://datasets/acme/pets#train"))
    commit = hub.put(PETS, {"train.csv": (tmp_path / "train.csv").read_bytes()})
    command = ["train", spec, "--set", "train.epochs=1", "-o"]
    done = run(*command, tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    name = f"hf://datasets/acme/pets@{commit}#train"
    assert json.loads((tmp_path / "run" / "zoo.lock").read_text())["data"][name]["commit"] == commit
    assert name in (tmp_path / "run" / "zoo.yaml").read_text()
    repository.cache_clear()
    hub.fail(".*", "", FOREVER, 503)
    done = run(*command, tmp_path / "again")
    assert (done.exit_code, f"the commit {commit} of the cache is used, because" in done.stderr) == (0, True)
    repository.cache_clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    done = run(*command, tmp_path / "other")
    assert (done.exit_code, "cannot be reached" in done.stderr) == (6, True)
    assert not (tmp_path / "other").exists()
