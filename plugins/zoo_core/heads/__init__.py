"""Heads: what is predicted."""

from zoo_core.heads import classifier, regressor

COMPONENTS = (classifier.COMPONENT, regressor.COMPONENT)
