"""Wrong specs, and what zoo says of each."""

from tests.spec.wrong import augment, components, gaps, keys, values, yaml
from tests.spec.wrong.case import Wrong

CASES: list[Wrong] = [*keys.CASES, *gaps.CASES, *values.CASES, *components.CASES, *augment.CASES, *yaml.CASES]
