"""The index of transformers: every architecture that `AutoModel` builds and that encodes pictures, text or sound.

A record describes the architecture under its default configuration, which is what `config: {}` gives. `parameters` are
those of the whole `AutoModel`, which has no task head (for T5 encoder and decoder, for CLIP both towers); `dim` is the
width of its hidden states, of two towers only where they agree. Weights, data and licence belong to Hub repositories.
"""

import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# Task mappings of transformers, by what their models take. An entry is the middle of `MODEL_FOR_..._MAPPING_NAMES`.
TASKS = {
    "image": ("IMAGE", "IMAGE_CLASSIFICATION", "BACKBONE", "MASKED_IMAGE_MODELING"),
    "audio": ("AUDIO_CLASSIFICATION", "AUDIO_FRAME_CLASSIFICATION", "AUDIO_XVECTOR", "CTC", "SPEECH_SEQ_2_SEQ"),
    "text": ("TEXT_ENCODING", "MASKED_LM", "SEQUENCE_CLASSIFICATION", "CAUSAL_LM", "SEQ_TO_SEQ_CAUSAL_LM"),
}
# Members of these read several modalities at once, or video, or find boxes, or speak: no encoder of one modality.
OTHER_TASKS = (
    *("MULTIMODAL_LM", "VIDEO_CLASSIFICATION", "OBJECT_DETECTION", "ZERO_SHOT_OBJECT_DETECTION"),
    *("TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM"),
)
# What the first argument of `forward` is called.
ARGUMENTS = {"image": ("pixel_values",), "audio": ("input_values", "input_features"), "text": ("input_ids",)}
# What the part of a configuration is called that describes an encoder of that modality.
PARTS = {
    "image": ("vision_config", "image_config"),
    "audio": ("audio_config", "encoder_config"),
    "text": ("text_config", "encoder"),
}
# What neither a task mapping nor the class tells. None: left out.
EXCEPTIONS: dict[str, str | None] = {
    **{"dpr": "text", "embedding_gemma2_text": "text", "pe_audio_encoder": "audio", "radio": "image"},
    **dict.fromkeys(("edgetam_vision_model", "timm_backbone", "timm_wrapper")),  # wrap timm, which has its own plugin
    "layoutlmv2": None,  # needs the picture beside the text, and detectron2
    "vision-text-dual-encoder": None,  # has no default configuration
}


def _tasks(name: str, entries: tuple[str, ...]) -> bool:
    from transformers.models.auto import modeling_auto

    return any(name in getattr(modeling_auto, f"MODEL_FOR_{entry}_MAPPING_NAMES", ()) for entry in entries)


def _tower(model: Any, arguments: list[inspect.Parameter]) -> str | None:
    """The modality of one half of a bigger model, such as `clip_vision_model`, by what its class declares."""
    named = re.search(r"(Vision(Model|Transformer)|Audio(Model)?|Encoder)$", model.__name__)
    needs = [item for item in arguments[1:] if item.default is item.empty and item.kind is not item.VAR_KEYWORD]
    declared = {model.input_modalities} if isinstance(model.input_modalities, str) else set(model.input_modalities)
    for each in ("image", "audio"):
        if named and not needs and declared - {"video"} == {each} and arguments[0].name in ARGUMENTS[each]:
            return each
    return None


def modality(name: str) -> str | None:
    """What an architecture encodes: `image`, `text`, `audio`, two of them joined by `+` for two towers, else None."""
    from transformers import CONFIG_MAPPING, MODEL_MAPPING

    if name in EXCEPTIONS:
        return EXCEPTIONS[name]
    try:
        found = MODEL_MAPPING[CONFIG_MAPPING[name]]
        model = found[0] if isinstance(found, tuple) else found
    except Exception:
        return None  # registered, but this version of the library does not export it
    arguments = list(inspect.signature(model.forward).parameters.values())[1:]
    # An AutoModel that is itself a task model gives logits, not features.
    if not arguments or _tasks(name, OTHER_TASKS) or re.search(r"For[A-Z]", model.__name__):
        return None
    towers = [each for each in ("audio", "image", "text", "video") if hasattr(model, f"get_{each}_features")]
    if len(towers) > 1:
        return "+".join(towers) if towers in (["audio", "text"], ["image", "text"]) else None
    for each, entries in TASKS.items():
        if _tasks(name, entries):
            mixed = each == "text" and "audio" in model.input_modalities
            return each if arguments[0].name in ARGUMENTS[each] and not mixed else None
    return _tower(model, arguments)


def names() -> list[str]:
    """Every name that the index of the installed version holds, sorted."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    return sorted(name for name in MODEL_MAPPING_NAMES if modality(name))


def width(config: Any) -> int | None:
    """Width of an architecture's hidden states; None where its configuration does not tell."""
    for key in ("output_channels", "hidden_size", "neck_hidden_sizes", "hidden_sizes", "hidden_dim", "embed_dims"):
        value = getattr(config, key, None)
        value = value[-1] if isinstance(value, list | tuple) else value
        if isinstance(value, int):
            return value
    return None


def _input(part: Any, kind: str, config: Any) -> str | None:
    if kind == "text":
        length = getattr(part, "max_position_embeddings", None)
        return f"{length} tokens" if isinstance(length, int) and length > 0 else None
    if kind == "audio":
        from transformers import FEATURE_EXTRACTOR_MAPPING

        extractor = FEATURE_EXTRACTOR_MAPPING.get(type(config), None)
        rate = inspect.signature(extractor.__init__).parameters.get("sampling_rate") if extractor else None
        return f"{rate.default} Hz" if rate else None
    size, channels = getattr(part, "image_size", None), getattr(part, "num_channels", None)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return f"{channels}x{height}x{width}" if size and channels else None


def _record(name: str, kind: str) -> dict[str, Any]:
    import torch
    from transformers import CONFIG_MAPPING, AutoModel

    record: dict[str, Any] = {"modality": kind}
    # A default configuration may need an extra package, or not fit its own model: the record says what is known.
    with suppress(Exception):
        config, kinds = CONFIG_MAPPING[name](), kind.split("+")
        parts = [next((key for key in PARTS[each] if key in config.sub_configs), None) for each in kinds]
        towers = [getattr(config, part) if part else config for part in parts]
        inputs = [_input(tower, each, config) for tower, each in zip(towers, kinds, strict=True)]
        record["dim"] = widths.pop() if len(widths := {width(tower) for tower in towers}) == 1 else None
        record["input"] = ", ".join(text for text in inputs if text) if all(inputs) else None
        with torch.device("meta"):
            record["parameters"] = sum(each.numel() for each in AutoModel.from_config(config).parameters())
    return {key: value for key, value in record.items() if value is not None}


def build(progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Makes the index of the installed transformers.

    Args:
        progress: Called with how many models are done and how many there are.
    """
    import transformers

    level, chosen, models = transformers.logging.get_verbosity(), names(), {}
    transformers.logging.set_verbosity_error()  # it warns of what default configurations lack
    try:
        for done, name in enumerate(chosen, 1):
            models[name] = _record(name, modality(name) or "")
            progress(done, len(chosen))
    finally:
        transformers.logging.set_verbosity(level)
    return {"library": "transformers", "version": transformers.__version__, "models": models}
