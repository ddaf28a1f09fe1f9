"""Texts: tokens, padding that reaches nothing, and trained embeddings under another vocabulary."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from zoo import BackboneContext, FeatureSpec, UsageError, Values
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import Transformers
from zoo_transformers.encoder import Encoder
from zoo_transformers.network import embedding_name, is_causal, width_of
from zoo_transformers.text_pooling import FIXED, text_way
from zoo_transformers.tokenizer import FILE, NoTokenizer, Tokenize, find_tokenizer, own_tokenizer
from zoo_transformers.vocabulary import move_rows, pad_id, set_vocabulary, shared_rows


class TextEncoder(Encoder):
    """An encoder of texts.

    Args:
        options: Its options.
        context: What surrounds it.
        configured: Its configuration; vocabulary and special tokens are set here.
    """

    main, embedded = "input_ids", "inputs_embeds"

    def __init__(self, options: Transformers, context: BackboneContext, configured: Configured) -> None:
        config, notes = configured.config, {"model_type": configured.model_type, **configured.notes}
        tokenizer = find_tokenizer(options, context, notes)
        set_vocabulary(configured, options.tokenizer, tokenizer)
        way = text_way(options.pool, configured, context.files)
        super().__init__(configured, way, pooler=way == "network")
        self._asked = options.tokenizer if isinstance(options.tokenizer, str) else None
        self._fixed = config.model_type in FIXED
        self._embedding = embedding_name(self.network)
        others = options.tokenizer is not None and context.files is not None
        old = own_tokenizer(context.files, configured.model_type) if others else None
        self._vocabularies = (old, tokenizer if others else None)
        self.longest = self._longest(context.value.max_length)
        self.padding_value = pad_id(config, tokenizer)
        tokens = self._positions() if self._fixed else None
        self.prepare = (
            NoTokenizer() if tokenizer is None else Tokenize(tokenizer, self.padding_value, self.longest, tokens)
        )
        pooled = getattr(config, "projection_size", None) if self._fixed and way == "network" else None
        self.features = FeatureSpec(width_of(config), pooled or width_of(config), tokens)

    def read(
        self, values: Values
    ) -> tuple[Int[Tensor, "batch tokens"], dict[str, Tensor], Bool[Tensor, "batch tokens"] | None]:
        """Ids, with padding in the place of whatever stands under it, and the mask twice."""
        ids, mask = values.data, values.mask
        assert isinstance(ids, Tensor)
        if mask is None or self._fixed:
            return ids, self._mask_of_nothing(ids), None
        return ids.masked_fill(~mask, int(self.padding_value)), {"attention_mask": mask.long()}, mask

    def example(self, batch: int) -> Values:
        """Texts of the greatest length."""
        tokens = self._positions() if self._fixed else self.longest
        return Values(torch.zeros(batch, tokens or self.longest, dtype=torch.int64))

    def fitted(self, name: str, tensor: Tensor, own: Tensor) -> tuple[Tensor, str]:
        """Rows of tokens that both vocabularies have are kept; positions move with the id of the padding."""
        if name == self._embedding and tensor.shape[1:] == own.shape[1:]:
            return self._rows(tensor, len(own))
        moved = self._first_position(self.configured.original) - self._first_position(self.config)
        if moved and name.endswith("position_embeddings.weight") and tensor.shape == own.shape:
            rows = (torch.arange(len(own), device=tensor.device) + moved).clamp(0, len(own) - 1)
            return tensor[rows], f"positions moved by {-moved}, as the padding has another id"
        return super().fitted(name, tensor, own)

    def files(self) -> Mapping[str, str]:
        """The configuration, and the tokenizer where there is one."""
        return {**super().files(), **({FILE: self.prepare.file} if isinstance(self.prepare, Tokenize) else {})}

    def notes(self) -> dict[str, Any]:
        """Beside the pooling, which tokenizer was asked for, so that it is not fetched again."""
        return {**super().notes(), **({} if self._asked is None else {"tokenizer": self._asked})}

    def _mask_of_nothing(self, ids: Int[Tensor, "batch tokens"]) -> dict[str, Tensor]:
        """What some networks want that would look at the ids' values for want of a mask, which plans do not have."""
        if self.config.model_type.startswith("deberta"):
            return {"attention_mask": torch.ones_like(ids)}
        if ids.is_meta and is_causal(self.config):
            batch, tokens = ids.shape
            return {"attention_mask": ids.new_ones(batch, 1, tokens, tokens, dtype=torch.bool).tril()}
        return {}

    def _rows(self, tensor: Tensor, size: int) -> tuple[Tensor, str]:
        old, new = (each.get_vocab() if each is not None else {} for each in self._vocabularies)
        if len(tensor) == size and old == new:
            return tensor, ""
        return move_rows(tensor, shared_rows(old, new, len(tensor), size))

    def _positions(self) -> int | None:
        """Most tokens that the network has positions for; None where positions are relative."""
        positions = getattr(self.config, "max_position_embeddings", None)
        return positions - self._first_position(self.config) if isinstance(positions, int) and positions > 0 else None

    def _first_position(self, config: Any) -> int:
        """RoBERTa and its kin count positions from behind the id of the padding."""
        counted = hasattr(getattr(self.network, "embeddings", None), "create_position_ids_from_input_ids")
        return config.pad_token_id + 1 if counted else 0

    def _longest(self, wanted: int | None) -> int:
        positions = self._positions()
        if positions is not None and wanted is not None and wanted > positions:
            raise UsageError(
                f"`{self.configured.model_type}` reads at most {positions} tokens, and the input gives up to {wanted}; "
                f"write `max_length: {positions}` under the input"
            )
        return wanted or positions or 512
