"""Policies: which tensors training moves."""

from zoo_core.policies import frozen, full, last

COMPONENTS = (full.COMPONENT, frozen.COMPONENT, last.COMPONENT)
