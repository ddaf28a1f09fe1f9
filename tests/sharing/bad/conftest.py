"""A run as it is shared, made once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sharing.proof import prove_here
from zoo.hub.stage import stage


@pytest.fixture(scope="session")
def shared(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files of a run as they are pushed."""
    with pytest.MonkeyPatch.context() as patch:  # a fresh process takes seconds, and calls the same
        prove_here(patch)
        staged = stage(trained, tmp_path_factory.mktemp("staged"))
    return {name: path.read_bytes() for name, path in staged.files.items()}
