"""A Hub for every test that asks for one, and a run to share."""

from pathlib import Path

import pytest

from tests.loopback.conftest import hub, plain_hub
from tests.tables import SPEC, write_tables
from zoo.training.train import train

__all__ = ["hub", "plain_hub", "trained"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(write_tables(folder, SPEC.replace("epochs: 4, batch_size: 16", "epochs: 1, batch_size: 64")), folder / "run")
    return folder / "run"
