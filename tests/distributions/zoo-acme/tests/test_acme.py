"""What zoo promises of every component holds for ours. Needs nothing but zoo, the plugin and pytest."""

from typing import Literal

import pytest

from zoo.testing import check


def test_spectral() -> None:
    check("acme/spectral", {"bands": 8, "dim": 8})


def test_mean() -> None:
    check("acme/mean", {"dim": 8})


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ranker(reduction: Literal["mean", "sum"]) -> None:
    check("acme/ranker", {"reduction": reduction}, samples=[3, 1.5, "2", 2])
