"""What one of several processes may say: where a verb runs in many, the first speaks for all."""

import os


def first_process() -> bool:
    """Whether this is the only process, or the first of those that `torchrun` or `accelerate launch` started."""
    return os.environ.get("RANK", "0") == "0"
