"""How far golden outputs may be from what they were."""

TOLERANCE = {"float32": 1e-4, "float64": 1e-6, "bfloat16": 2e-2, "float16": 5e-3}
"""How far a number may be from what it was, relative to 1 or to itself, by type of the weights: kernels sum in another
order on another processor."""

ELSEWHERE = 10
"""How many times as far where the device is of another kind."""
