"""Training: zoo as a whole process against a careful loop by hand on the same model and data, in alternating runs.

Run it as `python benchmarks/train.py [ROUNDS] [TASK ...]`. Tasks, on scikit-learn's digits as 64 x 64 PNG files, their
names in ten languages, and tones whose pitch tells the digit (1,400 rows to learn from, 397 to test on):

- `image`: ResNet-18 of random weights, frozen, a linear head, 5 epochs, without the feature cache
- `text`: a BERT of 4 layers and 128 dimensions, all of it, 3 epochs
- `image+text`: both of them, joined, all of it, 2 epochs
- `image+text+audio`: and a small network on 64 mel bands, 2 epochs
- `cached`: `image` with 10 epochs and the feature cache, beside loops by hand without and with one

Each run is a fresh process on one thread. Told are the CPU seconds of the whole process, imports, data and the last
measuring included, and the seconds of the training alone: reading rows, features that are computed for it, all epochs.
Milliseconds of a step are those of one process more, in which a step by hand and one of zoo are made in turn; in
`cached` both read cached features.
"""

import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

from floor import BATCH, EPOCHS, ROWS, Floor

IN_TURN = {"image": 5, "text": 9, "image+text": 3, "image+text+audio": 3, "cached": 30}
"""Epochs of the process in which steps are made in turn; the first one is not counted."""
COLUMNS = ("CPU seconds", "times by hand", "seconds of training", "times by hand", "accuracy")
STEPS = ("ms by hand", "ms of zoo", "times by hand")
WAYS = {"cached": ("by hand", "by hand, cached", "zoo")}
NAMES = (
    "zero one two three four five six seven eight nine|null eins zwei drei vier fünf sechs sieben acht neun|"
    "zéro un deux trois quatre cinq six sept huit neuf|cero uno dos tres cuatro cinco seis siete ocho nueve|"
    "zero uno due tre quattro cinque sei sette otto nove|zero um dois três quatro cinco seis sete oito nove|"
    "nul een twee drie vier vijf zes zeven acht negen|noll ett två tre fyra fem sex sju åtta nio|"
    "nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän|"
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć"
)
PARTS = {
    "image": "image: {type: image, backbone: {use: timm/resnet18, weights: none, resolution: 64}%s}",
    "text": "text: {type: text, max_length: 16, backbone: {use: transformers/bert, weights: none, tokenizer: "
    "{train: wordpiece, vocab_size: 400}, config: {hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4, "
    "intermediate_size: 512, max_position_embeddings: 64}}}",
    "audio": "audio: {type: audio, sample_rate: 16000, max_seconds: 0.5, frontend: {use: torchaudio/log-mel, "
    "n_mels: 64}, backbone: {use: timm/resnet10t, weights: none, depth: 3, model: {channels: [16, 32, 64, 128], "
    "stem_width: 16}}}",
}


def spec_of(task: str) -> str:
    """The spec of a task."""
    parts = ["image"] if task == "cached" else task.split("+")
    frozen = ", transfer: frozen" if task in ("image", "cached") else ""
    inputs = "\n".join(f"  {PARTS[part] % frozen if part == 'image' else PARTS[part]}" for part in parts)
    fusion = "fusion: {use: zoo/concat, dim: 256}\n" if len(parts) > 1 else ""
    cache = "true" if task == "cached" else "false"
    return (
        f"inputs:\n{inputs}\n{fusion}heads: {{label: zoo/classifier}}\nbalance: {{drop: 0}}\n"
        "data: {train: train.parquet, validation: null, test: test.parquet}\n"
        f"train: {{epochs: {EPOCHS[task]}, batch_size: {BATCH.get(task, 32)}, cache: {cache}, precision: fp32}}\n"
    )


def prepare(folder: Path) -> None:
    """Writes the tables."""
    import numpy as np
    import pyarrow as pa
    import soundfile
    from PIL import Image
    from pyarrow import parquet
    from sklearn.datasets import load_digits

    random, digits = np.random.default_rng(0), load_digits()
    order = random.permutation(len(digits.target))
    rows = []
    for number in order:
        digit = int(digits.target[number])
        seen, said, heard = (
            digit if random.random() > wrong else int(random.integers(10)) for wrong in (0.0, 0.1, 0.1)
        )
        picture, wave = BytesIO(), BytesIO()
        pixels = (digits.images[number] * 15.9).astype(np.uint8)
        Image.fromarray(pixels).convert("RGB").resize((64, 64), Image.Resampling.BILINEAR).save(picture, "PNG")
        tone = np.sin(2 * np.pi * (300 + 120 * heard) * np.arange(8000) / 16000) + random.normal(0, 0.5, 8000)
        soundfile.write(wave, (0.2 * tone).astype(np.float32), 16000, format="WAV")
        name = str(random.choice(NAMES.split("|"))).split()[said]
        assert seen == digit
        rows.append({"image": picture.getvalue(), "text": name, "audio": wave.getvalue(), "label": str(digit)})
    for split, part in (("train", rows[:ROWS]), ("test", rows[ROWS:])):
        parquet.write_table(pa.Table.from_pylist(part), folder / f"{split}.parquet")


def by_hand(task: str, folder: Path, cached: bool) -> None:
    """Trains, measures and saves as a person would by hand."""
    from safetensors.torch import save_file

    floor = Floor(task, folder, cached=cached)
    seconds = [floor.epoch() for _ in range(EPOCHS[task])]
    accuracy = floor.accuracy()
    weights = {name: each.contiguous() for name, each in floor.model.state_dict().items()}
    save_file(weights, folder / "floor.safetensors")
    print(json.dumps({"ready": floor.ready, "seconds": seconds, "accuracy": accuracy}))


def in_turn(task: str, folder: Path) -> None:
    """Steps by hand and of zoo in turn, in one process, so that both meet the same machine: milliseconds by epoch."""
    import zoo.training.train
    from zoo.spec.load import load_spec
    from zoo.training.loop import Training
    from zoo.training.stepper import Stepper

    floor = Floor(task, folder, cached=task == "cached")
    found: dict[str, list[float]] = {"by hand": [], "zoo": []}
    step, spent = Stepper.step, 0.0
    steps = floor.steps()

    def both(self: Any, given: Any) -> Any:
        nonlocal spent
        started = time.perf_counter()
        next(steps)
        spent += time.perf_counter() - started
        return step(self, given)

    class InTurn(Training):
        def _steps(self) -> None:
            nonlocal spent, steps
            spent, steps = 0.0, floor.steps()
            started = time.perf_counter()
            super()._steps()
            found["by hand"].append(spent)
            found["zoo"].append(time.perf_counter() - started - spent)

    Stepper.step = both  # type: ignore[method-assign,assignment]
    vars(zoo.training.train)["Training"] = InTurn
    zoo.train(load_spec(folder / f"{task}.yaml", overrides=[f"train.epochs={IN_TURN[task]}"]))
    number = -(-ROWS // BATCH.get(task, 32))
    print(json.dumps({way: [1000 * each / number for each in seconds[1:]] for way, seconds in found.items()}))


def run(way: str, task: str, folder: Path) -> dict[str, float]:
    """One process: its CPU seconds, seconds of training, and accuracy."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ZOO_CACHE": str(folder / f"cache-{time.monotonic_ns()}")}
    output = folder / f"run-{time.monotonic_ns()}"
    if way == "zoo":
        command = [sys.executable, "-m", "zoo", "train", f"{task}.yaml", "-o", str(output), "--json"]
    else:
        command = [sys.executable, __file__, "--child", way, task, str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    told = json.loads(done.stdout[done.stdout.index("{") :])
    if way == "zoo":
        lines = (output / "history.jsonl").read_text().splitlines()
        seconds = [json.loads(line)["seconds"] for line in lines]
        accuracy = told["heads"]["label"]["accuracy"]["value"]
        found = re.search(r"computed in (\d+\.\d) s", done.stderr)
        ready = float(found[1]) if found else 0.0
    else:
        seconds, accuracy, ready = told["seconds"], told["accuracy"], told["ready"]
    spent = sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))
    return {"cpu_seconds": spent, "seconds": ready + sum(seconds), "accuracy": accuracy}


def measure(task: str, rounds: int, folder: Path, tick: Callable[[], None]) -> dict[str, Any]:
    """Medians of a task's ways over alternating rounds, and of steps made in turn."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS.get(task, ("by hand", "zoo"))}
    for _ in range(rounds):
        for way in found:
            found[way].append(run(way, task, folder))
            tick()
    told: dict[str, Any] = {
        way: {key: round(statistics.median(each[key] for each in runs), 3) for key in runs[0]}
        for way, runs in found.items()
    }
    command = [sys.executable, __file__, "--in-turn", task, str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ZOO_CACHE": str(folder / f"cache-{time.monotonic_ns()}")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    tick()
    steps = {way: round(statistics.median(each), 2) for way, each in json.loads(done.stdout).items()}
    return {"ways": told, "step_ms": steps}


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    from rich.console import Console
    from rich.progress import Progress

    words = sys.argv[1:]
    rounds = int(words.pop(0)) if words and words[0].isdigit() else 3
    tasks = words or list(EPOCHS)
    with tempfile.TemporaryDirectory() as name, Progress(console=Console(stderr=True)) as progress:
        folder = Path(name)
        subprocess.run([sys.executable, __file__, "--prepare", name], check=True)
        for task in tasks:
            (folder / f"{task}.yaml").write_text(spec_of(task))
        bar = progress.add_task("runs", total=sum(1 + rounds * len(WAYS.get(task, "12")) for task in tasks))
        found = {task: measure(task, rounds, folder, lambda: progress.advance(bar)) for task in tasks}
    _print("Processes", ("task", "way", *COLUMNS), processes(found))
    _print("Steps in turn", ("task", *STEPS), steps(found))
    libraries = {each: version(each) for each in ("torch", "timm", "transformers")}
    facts = {"date": str(date.today()), "python": platform.python_version(), **libraries, "rounds": rounds}
    print(json.dumps({**facts, "tasks": found}))


def _print(title: str, columns: tuple[str, ...], rows: Iterator[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=130).print(table)


def processes(found: dict[str, Any]) -> Iterator[list[str]]:
    """Rows of the table of processes."""
    for task, told in found.items():
        floor = told["ways"]["by hand"]
        for way, each in told["ways"].items():
            ratios = [each[key] / floor[key] for key in ("cpu_seconds", "seconds")]
            cells = [f"{each['cpu_seconds']:.1f}", f"{ratios[0]:.2f}", f"{each['seconds']:.1f}", f"{ratios[1]:.2f}"]
            yield [task, way, *cells, f"{each['accuracy']:.3f}"]


def steps(found: dict[str, Any]) -> Iterator[list[str]]:
    """Rows of the table of steps."""
    for task, told in found.items():
        floor, zoo = told["step_ms"]["by hand"], told["step_ms"]["zoo"]
        yield [task, f"{floor:.1f}", f"{zoo:.1f}", f"{zoo / floor:.2f}"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        by_hand(sys.argv[3], Path(sys.argv[4]), cached="cached" in sys.argv[2])
    elif sys.argv[1:2] == ["--in-turn"]:
        in_turn(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]))
    else:
        main()
