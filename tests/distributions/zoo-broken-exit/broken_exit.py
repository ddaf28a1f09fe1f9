"""Leaves Python, as a script without a main guard does."""

import sys

sys.exit("usage: broken_exit FILE")
