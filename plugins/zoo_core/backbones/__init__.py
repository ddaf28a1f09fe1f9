"""Backbones for what has no pretrained ones: vectors and sequences."""

from zoo_core.backbones import gru, mlp, sequence_transformer

COMPONENTS = (mlp.COMPONENT, gru.COMPONENT, sequence_transformer.COMPONENT)
