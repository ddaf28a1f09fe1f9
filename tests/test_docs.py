"""What is documented is what is there: the reference, the hooks, the verbs, and the examples that the pages show."""

import inspect
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.tables import write_tables
from zoo import cli
from zoo.component import Kind
from zoo.document.fields import fields_of
from zoo.document.source import Source
from zoo.errors import ExitCode
from zoo.registry import hookspecs
from zoo.registry.catalogue import Catalogue, shipped_path
from zoo.registry.plugins import Stage
from zoo.registry.registry import Registry, installed
from zoo.spec.load import read_spec

ROOT = Path(__file__).parent.parent
FACE = ("load_spec", "plan", "build", "train", "evaluate", "predict", "predict_table", "cross_validate", "push", "pull")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = runpy.run_path(str(ROOT / "docs" / "reference.py"))
HOOKS = [name for name, value in vars(hookspecs).items() if name.startswith("zoo_") and inspect.isfunction(value)]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_reference_is_written_from_the_declarations() -> None:
    written = REFERENCE["reference"](Registry())
    assert (ROOT / "docs" / "reference.md").read_text() == written, "run: python docs/reference.py"


def test_every_key_of_the_language_is_in_the_reference_with_a_sentence() -> None:
    text = (ROOT / "docs" / "reference.md").read_text()
    for path, section in REFERENCE["sections"](REFERENCE["Spec"], ""):
        for field in fields_of(section).values():
            assert field.doc.endswith("."), (path, field.name)
            assert f"| `{field.name}` |" in text


@pytest.mark.parametrize("entry", installed().components(), ids=lambda entry: entry.name)
def test_every_component_is_documented(entry: "object") -> None:
    component = entry.component  # type: ignore[attr-defined]
    assert component.summary.endswith(".")
    assert component.source
    if component.kind in (Kind.INPUT, Kind.FRONTEND, Kind.BACKBONE):
        assert component.modality
    for field in fields_of(component.options).values():
        assert field.doc.endswith("."), field.name


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_arguments_and_tested(hook: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert f"### `{hook}({arguments})`" in (ROOT / "docs" / "plugins.md").read_text()
    assert getattr(hookspecs, hook).__doc__
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "registry").glob("test_*.py"))
    assert hook in tests


def test_every_stage_is_documented() -> None:
    text = (ROOT / "docs" / "plugins.md").read_text()
    assert [stage.value for stage in Stage if f"| `{stage}` |" not in text] == []


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_documented_and_its_help_is_its_own(verb: str) -> None:
    assert f"`zoo {verb}" in (ROOT / "README.md").read_text()
    assert f"`zoo {verb}" in (ROOT / "docs" / "commands.md").read_text()
    module, told = cli.VERBS[verb]
    command = cli.cli.get_command(None, verb)  # type: ignore[arg-type]  # the group needs no context for it
    assert command is not None
    assert (command.help or "").splitlines()[0] == told
    assert command.callback.__module__ == module


def test_every_exit_code_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    assert [code for code in ExitCode if f"| {code.value} |" not in text] == []


def test_every_environment_variable_is_documented() -> None:
    code = "".join(path.read_text() for path in (ROOT / "zoo").rglob("*.py"))
    names = set(re.findall(r'"(ZOO_[A-Z]+)"', code)) | {"NO_COLOR", "HF_ENDPOINT", "HF_TOKEN"}
    text = (ROOT / "docs" / "commands.md").read_text()
    assert {name for name in names - {"ZOO_PLUGIN_API"} if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_specs_on_the_pages_are_right(page: Path) -> None:
    for text in blocks(page, "yaml"):
        if "inputs:" in text and not text.startswith("catalogue:"):
            read_spec(Source(text, str(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_python_on_the_plugin_page_runs() -> None:
    for text in blocks(ROOT / "docs" / "plugins.md", "python"):
        exec(compile(text, "docs/plugins.md", "exec"), {"__name__": "zoo_acme"})


def test_python_on_the_python_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    for text in blocks(ROOT / "docs" / "python.md", "python"):
        exec(compile(text, "docs/python.md", "exec"), {"__name__": "notebook"})
    printed = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ bytes in training with batches of 64", printed[0])
    assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\] \(n=\d+\)", printed[1])
    assert "probabilities" in printed[2]


def test_the_python_page_names_every_function_of_the_library_face() -> None:
    text = (ROOT / "docs" / "python.md").read_text()
    assert [name for name in FACE if f"`zoo.{name}(" not in text] == []


def test_the_error_that_the_readme_shows_is_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = ROOT / "README.md"
    spec = next(text for text in blocks(readme, "yaml") if "inputs:" in text)
    (tmp_path / "spec.yaml").write_text(spec.replace("timm/resnet50", "timm/resnet5O"))
    monkeypatch.chdir(tmp_path)
    shown = blocks(readme, "console")[0].split("\n", 1)[1]
    assert shown.strip() in run("check", "spec.yaml").stderr


def results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "results" / name).read_text())
    return found


def told_of(heading: str) -> str:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_the_start_up_times_are_those_of_the_run() -> None:
    seconds = results("startup.json")["median_s"]
    bare = seconds["python -c 'import click'"]
    told = told_of("Start-up")
    for name, median in seconds.items():
        assert f"| `{name}` | {round(median * 1000)} | {median / bare:.2f} |" in told


def test_the_costs_of_loading_are_those_of_the_run() -> None:
    found = results("load.json")
    told = told_of("Weights from local files")
    for way in found["median"].values():
        seconds, memory = way["cpu_seconds"], way["megabytes"]
        ratio, share = seconds / found["median"]["floor"]["cpu_seconds"], memory / found["weights_mb"]
        assert f"| {seconds:.2f} | {ratio:.2f} | {memory:.0f} | {share:.2f} |" in told
    assert f"load.py {found['rounds']}`" in told and found["date"] in told and found["torch"] in told


def test_the_costs_of_plans_are_those_of_the_run() -> None:
    found = results("plan.json")
    told = told_of("Plans")
    for way in found["speed"].values():
        ratio = way["cpu_seconds"] / found["speed"]["imports"]["cpu_seconds"]
        assert f"| {way['cpu_seconds']:.1f} | {ratio:.2f} | {way['megabytes']:.0f} |" in told
    for spec, memory in found["memory"].items():
        cells = [
            f"{memory[part]['planned'] / 1e6:.0f} | {memory[part]['planned'] / memory[part]['real']:.2f}"
            for part in ("training", "inference")
        ]
        assert f"| {spec} | {' | '.join(cells)} |" in told
    assert f"plan.py {found['rounds']}`" in told and found["date"] in told and found["torch"] in told


def test_the_memory_of_loading_is_that_of_the_run() -> None:
    found = results("memory.json")
    told = told_of("Memory of loading")
    for rows, passes in found["passes"].items():
        for name, each in passes.items():
            worker = f"{each['worker_megabytes']:.0f}" if name == "workers" else ""
            assert f"| {int(rows):,} | {name} | {each['megabytes']:.0f} | {worker} |" in told
    assert found["date"] in told and found["torch"] in told


def test_the_costs_of_training_are_those_of_the_run() -> None:
    found = results("train.json")
    told = told_of("Training")
    for task, each in found["tasks"].items():
        floor, steps = each["ways"]["by hand"], each["step_ms"]
        for way, spent in each["ways"].items():
            cells = [f"{spent[key]:.1f} | {spent[key] / floor[key]:.2f}" for key in ("cpu_seconds", "seconds")]
            assert f"| {task} | {way} | {' | '.join(cells)} | {spent['accuracy']:.3f} |" in told
        assert (
            f"| {task} | {steps['by hand']:.1f} | {steps['zoo']:.1f} | {steps['zoo'] / steps['by hand']:.2f} |" in told
        )
    assert f"train.py {found['rounds']}`" in told and found["date"] in told and found["torch"] in told


def test_the_speed_of_pulling_is_that_of_the_run() -> None:
    found = results("share.json")
    told, floor = told_of("Pulling"), found["median_s"]["by hand"]
    for seconds in found["median_s"].values():
        assert f"| {seconds:.2f} | {floor / seconds:.2f} |" in told
    assert f"share.py {found['rounds']}`" in told and found["date"] in told and found["torch"] in told
    assert f"{found['bytes'] / 1e6:.0f} MB" in told


def test_the_scores_of_the_digits_are_those_of_the_run() -> None:
    found = json.loads((ROOT / "docs" / "results" / "digits" / "metrics.json").read_text())["subsets"]
    told = (ROOT / "README.md").read_text().partition("<!-- digits -->")[2]
    for subset, heads in found.items():
        each = heads["label"]["accuracy"]
        assert f"| {subset} | {each['value']:.3f} | {each['low']:.3f} to {each['high']:.3f} |" in told
        assert each["n"] == 359
    history = (ROOT / "docs" / "results" / "digits" / "history.jsonl").read_text().splitlines()
    seconds = sum(json.loads(line)["seconds"] for line in history)
    assert f"its {len(history)} epochs took {seconds:.0f} s" in told
    versions = json.loads((ROOT / "docs" / "results" / "digits" / "zoo.lock").read_text())["libraries"]
    assert all(f"{name} {versions[name]}" in told for name in ("torch", "timm", "transformers"))


def test_the_catalogue_on_the_page_is_right(tmp_path: Path) -> None:
    (text,) = (text for text in blocks(ROOT / "docs" / "commands.md", "yaml") if text.startswith("catalogue:"))
    (tmp_path / "registry.yaml").write_text(text)
    found = Catalogue([shipped_path(), tmp_path / "registry.yaml"])
    assert found.models["timm/resnet34.a1_in1k"].data == ["imagenet-1k"]
    assert read_spec(Source(found.recipes["product"].spec, "spec.yaml")).heads["category"].use == "zoo/classifier"


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_right(example: Path) -> None:
    result = run("check", example, "--set", "data={}")  # the data of an example are not shipped
    assert result.exit_code == 0, result.stderr


def test_the_results_are_written_from_the_runs() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "results.py"))["page"]()
    assert (ROOT / "docs" / "results.md").read_text() == written, "run: python docs/results.py"
