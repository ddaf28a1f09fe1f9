"""What could be said without looking at any input."""

import torch
from torch import Tensor

SMALL = 1e-9


def constant_outputs(task: str, targets: Tensor, width: int, rows: int | None = None) -> Tensor:
    """Outputs of a head that always says the best constant.

    Args:
        task: The head's `task`.
        targets: Labels to learn it from, as the head's `collate` makes them.
        width: Width of the head's outputs.
        rows: How many rows to say it of; as many as there are targets, unless given.

    Returns:
        `(rows, width)`: logits of each class's share, or of each label's, or the mean number of each column.
    """
    if task == "classes":
        shares = targets.bincount(minlength=width).double() / len(targets)
        each = shares.clamp(min=SMALL).log()
    elif task == "labels":
        each = torch.logit(targets.double().mean(0), eps=SMALL)
    else:
        each = targets.double().nanmean(0)
    return each.float().expand(len(targets) if rows is None else rows, width)
