"""Weights that are no numbers are found in every type that has such."""

import pytest
import torch

from zoo.checkpoint.tensors import as_raw
from zoo.hub.finite import nonfinite

WRONG = [float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_number_is_named(dtype: torch.dtype, value: float) -> None:
    good = torch.tensor([0.0, -1.5, torch.finfo(dtype).max, torch.finfo(dtype).tiny], dtype=torch.float64).to(dtype)
    wrong = torch.cat([good, torch.tensor([value]).to(dtype)])
    assert nonfinite({"a": as_raw(good), "empty": as_raw(good[:0])}) is None
    assert nonfinite({"a": as_raw(good), "b": as_raw(wrong)}) == "b"


@pytest.mark.parametrize(
    "dtype", [torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e5m2fnuz, torch.float8_e4m3fnuz]
)
def test_of_every_narrow_number_it_is_known_whether_it_is_one(dtype: torch.dtype) -> None:
    every = torch.arange(256, dtype=torch.uint8).view(dtype)
    for number in torch.split(every, 1):
        assert (nonfinite({"a": as_raw(number)}) is None) is bool(number.float().isfinite())


def test_whole_numbers_are_numbers() -> None:
    assert nonfinite({"a": as_raw(torch.full((3,), -1)), "b": as_raw(torch.tensor([True]))}) is None
