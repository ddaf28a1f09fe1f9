"""Tokenizers: where one comes from, and what it makes of a text."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from tokenizers import Tokenizer
from torch import Tensor

from zoo import BackboneContext, Files, UsageError
from zoo_transformers.declaration import TrainedTokenizer, Transformers

FILE = "tokenizer.json"
# What tokenizers call the token of each role, as `<role>_token_id` in a configuration.
ROLES = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|padding|>"),
    "bos": ("<s>", "[CLS]", "<|startoftext|>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos": ("</s>", "[SEP]", "<|endoftext|>", "<|end_of_text|>"),
    "cls": ("[CLS]", "<s>"),
    "sep": ("[SEP]", "</s>"),
}


class Tokenize:
    """Turns a text into token ids. It goes to worker processes, so it holds no weights.

    Args:
        tokenizer: The tokenizer.
        pad: Id of the padding; an empty text, of which nothing else is left, is one such token.
        longest: Most tokens of a text, special ones included; what follows is cut off.
        fixed: Tokens that every text is padded to, for networks that were trained so and see the padding.

    Raises:
        UsageError: A text cannot have so many tokens.
    """

    def __init__(self, tokenizer: Tokenizer, pad: int, longest: int, fixed: int | None = None) -> None:
        self.pad = pad
        self.tokenizer = tokenizer
        with _unpanicked(f"its tokenizer cannot cut texts off to {longest} tokens"):
            tokenizer.enable_truncation(longest)
        if fixed is not None:
            with _unpanicked(f"its tokenizer cannot pad texts with the token {pad} to {fixed} tokens"):
                tokenizer.enable_padding(pad_id=pad, length=fixed)

    def __call__(self, text: str) -> Int[Tensor, "tokens"]:
        """Ids of the text's tokens, int64.

        Raises:
            UsageError: The tokenizer is damaged, or has no token for a part of the text.
        """
        return torch.tensor(_encoded(self.tokenizer, text) or [self.pad])

    @property
    def file(self) -> str:
        """The tokenizer as a `tokenizer.json`, which knows nothing of this input's length."""
        with _unpanicked("its tokenizer cannot be written"):
            return _plain(Tokenizer.from_str(self.tokenizer.to_str())).to_str()


class NoTokenizer:
    """Stands where a tokenizer is needed and none is known: shapes can be planned, but no text can be read."""

    def __call__(self, text: str) -> Tensor:
        """Tells what is missing.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            "there is no tokenizer; name one in `tokenizer` (a folder or a Hub repository), "
            "or train one: `tokenizer: {train: wordpiece}`"
        )


def find_tokenizer(options: Transformers, context: BackboneContext, notes: Mapping[str, Any]) -> Tokenizer | None:
    """The tokenizer that a spec asks for; None where it asks for none, or none has been trained yet.

    Args:
        options: The options.
        context: What surrounds the backbone.
        notes: What an earlier build kept: a tokenizer that it was given then is beside the weights now.

    Raises:
        UsageError: The one that is named cannot be had.
    """
    if isinstance(options.tokenizer, TrainedTokenizer):
        trained = context.fitted.get("tokenizer")
        return None if trained is None else _trained(trained)
    if options.tokenizer is None or options.tokenizer == notes.get("tokenizer"):
        return own_tokenizer(context.files, notes.get("model_type", ""))
    tokenizer = _named(options.tokenizer)
    if "pad" not in role_ids(tokenizer):
        tokenizer.add_special_tokens(["[PAD]"])  # else the padding's row would be that of a word, and never learn
    return tokenizer


def own_tokenizer(files: Files | None, model_type: str) -> Tokenizer | None:
    """The tokenizer beside the weights; None where there is none.

    Raises:
        UsageError: It is damaged.
    """
    if files is None:
        return None
    if path := files.path(FILE):
        return _from_file(path)
    return _of_library(files, model_type) if model_type else None


def role_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of the special tokens by their role: `pad`, `bos`, `eos`, `cls`, `sep`; of those that are there."""
    found = {role: [tokenizer.token_to_id(name) for name in names] for role, names in ROLES.items()}
    return {role: known[0] for role, ids in found.items() if (known := [each for each in ids if each is not None])}


def _trained(told: Any) -> Tokenizer:
    with _unpanicked("the tokenizer that it learnt is none"):
        tokenizer = _plain(Tokenizer.from_str(json.dumps(told)))
    _encoded(tokenizer, "a")  # some of what is wrong shows here alone
    return tokenizer


def _encoded(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a text's tokens.

    Raises:
        UsageError: The tokenizer is damaged, or has no token for a part of the text.
    """
    with _unpanicked(f"its tokenizer is damaged, or has no token for a part of {str(text)[:40]!r}"):
        ids: list[int] = tokenizer.encode(text).ids
    return ids


@contextmanager
def _unpanicked(what: str) -> Iterator[None]:
    """Tells in words whatever the library raises.

    Args:
        what: What is wrong then.

    Raises:
        UsageError: It raised something.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # it raises bare exceptions, and panics of Rust, which are no `Exception`
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{what}: {told}") from None


def _named(place: str) -> Tokenizer:
    folder = Path(place)
    if folder.is_dir():
        if not (folder / FILE).is_file():
            raise UsageError(f"`tokenizer`: the folder `{place}` has no `{FILE}`")
        return _from_file(folder / FILE)
    from huggingface_hub import hf_hub_download

    try:
        return _from_file(Path(hf_hub_download(place, FILE, library_name="zoo")))
    except (OSError, ValueError) as error:  # huggingface_hub's errors are of these kinds
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"`tokenizer`: `{place}` is no folder, and no `{FILE}` comes from the Hub: {told}") from None


def _from_file(path: Path) -> Tokenizer:
    with _unpanicked(f"`{path}` is no tokenizer"):
        tokenizer = _plain(Tokenizer.from_file(str(path)))
        _encoded(tokenizer, "a")  # some of what is wrong shows here alone
    return tokenizer


def _of_library(files: Files, model_type: str) -> Tokenizer | None:
    """A tokenizer in an older form (`vocab.txt`, `merges.txt`, `spiece.model`), which transformers knows to convert.

    Raises:
        UsageError: Its files are damaged.
    """
    import transformers
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    cls = getattr(transformers, TOKENIZER_MAPPING_NAMES.get(model_type) or "", None)
    if cls is None:
        return None
    needed = [files.path(name) for key, name in cls.vocab_files_names.items() if key != "tokenizer_file"]
    first = needed[0] if needed else None
    if first is None or None in needed:
        return None
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"):
        files.path(name)  # fetched beside them
    with _unpanicked(f"`{first.name}` and what is beside it are no tokenizer"):
        return _plain(cls.from_pretrained(first.parent, local_files_only=True).backend_tokenizer)


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    """Without the padding and truncation that some files ask for."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
