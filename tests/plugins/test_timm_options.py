import re
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.plugins.tiny_timm import CASES, VIT, make, make_case, make_meta, pictures
from zoo import Features, Values
from zoo.errors import UsageError
from zoo_timm.backbone import TimmBackbone

TINY = {case.name: case for case in CASES}
SLOW = pytest.mark.slow
REGISTERS = "vit_medium_patch16_reg4_gap_256"
POOLS = {
    "avg": lambda places: places.mean(1),
    "max": lambda places: places.amax(1),
    "avgmax": lambda places: (places.mean(1) + places.amax(1)) / 2,
}


def run(backbone: TimmBackbone, values: Values | None = None) -> Features:
    with torch.no_grad():
        features: Features = backbone.eval()(pictures(backbone) if values is None else values)
    return features


def trunk(backbone: TimmBackbone) -> Tensor:
    """What comes out of timm's own network before it is pooled."""
    with torch.no_grad():
        out: Tensor = backbone.network.eval().forward_features(pictures(backbone).data)
    return out


def refused(name: str, channels: int = 3, **options: Any) -> str:
    """What is said where the options cannot be had."""
    with pytest.raises(UsageError) as info:
        make_meta(name, channels, **options)
    return str(info.value)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "swin_tiny_patch4_window7_224"])
def test_a_pool_is_taken_over_the_places_of_the_picture(name: str, pool: str) -> None:
    case = TINY[name]
    backbone = make(name, resolution=case.resolution, model=dict(case.model), pool=pool)
    features = run(backbone)
    torch.testing.assert_close(features.pooled, POOLS[pool](features.tokens))


def test_pool_of_a_token_is_the_class_token_and_the_way_of_a_vit() -> None:
    token, own = make("test_vit", resolution=48, pool="token"), make("test_vit", resolution=48)
    assert torch.equal(run(token).pooled, trunk(token)[:, 0])
    assert torch.equal(run(token).pooled, run(own).pooled)


def test_a_pool_takes_the_place_of_attention_that_pools() -> None:
    own, avg = make_meta("vit_base_patch16_siglip_224"), make_meta("vit_base_patch16_siglip_224", pool="avg")
    left = own.state_dict().keys() - avg.state_dict().keys()
    assert left == {name for name in own.state_dict() if name.startswith("network.attn_pool.")} != set()


@pytest.mark.parametrize(
    ("name", "pool", "possible"),
    [
        ("test_resnet", "token", "auto, avg, max, avgmax"),
        pytest.param("vit_base_patch16_siglip_224", "token", "auto, avg, max, avgmax", marks=SLOW),
        pytest.param("levit_128s", "max", "auto, avg", marks=SLOW),
        ("pit_ti_224", "avg", "auto, token"),
    ],
)
def test_a_pool_that_a_model_lacks_is_refused_with_those_it_has(name: str, pool: str, possible: str) -> None:
    assert refused(name, pool=pool) == f"`pool: {pool}`: `timm/{name}` cannot pool so; it can by: {possible}"


@pytest.mark.parametrize(
    ("name", "model", "words"),
    [
        (
            "test_resnet",
            {"drop_pth_rate": 0.1},
            "`timm/test_resnet` has no such argument; did you mean `drop_path_rate`?",
        ),
        ("test_vit", {"embed_dimm": 32}, "`timm/test_vit` has no such argument; did you mean `embed_dim`?"),
        ("naflexvit_base_patch16_gap", {"dept": 2}, "has no such argument; did you mean `depth`?"),
        ("test_vit", {"num_heads": 2, "xyz": 1}, "`model: xyz`: `timm/test_vit` has no such argument"),
        (
            "test_vit",
            {"num_classes": 3},
            "`model: num_classes` is said elsewhere: the head of the spec has the classes",
        ),
        ("test_vit", {"img_size": 32}, "`model: img_size` is said elsewhere: write the option `resolution`"),
        ("test_vit", {"pretrained": True}, "`model: pretrained` is no argument of a network, but of how timm makes"),
        ("test_vit", {"features_only": True}, "`model: features_only` is no argument of a network"),
        ("gmlp_ti16_224", {"embed_dim": 32}, "`timm/gmlp_ti16_224` is defined by its own; take another architecture"),
        (
            "test_vit",
            {"num_heads": 5},
            "`model: {num_heads: 5}`: `timm/test_vit` cannot be made so: dim should be divis",
        ),
        ("naflexvit_base_patch16_gap", {"embed_dim": 32, "num_heads": 5}, "{embed_dim: 32, num_heads: 5}`: `timm/naf"),
    ],
)
def test_what_a_constructor_does_not_take_is_refused(name: str, model: dict[str, Any], words: str) -> None:
    assert words in refused(name, model=model)


def test_what_a_constructor_takes_shapes_the_network() -> None:
    backbone = make_meta("test_vit", model={"embed_dim": 48, "num_heads": 4, "depth": 2})
    assert (backbone.features.dim, len(backbone.network.blocks)) == (48, 2)


@pytest.mark.parametrize(
    ("name", "resolution", "advice"),
    [
        ("test_vit", 100, "write `resolution: 96` or `resolution: 112`; multiples of 16 may fit"),
        ("test_vit", 8, "write `resolution: 16`; multiples of 16 may fit"),
        pytest.param(
            "levit_128s", 100, "write `resolution: 64` or `resolution: 128`; multiples of 64 may fit", marks=SLOW
        ),
        ("vgg11", 30, "write `resolution: 32`; multiples of 32 may fit"),
        pytest.param("crossvit_tiny_240", 250, "it takes 240 x 240", marks=SLOW),
    ],
)
def test_a_resolution_that_does_not_fit_is_refused_with_advice(name: str, resolution: int, advice: str) -> None:
    said = refused(name, resolution=resolution)
    assert said.startswith(f"`timm/{name}` cannot read pictures of {resolution} x {resolution} pixels (")
    assert said.endswith("): " + advice)
    for side in re.findall(r"`resolution: (\d+)`", said):
        assert make_meta(name, resolution=int(side)).features.tokens


def test_channels_that_a_network_is_bound_to_are_told() -> None:
    assert refused("csatv2", 1) == "`timm/csatv2` cannot read pictures of 1 channels; it takes 3 alone"


@pytest.mark.parametrize(
    ("name", "depth", "words"),
    [
        ("test_vit", 7, "`depth: 7`: `timm/test_vit` has 6 stages (or blocks)"),
        pytest.param(
            "crossvit_tiny_240",
            4,
            "cannot be made with these options: cut there, it has 2 of its first 4 stages",
            marks=SLOW,
        ),
    ],
)
def test_a_depth_that_is_not_there_is_refused(name: str, depth: int, words: str) -> None:
    assert words in refused(name, depth=depth)


def test_of_several_options_the_one_to_blame_is_told() -> None:
    assert "`drop_path_rate`" in refused("vgg11", drop_path_rate=0.1, pool="max", resolution=64)
    assert "`pool: token`" in refused("vgg11", pool="token", resolution=64, model={"mlp_ratio": 0.5})
    both = refused("vgg11", drop_path_rate=0.1, model={"mlp_ratio": "half"})
    assert both.startswith("`model: {mlp_ratio: half}`: `timm/vgg11` cannot be made so: ")
    assert "drop_path" not in both


def test_names_that_timm_does_not_have_are_refused() -> None:
    assert refused("resnet49") == "the installed timm has no model `resnet49`; `zoo plugins refresh` renews the list"
    assert refused("resnet50.nobody") == "`timm/resnet50.nobody`: Invalid pretrained tag (nobody) for resnet50."


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "swin_tiny_patch4_window7_224"])
def test_drop_path_grows_from_block_to_block_and_drops_in_training_alone(name: str) -> None:
    case = TINY[name]
    options: dict[str, Any] = {"resolution": case.resolution, "model": dict(case.model)}
    backbone, without = make(name, drop_path_rate=0.6, **options), make(name, drop_path_rate=0, **options)
    rates = [each.drop_prob for each in backbone.network.modules() if hasattr(each, "drop_prob")]
    assert rates == sorted(rates)
    assert max(rates) == pytest.approx(0.6)
    values = pictures(backbone, batch=8)
    assert torch.equal(run(backbone, values).pooled, run(without, values).pooled)
    assert not torch.equal(backbone.train()(values).pooled, without.train()(values).pooled)


def test_stochastic_depth_is_the_models_own_unless_said_and_refused_where_there_is_none() -> None:
    swin, still = make_meta("swin_tiny_patch4_window7_224"), make_meta("swin_tiny_patch4_window7_224", drop_path_rate=0)
    assert max(each.drop_prob for each in swin.network.modules() if hasattr(each, "drop_prob")) == pytest.approx(0.1)
    assert not any(getattr(each, "drop_prob", 0) for each in still.network.modules())
    assert refused("vgg11", drop_path_rate=0.0) == (
        "`drop_path_rate`: `timm/vgg11` has no stochastic depth; leave the option out"
    )


def test_drop_rate_is_dropout_on_the_pooled_features_once() -> None:
    backbone, without = make("test_vit", drop_rate=0.5), make("test_vit")
    values = pictures(backbone)
    assert torch.equal(run(backbone, values).pooled, run(without, values).pooled)
    with torch.no_grad():
        dropped, kept = backbone.train()(values), without.train()(values)
    assert torch.equal(dropped.tokens, kept.tokens)
    left = dropped.pooled != 0
    assert 0.3 < left.float().mean() < 0.7
    assert torch.equal(dropped.pooled[left], kept.pooled[left] * 2)


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "test_mambaout"])
def test_networks_with_channels_last_give_places_row_by_row(name: str) -> None:
    backbone = make_case(TINY[name])
    assert backbone.network.output_fmt == "NHWC"
    out, features = trunk(backbone), run(backbone)
    batch, height, width, dim = out.shape
    assert (batch, height * width, dim) == features.tokens.shape
    assert torch.equal(features.tokens[:, width - 1], out[:, 0, width - 1])
    assert torch.equal(features.tokens[:, (height - 1) * width], out[:, height - 1, 0])
    assert backbone.stages(pictures(backbone))[-1].shape == (batch, dim)
    assert backbone.pyramid(pictures(backbone)).maps[-1].shape == (batch, dim, height, width)


@pytest.mark.parametrize(
    ("name", "prefix", "reads"),
    [
        ("deit_tiny_distilled_patch16_224", 2, lambda out: (out[:, 0] + out[:, 1]) / 2),
        (REGISTERS, 4, None),
        ("test_vit", 1, lambda out: out[:, 0]),
        ("test_vit2", 1, None),
    ],
)
def test_tokens_of_no_place_are_left_out_of_the_tokens(name: str, prefix: int, reads: Any) -> None:
    backbone = make(name, resolution=48, model={} if name.startswith("test") else VIT)
    out, features = trunk(backbone), run(backbone)
    assert out.shape[1] == prefix + 9 == prefix + features.tokens.shape[1]
    assert torch.equal(features.tokens, out[:, prefix:])
    pooled = out[:, prefix:].mean(1) if reads is None else reads(out)
    norm = backbone.network.fc_norm if hasattr(backbone.network, "fc_norm") else torch.nn.Identity()
    torch.testing.assert_close(features.pooled, norm(pooled))


@pytest.mark.parametrize(
    ("name", "dim", "pooled"),
    [
        ("mobilenetv3_small_050", 288, 1024),
        ("efficientvit_b0", 128, 1280),
        ("vgg11", 512, 4096),
        ("resnet18", 512, 512),
    ],
)
def test_widths_of_tokens_and_of_what_is_pooled_are_two_numbers(name: str, dim: int, pooled: int) -> None:
    spec = make_meta(name).features
    assert (spec.dim, spec.pooled_dim) == (dim, pooled)


def test_a_pyramid_of_a_network_of_one_stride_is_made_of_its_last_map() -> None:
    backbone = make("test_vit", resolution=64)
    with torch.no_grad():
        finer, last, coarser = backbone.eval().pyramid(pictures(backbone)).maps
    assert [each.shape[-1] for each in (finer, last, coarser)] == [8, 4, 2]
    assert backbone.features.maps == ((64, 8), (64, 16), (64, 32))
    assert torch.equal(coarser[..., 0, 0], last[..., :2, :2].amax((-1, -2)))
    torch.testing.assert_close(finer[..., 0, 0], last[..., 0, 0])
    inner = last[..., 0, 0] * 9 + last[..., 0, 1] * 3 + last[..., 1, 0] * 3 + last[..., 1, 1]
    torch.testing.assert_close(finer[..., 1, 1], inner / 16)
