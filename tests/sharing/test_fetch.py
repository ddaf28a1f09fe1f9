"""What `zoo fetch` brings is enough without a network, at the commits that a lock tells."""

import json
from pathlib import Path

import pytest
from safetensors.torch import save

from tests.loopback.faults import Drop
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
    plain_hub.fail(".*", ".*", 1_000_000, Drop())
    bob.zoo("build", "spec.yaml", "--locked", "-o", "run")
    assert same(ann.home / "run", bob.home / "run")
    assert json.loads((bob.home / "run" / "zoo.lock").read_text())["weights"] == told["weights"]
    assert "cannot be reached" in bob.zoo("build", "spec.yaml", "-o", "other", code=6)
    plain_hub.calm()
    bob.zoo("build", "spec.yaml", "-o", "newest")
    assert not same(bob.home / "run", bob.home / "newest")
    (bob.home / "spec.yaml").write_text(SPEC.replace("acme/base", "acme/another"))
    assert "its zoo.lock tells of acme/base" in bob.zoo("build", "spec.yaml", "--locked", "-o", "no", code=5)
