import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import timm
import torch
from timm.layers import resample_abs_pos_embed, resample_abs_pos_embed_nhwc
from timm.layers.pos_embed_rel import resize_rel_pos_bias_table_levit
from timm.models._manipulate import adapt_input_conv
from timm.models.vision_transformer_sam import get_rel_pos
from torch import Tensor
from torch.nn.functional import conv2d, pixel_unshuffle

from tests.plugins.tiny_timm import CASES, SWIN, VIT, Case, make, make_case, make_meta, pictures, random_state
from zoo import Values
from zoo.checkpoint.loading import fit_state, started
from zoo.errors import CorruptError
from zoo_timm.backbone import TimmBackbone
from zoo_timm.weights import resample, sum_or_repeat_channels

TINY = {case.name: case for case in CASES}
HYBRID = TINY["vit_tiny_r_s16_p8_224"]
TRESNET = Case("tresnet_m", 64, {"layers": [1, 1, 1, 1], "width_factor": 0.25})
FASTVIT = Case("fastvit_t8", 64, {"layers": [1, 1, 1, 1], "embed_dims": [8, 16, 32, 64]})
SAM = Case("samvit_base_patch16_224", 64, {**VIT, "window_size": 0})
FIRST = [TINY["test_resnet"], TINY["test_vit"], TINY["crossvit_tiny_240"], TRESNET, FASTVIT]


def at(case: Case, resolution: int, **options: Any) -> TimmBackbone:
    """The backbone of a case that reads pictures of another size."""
    return make(case.name, resolution=resolution, model=dict(case.model), **options)


def checkpoint(backbone: TimmBackbone) -> dict[str, Tensor]:
    """Weights under timm's names, none of them as the network starts with, its variances positive."""
    own = backbone.network.state_dict()
    return {name: own[name] + each.abs() / 10 for name, each in random_state(own).items()}


def loaded(backbone: TimmBackbone, state: Mapping[str, Tensor]) -> TimmBackbone:
    """The backbone with all of its weights from a checkpoint."""
    backbone.load_state_dict(backbone.adapt(state).tensors, strict=True)
    return backbone.eval()


def pooled(backbone: TimmBackbone, data: Tensor) -> Tensor:
    with torch.no_grad():
        features: Tensor = backbone(Values(data)).pooled
    return features


@pytest.mark.parametrize(
    ("channels", "done"), [(1, "summed to 1"), (2, "cut to 2"), (4, "repeated to 4"), (6, "repeated to 6")]
)
def test_the_first_convolution_takes_other_channels_as_timm_adapts_it(channels: int, done: str) -> None:
    state = checkpoint(make("test_resnet"))
    adapted = make("test_resnet", channels).adapt(state)
    expected = adapt_input_conv(channels, state["conv1.0.weight"].clone())
    assert torch.equal(adapted.tensors["network.conv1.0.weight"], expected)
    assert adapted.resized == {"network.conv1.0.weight": f"3 input channels {done}"}
    assert torch.equal(adapted.tensors["network.conv1.1.weight"], state["conv1.1.weight"])


def test_one_channel_is_the_sum_over_three_and_six_are_three_twice_at_half() -> None:
    weight = torch.arange(3 * 4.0).reshape(1, 3, 2, 2)
    assert torch.equal(sum_or_repeat_channels(weight, 1)[0], torch.tensor([[[[12.0, 15.0], [18.0, 21.0]]]]))
    six, _ = sum_or_repeat_channels(weight.half(), 6)
    assert torch.equal(six, torch.cat([weight, weight], 1).half() / 2)


def test_a_convolution_behind_space_to_depth_keeps_its_pixels_apart() -> None:
    weight = torch.randn(4, 2 * 2 * 3, 3, 3)
    assert torch.equal(sum_or_repeat_channels(weight, 1, pixels=4)[0], adapt_input_conv(1, weight.clone()))
    picture = torch.randn(1, 3, 8, 8)
    twice, _ = sum_or_repeat_channels(weight, 6, pixels=4)
    seen = conv2d(space_to_depth(torch.cat([picture, picture], 1)), twice)
    torch.testing.assert_close(seen, conv2d(space_to_depth(picture), weight), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="over 12 channels is not one over 5 pixels"):
        sum_or_repeat_channels(weight, 1, pixels=5)


def space_to_depth(picture: Tensor) -> Tensor:
    """Blocks of 2 x 2 pixels as channels, the colours of a pixel beside each other, as timm does it."""
    batch, channels, height, width = picture.shape
    blocks = pixel_unshuffle(picture, 2).reshape(batch, channels, 4, height // 2, width // 2)
    return blocks.transpose(1, 2).flatten(1, 2)


@pytest.mark.parametrize("case", FIRST, ids=str)
def test_pictures_of_other_channels_are_seen_as_three_were(case: Case) -> None:
    three = make_case(case)
    state = checkpoint(three)
    loaded(three, state)
    colour = torch.as_tensor(pictures(three).data)
    grey = colour[:, :1]
    alone = pooled(loaded(make_case(case, 1), state), grey)
    torch.testing.assert_close(alone, pooled(three, grey.expand(-1, 3, -1, -1)), rtol=1e-3, atol=1e-3)
    twice = pooled(loaded(make_case(case, 6), state), torch.cat([colour, colour], 1))
    torch.testing.assert_close(twice, pooled(three, colour), rtol=1e-3, atol=1e-3)


def test_a_linear_patch_embedding_of_other_channels_starts_anew() -> None:
    case = TINY["naflexvit_base_patch16_gap"]
    state = checkpoint(make_case(case))
    backbone, start = started(lambda: make_case(case, 1), lambda built: state)
    assert start.new == ("network.embeds.proj.weight",)
    assert start.resized == {}
    assert backbone(pictures(make_case(case, 1))).pooled.isfinite().all()


@pytest.mark.parametrize(
    ("case", "name", "prefix", "sides"),
    [
        (Case("test_vit"), "pos_embed", 1, (3, 5)),
        (TINY["deit_tiny_distilled_patch16_224"], "pos_embed", 2, (2, 3)),
        (TINY["cait_xxs24_224"], "pos_embed", 0, (2, 4)),
        (HYBRID, "pos_embed", 1, (2, 1)),
        (TINY["eva02_tiny_patch14_224"], "pos_embed", 1, (2, 3)),
    ],
    ids=str,
)
def test_position_embeddings_are_resampled_as_timm_does(
    case: Case, name: str, prefix: int, sides: tuple[int, int]
) -> None:
    old, new = sides
    step = 14 if "14" in case.name else 32 if case is HYBRID else 16
    state = checkpoint(at(case, old * step))
    adapted = at(case, new * step).adapt(state)
    expected = resample_abs_pos_embed(state[name], [new, new], num_prefix_tokens=prefix)
    assert torch.equal(adapted.tensors["network." + name], expected)
    shapes = (" x ".join(map(str, each.shape)) for each in (state[name], expected))
    assert adapted.resized == {"network." + name: " resampled to ".join(shapes)}


@pytest.mark.parametrize(("name", "table"), [("pit_ti_224", "pos_embed"), ("visformer_tiny", "pos_embed1")])
def test_position_maps_are_resampled_as_timm_does(name: str, table: str) -> None:
    state = checkpoint(at(TINY[name], 64))
    backbone = at(TINY[name], 96)
    expected = resample_abs_pos_embed_nhwc(
        state[table].permute(0, 2, 3, 1), list(backbone.network.get_parameter(table).shape[-2:])
    ).permute(0, 3, 1, 2)
    assert torch.equal(backbone.adapt(state).tensors["network." + table], expected)


def test_tables_that_timm_leaves_alone_keep_what_stands_before_the_grid() -> None:
    table = torch.randn(1, 2 + 9, 4)
    expected = resample_abs_pos_embed(table, [5, 5], num_prefix_tokens=2)
    assert torch.equal(resample(table, (1, 2 + 25, 4), prefix=2), expected)
    assert resample(table, (1, 2 + 24, 4), prefix=2) is table
    assert resample(table, (1, 11, 4, 1), prefix=2) is table


def test_relative_tables_of_swin_are_those_of_its_smaller_window() -> None:
    # timm spaces the old distances so that the smallest ones, the only ones of a window of two, keep their values.
    case = Case("swin_tiny_patch4_window7_224", 32, SWIN)
    state = checkpoint(at(case, 32))
    adapted = at(case, 16).adapt(state)
    assert len(adapted.resized) == 2
    for place, words in adapted.resized.items():
        assert re.fullmatch(r"network\.layers\.1\.blocks\.\d\.attn\.relative_position_bias_table", place)
        assert words == "49 x 2 resampled to 9 x 2"
        nearest = state[place.removeprefix("network.")].reshape(7, 7, 2)[2:5, 2:5]
        torch.testing.assert_close(adapted.tensors[place].reshape(3, 3, 2), nearest)


def test_attention_biases_of_levit_are_resampled_as_those_of_tinyvit() -> None:
    state = checkpoint(at(TINY["levit_128s"], 64))
    name = "stages.0.blocks.0.attn.attention_biases"
    adapted = at(TINY["levit_128s"], 96).adapt(state)
    expected = resize_rel_pos_bias_table_levit(state[name].T, (36, 1)).T
    torch.testing.assert_close(adapted.tensors["network." + name], expected)


def test_distances_along_a_side_are_those_that_timm_interpolates_as_it_runs() -> None:
    state = checkpoint(at(SAM, 64))
    name = "blocks.0.attn.rel_pos_h"
    adapted = at(SAM, 96).adapt(state).tensors["network." + name]
    assert adapted.shape == (11, 16)
    torch.testing.assert_close(get_rel_pos(6, 6, adapted), get_rel_pos(6, 6, state[name]))


def test_weights_without_a_table_to_resample_are_refused_with_their_own_size() -> None:
    backbone = make_meta("gmlp_ti16_224", resolution=256)
    with pytest.raises(
        ValueError, match=r"gate.proj.weight` as \[196, 196\], the network has \[256, 256\], and"
    ) as info:
        backbone.adapt(backbone.reference())
    assert str(info.value).endswith("(`timm/gmlp_ti16_224`; without `resolution` it reads 224 x 224 pixels)")


@pytest.mark.parametrize("case", [Case("test_vit", 48), Case("test_resnet"), TINY["eva02_tiny_patch14_224"]], ids=str)
def test_a_cut_network_gives_what_the_whole_one_has_there(case: Case) -> None:
    whole = make_case(case)
    state = checkpoint(whole)
    loaded(whole, state)
    depth = len(whole.stages(pictures(whole))) - 1
    cut = make(case.name, resolution=case.resolution, model=dict(case.model), depth=depth)
    adapted = cut.adapt(state)
    assert sorted(adapted.unused) == sorted(state.keys() - cut.network.state_dict().keys())
    assert any(str(depth) in name for name in adapted.unused)
    loaded(cut, state)
    expected = whole.network.forward_intermediates(
        pictures(whole).data,
        indices=[depth - 1],
        norm="vit" in case.name or "eva" in case.name,
        intermediates_only=True,
    )[0]
    with torch.no_grad():
        tokens = cut(pictures(cut)).tokens
    torch.testing.assert_close(tokens, expected.flatten(2).transpose(1, 2))


def test_weights_fit_a_cut_network_whose_filter_looks_at_all_stages() -> None:
    case = Case("swin_tiny_patch4_window7_224", 32, SWIN)
    state = checkpoint(make_case(case))
    cut = at(case, 32, depth=1)
    assert cut.adapt(state).tensors.keys() == cut.state_dict().keys()


def test_weights_of_heads_that_are_cut_off_are_left_out() -> None:
    cut = make_meta("efficientvim_m1", depth=1)
    adapted = cut.adapt(cut.reference())
    assert cut.state_dict().keys() - adapted.tensors.keys() == {"network.weights"}


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("test_resnet", ["fc.bias", "fc.weight"]),
        ("deit_tiny_distilled_patch16_224", ["head.bias", "head.weight", "head_dist.bias", "head_dist.weight"]),
        ("crossvit_tiny_240", ["head.0.bias", "head.0.weight", "head.1.bias", "head.1.weight"]),
        ("efficientvit_b0", ["head.classifier.4.bias", "head.classifier.4.weight"]),
        ("swin_tiny_patch4_window7_224", ["head.fc.bias", "head.fc.weight"]),
    ],
)
def test_a_classifier_in_the_weights_is_left_over(name: str, left: list[str]) -> None:
    case = TINY[name]
    sized = {} if case.resolution is None or name.startswith(("test", "eff")) else {"img_size": case.resolution}
    state = timm.create_model(name, num_classes=7, **sized, **case.model).state_dict()
    backbone = make_case(case)
    adapted = backbone.adapt(state)
    assert sorted(adapted.unused) == left
    assert adapted.tensors.keys() == backbone.state_dict().keys()
    assert adapted.resized == {}


def test_weights_of_a_backbone_fit_one_of_other_channels_and_another_size() -> None:
    adapted = make("test_vit", 1, resolution=64).adapt(make("test_vit", resolution=48).state_dict())
    assert adapted.resized == {
        "network.pos_embed": "1 x 10 x 64 resampled to 1 x 17 x 64",
        "network.patch_embed.proj.weight": "3 input channels summed to 1",
    }
    assert adapted.unused == []


WRONG: dict[str, tuple[Case, Callable[[], Mapping[str, Tensor]], str]] = {
    "wider": (
        Case("deit_tiny_patch16_224", 32, VIT),
        lambda: checkpoint(make("deit_tiny_patch16_224", resolution=32, model={**VIT, "embed_dim": 48})),
        r"they have `cls_token` as \[1, 1, 48\], the network has \[1, 1, 32\], and \d+ more \(`timm/deit_tiny_patch16",
    ),
    "another family": (
        TINY["test_resnet"],
        lambda: checkpoint(make("test_vit", resolution=32)),
        r"none of the \d+ tensors in the weights \(\S+, .*\) belongs to this backbone",
    ),
    "a filter in vain": (
        Case("swin_tiny_patch4_window7_224", 32, SWIN),
        lambda: {"layers.7.blocks.0.attn.relative_position_bias_table": torch.zeros(49, 1)},
        r"timm cannot read them as weights of this architecture: AttributeError.*\(`timm/swin_tiny",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_weights_of_another_architecture_are_refused_in_words(kind: str) -> None:
    case, state, words = WRONG[kind]
    with pytest.raises(CorruptError, match=words):
        fit_state(make_case(case), state())


@pytest.mark.parametrize("name", ["test_vit", "swin_tiny_patch4_window7_224", "levit_128s", "mvitv2_tiny"])
def test_the_plan_fits_weights_that_are_not_there(name: str) -> None:
    backbone = make_meta(name, 1, resolution=160 if name == "test_vit" else 256)
    adapted = backbone.adapt(backbone.reference())
    own = backbone.state_dict()
    assert {each: tensor.shape for each, tensor in adapted.tensors.items()} == {
        each: tensor.shape for each, tensor in own.items()
    }
    assert all(tensor.is_meta for tensor in adapted.tensors.values())
    assert all("head" in each for each in adapted.unused)
