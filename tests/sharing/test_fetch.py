"""What `zoo fetch` brings is enough without a network, at the commits that a lock tells."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from safetensors.torch import save

from tests.loopback.serving import Loopback
from tests.sharing.people import Person, same

pytestmark = pytest.mark.slow

SPEC = """\
inputs: {photo: {type: image, backbone: {use: timm/test_resnet, weights: "hf://acme/base", resolution: 32}}}
heads: {kind: {use: zoo/classifier, classes: [a, b]}}
"""


def test_a_spec_is_fetched_and_built_without_a_network_as_its_lock_tells(plain_hub: Loopback, tmp_path: Path) -> None:
    import timm

    base = timm.create_model("test_resnet").state_dict()
    first = plain_hub.put("acme/base", {"model.safetensors": save(base)})
    ann, bob = Person(plain_hub, tmp_path / "ann"), Person(plain_hub, tmp_path / "bob")
    for each in (ann, bob):
        (each.home / "spec.yaml").write_text(SPEC)
    ann.zoo("build", "spec.yaml", "-o", "run")
    lock = (ann.home / "run" / "zoo.lock").read_text()
    plain_hub.put("acme/base", {"model.safetensors": save({name: each + 1 for name, each in base.items()})})
    (bob.home / "zoo.lock").write_text(lock)
    told = json.loads(bob.zoo("fetch", "spec.yaml", "--json").partition("\n}")[0] + "}")
    assert told["weights"] == json.loads(lock)["weights"]
    assert told["weights"]["backbones.photo"]["commit"] == first
    assert str(bob.home / "hf" / "hub") in told["folders"]
    bob.unplugged().zoo("build", "spec.yaml", "--locked", "-o", "run")
    assert same(ann.home / "run", bob.home / "run")
    assert json.loads((bob.home / "run" / "zoo.lock").read_text())["weights"] == told["weights"]
    assert "cannot be reached" in bob.unplugged().zoo("build", "spec.yaml", "-o", "other", code=6)
    bob.zoo("build", "spec.yaml", "-o", "newest")
    assert not same(bob.home / "run", bob.home / "newest")
    (bob.home / "spec.yaml").write_text(SPEC.replace("acme/base", "acme/another"))
    assert "its zoo.lock tells of acme/base" in bob.zoo("build", "spec.yaml", "--locked", "-o", "no", code=5)


TRAINED = """\
inputs: {photo: {type: image, backbone: {use: timm/test_resnet, weights: "hf://acme/base", resolution: 32}}}
heads: {kind: zoo/classifier}
transfer: frozen
data: {train: "hf://datasets/acme/photos#train", validation: null, test: "hf://datasets/acme/photos#test"}
train: {epochs: 1, batch_size: 16}
"""


def photos(seed: int) -> dict[str, bytes]:
    """A data set of 32 and 16 pictures of two kinds, as Parquet."""
    rng = np.random.default_rng(seed)

    def table(rows: int) -> bytes:
        kinds = rng.integers(0, 2, rows)
        cells = []
        for kind in kinds:
            png = io.BytesIO()
            pixels = rng.integers(0, 128, (32, 32, 3)) + 127 * kind
            Image.fromarray(pixels.astype(np.uint8)).save(png, "png")
            cells.append({"bytes": png.getvalue(), "path": None})
        sink = io.BytesIO()
        parquet.write_table(pa.table({"photo": cells, "kind": ["ab"[kind] for kind in kinds]}), sink)
        return sink.getvalue()

    return {"data/train-0.parquet": table(32), "data/test-0.parquet": table(16)}


def test_a_shared_run_is_trained_again_though_its_weights_and_its_table_have_moved_on(
    plain_hub: Loopback, tmp_path: Path
) -> None:
    import timm

    base = timm.create_model("test_resnet").state_dict()
    weights = plain_hub.put("acme/base", {"model.safetensors": save(base)})
    table = plain_hub.put("datasets/acme/photos", photos(0))
    ann, bob = Person(plain_hub, tmp_path / "ann"), Person(plain_hub, tmp_path / "bob")
    (ann.home / "spec.yaml").write_text(TRAINED)
    ann.zoo("train", "spec.yaml", "-o", "run")
    ann.zoo("push", "run", "acme/kinds")
    plain_hub.put("acme/base", {"model.safetensors": save({name: each + 1 for name, each in base.items()})})
    plain_hub.put("datasets/acme/photos", photos(1))
    told = bob.zoo("reproduce", "acme/kinds", "-o", "again")
    assert "the weights are the same, bit by bit" in told
    lock = json.loads((bob.home / "again" / "zoo.lock").read_text())
    assert lock["weights"]["backbones.photo"]["commit"] == weights
    assert {each["commit"] for each in lock["data"].values()} == {table}
    for name in ("zoo.yaml", "zoo.lock"):
        (bob.home / name).write_bytes((bob.home / "again" / name).read_bytes())
    (bob.home / "zoo.yaml").write_text(TRAINED)
    bob.zoo("fetch", "zoo.yaml")
    bob.unplugged().zoo("train", "zoo.yaml", "--locked", "-o", "third")
    assert same(ann.home / "run", bob.home / "third")
    assert json.loads((bob.home / "third" / "zoo.lock").read_text())["data"] == lock["data"]
