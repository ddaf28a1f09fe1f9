"""Shapes that annotations name are checked, in the tests alone."""

import re
import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from tests.conftest import ROOT, SHAPED
from zoo.features import Features, masked_mean


def test_a_call_with_another_shape_fails() -> None:
    with pytest.raises(TypeCheckError, match="mask"):
        masked_mean(torch.zeros(2, 3, 4), torch.ones(2, 5, dtype=torch.bool))


def test_a_call_with_another_type_of_numbers_fails() -> None:
    with pytest.raises(TypeCheckError, match="mask"):
        masked_mean(torch.zeros(2, 3, 4), torch.ones(2, 3))


def test_features_of_two_batch_sizes_fail() -> None:
    with pytest.raises(TypeCheckError, match="pooled"):
        Features(torch.zeros(2, 3, 4), torch.zeros(3, 4))


def test_every_part_of_zoo_has_modules_with_shapes() -> None:
    parts = {name.split(".")[0] for name in SHAPED}
    assert parts == {"zoo", "zoo_core", "zoo_timm", "zoo_transformers", "zoo_torchaudio"}
    assert {"zoo.features", "zoo.model.tower", "zoo_core.fusions.token_transformer"} < set(SHAPED)


def test_shapes_are_of_classes() -> None:
    """NumPy's NDArray is an alias and no class on Python 3.12 and later, where jaxtyping refuses it."""
    for folder in ("zoo", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"(Float|Int|UInt|Bool|Num|Real|Shaped)[0-9]*\[NDArray\[", path.read_text()), path


@pytest.mark.slow
def test_outside_the_tests_nothing_is_checked() -> None:
    script = (
        "import torch, zoo.features, sys; zoo.features.Features(torch.zeros(1), None); print('beartype' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
