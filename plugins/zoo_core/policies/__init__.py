"""Policies of the namespace `zoo/`: which tensors training moves. One per file."""
