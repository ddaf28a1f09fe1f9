"""A model without weights: it prepares rows and reads labels."""

from zoo.checkpoint.resolve import source_of
from zoo.checkpoint.unallocated import Unallocated
from zoo.contract import Backbone, ValueSpec
from zoo.model.assemble import assemble
from zoo.model.model import ZooModel
from zoo.model.parts import Fitted, backbone_maker, known
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import Spec


def unloaded(spec: Spec, fitted: Fitted) -> ZooModel:
    """The parts of a spec without memory for their weights, none of which are fetched.

    Its inputs, front ends, backbones and heads prepare rows as those of the model do; it computes nothing.

    Args:
        spec: The spec.
        fitted: What was learnt from the training rows.

    Raises:
        UsageError: The spec is wrong, or a file is missing.
        PluginError: A component cannot be imported or built.
        NetworkError: A configuration beside the weights cannot be fetched.
    """

    def make(section: BackboneSection, place: str, part: str, value: ValueSpec) -> Backbone:
        source = source_of(section, spec, part)
        return backbone_maker(section, place, value, source, known(fitted, part, source), spec.train.seed)()

    with Unallocated():
        return assemble(spec, fitted, make)
