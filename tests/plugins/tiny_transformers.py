"""Tiny versions of transformers' architectures, with random weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo import BackboneContext, Values, ValueSpec
from zoo_transformers.backbone import build
from zoo_transformers.declaration import Transformers
from zoo_transformers.encoder import Encoder

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
PICTURE = {**SIZES, "image_size": 16, "patch_size": 4}
SOUND = {
    **SIZES,
    **{"conv_dim": [16, 16], "conv_kernel": [10, 3], "conv_stride": [5, 2]},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
}
TEXT = {**SIZES, "vocab_size": 60}
SPANS = {"deberta": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}}


@dataclass(frozen=True, eq=False)
class Case:
    """An architecture, the modality that is asked of it, and a small configuration."""

    name: str
    modality: str
    config: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.name}-{self.modality}"


TEXTS = [
    Case("bert", "text", TEXT),
    Case("roberta", "text", TEXT),
    Case("distilbert", "text", {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "vocab_size": 60}),
    Case("deberta-v2", "text", {**TEXT, **SPANS["deberta"], "conv_kernel_size": 3, "norm_rel_ebd": "layer_norm"}),
    Case("modernbert", "text", {**TEXT, "local_attention": 4, "global_attn_every_n_layers": 2}),
    Case("t5", "text", {"d_model": 32, "num_layers": 3, "num_heads": 4, "d_kv": 8, "d_ff": 48, "vocab_size": 60}),
    Case("gpt2", "text", {"n_embd": 32, "n_layer": 3, "n_head": 4, "vocab_size": 60}),
    Case("llama", "text", TEXT),
    Case("qwen2", "text", {**TEXT, "num_key_value_heads": 2}),
    Case("clip", "text", {"text_config": TEXT}),
    Case("siglip", "text", {"text_config": {**TEXT, "max_position_embeddings": 16, "projection_size": 40}}),
]
SOUNDS = [
    Case("wav2vec2", "audio", SOUND),
    Case("hubert", "audio", {**SOUND, "feat_extract_norm": "layer", "do_stable_layer_norm": True}),
    Case("wavlm", "audio", {**SOUND, "feat_extract_norm": "layer"}),
]
SPECTROGRAMS = [
    Case(
        "whisper",
        "audio",
        {
            **{"d_model": 32, "encoder_layers": 3, "encoder_attention_heads": 4, "encoder_ffn_dim": 48},
            **{"num_mel_bins": 8, "max_source_positions": 20},
        },
    ),
    Case(
        "audio-spectrogram-transformer",
        "audio",
        {**SIZES, "max_length": 32, "num_mel_bins": 16, "patch_size": 8, "frequency_stride": 4, "time_stride": 4},
    ),
]
PICTURES = [
    Case("vit", "image", PICTURE),
    Case("dinov2", "image", {key: value for key, value in PICTURE.items() if key != "intermediate_size"}),
    Case("beit", "image", {**PICTURE, "use_relative_position_bias": True, "use_absolute_position_embeddings": True}),
    Case("clip", "image", {"vision_config": PICTURE}),
    Case("siglip", "image", {"vision_config": PICTURE}),
    Case("swin", "image", {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "image_size": 32, "window_size": 4}),
    Case("convnext", "image", {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1], "image_size": 32}),
]
CASES = [*TEXTS, *SOUNDS, *SPECTROGRAMS, *PICTURES]

VALUES = {
    "text": ValueSpec(modality="text", max_length=12),
    "audio": ValueSpec(modality="audio", shape=(None,), rate=16000, max_length=3000),
    "image": ValueSpec(modality="image", shape=(3, None, None)),
}


class Folder:
    """Files in a folder, as they stand beside weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None


def context(name: str, value: ValueSpec, files: Folder | None = None, **fitted: Any) -> BackboneContext:
    """What surrounds a backbone."""
    return BackboneContext(name=name, value=value, files=files, fitted=fitted)


def make(case: Case, **options: Any) -> Encoder:
    """The backbone of a case, in eval mode, always with the same weights."""
    torch.manual_seed(0)
    made = build(Transformers(config=dict(case.config), **options), context(case.name, VALUES[case.modality]))
    assert isinstance(made, Encoder)
    return made.eval()


def make_text(name: str, files: Folder | None = None, max_length: int | None = 12, **options: Any) -> Encoder:
    """A backbone of texts beside whose weights there are files."""
    fitted = options.pop("fitted", {})
    value = ValueSpec(modality="text", max_length=max_length)
    made = build(Transformers(**options), context(name, value, files, **fitted))
    assert isinstance(made, Encoder)
    return made.eval()


def sample_values(case: Case, rows: int = 3) -> Values:
    """Values of a case, of equal length."""
    generator = torch.Generator().manual_seed(1)
    like = make_example(case, rows)
    if like.dtype == torch.int64:
        return Values(torch.randint(5, 60, like.shape, generator=generator))
    return Values(torch.randn(like.shape, generator=generator))


@cache
def make_example(case: Case, rows: int) -> Tensor:
    """The example of a case's backbone, on the meta device."""
    with torch.device("meta"):
        data = make(case).example(rows).data
    assert isinstance(data, Tensor)
    return data


def store(folder: Path, files: Mapping[str, str]) -> Folder:
    """Files written into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Folder(folder)
