"""What timm keeps beside weights: their architecture, how it was made, and how pictures were prepared for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from timm.models import (
    PretrainedCfg,
    filter_pretrained_cfg,
    get_pretrained_cfg,
    is_model,
    split_model_name_tag,
)
from timm.models._hub import load_model_config_from_path

from zoo import Files, UsageError

FILE = "config.json"


@dataclass(frozen=True)
class Configuration:
    """An architecture, and what its weights want.

    Args:
        architecture: Its name in timm, without a tag.
        pretrained: timm's `pretrained_cfg`: the picture's size, mean and deviation, interpolation, where weights are.
        arguments: Arguments of `timm.create_model` that the weights were made with.
    """

    architecture: str
    pretrained: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Channels of the pictures that the weights were trained on."""
        return int(self.pretrained["input_size"][0])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures that the weights were trained on, in pixels."""
        _, height, width = self.pretrained["input_size"]
        return int(height), int(width)

    @property
    def fixed_size(self) -> bool:
        """Whether the network is built for one size of picture."""
        return bool(self.pretrained.get("fixed_input_size", False))

    def as_json(self) -> str:
        """The same as timm's `config.json`, without where the weights were."""
        said = filter_pretrained_cfg(dict(self.pretrained), remove_source=True)
        kept = {"architecture": self.architecture, "pretrained_cfg": said, "model_args": dict(self.arguments)}
        return json.dumps(kept, indent=2, sort_keys=True) + "\n"


def read_configuration(name: str, files: Files | None) -> Configuration:
    """The configuration beside the weights where timm left one, else what timm knows by the name.

    Args:
        name: Name of a timm model, with or without the tag of its weights: `resnet50.a1_in1k`.
        files: Files beside the weights.

    Raises:
        UsageError: The installed timm has no such model, or the weights are of another architecture.
    """
    architecture, _ = split_model_name_tag(name)
    if not is_model(architecture):
        raise UsageError(f"the installed timm has no model `{architecture}`; `zoo plugins refresh` renews the list")
    if files is not None and (path := files.path(FILE)) is not None and _is_timm(path.read_text(encoding="utf-8")):
        pretrained, kept, arguments = load_model_config_from_path(path.parent)
        if kept != architecture:
            raise UsageError(f"these weights are of `timm/{kept}`, not of `timm/{architecture}`: name that one instead")
        return Configuration(architecture, _known(pretrained), arguments)
    try:
        found = get_pretrained_cfg(name) or PretrainedCfg()
    except RuntimeError as error:
        raise UsageError(f"`timm/{name}`: {error}") from None
    return Configuration(architecture, found.to_dict())


def _is_timm(text: str) -> bool:
    """Whether a `config.json` is timm's; many libraries write one."""
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and "architecture" in said and ("pretrained_cfg" in said or "input_size" in said)


def _known(said: Mapping[str, Any]) -> dict[str, Any]:
    """What this timm understands, with its own value for what the file leaves out."""
    names = {each.name for each in fields(PretrainedCfg)}
    taken = {key: value for key, value in said.items() if key in names and value is not None}
    known: dict[str, Any] = PretrainedCfg(**taken).to_dict()
    return known
