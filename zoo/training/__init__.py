"""The loop that fine-tunes a model, on Accelerate."""
