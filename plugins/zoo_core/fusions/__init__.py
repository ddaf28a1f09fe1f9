"""Fusions: several inputs' features become one."""

from zoo_core.fusions import concat, gated, late, token_transformer

COMPONENTS = (concat.COMPONENT, late.COMPONENT, gated.COMPONENT, token_transformer.COMPONENT)
