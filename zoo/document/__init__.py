"""YAML texts with positions, checked against option dataclasses. The spec and the catalogue are both written in it."""
