"""Models of every kind come back bit-identical, through the Hub, where nothing but zoo is installed.

Three modalities, shards, tied tensors, a tower that two inputs share; a frozen tune is in `test_hub.py`, a third
party's plugin in `test_plugins.py`.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo
from tests.command import run
from tests.loopback.serving import Loopback
from tests.sharing.people import Person
from tests.tables import SPEC, write_tables
from zoo.checkpoint import weights
from zoo.checkpoint.raw import map_file
from zoo.checkpoint.shards import INDEX
from zoo.hub.raw_run import raw_weights
from zoo.model.model import ZooModel
from zoo.model.run import read_run, write_run

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARED = SPEC.replace("columns: [a, b], ", "columns: [a], ").replace(
    "{use: zoo/mlp, width: 16, layers: 1, dropout: 0}}\nfusion", "{same_as: left}}\nfusion"
)


def written(model: ZooModel, folder: Path) -> None:
    (folder / "run").mkdir()
    write_run(model, folder / "run", folder / "run", {})


def a_shared_tower(folder: Path) -> None:
    model = zoo.build(write_tables(folder, SHARED))
    assert model.backbone("left") is model.backbone("right")
    written(model, folder)


def tied_tensors(folder: Path) -> None:
    model = zoo.build(write_tables(folder))
    left, right = (dict(model.backbone(name).named_modules()) for name in ("left", "right"))
    name = next(name for name, each in right.items() if isinstance(each, torch.nn.Linear))
    right[name].bias = left[name].bias
    written(model, folder)


def shards(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights.write_weights, "__defaults__", (2000,))
        written(zoo.build(write_tables(folder)), folder)
    assert (folder / "run" / INDEX).exists()


def pictures_texts_and_sounds(folder: Path) -> None:
    assert run("data", "make", "digits", "-o", folder / "digits").exit_code == 0
    shutil.copy(EXAMPLES / "digits.yaml", folder / "spec.yaml")
    done = run("build", folder / "spec.yaml", "-o", folder / "run")
    assert done.exit_code == 0, done.stderr


@pytest.fixture(
    scope="module", params=[a_shared_tower, tied_tensors, shards, pictures_texts_and_sounds], ids=lambda f: f.__name__
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each kind, which is made once."""
    make: Callable[[Path], None] = request.param
    folder = tmp_path_factory.mktemp("made")
    make(folder)
    return folder / "run"


def test_it_comes_back(hub: Loopback, made: Path, clean: Path, tmp_path: Path) -> None:
    ann, bob = Person(hub, tmp_path / "ann"), Person(hub, tmp_path / "bob", hub.read_token, python=clean)
    assert "golden outputs equal\n" in ann.zoo("push", made, "acme/model")
    assert "golden outputs equal\n" in bob.zoo("pull", "acme/model", "-o", "mine")
    assert bool(hub.xet_received()) == hub.xet == (hub.count("lfs_put") == 0)
    mine = bob.home / "mine"
    before, after = raw_weights(made), raw_weights(mine)
    assert {name: each.digest() for name, each in before.items()} == {
        name: each.digest() for name, each in after.items()
    }
    for path in made.glob("*.safetensors"):
        assert map_file(path).keys() == map_file(mine / path.name).keys()
    one, other = read_run(made).state_dict(), read_run(mine).state_dict()
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
