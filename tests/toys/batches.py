"""Batches from rows of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.features import Batch, Targets, Values
from zoo.model.model import ZooModel

Row = Mapping[str, Any]


def collate(tensors: Sequence[Tensor]) -> Values:
    if len({each.shape for each in tensors}) == 1:
        return Values(torch.stack(list(tensors)))
    if len({each.shape[1:] for each in tensors}) == 1:
        lengths = torch.tensor([len(each) for each in tensors])
        return Values(nn.utils.rnn.pad_sequence(list(tensors), batch_first=True), lengths)
    return Values(list(tensors))


def toy_batch(model: ZooModel, rows: Sequence[Row], labelled: bool = True) -> Batch:
    decoded = [{name: each.decode(row[name], Path()) for name, each in model.inputs.items()} for row in rows]
    prepare = lambda samples: {name: collate([model.backbone(name).prepare(s[name]) for s in samples]) for name in model.inputs}
    targets, views = {}, {}
    for name, section in model.spec.heads.items():
        head = model.head(name)
        seen = [head.views(sample) for sample in decoded]
        if labelled and seen[0]:
            views[name] = tuple(map(prepare, zip(*seen)))
        from zoo.data.columns import part_columns
        columns = part_columns(section)
        if labelled and not columns:
            targets[name] = Targets(None)
        elif labelled:
            cells = [row[columns[0]] if len(columns) == 1 else {c: row[c] for c in columns} for row in rows]
            targets[name] = Targets(head.collate([head.label(cell) for cell in cells]))
    return Batch(prepare(decoded), targets, views, tuple(range(len(rows))))
