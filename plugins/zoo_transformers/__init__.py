"""The namespace `transformers/`: encoders of text, pictures and sound from transformers, as backbones."""

from collections.abc import Iterable

from zoo import Component, hookimpl

ZOO_PLUGIN_API = 1


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    from zoo_transformers.declaration import BACKBONES

    return [BACKBONES]
