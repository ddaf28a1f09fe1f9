"""Pictures."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Image:
    """Options of `zoo/image`."""

    channels: int = option(
        3, "Channels of the decoded picture: 1 is grey, 3 is RGB, 4 is RGBA, or a scanner's own.", ge=1, le=64
    )


COMPONENT = Component(
    kind=Kind.INPUT,
    name="image",
    target="zoo_core.inputs.image:build",
    options=Image,
    modality=(Modality.IMAGE,),
    summary="A picture: a file's path or its bytes (PNG, JPEG, WebP and what else Pillow reads).",
    source="Pillow; torchvision.transforms.v2",
)
