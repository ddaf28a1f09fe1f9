"""Augmentations of the inputs of the namespace `zoo/`: one modality per file."""
