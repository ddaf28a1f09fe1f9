"""The namespace `torchaudio/`: speech encoders as backbones, and front ends that turn sound into a picture."""

from collections.abc import Iterable

from zoo import Component, hookimpl

ZOO_PLUGIN_API = 1


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    from zoo_torchaudio import backbones, frontends

    return [*frontends.COMPONENTS, *backbones.COMPONENTS]
