"""zoo: one YAML spec names pretrained parts; installed plugins provide them; zoo fits them into one model.

The names below are the public ones. They are imported when they are first used, so that `import zoo` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.component import PLUGIN_API, Augmentation, Component, Family, FeatureSpec, Kind, Modality, option
    from zoo.contract import (
        Adapted,
        AugmentContext,
        Backbone,
        BackboneContext,
        Files,
        Frontend,
        FrontendContext,
        Fusion,
        FusionContext,
        Head,
        HeadContext,
        InputContext,
        InputType,
        Metric,
        Policy,
        PolicyContext,
        Trainable,
        ValueSpec,
    )
    from zoo.errors import PluginError, SpecError, UsageError, ZooError
    from zoo.evaluation.evaluate import evaluate
    from zoo.evaluation.evaluation import Evaluation
    from zoo.evaluation.predict import predict, predict_table
    from zoo.features import Batch, Features, Reading, Targets, Values, masked_mean
    from zoo.hub.import_folder import Imported, import_folder
    from zoo.hub.pull import Pulled, pull
    from zoo.hub.push import Push, push
    from zoo.hub.reproduce import Reproduced, reproduce
    from zoo.hub.verify import Verified, verify
    from zoo.model.build import build
    from zoo.model.device import Device
    from zoo.model.fetch import Fetched, fetch
    from zoo.model.model import ZooModel
    from zoo.planning.plan import Plan, plan
    from zoo.registry.hookspecs import hookimpl
    from zoo.registry.registry import Registry
    from zoo.spec.load import load_spec
    from zoo.spec.render import render_spec
    from zoo.spec.sections import BackbonePart, Spec
    from zoo.training.crossed.cross_validate import cross_validate
    from zoo.training.crossed.found import CrossValidation
    from zoo.training.train import Run, train

__version__ = "0.1.0"

_HOME = {
    "PLUGIN_API": "zoo.component",
    "Adapted": "zoo.contract",
    "AugmentContext": "zoo.contract",
    "Augmentation": "zoo.component",
    "Backbone": "zoo.contract",
    "BackboneContext": "zoo.contract",
    "BackbonePart": "zoo.spec.sections",
    "Batch": "zoo.features",
    "Component": "zoo.component",
    "CrossValidation": "zoo.training.crossed.found",
    "Device": "zoo.model.device",
    "Evaluation": "zoo.evaluation.evaluation",
    "Family": "zoo.component",
    "FeatureSpec": "zoo.component",
    "Features": "zoo.features",
    "Fetched": "zoo.model.fetch",
    "Files": "zoo.contract",
    "Frontend": "zoo.contract",
    "FrontendContext": "zoo.contract",
    "Fusion": "zoo.contract",
    "FusionContext": "zoo.contract",
    "Head": "zoo.contract",
    "HeadContext": "zoo.contract",
    "Imported": "zoo.hub.import_folder",
    "InputContext": "zoo.contract",
    "InputType": "zoo.contract",
    "Kind": "zoo.component",
    "Metric": "zoo.contract",
    "Modality": "zoo.component",
    "Plan": "zoo.planning.plan",
    "PluginError": "zoo.errors",
    "Policy": "zoo.contract",
    "PolicyContext": "zoo.contract",
    "Pulled": "zoo.hub.pull",
    "Push": "zoo.hub.push",
    "Reading": "zoo.features",
    "Registry": "zoo.registry.registry",
    "Reproduced": "zoo.hub.reproduce",
    "Run": "zoo.training.train",
    "Spec": "zoo.spec.sections",
    "SpecError": "zoo.errors",
    "Targets": "zoo.features",
    "Trainable": "zoo.contract",
    "UsageError": "zoo.errors",
    "ValueSpec": "zoo.contract",
    "Values": "zoo.features",
    "Verified": "zoo.hub.verify",
    "ZooError": "zoo.errors",
    "ZooModel": "zoo.model.model",
    "build": "zoo.model.build",
    "cross_validate": "zoo.training.crossed.cross_validate",
    "evaluate": "zoo.evaluation.evaluate",
    "fetch": "zoo.model.fetch",
    "hookimpl": "zoo.registry.hookspecs",
    "import_folder": "zoo.hub.import_folder",
    "load_spec": "zoo.spec.load",
    "masked_mean": "zoo.features",
    "option": "zoo.component",
    "plan": "zoo.planning.plan",
    "predict": "zoo.evaluation.predict",
    "predict_table": "zoo.evaluation.predict",
    "pull": "zoo.hub.pull",
    "push": "zoo.hub.push",
    "render_spec": "zoo.spec.render",
    "reproduce": "zoo.hub.reproduce",
    "train": "zoo.training.train",
    "verify": "zoo.hub.verify",
}

__all__ = [
    "PLUGIN_API",
    "Adapted",
    "AugmentContext",
    "Augmentation",
    "Backbone",
    "BackboneContext",
    "BackbonePart",
    "Batch",
    "Component",
    "CrossValidation",
    "Device",
    "Evaluation",
    "Family",
    "FeatureSpec",
    "Features",
    "Fetched",
    "Files",
    "Frontend",
    "FrontendContext",
    "Fusion",
    "FusionContext",
    "Head",
    "HeadContext",
    "Imported",
    "InputContext",
    "InputType",
    "Kind",
    "Metric",
    "Modality",
    "Plan",
    "PluginError",
    "Policy",
    "PolicyContext",
    "Pulled",
    "Push",
    "Reading",
    "Registry",
    "Reproduced",
    "Run",
    "Spec",
    "SpecError",
    "Targets",
    "Trainable",
    "UsageError",
    "ValueSpec",
    "Values",
    "Verified",
    "ZooError",
    "ZooModel",
    "build",
    "cross_validate",
    "evaluate",
    "fetch",
    "hookimpl",
    "import_folder",
    "load_spec",
    "masked_mean",
    "option",
    "plan",
    "predict",
    "predict_table",
    "pull",
    "push",
    "render_spec",
    "reproduce",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
