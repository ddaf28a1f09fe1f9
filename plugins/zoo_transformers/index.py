"""The index of transformers: every architecture that `AutoModel` builds and that encodes pictures, text or sound.

A record describes the architecture under its default configuration, which is what `config: {}` gives. `parameters` are
those of the whole `AutoModel` (for T5 encoder and decoder, for CLIP both towers), which carries no task head; `dim` is
the width of its hidden states, of two towers only where they agree. Weights, data and licence belong to Hub repositories, not to architectures.
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
    "text": (
        *("TEXT_ENCODING", "MASKED_LM", "CAUSAL_LM", "SEQ_TO_SEQ_CAUSAL_LM"),
        *("SEQUENCE_CLASSIFICATION", "TOKEN_CLASSIFICATION", "QUESTION_ANSWERING", "MULTIPLE_CHOICE"),
    ),
}
# Members of these read several modalities at once, or boxes and video, or they give sound: no encoder of one modality.
OTHER_TASKS = (
    *("MULTIMODAL_LM", "IMAGE_TEXT_TO_TEXT", "VISUAL_QUESTION_ANSWERING", "VIDEO_CLASSIFICATION"),
    *("OBJECT_DETECTION", "ZERO_SHOT_OBJECT_DETECTION", "TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM"),
)
# What the first argument of `forward` is called.
ARGUMENTS = {"image": {"pixel_values"}, "audio": {"input_values", "input_features"}, "text": {"input_ids"}}
# What the part of a configuration is called that describes an encoder of that modality.
PARTS = {
    "image": ("vision_config", "image_config"),
    "audio": ("audio_config", "encoder_config"),
    "text": ("text_config", "encoder"),
}
# What neither a task mapping nor the class tells. None: left out.
EXCEPTIONS: dict[str, str | None] = {
    "dpr": "text",  # a BERT in no task mapping
    "embedding_gemma2_text": "text",  # an embedding model in no task mapping
    "pe_audio_encoder": "audio",  # declares text
    "radio": "image",  # declares text
    **dict.fromkeys(("bros", "layoutlmv2", "lxmert")),  # text that needs boxes or a picture beside it
    **dict.fromkeys(("edgetam_vision_model", "timm_backbone", "timm_wrapper")),  # wrap timm, which has its own plugin
    "vision-text-dual-encoder": None,  # has no default configuration
}


def _tasks(name: str, entries: tuple[str, ...]) -> bool:
    from transformers.models.auto import modeling_auto

    return any(name in getattr(modeling_auto, f"MODEL_FOR_{entry}_MAPPING_NAMES", ()) for entry in entries)


def _model_class(name: str) -> Any:
    from transformers import CONFIG_MAPPING, MODEL_MAPPING

    found = MODEL_MAPPING[CONFIG_MAPPING[name]]
    return found[0] if isinstance(found, tuple) else found


def _takes(model: Any, modality: str, alone: bool = False) -> bool:
    """Whether `forward` begins with that modality; `alone`: and insists on nothing else."""
    first, *rest = list(inspect.signature(model.forward).parameters.values())[1:] or [None]
    required = any(item.default is item.empty and item.kind is item.POSITIONAL_OR_KEYWORD for item in rest)
    return first is not None and first.name in ARGUMENTS[modality] and not (alone and required)


def _tower(model: Any) -> str | None:
    """The modality of one half of a bigger model, such as `clip_vision_model`, by what its class declares."""
    if not re.search(r"(Vision(Model|Transformer)|Audio(Model)?|Encoder)$", model.__name__):
        return None
    declared = {model.input_modalities} if isinstance(model.input_modalities, str) else set(model.input_modalities)
    fits = [name for name in ("image", "audio") if declared - {"video"} == {name} and _takes(model, name, alone=True)]
    return fits[0] if fits else None


def modality(name: str) -> str | None:
    """What an architecture encodes: `image`, `text`, `audio`, two of them joined by `+` for two towers, else None."""
    if name in EXCEPTIONS:
        return EXCEPTIONS[name]
    try:
        model = _model_class(name)
    except Exception:
        return None  # registered, but this version of the library does not export it
    # An AutoModel that is itself a task model gives logits, not features.
    if _tasks(name, OTHER_TASKS) or re.search(r"For[A-Z]", model.__name__):
        return None
    towers = [each for each in ("audio", "image", "text", "video") if hasattr(model, f"get_{each}_features")]
    if len(towers) > 1:
        return "+".join(towers) if len(towers) == 2 and "text" in towers and "video" not in towers else None
    for each, entries in TASKS.items():
        if _tasks(name, entries):
            mixed = each == "text" and "audio" in model.input_modalities
            return each if _takes(model, each) and not mixed else None
    return _tower(model)


def names() -> list[str]:
    """Every name that the index of the installed version holds, sorted."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    return sorted(name for name in MODEL_MAPPING_NAMES if modality(name))


def _parts(config: Any, kind: str) -> dict[str, Any]:
    """The configuration of the encoder of each modality: a part of the whole, or the whole."""
    return {
        each: next((getattr(config, key) for key in PARTS[each] if key in config.sub_configs), config)
        for each in kind.split("+")
    }


def _width(config: Any) -> int | None:
    for key in ("output_channels", "hidden_size", "neck_hidden_sizes", "hidden_sizes", "hidden_dim", "embed_dims"):
        value = getattr(config, key, None)
        value = value[-1] if isinstance(value, list | tuple) else value
        if isinstance(value, int):
            return value
    return None


def _input(config: Any, kind: str, whole: Any) -> str | None:
    if kind == "text":
        length = getattr(config, "max_position_embeddings", None)
        return f"{length} tokens" if isinstance(length, int) and length > 0 else None
    if kind == "audio":
        from transformers import FEATURE_EXTRACTOR_MAPPING

        extractor = FEATURE_EXTRACTOR_MAPPING.get(type(whole), None)
        rate = inspect.signature(extractor.__init__).parameters.get("sampling_rate") if extractor else None
        return f"{rate.default} Hz" if rate else None
    size, channels = getattr(config, "image_size", None), getattr(config, "num_channels", None)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return f"{channels}x{height}x{width}" if size and channels else None


def _record(name: str, kind: str) -> dict[str, Any]:
    import torch
    from transformers import CONFIG_MAPPING, AutoModel

    record: dict[str, Any] = {"modality": kind}
    # A default configuration may need an extra package, or not fit its own model: the record says what is known.
    with suppress(Exception):
        config = CONFIG_MAPPING[name]()
        parts = _parts(config, kind)
        widths = {_width(part) for part in parts.values()}
        record["dim"] = widths.pop() if len(widths) == 1 else None
        record["input"] = ", ".join(filter(None, (_input(part, each, config) for each, part in parts.items())))
        with torch.device("meta"):
            record["parameters"] = sum(each.numel() for each in AutoModel.from_config(config).parameters())
    return {key: value for key, value in record.items() if value}


def build(progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Makes the index of the installed transformers.

    Args:
        progress: Called with how many models are done and how many there are.
    """
    import transformers

    level, chosen, models = transformers.logging.get_verbosity(), names(), {}
    transformers.logging.set_verbosity_error()
    try:
        for done, name in enumerate(chosen, 1):
            models[name] = _record(name, modality(name) or "")
            progress(done, len(chosen))
    finally:
        transformers.logging.set_verbosity(level)
    return {"library": "transformers", "version": transformers.__version__, "models": models}
