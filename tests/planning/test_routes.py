"""Models whose code needs values are planned with fake tensors, or in a small real run."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zoo import Component, FeatureSpec, Kind, build, plan
from zoo.contract import Backbone, BackboneContext
from zoo.features import Features, Values
from zoo.model.device import Device
from zoo.planning import routes

CPU = Device("cpu", "CPU", 10**9)
DIM = 16


class Plain(Backbone):
    """One layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 64, DIM)
        self.features = FeatureSpec(dim=DIM, pooled_dim=DIM, tokens=1)
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        pooled = self.layer(self.looked_at(values.data.flatten(1)))
        return Features(pooled[:, None], pooled)

    def looked_at(self, data: Tensor) -> Tensor:
        return data - 0.5

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 3, 8, 8))

    def layer_groups(self) -> list[list[str]]:
        return [list(self.state_dict())]


class Refusing(Plain):
    """Refuses tensors without memory, as some kernels do, but not fake ones."""

    def looked_at(self, data: Tensor) -> Tensor:
        if data.is_meta:
            raise NotImplementedError("no kernel for the meta device")
        return data - 0.5


class Looking(Plain):
    """Looks at the values."""

    def looked_at(self, data: Tensor) -> Tensor:
        return data - data[0, 0].item()


class Failing(Plain):
    """Cannot be run at all."""

    def looked_at(self, data: Tensor) -> Tensor:
        raise ValueError("it is broken")


def make_plain(options: None, context: BackboneContext) -> Plain:
    return Plain()


def make_refusing(options: None, context: BackboneContext) -> Plain:
    return Refusing()


def make_looking(options: None, context: BackboneContext) -> Plain:
    return Looking()


def make_failing(options: None, context: BackboneContext) -> Plain:
    return Failing()


COMPONENTS = [
    Component(
        Kind.BACKBONE,
        name,
        f"tests.planning.test_routes:make_{name}",
        modality=("image",),
        provides=frozenset({"tokens", "pooled"}),
    )
    for name in ("plain", "refusing", "looking", "failing")
]


def spec(name: str) -> dict[str, Any]:
    return {
        "inputs": {"photo": {"type": "image", "backbone": f"local/{name}"}},
        "heads": {"mood": {"use": "zoo/classifier", "classes": ["a", "b"]}},
    }


@pytest.mark.parametrize(
    ("name", "route"), [("plain", "the meta device"), ("refusing", "fake tensors"), ("looking", "a real run")]
)
def test_each_way_tells_the_same(name: str, route: str) -> None:
    plain, planned = (plan(spec(each), COMPONENTS, CPU) for each in ("plain", name))
    assert planned.route.partition(" (")[0] == route
    assert (planned.parameters, planned.outputs, planned.operations) == (
        plain.parameters,
        plain.outputs,
        plain.operations,
    )
    assert planned.inputs["photo"].gives == plain.inputs["photo"].gives
    assert planned.memory is not None and plain.memory is not None
    for rows in (1, 32, 1000):
        assert planned.memory.training(rows) == pytest.approx(plain.memory.training(rows), rel=0.15)


def test_why_a_way_was_not_taken_is_told() -> None:
    assert "no kernel for the meta device" in plan(spec("refusing"), COMPONENTS, CPU).route
    assert "by a real run" in repr(plan(spec("looking"), COMPONENTS, CPU))


def test_a_model_that_cannot_be_run_still_has_its_parameters() -> None:
    planned = plan(spec("failing"), COMPONENTS, CPU)
    model = build(spec("failing"), COMPONENTS)
    assert planned.parameters == sum(each.numel() for each in model.parameters())
    assert (planned.memory, planned.operations, planned.outputs) == (None, None, {})
    assert "it is broken" in planned.route
    assert "memory: unknown" in repr(planned)


def test_a_model_too_large_for_a_real_run_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "available_memory", lambda: 1000)
    planned = plan(spec("looking"), COMPONENTS, CPU)
    assert planned.memory is None
    assert "too large for this machine" in planned.route
