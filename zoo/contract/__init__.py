"""What the code behind a component's `target` implements: one class for each kind, and what its factory is given.

A factory is called as `build(options, context)`: `options` is an instance of the component's options class (None when
it has none), with every value checked; `context` holds what comes from the parts around it.
"""

from zoo.contract.backbone import Adapted, Backbone, BackboneContext, Files
from zoo.contract.fusion import Fusion, FusionContext
from zoo.contract.head import Calibrated, Head, HeadContext, Metric, MetricRows, Weighted, is_calibrated
from zoo.contract.input import AugmentContext, Frontend, FrontendContext, InputContext, InputType, ValueSpec
from zoo.contract.policy import Policy, PolicyContext, Trainable

__all__ = [
    "Adapted",
    "AugmentContext",
    "Backbone",
    "BackboneContext",
    "Calibrated",
    "Files",
    "Frontend",
    "FrontendContext",
    "Fusion",
    "FusionContext",
    "Head",
    "HeadContext",
    "InputContext",
    "InputType",
    "Metric",
    "MetricRows",
    "Policy",
    "PolicyContext",
    "Trainable",
    "ValueSpec",
    "Weighted",
    "is_calibrated",
]
