"""Backbones of the namespace `zoo/`, for what has no pretrained ones: vectors and sequences. One per file."""
