"""Runs a backbone on the rows that have its input, so that absence and padding reach nothing.

Absent rows are taken out before the backbone and put back as zeros under an all-False mask after it; they can change
neither an output nor a norm statistic. Where padding would change outputs, only rows of equal length run together.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.contract import Backbone
from zoo.features import Features, Values

Run = Callable[[Values], Features]


def run_tower(backbone: Backbone, run: Run, values: Values) -> Features:
    """Features of all rows.

    Args:
        backbone: The backbone.
        run: How it is called: its `forward`, or its `pyramid`. `in_chunks` calls it in another way.
        values: Prepared values of a batch.
    """
    if values.present is None or bool(values.present.all()):
        return _by_length(backbone, run, values)
    index = values.present.nonzero().squeeze(1)
    if len(index) == 0:
        return _nothing(backbone, values)
    return _spread(_by_length(backbone, run, values.rows(index)), index, len(values))


def in_chunks(run: Run, rows: int) -> Run:
    """Runs a frozen backbone on so many rows at a time, no more and no less; the last ones are filled up.

    Libraries choose their kernels by the size of a batch, and with them the order in which they sum. In chunks of one
    size a row's features are the same to the last bit whoever else is in the batch. Values of different sizes, whose
    padding changes with the batch, are run as they come.

    Args:
        run: How the backbone is called.
        rows: Rows of a chunk.
    """

    def chunked(values: Values) -> Features:
        if values.lengths is not None or isinstance(values.data, list) or len(values) == rows:
            return run(values)
        count = len(values)
        filled = torch.arange(-(-count // rows) * rows)
        filled[count:] = 0
        parts = [run(values.rows(filled[start : start + rows])) for start in range(0, len(filled), rows)]
        masks = [part.mask for part in parts if part.mask is not None]
        return Features(
            torch.cat([part.tokens for part in parts])[:count],
            torch.cat([part.pooled for part in parts])[:count],
            torch.cat(masks)[:count] if masks else None,
            tuple(torch.cat(level)[:count] for level in zip(*(part.maps for part in parts), strict=True)),
        )

    return chunked


def _by_length(backbone: Backbone, run: Run, values: Values) -> Features:
    """Features of present rows; those of an `exact` backbone by groups of equal length."""
    if backbone.padding == "masked" or values.lengths is None:
        return _run(backbone, run, values)
    lengths = values.lengths.cpu()
    groups = [(lengths == length).nonzero().squeeze(1) for length in torch.unique(lengths)]
    if len(groups) == 1:
        return _run(backbone, run, values.rows(groups[0]))
    parts = [_run(backbone, run, values.rows(group)) for group in groups]
    tokens = max(part.tokens.shape[1] for part in parts)
    return _rejoined([_padded(part, tokens) for part in parts], torch.cat(groups))


def _run(backbone: Backbone, run: Run, values: Values) -> Features:
    with _single_row_statistics(backbone, len(values)):
        return run(_laid_out(values, backbone))


def _laid_out(values: Values, backbone: Backbone) -> Values:
    """Pictures with their channels in the innermost place of memory, where nothing learns from them.

    Convolutions are faster so on a CPU, but slower where gradients are computed.
    """
    if isinstance(values.data, list) or values.data.ndim != 4:
        return values
    if torch.is_grad_enabled() and any(each.requires_grad for each in backbone.parameters()):
        return values
    return replace(values, data=values.data.contiguous(memory_format=torch.channels_last))


@contextmanager
def _single_row_statistics(backbone: Backbone, rows: int) -> Iterator[None]:
    """One row has no statistics of its own: BatchNorm then uses, and keeps, those of the training so far."""
    norms = [each for each in backbone.modules() if isinstance(each, _BatchNorm) and each.training] if rows == 1 else []
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


def _padded(part: Features, tokens: int) -> Features:
    mask = part.mask
    if mask is None:
        mask = torch.ones(part.tokens.shape[:2], dtype=torch.bool, device=part.tokens.device)
    short = tokens - part.tokens.shape[1]
    padded = nn.functional.pad(part.tokens, (0, 0, 0, short))
    return Features(padded, part.pooled, nn.functional.pad(mask, (0, short)), part.maps)


def _rejoined(parts: list[Features], order: Int[Tensor, "rows"]) -> Features:
    """The rows of all groups in the order in which they came."""
    back = order.argsort().to(parts[0].pooled.device)
    masks = [part.mask for part in parts if part.mask is not None]
    return Features(
        torch.cat([part.tokens for part in parts])[back],
        torch.cat([part.pooled for part in parts])[back],
        torch.cat(masks)[back],
        tuple(torch.cat(level)[back] for level in zip(*(part.maps for part in parts), strict=True)),
    )


def _spread(some: Features, index: Int[Tensor, "present"], rows: int) -> Features:
    """Features of the present rows, with zeros under an all-False mask between them."""
    index = index.to(some.pooled.device)

    def spread(tensor: Tensor) -> Tensor:
        return tensor.new_zeros(rows, *tensor.shape[1:]).index_copy(0, index, tensor)

    mask = some.mask
    if mask is None:
        mask = torch.ones(some.tokens.shape[:2], dtype=torch.bool, device=some.tokens.device)
    return Features(spread(some.tokens), spread(some.pooled), spread(mask), tuple(map(spread, some.maps)))


def _nothing(backbone: Backbone, values: Values) -> Features:
    """Features where no row has the input: one masked token each."""
    rows, spec = len(values), backbone.features
    device = (values.data if isinstance(values.data, Tensor) else values.data[0]).device
    return Features(
        torch.zeros(rows, 1, spec.dim, device=device),
        torch.zeros(rows, spec.pooled_dim, device=device),
        torch.zeros(rows, 1, dtype=torch.bool, device=device),
        tuple(torch.zeros(rows, channels, 1, 1, device=device) for channels, _ in spec.maps),
    )
