"""The same round trip through the real Hub: `ZOO_REAL_HUB_TOKEN=hf_... pytest -m needs_real_hub`.

The token writes to its user's own namespace, into a private repository that is deleted in the end. It is no other token
than that one: `HF_TOKEN`, and what `hf auth login` keeps, are never used here.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sharing.people import Person, same

TOKEN = "ZOO_REAL_HUB_TOKEN"

pytestmark = [
    pytest.mark.needs_real_hub,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get(TOKEN), reason=f"{TOKEN} is not set"),
]


class RealHub:
    """The Hub itself.

    Args:
        xet: Whether clients use xet.
        endpoint: Where it is.
    """

    def __init__(self, *, xet: bool, endpoint: str = "https://huggingface.co") -> None:
        self.token, self.xet, self.endpoint = os.environ[TOKEN], xet, endpoint

    def environment(self, home: Path | str, *, token: str | None) -> dict[str, str]:
        """Variables for a process whose clients speak to it; a home that is new holds no other token."""
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_TOKEN_PATH": str(Path(home) / "token"),
            "HF_TOKEN": token or "",
            "HUGGING_FACE_HUB_TOKEN": "",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": str(int(not self.xet)),
        }


@pytest.fixture(params=["lfs", "xet"])
def real(request: pytest.FixtureRequest) -> RealHub:
    return RealHub(xet=request.param == "xet")


@pytest.fixture
def repo(real: RealHub) -> Iterator[str]:
    """A name that nobody has; what is there in the end is deleted, whatever happened."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=real.endpoint, token=real.token)
    name = f"{api.whoami()['name']}/zoo-round-trip-{uuid.uuid4().hex[:12]}"
    try:
        yield name
    finally:
        api.delete_repo(name, missing_ok=True)
    assert not api.repo_exists(name)


def test_a_round_trip(real: RealHub, repo: str, trained: Path, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    ann, eve = Person(real, tmp_path / "ann"), Person(real, tmp_path / "eve", token="")
    assert "golden outputs equal\n" in ann.zoo("push", trained, repo)
    assert "all of it was there already" in ann.zoo("push", trained, repo)
    found = HfApi(endpoint=real.endpoint, token=real.token).repo_info(repo)
    assert found.private and found.sha is not None
    ann.zoo("pull", repo, "-o", "mine")
    assert same(ann.home / "mine", trained)
    assert f"hf://{repo}@{found.sha}" in ann.zoo("verify", f"{repo}@{found.sha}")
    assert "a private one needs HF_TOKEN" in eve.zoo("pull", repo, "-o", "mine", code=2)
