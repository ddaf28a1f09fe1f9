"""Shapes that annotations name are checked, in the tests alone."""

import ast
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


def test_no_module_with_shapes_is_left_out() -> None:
    files = [*(ROOT / "zoo").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removeprefix("plugins.")
        for path in files
        if any(
            isinstance(node, ast.ImportFrom) and node.module == "jaxtyping"
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    assert names
    assert not {name for name in names if not name.startswith(SHAPED)}


def test_outside_the_tests_nothing_is_checked() -> None:
    script = (
        "import torch, zoo.features, sys; zoo.features.Features(torch.zeros(1), None); print('beartype' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
