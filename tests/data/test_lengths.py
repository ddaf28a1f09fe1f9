"""How long cells are, without decoding them; and that batches of texts have little padding."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from zoo.data.lengths import lengths_of
from zoo.data.open import loader
from zoo.data.rows import open_rows
from zoo.model.build import build
from zoo.spec.load import load_spec

TEXTS = """\
inputs:
  note: {type: text, backbone: {use: transformers/bert, weights: none, tokenizer: {train: wordpiece, vocab_size: 60},
         config: {hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32}}}
heads: {kind: zoo/classifier}
data: {train: train.parquet, validation: null}
train: {epochs: 1, batch_size: 8}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    counts = random.integers(1, 40, 200).tolist()
    notes = [None if row % 50 == 7 else " ".join(["red"] * count) for row, count in enumerate(counts)]
    kinds = ["ab"[row % 2] for row in range(200)]
    keep = [note is not None for note in notes]
    rows = [{"note": note, "kind": kind} for note, kind, there in zip(notes, kinds, keep, strict=True) if there]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    (tmp_path / "spec.yaml").write_text(TEXTS)
    return tmp_path / "spec.yaml"


def padding(spec: Path, bucket: bool) -> float:
    """The share of tokens that are padding."""
    model = build(load_spec(spec, overrides=[f"train.bucket={str(bucket).lower()}"]))
    real = all_ = 0
    for step in loader(model, open_rows(model.spec).training).epoch(1):
        values = step.batch.inputs["note"]
        all_ += values.data.numel()  # type: ignore[union-attr]  # padded texts are a tensor
        real += values.data.numel() if values.lengths is None else int(values.lengths.sum())  # type: ignore[union-attr]
    return 1 - real / all_


def test_there_is_little_padding(spec: Path) -> None:
    assert padding(spec, True) < 0.15 < 0.35 < padding(spec, False)


def test_lengths_are_those_of_the_cells(spec: Path) -> None:
    model = build(spec)
    rows = open_rows(model.spec).training
    lengths = lengths_of(model, rows, ())
    assert lengths is not None
    (found,) = lengths
    cells = [len(cell) for cell in rows[0].table.column("note")]
    assert np.corrcoef(found, cells)[0, 1] > 0.9999
    assert lengths_of(model, rows, ["note"]) is None


def test_cells_as_long_as_others_are_not_sorted(spec: Path) -> None:
    table = pa.Table.from_pylist([{"note": "red", "kind": "ab"[row % 2]} for row in range(20)])
    parquet.write_table(table, spec.parent / "train.parquet")
    model = build(spec)
    assert lengths_of(model, open_rows(model.spec).training, ()) is None
