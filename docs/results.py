"""Writes docs/results.md from the files that runs left under docs/results/, so that no number is typed by hand.

Run it as `python docs/results.py`; a test compares the page with what this would write. A data set has a folder with
`about.md`, and in it a folder for each run with `metrics.json`, `zoo.yaml`, `zoo.lock`: of a training with
`history.jsonl` and perhaps `evaluation.json`, which `zoo eval -o` wrote, or of a cross-validation without them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("results.md")
RUNS = Path(__file__).with_name("results")
HEAD = """\
# Results on real data

<!-- Written by docs/results.py from the files that the runs left. Run it again after adding some. -->

Each table is what `zoo train` or `zoo cv` left under [results](results), on 2 cores without a GPU, from random weights;
what stands in words is what `zoo eval` said. Every number comes with its 95 % interval and the number of rows that it
stands on.
"""


def page() -> str:
    """The page as Markdown."""
    sets = sorted(path.parent for path in RUNS.glob("*/about.md"))
    return "\n".join([HEAD, *map(section, sets)])


def section(folder: Path) -> str:
    """A data set: what it is, and its runs."""
    runs = sorted(path.parent for path in folder.glob("*/metrics.json"))
    tables = [f"{_told(run)}\n\n{_table(run)}\n{_in_words(run)}" for run in runs]
    return "\n".join([(folder / "about.md").read_text(encoding="utf-8").strip() + "\n", *tables])


def _told(run: Path) -> str:
    """Where a run came from: its files, seed, epochs, time, versions."""
    lock = json.loads((run / "zoo.lock").read_text(encoding="utf-8"))
    libraries = lock["libraries"]
    versions = ", ".join(f"{name} {libraries[name]}" for name in ("torch", "timm", "transformers"))
    place = run.relative_to(TARGET.parent).as_posix()
    return (
        f"[{run.name}]({place}/metrics.json) (spec in [zoo.yaml]({place}/zoo.yaml)): seed {lock['seed']}, "
        f"{_work(run, lock)}, {versions}, CPython {lock['python']}."
    )


def _work(run: Path, lock: dict[str, Any]) -> str:
    """What was done: so many epochs, or folds."""
    if "folds" in lock:
        return f"{lock['folds']} folds, each row measured by the model that learnt without it"
    history = [json.loads(line) for line in (run / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    return f"{len(history)} epochs in {sum(record['seconds'] for record in history):.0f} s"


def _in_words(run: Path) -> str:
    """What `zoo eval` said of the run."""
    path = run / "evaluation.json"
    if not path.exists():
        return ""
    verdict = json.loads(path.read_text(encoding="utf-8"))["verdict"]
    return "\n".join(["", *(f"- {each['text']}" for each in verdict), ""])


def _table(run: Path) -> str:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    lines = ["| modalities | head | metric | value | 95 % interval | rows |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *_lines(metrics)])


def _lines(metrics: dict[str, Any]) -> Iterator[str]:
    for subset, heads in reversed(list(metrics["subsets"].items())):
        for head, found in heads.items():
            for metric, each in found.items():
                value = "-" if each["value"] is None else f"{each['value']:.3f}"
                interval = "-" if each["low"] is None else f"{each['low']:.3f} to {each['high']:.3f}"
                yield f"| {subset} | {head} | {metric} | {value} | {interval} | {each['n']} |"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
