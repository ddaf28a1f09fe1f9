"""Inputs: what a cell of the table is. A modality is a component, so a plugin can add one."""

from zoo_core.inputs import audio, image, sequence, text, vector

COMPONENTS = (image.COMPONENT, text.COMPONENT, audio.COMPONENT, vector.COMPONENT, sequence.COMPONENT)
