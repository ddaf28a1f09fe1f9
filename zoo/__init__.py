"""zoo: one YAML spec names pretrained parts; installed plugins provide them; zoo fits them into one model.

The names below are the public ones. They are imported when they are first used, so that `import zoo` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.component import PLUGIN_API, Component, Family, FeatureSpec, Kind, Modality, option
    from zoo.errors import PluginError, SpecError, UsageError, ZooError
    from zoo.registry.hookspecs import hookimpl
    from zoo.registry.registry import Registry
    from zoo.spec.load import load_spec
    from zoo.spec.render import render_spec
    from zoo.spec.sections import Spec

__version__ = "0.1.0"

_HOME = {
    "PLUGIN_API": "zoo.component",
    "Component": "zoo.component",
    "Family": "zoo.component",
    "FeatureSpec": "zoo.component",
    "Kind": "zoo.component",
    "Modality": "zoo.component",
    "PluginError": "zoo.errors",
    "Registry": "zoo.registry.registry",
    "Spec": "zoo.spec.sections",
    "SpecError": "zoo.errors",
    "UsageError": "zoo.errors",
    "ZooError": "zoo.errors",
    "hookimpl": "zoo.registry.hookspecs",
    "load_spec": "zoo.spec.load",
    "option": "zoo.component",
    "render_spec": "zoo.spec.render",
}

__all__ = [
    "PLUGIN_API",
    "Component",
    "Family",
    "FeatureSpec",
    "Kind",
    "Modality",
    "PluginError",
    "Registry",
    "Spec",
    "SpecError",
    "UsageError",
    "ZooError",
    "hookimpl",
    "load_spec",
    "option",
    "render_spec",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
