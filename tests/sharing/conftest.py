"""A Hub for every test that asks for one, a run to share, and an environment with zoo and no other plugin."""

from pathlib import Path

import pytest

from tests.conftest import MakeEnvironment, with_requirements
from tests.loopback.conftest import hub, plain_hub
from tests.tables import SPEC, write_tables
from zoo.training.train import train

__all__ = ["hub", "plain_hub", "trained"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(write_tables(folder, SPEC.replace("epochs: 4, batch_size: 16", "epochs: 1, batch_size: 64")), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def clean(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Path:
    """The Python of an environment with zoo, from its wheel, and what it requires; nothing else is there."""
    required = with_requirements(["zoo"]) - {"zoo"}
    return make_environment(wheels["zoo"], needed=tuple(required)).folder / "bin" / "python"
