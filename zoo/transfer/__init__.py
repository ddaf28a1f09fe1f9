"""Which tensors move in training, and toward what."""
