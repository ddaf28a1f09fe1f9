"""The audit of a model whose modalities are known: one tells all, one tells nothing."""

import json
from pathlib import Path

import pytest
import torch

from tests.tables import SPEC, write_tables
from zoo.contract import Metric
from zoo.data.open import measured_rows, mixed
from zoo.evaluation import evaluate as module
from zoo.evaluation.bootstrap import Draws
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.evaluation import Evaluation
from zoo.evaluation.measure import exchanged
from zoo.features import Features
from zoo.model.build import build
from zoo.model.model import ZooModel
from zoo.spec.load import load_spec
from zoo.training.train import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    train(load_spec(write_tables(folder), overrides=["train.epochs=3"]), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def found(trained: Path) -> Evaluation:
    return evaluate(trained)


def test_what_each_modality_brings(found: Evaluation) -> None:
    audit = found.audit["kind"]
    assert audit.metric == "accuracy" and set(audit.modalities) == {"left", "right"}
    whole = found.heads["kind"]["accuracy"]
    assert audit.whole == found.subsets["left+right"]["kind"]["accuracy"]
    total = sum(each.shapley.value for each in audit.modalities.values())
    assert total == pytest.approx(whole.value - audit.constant.value)  # efficiency
    for name, each in audit.modalities.items():
        assert each.alone == found.subsets[name]["kind"]["accuracy"]
        for gain in (each.dropped, each.permuted, each.shapley):
            assert gain.low is not None and gain.high is not None and gain.low <= gain.value <= gain.high
    assert audit.modalities["left"].shapley.value > 0.1


def test_less_error_is_a_gain(found: Evaluation, trained: Path) -> None:
    audit = found.audit["size"]
    assert audit.metric == "r2" and audit.higher
    assert audit.modalities["left"].dropped.value > 0.3  # most of `size` stands in `left`
    assert audit.modalities["left"].permuted.value > 0.3


def test_the_fusion_stands_beside_the_best_single_modality_on_its_rows(found: Evaluation) -> None:
    audit = found.audit["size"]
    assert audit.best_single == "left"
    alone = found.subsets["left"]["size"]["r2"]
    assert audit.fusion.n == alone.n < audit.whole.n  # some rows lack it


def test_missing_at_random_starts_whole_and_ends_single(found: Evaluation) -> None:
    missing = found.audit["size"].missing
    assert missing.values[0].value == pytest.approx(found.heads["size"]["r2"].value)
    assert missing.values[-1].value < missing.values[0].value
    assert missing.area is not None and missing.values[-1].value < missing.area.value < missing.values[0].value


def test_the_same_run_is_audited_the_same(trained: Path, found: Evaluation) -> None:
    again = evaluate(trained, baselines=False)
    assert again.audit == found.audit and again.heads == found.heads


def test_everything_is_json(found: Evaluation) -> None:
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert {"split", "heads", "subsets", "audit", "baselines", "verdict"} <= set(told)
    assert told["heads"]["kind"]["accuracy"].keys() == {"value", "n", "low", "high"}
    assert told["audit"]["kind"]["modalities"]["left"].keys() == {"alone", "dropped", "permuted", "shapley"}
    assert {each["about"] for each in told["verdict"]} == {"fusion", "left", "right", "baselines"}


def test_exchanged_features_stay_among_the_rows_that_have_them() -> None:
    mask = torch.tensor([[True], [False], [True], [True]])
    pooled = torch.arange(4.0)[:, None]
    features = {"a": Features(pooled[:, None], pooled, mask), "b": Features(pooled[:, None], pooled)}
    seen = set()
    for seed in range(20):
        changed = exchanged("a", torch.Generator().manual_seed(seed), features)
        assert changed["b"] is features["b"]
        assert torch.equal(changed["a"].present, mask[:, 0])
        assert changed["a"].pooled[1] == 1 and sorted(changed["a"].pooled[mask[:, 0]].flatten().tolist()) == [0, 2, 3]
        seen.add(tuple(changed["a"].pooled.flatten().tolist()))
    assert len(seen) == 6


def test_rows_are_mixed_before_they_are_exchanged(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    _, selections, _ = measured_rows(model)
    loader, places = mixed(model, selections)
    ids = [row for batch in loader for row in batch.ids]
    assert ids != sorted(ids) and sorted(ids) == list(range(40))
    assert [selections[0].numbers[place] for place in places] == ids
    assert loader.batch_size >= 32
    assert len(mixed(model, selections, 10)[1]) == 10


def test_a_head_without_a_task_is_audited_as_far_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(write_tables(tmp_path))
    monkeypatch.setattr(type(model.head("kind")), "task", None)
    found = evaluate(model)
    audit = found.audit["kind"]
    assert audit.modalities["left"].dropped.low is not None
    assert audit.modalities["left"].shapley.reason and audit.constant.reason
    assert any("no `task`" in each for each in found.remarks)
    assert "kind" not in found.baselines and "size" in found.baselines


def test_a_metric_without_weights_is_audited_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESAMPLES", 5)
    model = build(write_tables(tmp_path))
    head = type(model.head("kind"))
    plain = Metric(lambda rows: float((rows["true"] == rows["predicted"]).double().mean()), doc="Share of right rows.")
    monkeypatch.setattr(head, "metrics", {"right": plain})
    audit = evaluate(model, baselines=False).audit["kind"]
    assert audit.metric == "right" and audit.modalities["left"].shapley.value == audit.modalities["left"].shapley.value


def many(folder: Path, inputs: int) -> ZooModel:
    part = "{type: vector, column: COLUMN, backbone: {use: zoo/mlp, width: 4, layers: 1, dropout: 0}}"
    names = "".join(f"  x{number}: {part.replace('COLUMN', 'abc'[number % 3])}\n" for number in range(inputs))
    tail = SPEC.partition("fusion:")[2]
    return build(write_tables(folder, "inputs:\n" + names + "fusion:" + tail))


def test_of_many_inputs_it_is_told_which_sets_are_measured(tmp_path: Path) -> None:
    found = evaluate(many(tmp_path, 7), baselines=False)
    assert "15 sets of 127" in found.remarks[0]
    audit = found.audit["kind"]
    assert audit.missing.area is None and audit.modalities["x0"].dropped.low is not None
    assert "too many inputs" in audit.modalities["x0"].shapley.reason


def test_one_input_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    lines = [line for line in SPEC.splitlines() if not line.startswith(("  left", "fusion"))]
    found = evaluate(build(write_tables(tmp_path, "\n".join(lines))))
    assert list(found.subsets) == ["right"]
    assert [each.about for each in found.verdict] == ["baselines", "baselines"]


def test_groups_are_resampled_whole(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC + "evaluate: {groups: b}\n")
    found = evaluate(build(spec), baselines=False)
    assert any("groups of `b` as independent" in each for each in found.remarks)
    lines = (tmp_path / "test.csv").read_text().splitlines()
    (tmp_path / "bare.csv").write_text("\n".join(",".join(line.split(",")[2:4]) for line in lines))
    model = build(write_tables(tmp_path, SPEC.replace("columns: [a, b]", "columns: [c]") + "evaluate: {groups: a}\n"))
    told = evaluate(model, tmp_path / "bare.csv", baselines=False).remarks
    assert any("the rows have no column `a`" in each for each in told)


def test_the_backbones_run_once_on_each_batch(tmp_path: Path) -> None:
    model = build(write_tables(tmp_path))
    calls: list[int] = []
    for name in model.spec.inputs:
        model.backbone(name).register_forward_hook(lambda *_: calls.append(1))
    evaluate(model, baselines=False)
    batches = len(mixed(model, measured_rows(model)[1])[0])
    assert len(calls) == batches * len(model.spec.inputs)


def test_a_single_row_has_no_resamples() -> None:
    assert Draws(1, 100).resamples == 0
