"""A run with parts of a third party: it comes back where its plugin is installed, and elsewhere it is told what to do.

Each environment holds what zoo requires, zoo and plugins from their wheels, and nothing of the tests' own.
"""

import csv
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeEnvironment, with_requirements
from tests.loopback.serving import Loopback
from tests.sharing.people import Person
from zoo.checkpoint.verify import read_json
from zoo.hub.raw_run import raw_weights

pytestmark = pytest.mark.slow

SPEC = """\
zoo: 1
requires: {zoo-acme: ">=2"}
inputs:
  voice: {type: audio, sample_rate: 4000, max_seconds: 0.1, backbone: {use: acme/spectral, bands: 16, dim: 16}}
  price: {type: vector, backbone: {use: zoo/mlp, width: 16, layers: 1}}
fusion: {use: acme/mean, dim: 16}
heads: {order: acme/ranker}
data: {train: train.csv, validation: 0.25}
train: {epochs: 1, batch_size: 8}
"""


def write_data(folder: Path) -> None:
    random = np.random.default_rng(0)
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["voice", "price", "order"])
        for row in range(16):
            with wave.open(str(folder / f"{row}.wav"), "wb") as sound:
                sound.setparams((1, 2, 4000, 400, "NONE", ""))
                sound.writeframes(random.integers(-9000, 9000, 400, dtype="<i2").tobytes())
            writer.writerow([f"{row}.wav", f"{row / 16:.4f}", row])
    (folder / "spec.yaml").write_text(SPEC)


def test_a_run_with_a_third_partys_parts(
    plain_hub: Loopback, make_environment: MakeEnvironment, wheels: dict[str, Path], clean: Path, tmp_path: Path
) -> None:
    needed = tuple(with_requirements(["zoo"]) - {"zoo"})
    here, there = (
        make_environment(wheels["zoo"], wheels["zoo-acme"], needed=needed).folder / "bin" / "python" for _ in range(2)
    )
    ann, bob = Person(plain_hub, tmp_path / "ann", python=here), Person(plain_hub, tmp_path / "bob", python=there)
    write_data(ann.home)
    ann.zoo("train", "spec.yaml", "-o", "run")
    assert read_json(ann.home / "run" / "zoo.lock")["plugins"].keys() == {"zoo", "zoo-acme"}
    ann.zoo("push", "run", "acme/ranking")
    plain_hub.forget_calls()
    assert "golden outputs equal\n" in bob.zoo("pull", "acme/ranking", "-o", "mine")
    assert plain_hub.count(path=r"\.safetensors") and plain_hub.count("cdn_get")
    before, after = raw_weights(ann.home / "run"), raw_weights(bob.home / "mine")
    assert {name: each.digest() for name, each in before.items()} == {
        name: each.digest() for name, each in after.items()
    }
    eve = Person(plain_hub, tmp_path / "eve", python=clean)
    plain_hub.forget_calls()
    told = eve.zoo("pull", "acme/ranking", "-o", "mine", code=3)
    assert 'was made with zoo-acme, which is not installed: pip install "zoo-acme==2.1.0"' in told
    assert plain_hub.count() and not plain_hub.count(path=r"\.safetensors") and not plain_hub.count("cdn_get")
    assert not (eve.home / "mine").exists()
