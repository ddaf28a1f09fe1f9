"""Pictures prepared as timm prepares them, from what it knows by name or from a `config.json` beside the weights."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg
from torch import Tensor

from tests.plugins.tiny_timm import Folder, make, make_meta
from zoo.errors import UsageError
from zoo_timm.configuration import read_configuration
from zoo_timm.preparation import Preparation, preparation

LANDSCAPE, FLOWER = (Image.fromarray(each) for each in load_sample_images().images)
PICTURES = {
    "landscape": LANDSCAPE,
    "portrait": FLOWER.transpose(Image.Transpose.ROTATE_90).crop((0, 30, 401, 600)),
    "square": FLOWER.crop((100, 20, 400, 320)),
    "small": LANDSCAPE.resize((61, 43)),
    "thin": LANDSCAPE.crop((0, 200, 640, 237)),
}
NAMES = {
    "resnet18.tv_in1k": "cut out of the middle, bilinear",
    "test_vit.r160_in1k": "cut out of the middle, bicubic",
    "csatv2.r512_in1k": "nothing cut off the short side",
    "dm_nfnet_f0.dm_in1k": "squashed, and the border cut off",
    "convnext_base.clip_laion2b_augreg_ft_in12k_in1k_384": "squashed",
    "deepseek_vit_412m.deepseek_v4_flash_vision_exp": "fitted in, and the rest filled",
    "volo_d4_448.sail_in1k": "smaller than what is read, and the rest black",
    "vit_base_patch16_sapiens2.fb": "upright and squashed",
}
DEVIATION = (0.229 * 255, 0.224 * 255, 0.225 * 255)
SIZES = [(96, 96), (96, 160), (157, 83)]


def as_tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def check(pretrained: dict[str, Any], size: tuple[int, int], picture: Image.Image) -> None:
    """Compares with timm's own transform.

    torch and Pillow round between rows and columns each in its way: values differ by a grey level of 255 at most, and
    bicubic by two at one value in ten thousand.
    """
    config = resolve_data_config({"input_size": (3, *size)}, pretrained_cfg=pretrained)
    expected = create_transform(**config)(picture)
    prepared = preparation(pretrained, size, 3, standardized=False)(as_tensor(picture))
    assert prepared.shape == expected.shape == (3, *size)
    assert prepared.dtype == torch.float32
    deviation = torch.tensor(pretrained["std"]).reshape(3, 1, 1)
    levels = (prepared - expected).abs() * deviation * 255
    assert levels.max() < (1.01 if pretrained["interpolation"] == "bilinear" else 2.01)
    assert (levels > 1.01).float().mean() < 1e-4
    assert levels.mean() < 0.02


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_prepared_as_timm_prepares_them_in_evaluation(name: str, kind: str) -> None:
    configuration = read_configuration(name, None)
    check(dict(configuration.pretrained), configuration.size, PICTURES[kind])


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("fit", ["center", "squash", "border"])
def test_pictures_of_other_shapes_too(fit: str, size: tuple[int, int]) -> None:
    for crop in (0.875, 1.0, 1.15):
        pretrained = {**read_configuration("test_vit", None).pretrained, "crop_mode": fit, "crop_pct": crop}
        for picture in PICTURES.values():
            check(pretrained, size, picture)


def test_a_backbone_prepares_for_the_size_it_reads_in_workers_too() -> None:
    for options in ({}, {"resolution": 96}):
        backbone = make_meta("test_vit", **options)
        prepare = pickle.loads(pickle.dumps(backbone.prepare))
        side = options.get("resolution", 160)
        config = resolve_data_config({"input_size": (3, side, side)}, model=backbone.network)
        expected = create_transform(**config)(LANDSCAPE)
        torch.testing.assert_close(prepare(as_tensor(LANDSCAPE)), expected, rtol=0, atol=2.5 / 255)


def test_a_picture_is_left_as_it_was() -> None:
    picture = as_tensor(PICTURES["square"]).float()
    before = picture.clone()
    whole = {**read_configuration("test_vit", None).pretrained, "crop_pct": 1.0}
    for standardized in (False, True):
        prepared = preparation(whole, (300, 300), 3, standardized)(picture)
        assert prepared.shape == picture.shape
        assert prepared.data_ptr() != picture.data_ptr()
        assert torch.equal(picture, before)


def test_grey_has_the_mean_of_the_colours_and_more_channels_have_them_over_and_over() -> None:
    values = torch.full((6, 32, 32), 255.0)
    grey = make_meta("resnet18", 1, resolution=32).prepare(values[:1])
    six = make_meta("resnet18", 6, resolution=32).prepare(values)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    torch.testing.assert_close(float(grey[0, 0, 0]), (1 - mean.mean()) / deviation.mean(), rtol=1e-5, atol=0)
    expected = torch.tensor(np.tile((1 - mean) / deviation, 2), dtype=torch.float32)
    torch.testing.assert_close(six[:, 5, 7], expected)


def test_standardised_pictures_keep_their_colours_and_lose_no_edge() -> None:
    spectrogram = torch.zeros(1, 40, 90)
    spectrogram[:, :, 0] = 3
    sized = make("test_vit", 1, shape=(40, 90), standardized=True)
    assert sized.prepare(spectrogram).shape == (1, 160, 160)
    assert sized.prepare(spectrogram)[0, :, 0].min() > 1
    free = make("test_resnet", 1, shape=(40, 90), standardized=True)
    assert torch.equal(free.prepare(spectrogram), spectrogram)


def store(folder: Path, config: Any) -> Folder:
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return Folder(folder)


def test_what_is_kept_beside_the_weights_builds_the_same_backbone_again(tmp_path: Path) -> None:
    first = make("test_vit", 1, resolution=48, model={"embed_dim": 32, "num_heads": 2}, pool="avg", depth=3)
    (text,) = first.files().values()
    again = make("test_vit", 1, files=store(tmp_path, text), pool="avg", depth=3)
    assert {name: each.shape for name, each in again.state_dict().items()} == {
        name: each.shape for name, each in first.state_dict().items()
    }
    assert again.features == first.features
    assert again.prepare == first.prepare
    assert again.files() == first.files()
    assert "hf_hub_id" not in text


def test_a_configuration_beside_the_weights_is_what_they_want(tmp_path: Path) -> None:
    said = {"input_size": [3, 64, 64], "mean": [0.5, 0.5, 0.5], "crop_pct": None, "interpolation": "nearest", "new": 1}
    built = {"channels": [16, 24, 32, 40]}
    now = {"architecture": "test_resnet", "num_classes": 9, "pretrained_cfg": said, "model_args": built}
    once = {"architecture": "test_resnet", "num_features": 96, "labels": ["a"], **said}
    for config, dim in ((now, 40), (once, 96)):
        backbone = make("test_resnet.r160_in1k", files=store(tmp_path, config))
        assert backbone.features.dim == dim
        # What is null has timm's own value: 64 / 0.875 is 73.
        expected = Preparation((64, 64), (73, 73), "center", "nearest-exact", (127.5,) * 3, DEVIATION)
        assert backbone.prepare == expected


@pytest.mark.parametrize(
    "config",
    ["{", "[]", '{"architectures": ["ViTModel"], "model_type": "vit"}', '{"architecture": "test_vit"}'],
)
def test_a_configuration_of_another_library_is_not_read(config: str, tmp_path: Path) -> None:
    assert make_meta("test_vit", files=store(tmp_path, config)).prepare == make_meta("test_vit").prepare


def test_weights_of_another_architecture_are_refused_by_their_configuration(tmp_path: Path) -> None:
    config = {"architecture": "test_vit2", "pretrained_cfg": get_pretrained_cfg("test_vit2").to_dict()}
    with pytest.raises(UsageError, match=r"^these weights are of `timm/test_vit2`, not of `timm/test_vit`: name that"):
        make_meta("test_vit", files=store(tmp_path, config))
