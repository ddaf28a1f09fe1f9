"""Texts: the tokenizer and the vocabulary, padding that reaches nothing, and the vector that stands for a text."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from tokenizers import Tokenizer
from torch import Tensor

from zoo import BackboneContext, FeatureSpec, Files, UsageError, Values
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import TrainedTokenizer, Transformers
from zoo_transformers.encoder import Encoder
from zoo_transformers.network import is_causal, width_of
from zoo_transformers.pool import Way
from zoo_transformers.tokenizer import FILE, NoTokenizer, Tokenize, find_tokenizer, own_tokenizer, role_ids
from zoo_transformers.vocabulary import move_rows, shared_rows

# Their classifiers in transformers read the pooling layer, a trained one of the first token, and not that token itself.
POOLED = frozenset(
    "albert bert canine ernie fnet gte megatron-bert mobilebert nomic_bert rembert roc_bert squeezebert".split()
)
# Trained on texts that are all padded to the full length, without a mask.
FIXED = frozenset({"siglip_text_model", "siglip2_text_model"})
ENDS = frozenset({"clip_text_model"})
"""They see only what is before, and were trained to sum a text up in its last token."""


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
        _set_vocabulary(config, options, tokenizer)
        way = _way(options.pool, configured, context.files)
        super().__init__(configured, way, pooler=way == "network")
        self._tokenizer = tokenizer
        self._asked = options.tokenizer if isinstance(options.tokenizer, str) else None
        self._fixed = config.model_type in FIXED
        self._old = own_tokenizer(context.files, configured.model_type) if options.tokenizer is not None else None
        self._replaced = options.tokenizer is not None and context.files is not None and self._tokenizer is not None
        self.longest = self._longest(context.value.max_length)
        self.padding_value = _pad_id(config, self._tokenizer)
        self.prepare = self._prepare()
        tokens = self._positions() if self._fixed else None
        pooled = getattr(config, "projection_size", None) if self._fixed and way == "network" else None
        self.features = FeatureSpec(width_of(config), pooled or width_of(config), tokens)

    def read(
        self, values: Values
    ) -> tuple[Int[Tensor, "batch tokens"], dict[str, Tensor], Bool[Tensor, "batch tokens"] | None]:
        """Ids, with padding in the place of whatever stands under it, and the mask twice."""
        ids, mask = values.data, values.mask
        assert isinstance(ids, Tensor)
        if mask is None or self._fixed:
            return ids, {}, None
        return ids.masked_fill(~mask, int(self.padding_value)), {"attention_mask": mask.long()}, mask

    def example(self, batch: int) -> Values:
        """Texts of the greatest length."""
        tokens = self._positions() if self._fixed else self.longest
        return Values(torch.zeros(batch, tokens or self.longest, dtype=torch.int64))

    def fitted(self, name: str, tensor: Tensor, own: Tensor) -> tuple[Tensor, str]:
        """Rows of tokens that both vocabularies have are kept; positions move with the id of the padding."""
        embeddings = next(
            path for path, each in self.network.named_modules() if each is self.network.get_input_embeddings()
        )
        if name == f"{embeddings}.weight" and tensor.shape[1:] == own.shape[1:]:
            return self._rows(tensor, len(own))
        moved = self._first_position(self.configured.original) - self._first_position(self.config)
        if moved and name.endswith("position_embeddings.weight") and tensor.shape == own.shape:
            rows = (torch.arange(len(own), device=tensor.device) + moved).clamp(0, len(own) - 1)
            return tensor[rows], f"positions moved by {-moved}, as the padding has another id"
        return super().fitted(name, tensor, own)

    def files(self) -> Mapping[str, str]:
        """The configuration, and the tokenizer where there is one."""
        return {**super().files(), **({} if self._tokenizer is None else {FILE: self._tokenizer.to_str()})}

    def notes(self) -> dict[str, Any]:
        """Beside the pooling, which tokenizer was asked for, so that it is not fetched again."""
        return {**super().notes(), **({} if self._asked is None else {"tokenizer": self._asked})}

    def _prepare(self) -> Any:
        if self._tokenizer is None:
            return NoTokenizer()
        return Tokenize(
            self._tokenizer, int(self.padding_value), self.longest, self._positions() if self._fixed else None
        )

    def _rows(self, tensor: Tensor, size: int) -> tuple[Tensor, str]:
        old = self._old.get_vocab() if self._old is not None else {}
        new = self._tokenizer.get_vocab() if self._replaced and self._tokenizer is not None else old
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


def _set_vocabulary(config: Any, options: Transformers, tokenizer: Tokenizer | None) -> None:
    """Makes the configuration's vocabulary that of the tokenizer."""
    said = {**(options.config or {}), **options.model}
    asked = options.tokenizer
    if tokenizer is not None:
        size = max(tokenizer.get_vocab().values()) + 1
        if said.get("vocab_size", size) < size:
            raise UsageError(f"`vocab_size: {said['vocab_size']}` is less than the tokenizer's {size}; leave it out")
        if "vocab_size" not in said:
            config.vocab_size = size if asked is not None else max(size, config.vocab_size)
        if asked is not None:
            for role, number in role_ids(tokenizer).items():
                if hasattr(config, f"{role}_token_id") and f"{role}_token_id" not in said:
                    setattr(config, f"{role}_token_id", number)
    elif isinstance(asked, TrainedTokenizer) and "vocab_size" not in said:
        config.vocab_size = asked.vocab_size
    padding = getattr(config, "pad_token_id", None)
    if isinstance(padding, int) and not 0 <= padding < config.vocab_size:
        config.pad_token_id = None  # an embedding takes no row of padding that it does not have


def _pad_id(config: Any, tokenizer: Tokenizer | None) -> int:
    """The padding's id, and for want of one (GPT-2) the end's: the mask makes it irrelevant."""
    roles = role_ids(tokenizer) if tokenizer is not None else {}
    known = (getattr(config, "pad_token_id", None), roles.get("pad"), getattr(config, "eos_token_id", None))
    return next((each for each in known if isinstance(each, int)), 0)


def _way(pool: str, configured: Configured, files: Files | None) -> Way:
    """How the tokens of a text become one vector.

    `auto` is the way of the weights (a sentence encoder says it in `1_Pooling/config.json`), else that of the library's
    own classifier of the architecture: the last real token of a causal decoder, the pooling layer or the first token of
    an encoder, the mean where no token stands for the whole. `first` is the pooling layer too, where there is one.
    """
    config = configured.config
    first: Way = "network" if config.model_type in POOLED else "first"
    if pool == "first":
        return first
    if pool != "auto":
        return pool  # type: ignore[return-value]  # checked by the options
    if said := configured.notes.get("pool") or _sentence_way(files):
        return said  # type: ignore[no-any-return]  # one of the ways
    if config.model_type in FIXED:
        return "network"
    if config.model_type in ENDS or is_causal(config):
        return "last"
    if type(config).is_encoder_decoder or getattr(config, "classifier_pooling", "cls") == "mean":
        return "mean"
    return first


def _sentence_way(files: Files | None) -> Way | None:
    """What a repository of sentence-transformers says; None of others."""
    if files is None or files.path("modules.json") is None or (path := files.path("1_Pooling/config.json")) is None:
        return None
    said = json.loads(path.read_text(encoding="utf-8"))
    modes: dict[str, Way] = {"cls": "first", "mean": "mean", "max": "max", "lasttoken": "last"}
    for mode, way in modes.items():
        if said.get("pooling_mode") == mode or any(
            said.get(f"pooling_mode_{mode}{end}") for end in ("", "_token", "_tokens")
        ):
            return way
    return None
