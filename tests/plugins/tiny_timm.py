"""Tiny versions of timm's models, with random weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo import BackboneContext, Files, Values, ValueSpec
from zoo_timm.backbone import TimmBackbone, build
from zoo_timm.declaration import Timm


@dataclass(frozen=True, eq=False)
class Case:
    """A model, the side of its pictures in pixels, and what makes it small."""

    name: str
    resolution: int | None = 32
    model: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


VIT = {"embed_dim": 32, "depth": 2, "num_heads": 2}
SWIN = {"embed_dim": 16, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4}

CASES = [
    Case("test_resnet"),
    Case("test_efficientnet"),
    Case("test_byobnet"),
    Case("test_convnext"),
    Case("test_nfnet"),
    Case("test_mambaout"),
    Case("test_vit", 48),
    Case("test_vit2"),
    Case("test_vit3"),
    Case("test_vit_relpos"),
    Case("test_coatnet", 64),
    Case("mobilenetv3_small_050"),
    Case("efficientvit_b0"),
    Case("resnetv2_50", 32, {"layers": [1, 1], "channels": [32, 64], "stem_chs": 16}),
    Case("densenet121", 32, {"growth_rate": 8, "block_config": [1, 2]}),
    Case("swin_tiny_patch4_window7_224", 32, SWIN),
    Case("swinv2_tiny_window8_256", 32, SWIN),
    Case("swinv2_cr_tiny_224", 32, SWIN),
    Case("davit_tiny", 32, {"embed_dims": [16, 32], "depths": [1, 1], "num_heads": [1, 2]}),
    Case("eva02_tiny_patch14_224", 28, VIT),
    Case("beit_base_patch16_224", 32, VIT),
    Case("deit_tiny_distilled_patch16_224", 32, VIT),
    Case("cait_xxs24_224", 32, VIT),
    Case("xcit_nano_12_p16_224", 32, VIT),
    Case("naflexvit_base_patch16_gap", 32, VIT),
    Case("vit_tiny_r_s16_p8_224", 64, VIT),
    Case(
        "coat_tiny",
        32,
        {
            "embed_dims": [16, 16, 16, 16],
            "serial_depths": [1, 1, 1, 1],
            "parallel_depth": 1,
            "num_heads": 2,
            "crpe_window": {3: 1, 5: 1},
        },
    ),
    Case("crossvit_tiny_240", None, {"embed_dim": [16, 32], "depth": [[1, 1, 0]] * 2, "num_heads": [1, 2]}),
    Case("pit_ti_224", 32, {"base_dims": [8] * 3, "depth": [1] * 3, "heads": [1, 2, 4], "stride": 4, "patch_size": 4}),
    Case("levit_128s", 64, {"embed_dim": [16, 24, 32], "depth": [1, 1, 1], "num_heads": [1, 2, 2], "key_dim": 8}),
    Case(
        "tiny_vit_5m_224",
        64,
        {"embed_dims": [16, 24, 32, 40], "depths": [1] * 4, "num_heads": [1, 1, 2, 2], "window_sizes": [2] * 4},
    ),
    Case("twins_svt_small", 32, {"embed_dims": [8, 16, 24, 32], "depths": [1] * 4, "num_heads": [1, 1, 2, 2]}),
    Case("visformer_tiny", 32, {"embed_dim": 32, "depth": [1, 1, 1], "num_heads": 2}),
    Case("inception_next_atto", 32, {"dims": [8, 16], "depths": [1, 1]}),
]
"""Of each model the smallest that has all its parts."""


class Folder:
    """Files beside weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None


def make(
    name: str,
    channels: int | None = 3,
    *,
    shape: tuple[int | None, ...] = (None, None),
    standardized: bool = False,
    files: Files | None = None,
    **options: Any,
) -> TimmBackbone:
    """A backbone that starts at random, from the same numbers each time."""
    value = ValueSpec(modality="image", shape=(channels, *shape), standardized=standardized)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(Timm(**options), BackboneContext(name=name, value=value, files=files))


def make_case(case: Case, channels: int | None = 3) -> TimmBackbone:
    """The backbone of a case."""
    return make(case.name, channels, resolution=case.resolution, model=dict(case.model))


def make_meta(name: str, channels: int | None = 3, **options: Any) -> TimmBackbone:
    """A backbone without memory."""
    with torch.device("meta"):
        return make(name, channels, **options)


def pictures(backbone: TimmBackbone, batch: int = 2, seed: int = 0) -> Values:
    """Random values of the size that the backbone reads."""
    example = backbone.example(batch).data
    assert isinstance(example, Tensor)
    return Values(torch.randn(example.shape, generator=torch.Generator().manual_seed(seed)))


def random_state(reference: Mapping[str, Tensor], seed: int = 0) -> dict[str, Tensor]:
    """Random tensors of the same names, shapes and types."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(each.shape, generator=generator).to(each.dtype)
        if each.is_floating_point()
        else each.new_zeros(each.shape, device="cpu")
        for name, each in reference.items()
    }
