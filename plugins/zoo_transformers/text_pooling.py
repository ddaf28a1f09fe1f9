"""How the tokens of a text become one vector, by architecture and by what the weights say."""

import json
from typing import Literal

from zoo import Files
from zoo_transformers.configuration import Configured
from zoo_transformers.network import is_causal
from zoo_transformers.pool import Way

# Their classifiers in transformers read the pooling layer, a trained one of the first token, and not that token itself.
POOLED = frozenset(
    (
        *("albert", "bert", "canine", "ernie", "fnet", "gte"),
        *("megatron-bert", "mobilebert", "nomic_bert", "rembert", "roc_bert", "squeezebert"),
    )
)
# Trained on texts that are all padded to the full length, without a mask.
FIXED = frozenset({"siglip_text_model", "siglip2_text_model"})
ENDS = frozenset({"clip_text_model"})
"""They see only what is before, and were trained to sum a text up in its last token."""


def text_way(pool: Literal["auto", "mean", "max", "first", "last"], configured: Configured, files: Files | None) -> Way:
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
        return pool
    if said := configured.notes.get("pool") or _sentence_way(files):
        return said
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
