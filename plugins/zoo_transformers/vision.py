"""Pictures: how they are prepared, their channels and size, and the vector that stands for a picture."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.auto import image_processing_auto

from zoo import BackboneContext, FeatureSpec, Files, UsageError, Values
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import Transformers
from zoo_transformers.encoder import Encoder
from zoo_transformers.network import make_network, pools_itself, width_of
from zoo_transformers.pictures import Picture, picture_of
from zoo_transformers.pool import Way
from zoo_transformers.resampling import resample_positions, sum_or_repeat_channels

FILE = "preprocessor_config.json"
# Their classifiers in transformers read the class token after the last norm; their pooling layer is seldom trained.
CLASS_TOKEN = frozenset({"deit", "vit", "vit_msn", "yolos"})
# Their pooled output is the class token after a norm of its own.
NORMED_CLASS_TOKEN = frozenset({"clip_vision_model", "metaclip_2_vision_model", "chinese_clip_vision_model"})
SPECIAL = re.compile(r"embeddings\.(cls_token|class_embedding|distillation_token|register_tokens)$")


class VisionEncoder(Encoder):
    """An encoder of pictures.

    Args:
        options: Its options.
        context: What surrounds it.
        configured: Its configuration; size and channels of the picture are set here.
    """

    main = embedded = "pixel_values"

    def __init__(self, options: Transformers, context: BackboneContext, configured: Configured) -> None:
        config = configured.config
        self._set_shape(configured, options.resolution, context.value.shape)
        if "use_mask_token" not in configured.said and hasattr(config, "use_mask_token"):
            config.use_mask_token = False  # only pre-training on hidden patches gives it a gradient
        way = _way(options.pool, configured)
        super().__init__(configured, way, pooler=way == "network")
        _recompute_positions(self.network)
        own = self.network.state_dict()
        named = [tensor for name, tensor in own.items() if SPECIAL.match(name)]
        self.special = sum(each.shape[-2] if each.dim() == 3 else 1 for each in named)
        if way == "first" and not self.special:
            raise UsageError(f"`pool: first`: `{config.model_type}` has no class token; take `mean`")
        channels = getattr(config, "num_channels", 3)
        size = _size(config.image_size) if getattr(config, "image_size", None) else None
        if size is None and options.resolution is not None:
            size = (options.resolution, options.resolution)
        settings = _settings(context.files, configured.model_type)
        self.prepare, self._settings = picture_of(settings, size, channels, context.value.standardized)
        self._channels = channels
        self.features = self._shapes()

    def read(self, values: Values) -> tuple[Float[Tensor, "batch channels height width"], dict[str, Tensor], None]:
        """The pictures; all their tokens are real."""
        assert isinstance(values.data, Tensor)
        return values.data, {}, None

    def example(self, batch: int) -> Values:
        """Pictures of the network's size."""
        assert isinstance(self.prepare, Picture)
        return Values(torch.zeros(batch, self._channels, *self.prepare.size))

    def fitted(self, name: str, tensor: Tensor, own: Tensor) -> tuple[Tensor, str]:
        """Position embeddings are resampled, and the first convolution is summed over channels or repeated."""
        if tensor.shape == own.shape:
            return tensor, ""
        if tensor.dim() == 4 and tensor.shape[0] == own.shape[0] and tensor.shape[2:] == own.shape[2:]:
            return sum_or_repeat_channels(tensor, own.shape[1])
        if "position" in name and (grid := _grid(self.config)) and (old := _grid(self.configured.original)):
            return resample_positions(tensor, old, grid, between="relative" in name, like=own)
        return super().fitted(name, tensor, own)

    def files(self) -> Mapping[str, str]:
        """The configuration, and how pictures are prepared."""
        return {**super().files(), FILE: json.dumps(self._settings, indent=2, sort_keys=True) + "\n"}

    @staticmethod
    def _set_shape(configured: Configured, resolution: int | None, shape: tuple[int | None, ...]) -> None:
        config = configured.config
        if resolution is not None and hasattr(config, "image_size"):
            patch = max(_size(getattr(config, "patch_size", 1)))
            if resolution < patch:
                raise UsageError(f"`resolution: {resolution}` is less than one patch of {patch} pixels")
            config.image_size = resolution
        channels = shape[0] if shape else None
        if channels is not None and channels != getattr(config, "num_channels", 3):
            if not hasattr(config, "num_channels"):
                raise UsageError(f"`{config.model_type}` takes pictures of 3 channels alone, not of {channels}")
            config.num_channels = channels

    def _shapes(self) -> FeatureSpec:
        """Shapes of the features: told by a table of positions, else tried out on the meta device."""
        grid, names = _grid(self.config), list(self.network.state_dict())
        if grid is not None and any(name.startswith("embeddings.position_embedding") for name in names):
            width = width_of(self.config)
            return FeatureSpec(width, width, grid[0] * grid[1] + self.special)
        assert isinstance(self.prepare, Picture)
        with torch.device("meta"), torch.no_grad():
            network = make_network(deepcopy(self.config), pooler=self.way == "network").eval()
            _recompute_positions(network)
            picture = torch.zeros(1, self._channels, *self.prepare.size)
            try:
                features = self.features_of(network(picture), None)
            except Exception as error:  # what it gives is not what encoders give
                raise UsageError(f"`{self.config.model_type}` cannot be used as a backbone: {error}") from error
        return FeatureSpec(features.tokens.shape[2], features.pooled.shape[1], features.tokens.shape[1])


def _way(pool: Literal["auto", "mean", "max", "first", "last"], configured: Configured) -> Way:
    """How the tokens of a picture become one vector.

    `auto` is what transformers' own classifier of the architecture reads: the class token of a ViT, else what the
    network pools itself (BEiT: the mean under a norm; CLIP: the class token under a norm; SigLIP: an attention head).
    """
    config = configured.config
    if pool == "last":
        raise UsageError("`pool: last` is for texts; of a picture take `auto`, `first`, `mean` or `max`")
    if pool == "first":
        return "network" if config.model_type in NORMED_CLASS_TOKEN else "first"
    if pool != "auto":
        return pool
    usual: Way = "network" if getattr(config, "vision_use_head", True) and pools_itself(config) else "mean"
    if config.model_type in CLASS_TOKEN:
        usual = "first"
    kept: Way | None = configured.notes.get("pool")
    return kept or usual


def _settings(files: Files | None, model_type: str) -> dict[str, Any]:
    """How the weights want pictures: as the file beside them says, else as the architecture's image processor does."""
    if files is not None and (path := files.path(FILE)) is not None:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return _defaults(said.get("image_processor_type", "") or said.get("feature_extractor_type", "")) | said
    known = image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES.get(model_type.removesuffix("_vision_model"), {})
    return _defaults(known.get("torchvision", "ViTImageProcessor"))


def _defaults(name: str) -> dict[str, Any]:
    """What an image processor of transformers does unless told otherwise."""
    import transformers

    name = name.removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    cls = getattr(transformers, name, None)
    keys = ("size", "crop_size", "crop_pct", "do_center_crop", "do_normalize", "image_mean", "image_std", "resample")
    return {key: value for key in keys if (value := getattr(cls, key, None)) is not None}


def _grid(config: Any) -> tuple[int, int] | None:
    """Rows and columns of patches; None where the architecture has stages of several sizes."""
    if hasattr(config, "depths") or not getattr(config, "patch_size", None) or not getattr(config, "image_size", None):
        return None
    (height, width), (rows, columns) = _size(config.image_size), _size(config.patch_size)
    return height // rows, width // columns


def _size(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _recompute_positions(network: nn.Module) -> None:
    """BEiT keeps its table of relative positions for all models of a process, and on the device of the first.

    After a plan, that would be the meta device. The same function without the cache is put in its place.
    """
    for module in network.modules():
        cached = getattr(module, "generate_relative_position_index", None)
        if cached is not None and hasattr(cached, "__wrapped__"):
            module.generate_relative_position_index = cached.__wrapped__
