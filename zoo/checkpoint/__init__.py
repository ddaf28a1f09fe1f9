"""Weights: where they come from, how they get into a model without a copy, and how a run is kept."""
