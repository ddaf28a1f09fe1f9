"""The vocabulary of a configuration, and trained embeddings under another one."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from transformers.configuration_utils import PreTrainedConfig

from zoo import UsageError
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import TrainedTokenizer
from zoo_transformers.tokenizer import role_ids


def shared_rows(old: Mapping[str, int], new: Mapping[str, int], rows: int, size: int) -> Int[Tensor, "size"]:
    """For each row of the new vocabulary its row in the old one, -1 where it had none.

    Args:
        old: Ids of the old tokens; empty where they are not known.
        new: Ids of the new tokens.
        rows: Rows of the old embeddings.
        size: Rows of the new ones; those beyond all ids stay where they are if the vocabulary stays the same.
    """
    source = torch.full((size,), -1, device="cpu")  # plans are made on the meta device, and must know the rows
    if old == new:
        kept = min(rows, size)
        source[:kept] = torch.arange(kept, device="cpu")
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
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(count, table.shape[1], generator=generator, dtype=torch.float32, device="cpu")
        spread = table.float().var(0).mul(1e-5).sqrt()
        start = table.float().mean(0) + spread * noise.to(table.device)
        moved = moved.index_copy(0, new.to(table.device), start.to(table.dtype))
    kept = len(source) - count
    return (
        moved,
        f"{len(table)} rows to {len(source)}: {kept} of shared tokens kept, {count} new ones start at the mean",
    )


def set_vocabulary(configured: Configured, asked: str | TrainedTokenizer | None, tokenizer: Tokenizer | None) -> None:
    """Makes the configuration's vocabulary that of the tokenizer.

    Args:
        configured: The configuration; what the spec says of it itself stays.
        asked: What the spec says of the tokenizer; None where it is the weights' own.
        tokenizer: The tokenizer; None where there is none, or it is not trained yet.

    Raises:
        UsageError: The spec says a vocabulary that is too small.
    """
    config, said = configured.config, configured.said
    if tokenizer is not None:
        size = max(tokenizer.get_vocab().values()) + 1
        if said.get("vocab_size", size) < size:
            raise UsageError(f"`vocab_size: {said['vocab_size']}` is less than the tokenizer's {size}; leave it out")
        if "vocab_size" not in said:
            config.vocab_size = size if asked is not None else max(size, config.vocab_size)
        for role, number in role_ids(tokenizer).items() if asked is not None else ():
            if hasattr(config, f"{role}_token_id") and f"{role}_token_id" not in said:
                setattr(config, f"{role}_token_id", number)
    elif isinstance(asked, TrainedTokenizer) and "vocab_size" not in said:
        config.vocab_size = asked.vocab_size


def pad_id(config: PreTrainedConfig, tokenizer: Tokenizer | None) -> int:
    """The padding's id, and for want of one (GPT-2) the end's: the mask makes it irrelevant."""
    roles = role_ids(tokenizer) if tokenizer is not None else {}
    known = (getattr(config, "pad_token_id", None), roles.get("pad"), getattr(config, "eos_token_id", None))
    return next((each for each in known if isinstance(each, int) and 0 <= each < config.vocab_size), 0)
