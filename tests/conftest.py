"""What several tests share: a machine without settings of its own, and clean environments to install zoo into."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

# The tests run beside other work; see `zoo.cli.run`. It must stand before the first import of torch.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
if "PYTEST_XDIST_WORKER" in os.environ:  # each core has a worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook
from packaging.requirements import Requirement

import tests.shapes  # noqa: F401  # the hook looks its function up by name

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ROOT / "tests" / "distributions"
LIGHT = ("click", "packaging", "pluggy", "pydantic", "PyYAML", "rich")
"""What zoo needs above the torch line."""

SHAPED = [
    ".".join(path.relative_to(root).with_suffix("").parts)
    for root, folder in ((ROOT, ROOT / "zoo"), (ROOT / "plugins", ROOT / "plugins"))
    for path in folder.rglob("*.py")
    if "from jaxtyping import" in path.read_text(encoding="utf-8")
]
"""The modules whose annotations have shapes, which the tests check at every call."""

install_import_hook(SHAPED, "tests.shapes.checked")


def pytest_collection_finish() -> None:
    """Intervals from fewer resamples: nine tenths of a tiny training went into them. Their own tests name a number."""
    if (module := sys.modules.get("zoo.evaluation.evaluate")) is not None:
        module.RESAMPLES = 50  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keeps the tester's own plugins, catalogue, indexes and cache out of the tests."""
    for name in ("ZOO_PLUGINS", "ZOO_REGISTRY", "ZOO_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "zoo-home"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo-cache"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the source tree."""

    folder: Path

    @property
    def site(self) -> Path:
        """Where its packages are."""
        return next(self.folder.glob("lib*/python3*/site-packages"))

    def python(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs its Python."""
        return self._run("python", words, variables)

    def zoo(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs its `zoo`, with the environment variables given and none that the tests run under."""
        return self._run("zoo", words, variables)

    def _run(
        self, script: str, words: Iterable[str | Path], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "bin" / script), *map(str, words)]
        settings = {"PATH": os.defpath, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **variables}
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=settings, timeout=120)


MakeEnvironment = Callable[..., Environment]


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory) -> MakeEnvironment:
    """Makes an environment of nothing but `needed`, which is linked, and `wanted`, which pip installs. No network."""

    def make(*wanted: str | Path, needed: tuple[str, ...] = LIGHT) -> Environment:
        environment = Environment(tmp_path_factory.mktemp("environment"))
        run_python("-m", "venv", "--without-pip", environment.folder)
        for name in with_requirements(needed):
            link(name, environment.site)
        offline = ("--no-deps", "--no-index", "--no-build-isolation")
        run_python("-m", "pip", "--python", environment.folder / "bin" / "python", "install", *offline, *wanted)
        return environment

    return make


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Wheels of zoo and of the plugins under `distributions/`, by distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    projects = [ROOT, *sorted(path.parent for path in DISTRIBUTIONS.glob("*/pyproject.toml"))]
    run_python("-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, *projects)
    return {path.name.partition("-")[0].replace("_", "-"): path for path in folder.glob("*.whl")}


def run_python(*words: str | Path) -> None:
    """Runs the Python of the tests, and tells what it said when it fails."""
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def with_requirements(names: Iterable[str]) -> set[str]:
    """Distributions and all that they require on this machine."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            required = map(Requirement, distribution(name).requires or [])
            waiting += [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def link(name: str, site: Path) -> None:
    """Links an installed distribution's top-level files and folders into another site-packages."""
    installed = distribution(name)
    for top in {path.parts[0] for path in installed.files or []} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(installed.locate_file(top))).resolve())
