"""The small files of a library's folder that are taken over, without entries that decide which code or file is used."""

import json
import re
from collections.abc import Iterator
from typing import Any

from zoo.checkpoint.headers import unique
from zoo.checkpoint.verify import MOST
from zoo.errors import CorruptError
from zoo.hub.foreign import Foreign
from zoo.hub.names import SMALL

CONFIG = "config.json"

SETTINGS = (
    CONFIG,
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "video_preprocessor_config.json",
)
"""Files whose entries are looked through."""

WORDS = (
    "added_tokens.json",
    "bpe.codes",
    "dict.txt",
    "merges.txt",
    "normalizer.json",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "source.spm",
    "spiece.model",
    "spm.model",
    "spm_char.model",
    "target.spm",
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
)
"""Words and what stands for them, also as models of sentencepiece; copied as they are."""

CODE = re.compile(
    r"auto_map|trust_remote_code|code_revision|custom_pipelines?|custom_generate|_target_|py/.*"
    r"|_*(attn|experts)_implementation(_\w+)?"
)
"""Entries that name code, or kernels to fetch: of transformers, of Hydra, of jsonpickle."""

ELSEWHERE = re.compile(r"url|file|source|hf_hub_id|hf_hub_filename|custom_load|state_dict")
"""Entries of timm's `pretrained_cfg` that tell where weights are, and how to read them there: they are here now."""

FACTORY = re.compile(r"checkpoint_path|cache_dir|pretrained\w*|features_only")
"""Entries of timm's `model_args` that are of how a model is made and loaded."""

LABELS = ("label2id", "id2label", "label_names", "label_descriptions")
"""Entries whose keys are words."""


def read_small(found: Foreign, name: str) -> tuple[bytes, list[str]] | None:
    """A small file as it is taken over, and the entries that it lost; None where there is none.

    Raises:
        CorruptError: It is larger than such files are, or settings that cannot be read.
    """
    path = found.file(name)
    if path is None:
        return None
    most = MOST if name in SETTINGS else SMALL
    if path.stat().st_size > most:
        raise CorruptError(f"`{path}` is larger than {most >> 20} MiB, too large for what it is")
    data = path.read_bytes()
    if name in WORDS:
        return data, []
    try:
        return _vetted(data)
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"`{path}` is no JSON that can be read: {error}") from None


def _vetted(data: bytes) -> tuple[bytes, list[str]]:
    entries = json.loads(data, object_pairs_hook=unique)
    if not isinstance(entries, dict):
        raise ValueError("it holds no object")
    lost = list(_strip(entries, ""))
    return ((json.dumps(entries, indent=2) + "\n").encode() if lost else data), lost


def _strip(entries: Any, place: str) -> Iterator[str]:
    """Takes entries out wherever they stand; gives their places."""
    if isinstance(entries, list):
        for number, each in enumerate(entries):
            yield from _strip(each, f"{place}[{number}]")
    if not isinstance(entries, dict):
        return
    timm = {"pretrained_cfg": ELSEWHERE, "model_args": FACTORY}.get(place)
    if not place and "architecture" in entries and "pretrained_cfg" not in entries:
        timm = ELSEWHERE  # as timm wrote it at first
    for key in list(entries):
        inside = f"{place}.{key}".lstrip(".")
        if CODE.fullmatch(key) or (timm and timm.fullmatch(key)):
            del entries[key]
            yield inside[:80]
        elif key not in LABELS:
            yield from _strip(entries[key], inside)
