"""Weights into a module: nothing made twice, nothing copied, nothing left out, and the same as a plain build."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from zoo.checkpoint.loading import assign, fit_state, started, tied
from zoo.checkpoint.tensors import read_tensors, write_tensors
from zoo.checkpoint.unallocated import Unallocated, allocate_buffers
from zoo.component import FeatureSpec
from zoo.contract import Adapted, Backbone
from zoo.errors import CorruptError, PluginError
from zoo.features import Features, Values

DIM = 4


class Tower(Backbone):
    """What a backbone may be made of: layers, tied weights, statistics, and buffers that are in no checkpoint."""

    scales: Tensor
    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.output = nn.Embedding(6, DIM), nn.Linear(DIM, 6, bias=False)
        self.output.weight = self.embedding.weight
        self.linear, self.norm = nn.Linear(DIM, DIM), nn.BatchNorm1d(DIM)
        self.scale = nn.Parameter(torch.ones(DIM))
        self.register_buffer("scales", torch.linspace(0, 1, DIM), persistent=False)
        self.register_buffer("table", self._table(), persistent=False)
        self.features = FeatureSpec(dim=DIM, pooled_dim=DIM)
        self.prepare = torch.as_tensor

    def _table(self) -> Tensor:
        """Positions, made by filling memory as libraries do."""
        return torch.empty(3, DIM).copy_(torch.arange(12.0).view(3, DIM))

    def restore_buffers(self) -> None:
        self.table.copy_(torch.arange(12.0).view(3, DIM))

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        embedded = self.embedding(values.data).sum(1) + self.table.sum(0)
        pooled = self.norm(self.linear(embedded)) * self.scale * self.scales
        return Features(self.output(pooled)[:, None, :DIM], pooled)

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 3, dtype=torch.long))

    def layer_groups(self) -> list[list[str]]:
        return [list(self.state_dict())]


class Forgetful(Tower):
    """It does not compute what is in no checkpoint."""

    def restore_buffers(self) -> None:
        pass


class Other(Tower):
    """It knows at once that weights are not its own."""

    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        raise ValueError("they are of a tower of wood")


def made(kind: type[Tower] = Tower, seed: int = 0) -> Tower:
    torch.manual_seed(seed)
    return kind()


def weights(**changed: Tensor | None) -> dict[str, Tensor]:
    """The weights of another random start; None leaves one out."""
    state = {**made(seed=1).state_dict(), **{name.replace("__", "."): each for name, each in changed.items()}}
    return {name: each for name, each in state.items() if each is not None}


def outputs(backbone: Backbone) -> Tensor:
    features: Features = backbone.eval()(Values(torch.arange(6).view(2, 3)))
    return features.pooled


def is_mapped(tensor: Tensor, path: Path) -> bool:
    """Whether the tensor's memory is a map of the file."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        region, *_, name = line.split()
        low, high = (int(end, 16) for end in region.split("-"))
        if low <= tensor.data_ptr() < high:
            return name == str(path)
    return False


def test_a_backbone_with_its_weights_is_the_one_that_they_were_taken_from() -> None:
    backbone, start = started(made, lambda _: weights())
    assert torch.equal(outputs(backbone), outputs(made(seed=1)))
    assert set(start.kept) == set(backbone.state_dict())
    assert (start.resized, start.new, start.unused) == ({}, (), ())
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert not any(each.is_meta for each in [*backbone.parameters(), *backbone.buffers()])


@pytest.mark.skipif(sys.platform != "linux", reason="maps are looked up in /proc")
def test_weights_stay_where_the_file_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_tensors(path, {name: each.clone() for name, each in weights().items() if name != "output.weight"})
    backbone, _ = started(made, lambda _: read_tensors(path))
    assert {name for name, each in backbone.named_parameters() if not is_mapped(each, path)} == set()
    assert not is_mapped(made().scale, path)


def test_training_changes_neither_the_file_nor_what_else_is_mapped_from_it(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_tensors(path, {name: each.clone() for name, each in weights().items()})
    before = path.read_bytes()
    first, second = (started(made, lambda _: read_tensors(path))[0] for _ in range(2))
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1)
    assert path.read_bytes() == before
    assert torch.equal(outputs(second), outputs(made(seed=1)))


def test_what_the_weights_lack_starts_as_in_a_backbone_without_any() -> None:
    given = weights(linear__weight=None, norm__num_batches_tracked=None, scale=None)
    backbone, start = started(made, lambda _: given)
    assert set(start.new) == {"linear.weight", "norm.num_batches_tracked", "scale"}
    for name, fresh in made().state_dict().items():
        assert torch.equal(backbone.state_dict()[name], fresh if name in start.new else given[name]), name


def test_tied_weights_stay_one() -> None:
    backbone, start = started(made, lambda _: weights(output__weight=None))
    assert start.new == ()
    assert tied(backbone) == [["embedding.weight", "output.weight"]]
    assert torch.equal(outputs(backbone), outputs(made(seed=1)))


def test_what_has_no_place_is_told() -> None:
    class Counting(Tower):
        def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
            adapted = super().adapt(state)
            return Adapted(adapted.tensors, unused=[name for name in state if name not in adapted.tensors])

    _, start = started(lambda: made(Counting), lambda _: weights(classifier=torch.ones(3)))
    assert start.unused == ("classifier",)


def test_weights_of_another_precision_become_the_backbones() -> None:
    backbone, _ = started(made, lambda _: weights(scale=torch.ones(DIM, dtype=torch.float16)))
    assert backbone.get_parameter("scale").dtype is torch.float32


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (weights(linear__weight=torch.ones(3, 3)), r"`linear\.weight` as \[3, 3\]; the backbone has \[4, 4\]"),
        ({"nothing": torch.ones(1), "known": torch.ones(1)}, r"none of the 2 tensors in the weights \(nothing, known"),
        ({}, "none of the 0 tensors"),
    ],
)
def test_weights_of_another_architecture_are_refused(given: dict[str, Tensor], told: str) -> None:
    with pytest.raises(CorruptError, match=told):
        started(made, lambda _: given)


def test_a_backbone_may_refuse_weights_itself() -> None:
    with pytest.raises(CorruptError, match="these weights do not fit Other: they are of a tower of wood"):
        fit_state(made(Other), weights())


def test_a_buffer_that_nobody_computes_is_noticed() -> None:
    with pytest.raises(PluginError, match="`Forgetful` left table without values"):
        started(lambda: made(Forgetful), lambda _: weights())


def test_tensors_must_be_those_of_the_module() -> None:
    with pytest.raises(CorruptError, match="the weights do not fit"):
        assign(made(), weights(scale=None))
    with pytest.raises(CorruptError, match="the weights do not fit"):
        assign(made(), {**weights(), "more": torch.ones(1)})


def test_of_names_that_do_not_fit_the_first_ten_are_told() -> None:
    many = {f"more{number:02}": torch.ones(1) for number in range(30)}
    with pytest.raises(CorruptError) as error:
        assign(made(), {**weights(scale=None, linear__bias=torch.ones(3)), **many})
    told = str(error.value)
    assert "they lack `scale`" in told and "`linear.bias` as [3]" in told
    assert "`more09`" in told and "`more10`" not in told and "and 20 more" in told


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.complex64, torch.bool])
def test_numbers_of_another_kind_are_refused(dtype: torch.dtype) -> None:
    """Of the same width, they would be read as if they were others."""
    with pytest.raises(CorruptError, match=rf"`linear\.weight` as {dtype}; here it is torch\.float32"):
        started(made, lambda _: weights(linear__weight=torch.ones(DIM, DIM).to(dtype)))


def test_a_counter_that_was_halved_with_all_the_rest_is_taken() -> None:
    module = torch.nn.BatchNorm1d(3)
    state = {name: each.half() for name, each in module.state_dict().items()}
    assign(module, state)
    assert module.num_batches_tracked is not None and module.num_batches_tracked.dtype is torch.int64
    state["num_batches_tracked"] = torch.tensor(5e-324, dtype=torch.float64)  # 1, read as what it is not
    with pytest.raises(CorruptError, match=r"here it is torch\.int64"):
        assign(module, state)


def test_a_module_made_unallocated_has_no_memory_for_parameters_and_draws_no_random_numbers() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with Unallocated():
        backbone = Tower()
    assert torch.equal(torch.get_rng_state(), before)
    real = {name for name, each in backbone.named_parameters() if not each.is_meta}
    assert real == {"scale"}  # made of ones, and not of memory that is filled
    assert torch.equal(backbone.scales, made().scales)
    assert backbone.table.is_meta
    assert not made().table.is_meta


def test_buffers_without_values_are_not_numbers_until_they_are_computed() -> None:
    with Unallocated():
        backbone = Tower()
    assert allocate_buffers(backbone) == ["table"]
    assert backbone.table.isnan().all()
    backbone.restore_buffers()
    assert torch.equal(backbone.table, made().table)
