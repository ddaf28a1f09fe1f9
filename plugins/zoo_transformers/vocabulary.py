"""Another vocabulary on trained embeddings: rows of shared tokens are kept, those of new ones start in the middle."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor


def shared_rows(old: Mapping[str, int], new: Mapping[str, int], rows: int, size: int) -> Int[Tensor, "size"]:
    """For each row of the new vocabulary its row in the old one, -1 where it had none.

    Args:
        old: Ids of the old tokens; empty where they are not known.
        new: Ids of the new tokens.
        rows: Rows of the old embeddings.
        size: Rows of the new ones; those beyond all ids stay where they are if the vocabulary stays the same.
    """
    source = torch.full((size,), -1)
    if old == new:
        kept = min(rows, size)
        source[:kept] = torch.arange(kept)
        return source
    for token, number in new.items():
        if old.get(token, rows) < rows and number < size:
            source[number] = old[token]
    return source


def move_rows(table: Float[Tensor, "rows dim"], source: Int[Tensor, "size"]) -> tuple[Float[Tensor, "size dim"], str]:
    """The table of the new vocabulary, and what was done.

    A new token starts at the mean of the old ones with a little noise, a hundred-thousandth of their variance in each
    dimension, so that it takes no probability from the others at first.

    Source: Hewitt 2021 (Initializing New Word Embeddings for Pretrained Language Models). There the noise has the full
    covariance; ours is independent in each dimension, and the same in every run.
    """
    new = (source < 0).nonzero().squeeze(1)
    count = len(new)
    moved = table[source.clamp(min=0).to(table.device)]
    if count:
        noise = torch.randn(count, table.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float32)
        spread = table.float().var(0).mul(1e-5).sqrt()
        start = table.float().mean(0) + spread * noise.to(table.device)
        moved = moved.index_copy(0, new.to(table.device), start.to(table.dtype))
    kept = len(source) - count
    return (
        moved,
        f"{len(table)} rows to {len(source)}: {kept} of shared tokens kept, {count} new ones start at the mean",
    )
