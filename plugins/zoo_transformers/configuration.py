"""From a name and options to a configuration of one tower: every key known, no weights, and nobody else's code."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from transformers.configuration_utils import PreTrainedConfig
from transformers.utils import logging

from zoo import BackboneContext, UsageError
from zoo_transformers.declaration import Transformers
from zoo_transformers.entries import ATTENTION, check_keys, config_class, part_types
from zoo_transformers.index import PARTS

# What a file must not decide: code to run, kernels to fetch, the type of the numbers.
UNSAFE = ("auto_map", ATTENTION, "experts_implementation", "dtype", "torch_dtype")
# The encoder of a masked autoencoder is a ViT; the library's own class hides patches at random, in use too.
STANDS_FOR = {"vit_mae": "vit"}
# Where a configuration may tell the width of a head apart from `hidden_size`.
HEAD_WIDTHS = ("head_dim", "d_kv", "attention_head_size")
OURS = "zoo"
"""Key of `config.json` under which `Encoder.files` keeps what else the backbone was built from."""


@dataclass(frozen=True)
class Configured:
    """A tower's configuration.

    Args:
        config: The one to build.
        original: The one that the weights were trained under; equal to `config` where nothing was changed.
        model_type: What transformers calls the whole model: `clip` where `config` is its `clip_vision_model`.
        said: Entries for this tower that the spec itself says.
        notes: What an earlier build kept in `config.json` beside the configuration.
    """

    config: PreTrainedConfig
    original: PreTrainedConfig
    model_type: str
    said: Mapping[str, Any]
    notes: Mapping[str, Any]


def configure(options: Transformers, context: BackboneContext) -> Configured:
    """The configuration that a spec describes.

    Raises:
        UsageError: A key is unknown, a value wrong, or there is no configuration.
    """
    stored = _stored(context) if context.files is not None else {}
    notes = stored.pop(OURS, {})
    model_type = _model_type(options, context, stored)
    model_type = STANDS_FOR.get(model_type, model_type)
    cls = config_class(model_type)
    entries = stored if options.config is None else options.config
    if options.config is not None:
        check_keys(options.config, cls, "config")
    check_keys(options.model, cls, "model")
    original, config = (
        _tower(_made(cls, each), context.value.modality) for each in (entries, _merged(entries, options.model))
    )
    if options.depth is not None:
        _keep_layers(config, options.depth)
    if options.dropout is not None:
        _set_dropout(config, options.dropout)
    _check_heads(config)
    said = _merged(options.config or {}, options.model)
    for key in _parts(cls, context.value.modality):
        said = said.get(key, {})
    return Configured(config, original, model_type, said, notes)


def layers_of(config: PreTrainedConfig) -> int | None:
    """Number of transformer layers; None where the architecture has stages instead."""
    if hasattr(config, "depths"):
        return None
    layers = getattr(config, "num_hidden_layers", None)
    return layers if isinstance(layers, int) else None


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' remarks on values that are about to be put right."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _stored(context: BackboneContext) -> dict[str, Any]:
    """What `config.json` beside the weights says."""
    path = context.files.path("config.json") if context.files is not None else None
    if path is None:
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"`{path}` is no JSON: {error}") from None
    if not isinstance(stored, dict):
        raise UsageError(f"`{path}` is no configuration of a model")
    return _safe(stored)


def _safe(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _safe(value) if isinstance(value, dict) else value
        for key, value in entries.items()
        if key.removeprefix("_").removesuffix("_internal") not in UNSAFE
    }


def _model_type(options: Transformers, context: BackboneContext, stored: Mapping[str, Any]) -> str:
    """The architecture: a name of one segment says it, of a repository its `config.json`."""
    found = stored.get("model_type")
    if "/" in context.name:
        if not isinstance(found, str):
            raise UsageError(
                f"`{context.name}` has no `config.json` with a `model_type`, so its architecture is unknown"
            )
        return found
    if options.config is None and isinstance(found, str) and found != context.name:
        if found not in part_types(config_class(context.name)).values():
            raise UsageError(f"the weights are of a `{found}`; name that: `transformers/{found}`")
        return found
    return context.name


def _merged(entries: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(entries)
    for key, value in more.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _made(cls: type[PreTrainedConfig], entries: Mapping[str, Any]) -> PreTrainedConfig:
    with quiet():
        try:
            return cls(**{key: value for key, value in entries.items() if key != "model_type"})
        except Exception as error:  # each architecture has checks of its own, with errors of its own
            raise UsageError(f"this is no configuration of `{cls.model_type}`: {_told(error)}") from None


def _tower(config: PreTrainedConfig, modality: str) -> PreTrainedConfig:
    """The part that describes the encoder of one modality; the whole where it has no parts."""
    for key in _parts(type(config), modality):
        config = getattr(config, key)
    return config


def _parts(cls: type[PreTrainedConfig], modality: str) -> list[str]:
    """Where in a configuration that part is; nowhere, where the whole describes it."""
    return [key for key in PARTS.get(modality, ()) if key in cls.sub_configs][:1]


def _keep_layers(config: PreTrainedConfig, depth: int) -> None:
    layers = layers_of(config)
    if layers is None:
        raise UsageError(f"`depth`: `{config.model_type}` has stages; give their depths in `model: {{depths: [...]}}`")
    if depth > layers:
        raise UsageError(f"`depth: {depth}`: `{config.model_type}` has {layers} layers here")
    config.num_hidden_layers = depth
    for key in ("layer_types", "mlp_layer_types"):
        if kinds := getattr(config, key, None):
            setattr(config, key, kinds[:depth])


def _set_dropout(config: PreTrainedConfig, rate: float) -> None:
    """Every dropout inside the layers; those of task heads, whole layers and paths are other things."""
    others = ("classif", "summary", "qa_", "final_", "layerdrop", "path", "quantizer", "pooler", "head")
    names = [each.name for each in fields(config) if "drop" in each.name and not any(s in each.name for s in others)]
    if not names:
        raise UsageError(f"`dropout`: `{config.model_type}` has none")
    for name in names:
        setattr(config, name, rate)


def _check_heads(config: PreTrainedConfig) -> None:
    entries = config.to_dict()
    width, heads = (entries.get(config.attribute_map.get(key, key)) for key in ("hidden_size", "num_attention_heads"))
    if not isinstance(width, int) or not isinstance(heads, int) or any(key in entries for key in HEAD_WIDTHS):
        return
    if heads < 1 or width % heads:
        raise UsageError(f"the attention heads ({heads}) must divide the width ({width}) of `{config.model_type}`")


def _told(error: Exception) -> str:
    return " ".join(str(error.__cause__ or error).split()) or type(error).__name__
