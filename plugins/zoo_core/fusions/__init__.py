"""Fusions of the namespace `zoo/`: the features of several inputs become one. One per file."""
