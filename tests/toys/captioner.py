"""A prefix captioner, as ClipCap is (Mokady et al. 2021): features become the first tokens of a language model."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.toys.basic import names
from tests.toys.declarations import Captioner, Letters
from tests.toys.mae import Block
from zoo import FeatureSpec
from zoo.contract import Backbone, BackboneContext, Head, HeadContext, Metric
from zoo.features import Features, Reading, Values, masked_mean

LETTERS = "abcdefghijklmnopqrstuvwxyz "
END, LONGEST = len(LETTERS), 32


def build_lm(options: Letters, context: BackboneContext) -> "LanguageModel":
    return LanguageModel(options)


def spelled(text: str) -> Tensor:
    """Numbers of a text's letters, and of the end."""
    return torch.tensor([*map(LETTERS.index, text), END])


class LanguageModel(Backbone):
    """One causal block over letters; its output shares the embedding's weights."""

    end_token = END

    def __init__(self, options: Letters) -> None:
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS) + 1, options.dim)
        nn.init.normal_(self.letters.weight, std=0.3)
        self.positions = nn.Parameter(torch.randn(LONGEST, options.dim) * 0.02)
        self.block, self.norm = Block(options.dim), nn.LayerNorm(options.dim)
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim)
        self.prepare = spelled

    def forward(self, values: Values) -> Features:
        tokens, mask = self.embed(values)
        tokens = self._mixed(tokens)
        return Features(tokens, masked_mean(tokens, mask), mask)

    def embed(self, values: Values) -> tuple[Tensor, Tensor | None]:
        assert isinstance(values.data, Tensor)
        return self.letters(values.data) + self.positions[: values.data.shape[1]], values.mask

    def logits(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        return self._mixed(tokens) @ self.letters.weight.T

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(LETTERS[token] for token in tokens if token != END)

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, LONGEST, dtype=torch.long))

    def layer_groups(self) -> list[list[str]]:
        return names(self, "letters.", "positions", "block.", "norm.")

    def _mixed(self, tokens: Tensor) -> Tensor:
        causal = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
        mixed: Tensor = self.norm(self.block(tokens, causal))
        return mixed


def build(options: Captioner, context: HeadContext) -> "Writer":
    return Writer(options, context)


def _exact(rows: Mapping[str, Any]) -> float:
    return float(sum(map(operator.eq, rows["told"], rows["true"])) / len(rows["told"]))


class Writer(Head):
    """Learns by being given the text so far (teacher forcing), and writes the likeliest letter each time."""

    metrics: ClassVar[Mapping[str, Metric]] = {"exact": Metric(_exact, doc="Share of the captions that are right.")}

    def __init__(self, options: Captioner, context: HeadContext) -> None:
        super().__init__()
        self.options = options
        self.parts = nn.ModuleDict(context.parts)
        self.dim = self.decoder.features.dim
        self.prefix = nn.Linear(context.features.pooled_dim, options.prefix * self.dim)

    @property
    def decoder(self) -> Backbone:
        """The language model."""
        part = self.parts["decoder"]
        assert isinstance(part, Backbone)
        return part

    def forward(self, reading: Reading, targets: Any = None) -> dict[str, Tensor]:
        prefix = self.prefix(reading.fused.pooled).unflatten(1, (self.options.prefix, self.dim))
        return {"prefix": prefix} if targets is None else {"prefix": prefix, "scores": self._scores(prefix, targets)}

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        return F.cross_entropy(outputs["scores"][targets.mask], targets.data[targets.mask])

    def decode(self, outputs: Any) -> list[Any]:
        prefix = outputs["prefix"]
        written = torch.zeros(len(prefix), 0, dtype=torch.long, device=prefix.device)
        for _ in range(self.options.max_length):
            scores = self._next(prefix, written)[:, -1]
            written = torch.cat([written, scores.argmax(1, keepdim=True)], 1)
        return [self.decoder.text(_until(self.decoder.end_token, row)) for row in written.tolist()]

    def label(self, cell: Any) -> Tensor:
        try:
            return self.decoder.prepare(cell)
        except (ValueError, TypeError):
            raise ValueError(f"`{cell}` is no text of the letters {LETTERS}") from None

    def collate(self, labels: Sequence[Tensor]) -> Values:
        lengths = torch.tensor([len(label) for label in labels])
        return Values(nn.utils.rnn.pad_sequence(list(labels), batch_first=True), lengths)

    def rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        return {"told": self.decode(outputs), "true": [self.decoder.text(row) for row in _cut(targets)]}

    def _scores(self, prefix: Tensor, targets: Values) -> Tensor:
        """Scores of each letter of the targets, from the letters before it."""
        assert isinstance(targets.data, Tensor)
        return self._next(prefix, targets.data[:, :-1])

    def _next(self, prefix: Tensor, written: Tensor) -> Tensor:
        """Scores of the letter after each of those written, and of the first."""
        tokens, _ = self.decoder.embed(Values(written))
        return self.decoder.logits(torch.cat([prefix, tokens], 1))[:, prefix.shape[1] - 1 :]


def _cut(texts: Values) -> list[list[int]]:
    """The letters of each text, without padding."""
    assert texts.lengths is not None
    return [row[:length].tolist() for row, length in zip(texts.data, texts.lengths.tolist(), strict=True)]


def _until(end: int, tokens: Sequence[int]) -> list[int]:
    return list(tokens[: tokens.index(end)]) if end in tokens else list(tokens)
