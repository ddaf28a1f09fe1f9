import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from tests.plugins.tiny_transformers import PICTURE, PICTURES, Case, Folder, context, make, store
from zoo import UsageError, Values, ValueSpec
from zoo_transformers.backbone import build
from zoo_transformers.declaration import Transformers
from zoo_transformers.pictures import Picture, picture_of
from zoo_transformers.resampling import resample_positions, sum_or_repeat_channels

VIT, DINO, BEIT, CLIP, SIGLIP, SWIN, CONVNEXT = PICTURES
PROCESSORS = [f"{name}ImageProcessor" for name in ("ViT", "CLIP", "Siglip", "Beit", "Bit", "DeiT", "ConvNext")]


def backbone_of(case: Case, channels: int = 3, files: Folder | None = None, **options: Any) -> Any:
    value = ValueSpec(modality="image", shape=(channels, None, None), standardized=options.pop("standardized", False))
    given: dict[str, Any] = {} if files is not None else {"config": dict(case.config)}
    return build(Transformers(**given, **options), context(case.name, value, files)).eval()


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("shape", [(300, 400), (260, 90), (224, 224), (256, 256)])
def test_pictures_are_prepared_as_by_the_librarys_image_processor(
    name: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    sizes = {"Siglip": {"height": 224, "width": 224}, "ConvNext": {"shortest_edge": 224}}
    size = sizes.get(name.removesuffix("ImageProcessor"))
    processor = getattr(transformers, name)(**({} if size is None else {"size": size}))
    said = json.loads(processor.to_json_string()) | {"image_processor_type": name}
    config = transformers.ViTConfig(**PICTURE | {"image_size": 224, "patch_size": 56})
    files = store(tmp_path, {"config.json": config.to_json_string(), "preprocessor_config.json": json.dumps(said)})
    picture = torch.randint(0, 256, (3, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = processor(picture, return_tensors="pt")
    made = backbone_of(VIT, files=files).prepare(picture)
    assert made.shape == (3, 224, 224)
    # The processor rounds after each pass over rows and columns; a step of one in 255 is 0.018 after standardising.
    assert (made - expected["pixel_values"][0]).abs().max() < 0.04


@pytest.mark.parametrize(("case", "mean"), [(VIT, 0.5), (CLIP, 0.48145466), (DINO, 0.48145466), (SIGLIP, 0.5)], ids=str)
def test_without_a_file_the_architectures_own_statistics_apply(case: Case, mean: float) -> None:
    picture = backbone_of(case).prepare
    assert picture.mean[0] == pytest.approx(mean)


def test_a_convnext_picture_is_cut_out_of_a_larger_one() -> None:
    defaults = {"size": {"shortest_edge": 384}, "crop_pct": 0.875}
    small, _ = picture_of({**defaults, "size": {"shortest_edge": 224}}, None, 3, False)
    large, _ = picture_of(defaults, None, 3, False)
    assert (small.size, small.resize) == ((224, 224), 256)
    assert (large.size, large.resize) == ((384, 384), (384, 384))


def test_float_pictures_have_the_range_of_the_others() -> None:
    picture = Picture((8, 8), (8, 8), "bilinear", 1 / 255, (0.5,), (0.25,))
    pixels = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    assert torch.allclose(picture(pixels), picture(pixels.float()))
    assert torch.allclose(picture(pixels), (pixels / 255 - 0.5) / 0.25, atol=1e-6)


def test_standardised_pictures_are_only_resized() -> None:
    prepare = backbone_of(VIT, standardized=True).prepare
    picture = torch.randn(3, 16, 16)
    assert torch.equal(prepare(picture), picture)
    assert prepare(torch.randn(3, 50, 40)).shape == (3, 16, 16)


def test_a_picture_smaller_than_what_is_cut_out_stands_in_the_middle() -> None:
    picture = Picture((6, 6), 4, "bilinear", 1.0, (), ())
    made = picture(torch.ones(1, 4, 4))
    assert made.sum() == 16
    assert made[0, 1:5, 1:5].sum() == 16


@pytest.mark.parametrize("case", PICTURES, ids=str)
@pytest.mark.parametrize("channels", [1, 4])
def test_other_numbers_of_channels(case: Case, channels: int) -> None:
    backbone, original = backbone_of(case, channels), backbone_of(case)
    adapted = backbone.adapt(original.state_dict())
    backbone.load_state_dict(adapted.tensors)
    (name,) = adapted.resized
    assert ("3 channels summed to 1" if channels == 1 else "3 channels repeated to 4") == adapted.resized[name]
    grey = torch.randn(2, 1, *original.prepare.size)
    if channels == 1:
        expected = original(Values(grey.expand(-1, 3, -1, -1))).pooled
        assert torch.allclose(backbone(Values(grey)).pooled, expected, atol=1e-5)
    picture = torch.randint(0, 256, (channels, 9, 9), dtype=torch.uint8)
    assert backbone(Values(backbone.prepare(picture)[None])).pooled.isfinite().all()
    assert {name: each.shape for name, each in backbone.adapt(backbone.reference()).tensors.items()} == {
        name: each.shape for name, each in backbone.state_dict().items()
    }


@pytest.mark.parametrize("case", [VIT, DINO, BEIT, CLIP, SIGLIP], ids=str)
def test_another_resolution_resamples_the_positions(case: Case) -> None:
    backbone, original = backbone_of(case, resolution=24), backbone_of(case)
    state = original.state_dict()
    adapted = backbone.adapt(state)
    backbone.load_state_dict(adapted.tensors)
    assert backbone.features.tokens - original.features.tokens == 36 - 16
    assert set(adapted.resized) == {name for name in state if "position" in name}
    assert set(adapted.resized.values()) == {"4x4 positions resampled to 6x6"}
    assert backbone.prepare(torch.zeros(3, 50, 40, dtype=torch.uint8)).shape == (3, 24, 24)
    assert backbone(backbone.example(1)).tokens.shape[1] == backbone.features.tokens
    assert all(adapted.tensors[name] is state[name] for name in state if name not in adapted.resized)


def test_resampled_positions_are_those_that_the_library_would_interpolate() -> None:
    original, backbone = backbone_of(VIT), backbone_of(VIT, resolution=24)
    backbone.load_state_dict(backbone.adapt(original.state_dict()).tensors)
    pictures = torch.randn(2, 3, 24, 24)
    expected = original.network(pictures, interpolate_pos_encoding=True).last_hidden_state
    assert torch.allclose(backbone(Values(pictures)).tokens, expected, atol=1e-5)


@pytest.mark.parametrize("case", [SWIN, CONVNEXT], ids=str)
def test_architectures_with_stages_take_another_resolution_too(case: Case) -> None:
    backbone = backbone_of(case, resolution=64)
    assert backbone.adapt(backbone_of(case).state_dict()).resized == {}
    assert backbone.prepare(torch.zeros(3, 50, 40, dtype=torch.uint8)).shape == (3, 64, 64)
    assert backbone(backbone.example(1)).pooled.shape == (1, backbone.features.pooled_dim)


def test_a_resolution_below_one_patch_is_refused() -> None:
    with pytest.raises(UsageError, match="`resolution: 8` is less than one patch of 12 pixels"):
        backbone_of(Case("vit", "image", {**PICTURE, "patch_size": 12, "image_size": 24}), resolution=8)


def test_positions_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="5 positions are no grid of 4x4"):
        resample_positions(torch.zeros(1, 5, 8), (4, 4), (6, 6), between=False, like=torch.zeros(1, 37, 8))


def test_constant_positions_stay_constant() -> None:
    table = torch.cat([torch.full((1, 1, 3), 7.0), torch.full((1, 16, 3), 2.0)], 1)
    made, _ = resample_positions(table, (4, 4), (9, 9), between=False, like=torch.zeros(1, 82, 3))
    assert torch.allclose(made[:, :1], torch.tensor(7.0))
    assert torch.allclose(made[:, 1:], torch.tensor(2.0))


def test_channels_repeat_in_turn() -> None:
    weight = torch.arange(3.0).reshape(1, 3, 1, 1)
    made, _ = sum_or_repeat_channels(weight, 5)
    assert torch.allclose(made.flatten(), torch.tensor([0, 1, 2, 0, 1]) * 3 / 5)


@pytest.mark.parametrize("case", [VIT, DINO, CLIP, SIGLIP], ids=str)
@pytest.mark.parametrize("pool", ["auto", "first", "mean", "max"])
def test_each_way_of_pooling(case: Case, pool: str) -> None:
    if pool == "first" and case is SIGLIP:
        with pytest.raises(UsageError, match="has no class token; take `mean`"):
            make(case, pool=pool)
        return
    backbone = make(case, pool=pool)
    picture = torch.randn(2, 3, 16, 16)
    features, outputs = backbone(Values(picture)), backbone.network(picture)
    patches = outputs.last_hidden_state[:, backbone.special :]
    expected: dict[str, Tensor] = {"mean": patches.mean(1), "max": patches.amax(1)}
    if pool in ("auto", "first"):
        expected[pool] = outputs.last_hidden_state[:, 0] if case is VIT else outputs.pooler_output
    assert torch.allclose(features.pooled, expected[pool], atol=1e-6)


def test_a_vit_is_built_without_the_pooling_layer_that_its_weights_lack() -> None:
    assert make(VIT).network.pooler is None


def test_the_last_token_of_a_picture_means_nothing() -> None:
    with pytest.raises(UsageError, match="`pool: last` is for texts"):
        make(VIT, pool="last")


def test_encode_can_leave_patches_out() -> None:
    backbone = make(VIT)
    values = Values(torch.randn(2, 3, 16, 16))
    tokens, mask = backbone.embed(values)
    assert mask is None
    assert torch.equal(backbone.encode(tokens).tokens, backbone(values).tokens)
    keep = torch.tensor([[0, 3, 5], [0, 1, 2]])
    assert backbone.encode(tokens, None, keep).tokens.shape == (2, 3, 32)
    assert not torch.equal(backbone.encode(tokens, None, keep).pooled, backbone(values).pooled)


def test_a_beit_runs_after_it_was_planned() -> None:
    with torch.device("meta"):
        planned = make(BEIT)
        planned(planned.example(1))
    backbone = make(BEIT)
    assert backbone(backbone.example(1)).pooled.isfinite().all()
