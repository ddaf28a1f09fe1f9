"""Components of a notebook, which no installed plugin has: trained, and read back with the run."""

from pathlib import Path

import pytest
import torch
from torch import nn

import zoo
from tests.tables import SPEC, approximately, write_tables
from zoo.contract import FusionContext
from zoo.features import Features


class Sum(zoo.Fusion):
    """Adds up what the inputs give."""

    def __init__(self, context: FusionContext) -> None:
        super().__init__()
        widths = {name: features.pooled_dim for name, features in context.inputs.items()}
        self.layers = nn.ModuleDict({name: nn.Linear(width, 8) for name, width in widths.items()})
        self.features = zoo.FeatureSpec(dim=8, pooled_dim=8, tokens=1)

    def forward(self, inputs: dict[str, Features]) -> Features:  # type: ignore[override]
        there = {name: each.present[:, None] for name, each in inputs.items()}
        pooled = torch.stack([self.layers[name](each.pooled) * there[name] for name, each in inputs.items()]).sum(0)
        return Features(pooled[:, None], pooled)


def build(options: None, context: FusionContext) -> Sum:
    return Sum(context)


SUM = zoo.Component(
    name="sum",
    kind=zoo.Kind.FUSION,
    target=f"{__name__}:build",
    modality=("image", "text", "audio", "vector", "sequence"),
    summary="Adds up what the inputs give.",
    provides=frozenset({"pooled", "tokens"}),
)


@pytest.mark.slow
def test_a_run_with_a_component_of_a_notebook_is_read_with_it(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace("{use: zoo/concat, dim: 16}", "local/sum"))
    run = zoo.train(spec, tmp_path / "run", components=[SUM])
    found = zoo.evaluate(tmp_path / "run", components=[SUM])
    assert found.as_dict()["subsets"] == approximately(run.metrics["subsets"])
    sample = {"left": {"a": 4.0, "b": 0.1}, "right": 2.0}
    again = zoo.predict(tmp_path / "run", [sample], components=[SUM])
    assert again == zoo.predict(run.model, [sample])
    assert zoo.evaluate(run, baselines=False).as_dict()["subsets"] == approximately(run.metrics["subsets"])
    assert zoo.predict(run, [sample]) == again
    with pytest.raises(zoo.UsageError, match=r"sample 1: expected a mapping .*pass a list"):
        zoo.predict(run, sample)  # type: ignore[arg-type]
    with pytest.raises(zoo.ZooError, match="local/sum"):
        zoo.evaluate(tmp_path / "run")


def test_a_spec_is_loaded_from_its_keys_and_values() -> None:
    loaded = zoo.load_spec(
        {"inputs": {"a": {"type": "vector", "backbone": "zoo/mlp"}}, "heads": {"b": "zoo/classifier"}}
    )
    assert list(loaded.inputs) == ["a"]
    with pytest.raises(zoo.SpecError, match="unknown key `head`"):
        zoo.load_spec({"inputs": {"a": {"type": "vector", "backbone": "zoo/mlp"}}, "head": {"b": "zoo/classifier"}})
