"""What holds for the whole project: who may import whom, and that nothing heavy is imported above the torch line."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tables import write_tables
from zoo.cli import VERBS
from zoo.registry.plugins import HEAVY

ROOT = Path(__file__).parent.parent
ABOVE = ["component", "errors", "files", "document", "registry", "spec"]
BELOW = [
    "features",
    "contract",
    "checkpoint",
    "data",
    "model",
    "transfer",
    "evaluation",
    "planning",
    "training",
    "testing",
    "hub",
]
LAYERS = [*ABOVE, *BELOW, "cli"]
"""Parts of zoo, lowest first: each imports only from itself and from those before it. `BELOW` is the torch line."""

SPEC = """\
inputs:
  photo: {type: image, backbone: timm/resnet50}
  review: {type: text, backbone: transformers/google-bert/bert-base-uncased}
  voice: {type: audio, backbone: torchaudio/wav2vec2_base}
heads:
  mood: {use: zoo/classifier, column: label}
data: {train: table.csv}
"""

TORCH_VERBS = {"build", "fetch", "train", "reproduce", "eval", "cv", "predict", "plan", "doctor"}
"""Verbs that work with models, or look at torch."""

COMMANDS = [
    [],
    ["--help"],
    ["--version"],
    ["check", "spec.yaml"],
    ["check", "wrong.yaml"],
    ["data", "--help"],
    ["init", "--help"],
    ["spec", "--help"],
    ["spec", "render", "spec.yaml"],
    ["spec", "schema"],
    ["list"],
    ["list", "--json"],
    ["list", "backbone", "resnet"],
    ["list", "models"],
    ["list", "recipes"],
    ["show", "zoo/concat"],
    ["show", "timm/resnet50"],
    ["show", "timm/resnet50.a1_in1k"],
    ["show", "transformers/bert", "--json"],
    ["show", "image-text"],
    ["plugins"],
    ["plugins", "list", "--json"],
    ["plugins", "doctor"],
    ["push", "nothing", "file:///nothing"],
    ["pull", "file:///nothing"],
    ["verify", "nothing"],
    ["diff", "nothing", "nothing"],
    ["import", "nothing"],
]
RUN = """\
import sys
from zoo.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("IMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def layer(path: Path) -> str:
    return path.relative_to(ROOT / "zoo").parts[0].removesuffix(".py")


FILES = sorted((ROOT / "zoo").rglob("*.py"))
INSIDE = [path for path in FILES if layer(path) in LAYERS]


def test_every_part_of_zoo_has_a_layer() -> None:
    assert {layer(path) for path in FILES} - set(LAYERS) == {"__init__", "__main__"}


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downward_only(path: Path) -> None:
    rank = LAYERS.index(layer(path))
    for module in imports(path):
        if module.startswith("zoo."):
            assert LAYERS.index(module.split(".")[1]) <= rank, module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_no_plugin_and_nothing_heavy(path: Path) -> None:
    allowed = {"torch"} if path.name == "machine.py" else set()
    roots = {module.partition(".")[0] for module in imports(path)}
    assert not {root for root in roots if root.startswith("zoo_")}
    if layer(path) in BELOW:
        allowed |= {"torch"}
    assert not roots & set(HEAVY) - allowed


def test_plugins_know_zoo_by_its_door_alone() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        doors = {module for module in imports(path) if module.split(".")[0] == "zoo"}
        assert doors <= {"zoo", "zoo.component", "zoo.contract", "zoo.features"}, path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torch-line")
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "wrong.yaml").write_text(SPEC.replace("image,", "imge,"))
    (folder / "table.csv").write_text("photo,review,voice,label\n")
    return folder


def imported_by(arguments: list[str], folder: Path) -> set[str]:
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(["zoo", *arguments]))
def test_nothing_heavy_is_imported_above_the_torch_line(arguments: list[str], folder: Path) -> None:
    assert not imported_by(arguments, folder) & {*HEAVY, "numpy", "pyarrow", "datasets", "accelerate", "peft"}


UNUSED = {"timm", "transformers", "torchvision", "torchaudio", "sklearn", "scipy", "torchmetrics", "datasets", "peft"}
UNUSED |= {"matplotlib", "tensorboard", "soundfile", "PIL"}
"""What a spec of vectors has no use for. torch's own optimizers import pandas, so that training has it."""


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["plan", "build", "fetch", "train", "reproduce", "eval", "predict"])
def test_nothing_is_imported_that_the_spec_does_not_use(verb: str, tmp_path: Path) -> None:
    write_tables(tmp_path)
    if verb in ("eval", "predict"):
        imported_by(["build", "spec.yaml", "-o", "run"], tmp_path)
        arguments = [verb, "run", *(["test.csv", "--no-baselines"] if verb == "eval" else ["c=1"])]
    else:
        arguments = [verb, "spec.yaml", *([] if verb in ("plan", "fetch") else ["-o", "run"])]
    imported = imported_by(arguments, tmp_path)
    assert "torch" in imported
    assert not imported & (UNUSED if verb == "train" else UNUSED | {"pandas"})


def test_help_imports_neither_the_language_nor_tables(folder: Path) -> None:
    assert not imported_by(["--help"], folder) & {"pydantic", "yaml", "rich", "packaging"}


def test_import_zoo_is_cheap() -> None:
    code = "import sys; before = set(sys.modules); import zoo; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names} == {"zoo"}


def test_everything_public_can_be_had() -> None:
    import zoo

    for name in zoo.__all__:
        assert getattr(zoo, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = zoo.nothing


def test_every_verb_of_the_list_is_exercised_here() -> None:
    assert {arguments[0] for arguments in COMMANDS if arguments} >= set(VERBS) - TORCH_VERBS


def test_the_file_sizes_stay_human() -> None:
    files = [*FILES, *(ROOT / "plugins").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert {str(path): lines for path in files if (lines := len(path.read_text().splitlines())) > 400} == {}


def test_the_shipped_indexes_are_json_lines_apart() -> None:
    for path in (ROOT / "plugins").rglob("index.json"):
        index = json.loads(path.read_text())
        assert len(path.read_text().splitlines()) == len(index["models"]) + 2
