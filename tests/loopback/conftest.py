"""A Hub for every test, once for clients that use LFS and once for clients that use xet."""

from collections.abc import Iterator

import pytest

from tests.loopback.serving import Loopback, loopback


@pytest.fixture(params=["lfs", "xet"])
def hub(request: pytest.FixtureRequest) -> Iterator[Loopback]:
    with loopback(xet=request.param == "xet") as running:
        yield running


@pytest.fixture
def plain_hub() -> Iterator[Loopback]:
    """For what has nothing to do with large files."""
    with loopback() as running:
        yield running
