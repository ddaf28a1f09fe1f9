"""Inputs of the namespace `zoo/`: from a cell of a table to a value. One modality per file."""
