"""Which entries a configuration of transformers has; the library itself takes any key in silence."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from zoo import UsageError

ATTENTION = "attn_implementation"
# Of the ways to compute attention those that come with torch and transformers; others are fetched from the Hub.
WAYS = ("eager", "sdpa", "flash_attention_2", "flex_attention")
# Entries for task heads, for decoders of which the encoder alone is built, and for speaking: they would change nothing.
IDLE = re.compile(
    r"classifier_dropout|classifier_(activation|bias|proj)|summary_|qa_|seq_classif|final_dropout|ctc_|tdnn_|xvector"
    r"|codevector|num_negatives|diversity|contrastive|feat_quantizer|use_cache|tie_word_embeddings|semantic_loss|auxiliary"
    r"|begin_suppress|forced_|_id2"
)
IDLE_ENCODER = re.compile(rf"{IDLE.pattern}|decoder|^mask_(time|feature)|spec_augment|median_filter")


def config_class(model_type: str) -> type[PreTrainedConfig]:
    """The configuration class of an architecture.

    Raises:
        UsageError: transformers has none of that name.
    """
    if model_type not in CONFIG_MAPPING:
        raise UsageError(f"transformers has no architecture `{model_type}`{_suggestion(model_type, CONFIG_MAPPING)}")
    cls: type[PreTrainedConfig] = CONFIG_MAPPING[model_type]
    return cls


def known_keys(cls: type[PreTrainedConfig]) -> set[str]:
    """Entries of a configuration that shape the network.

    They are the declared ones, and those that the library's code looks for without their being declared: `deberta-v2`
    reads `position_buckets` that way, `modernbert` takes `global_attn_every_n_layers`.
    """
    own = {each.name for each in fields(cls)} - {each.name for each in fields(PreTrainedConfig)}
    rotary = {"rope_theta", "rope_scaling", "partial_rotary_factor"} if "rope_parameters" in own else set()
    own |= set(re.findall(r"""getattr\((?:self\.)?config, ["'](\w+)["']""", _code(cls, "modeling")))
    own |= set(re.findall(r"""kwargs\.(?:get|pop)\(["'](\w+)["']""", _code(cls, "configuration")))
    idle = IDLE_ENCODER if cls.is_encoder_decoder else IDLE
    shaping = {each for each in own if not each.startswith("_") and not idle.search(each)}
    return shaping | set(cls.attribute_map) | rotary | {ATTENTION}


def part_types(cls: type[PreTrainedConfig]) -> dict[str, str]:
    """The architecture of each part that a configuration has, by its key; "" where it is open and there is no default.

    Of open ones only newer versions of transformers tell the default.
    """
    told = getattr(cls, "sub_configs_defaults", {})
    return {key: getattr(told.get(key, each), "model_type", "") for key, each in cls.sub_configs.items()}


def _code(cls: type[PreTrainedConfig], kind: str) -> str:
    """The text of the library's module of an architecture: its `configuration`, or its `modeling`."""
    spec = find_spec(cls.__module__.replace(".configuration_", f".{kind}_"))
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""


def check_keys(entries: Mapping[str, Any], cls: type[PreTrainedConfig], place: str) -> None:
    """Refuses entries that a configuration does not have.

    Args:
        entries: By key; of a part of the configuration again a mapping.
        cls: The configuration's class.
        place: Where they stand in the spec: `config`.

    Raises:
        UsageError: A key is unknown; the nearest known one is told.
    """
    known = known_keys(cls)
    for key, value in entries.items():
        if key not in known:
            raise UsageError(f"`{place}.{key}`: `{cls.model_type}` has no such entry{_suggestion(key, known)}")
        if key == ATTENTION and value not in WAYS:
            raise UsageError(f"`{place}.{key}`: one of {', '.join(WAYS)}, not `{value}`")
        part_class = cls.sub_configs.get(key)
        if part_class is not None and isinstance(value, dict):
            if not issubclass(part_class, PreTrainedConfig):  # AutoConfig: the part may be of several architectures
                part_class = config_class(value.get("model_type", part_types(cls)[key]))
                value = {name: each for name, each in value.items() if name != "model_type"}
            check_keys(value, part_class, f"{place}.{key}")


def _suggestion(word: str, candidates: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(candidates), 1, 0.6)
    return f"; did you mean `{close[0]}`?" if close else ""
