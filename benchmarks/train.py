"""Training: zoo as a whole process against a careful loop by hand on the same model and data, in alternating runs.

Run it as `python benchmarks/train.py [ROUNDS] [TASK ...]`. Tasks, on scikit-learn's digits as 64 x 64 PNG files, their
names in ten languages, and tones whose pitch tells the digit (1,400 rows to learn from, 397 to test on):

- `image`: ResNet-18 of random weights, frozen, a linear head, 5 epochs, without the feature cache
- `text`: a BERT of 4 layers and 128 dimensions, all of it, 3 epochs
- `image+text`: both of them, joined, all of it, 2 epochs
- `image+text+audio`: and a small network on 64 mel bands, 2 epochs
- `cached`: `image` with 10 epochs and the feature cache, beside loops by hand without and with one

Each run is a fresh process on one thread. Told are the CPU seconds of the whole process, imports, data and the last
measuring included; the seconds of the training alone, of all epochs and of the features that are computed for them; and
the milliseconds of a step in the epochs after the first.
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

ROWS, BANDS = 1400, 64
EPOCHS = {"image": 5, "text": 3, "image+text": 2, "image+text+audio": 2, "cached": 10}
BATCH = {"image": 64, "cached": 64}
COLUMNS = {"cpu_seconds": "CPU seconds", "seconds": "s of training", "step_ms": "ms a step"}
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
    """The floor: everything decoded once, the libraries' own networks, a fused AdamW, no more than is needed."""
    import torch
    from safetensors.torch import save_file
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    parts = ["image"] if task == "cached" else task.split("+")
    train, test = (_decoded(folder / f"{split}.parquet", parts, folder) for split in ("train", "test"))
    model = _network(parts, frozen=task in ("image", "cached"))
    trained = [each for each in model.parameters() if each.requires_grad]
    epochs, size = EPOCHS[task], BATCH.get(task, 32)
    steps = epochs * -(-ROWS // size)
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    began = time.perf_counter()
    features = _features(model, train[0]) if cached else None
    ready, seconds = time.perf_counter() - began, []
    for _ in range(epochs):
        model.train()
        started = time.perf_counter()
        for index in torch.split(torch.randperm(ROWS), size):
            values = [each[index] for each in train[0]]
            logits = model.head(features[index]) if features is not None else model(values)
            loss = nn.functional.cross_entropy(logits, train[1][index])
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        seconds.append(time.perf_counter() - started)
    model.eval()
    with torch.inference_mode():
        found = torch.cat([model([each[i : i + 64] for each in test[0]]) for i in range(0, len(test[1]), 64)])
    weights = {name: each.contiguous() for name, each in model.state_dict().items()}
    save_file(weights, folder / "floor.safetensors")
    accuracy = float((found.argmax(1) == test[1]).float().mean())
    print(json.dumps({"ready": ready, "seconds": seconds, "accuracy": accuracy}))


def _decoded(path: Path, parts: list[str], folder: Path) -> tuple[list[Any], Any]:
    import numpy as np
    import torch
    from pyarrow import parquet

    table = parquet.read_table(path, columns=[*parts, "label"])
    values: list[Any] = []
    for part in parts:
        cells = table.column(part).to_pylist()
        values.append(DECODE[part](cells, folder))
    return values, torch.from_numpy(np.array([int(each) for each in table.column("label").to_pylist()]))


def _pictures(cells: list[bytes], folder: Path) -> Any:
    import numpy as np
    import torch
    from PIL import Image

    pixels = torch.from_numpy(np.stack([np.asarray(Image.open(BytesIO(cell))) for cell in cells]))
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((pixels / 255 - mean) / deviation).permute(0, 3, 1, 2)


def _texts(cells: list[str], folder: Path) -> Any:
    import torch
    from tokenizers import BertWordPieceTokenizer

    vocabulary = folder / "vocab.txt"
    if not vocabulary.exists():
        trainer = BertWordPieceTokenizer()
        trainer.train_from_iterator(cells, vocab_size=400, show_progress=False)
        trainer.save_model(str(folder))
    tokenizer = BertWordPieceTokenizer(str(vocabulary))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(16)
    return torch.tensor([each.ids for each in tokenizer.encode_batch(cells)])


def _sounds(cells: list[bytes], folder: Path) -> Any:
    import soundfile
    import torch
    import torchaudio

    mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=BANDS)
    waves = torch.stack([torch.from_numpy(soundfile.read(BytesIO(cell), dtype="float32")[0]) for cell in cells])
    spectrum = torch.log(mel(waves) + 1e-6)
    return ((spectrum - spectrum.mean()) / spectrum.std())[:, None]


DECODE: dict[str, Callable[[list[Any], Path], Any]] = {"image": _pictures, "text": _texts, "audio": _sounds}
"""What makes tensors of all cells of a column."""


def _network(parts: list[str], frozen: bool) -> Any:
    """The libraries' networks and a head."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.towers = nn.ModuleDict({part: _tower(part) for part in parts})
            width = sum({"image": 512, "text": 128, "audio": 64}[part] for part in parts)
            layers = (
                [nn.Linear(width, 256), nn.GELU(), nn.Linear(256, 10)] if len(parts) > 1 else [nn.Linear(width, 10)]
            )
            self.head = nn.Sequential(*layers)
            if frozen:
                self.towers.requires_grad_(False)

        def train(self, mode: bool = True) -> "Network":
            super().train(mode)
            if frozen:
                self.towers.eval()
            return self

        def forward(self, values: list[Any]) -> Any:
            given = []
            for (part, tower), each in zip(self.towers.items(), values, strict=True):
                if part == "text":
                    mask = each != 0
                    hidden = tower(input_ids=each, attention_mask=mask).last_hidden_state
                    given.append((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))
                elif frozen:
                    with torch.no_grad():
                        given.append(tower(each))
                else:
                    given.append(tower(each))
            return self.head(torch.cat(given, 1))

    return Network()


def _tower(part: str) -> Any:
    import torch

    if part == "text":
        from transformers import BertConfig, BertModel

        sizes = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512}
        return BertModel(BertConfig(vocab_size=400, max_position_embeddings=64, **sizes), add_pooling_layer=False)
    import timm

    if part == "image":
        return timm.create_model("resnet18", num_classes=0).to(memory_format=torch.channels_last)
    small = {"channels": (16, 32, 64, 128), "stem_width": 16}
    whole = timm.create_model("resnet10t", num_classes=0, in_chans=1, features_only=True, out_indices=(3,), **small)
    return torch.nn.Sequential(whole, _last(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def _last() -> Any:
    """The deepest of several maps. The class is made here, because importing this file imports no torch."""
    from torch import nn

    class Last(nn.Module):
        def forward(self, maps: list[Any]) -> Any:
            return maps[-1]

    return Last()


def _features(model: Any, values: list[Any]) -> Any:
    import torch

    model.eval()
    with torch.inference_mode():
        pictures = values[0]
        found = [model.towers["image"](pictures[i : i + 64]) for i in range(0, len(pictures), 64)]
    return torch.cat(found).clone()


def run(way: str, task: str, folder: Path) -> dict[str, float]:
    """One process: its CPU seconds, seconds of training, milliseconds of a step after the first epoch, accuracy."""
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
    steps = -(-ROWS // BATCH.get(task, 32))
    spent = sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))
    step = 1000 * min(seconds[1:]) / steps
    return {"cpu_seconds": spent, "seconds": ready + sum(seconds), "step_ms": step, "accuracy": accuracy}


def measure(task: str, rounds: int, folder: Path, tick: Callable[[], None]) -> dict[str, Any]:
    """Medians of a task's ways over alternating rounds; of steps, the fastest epoch."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS.get(task, ("by hand", "zoo"))}
    for _ in range(rounds):
        for way in found:
            found[way].append(run(way, task, folder))
            tick()
    return {
        way: {
            "cpu_seconds": round(statistics.median(each["cpu_seconds"] for each in runs), 2),
            "seconds": round(statistics.median(each["seconds"] for each in runs), 2),
            "step_ms": round(min(each["step_ms"] for each in runs), 2),
            "accuracy": round(statistics.median(each["accuracy"] for each in runs), 3),
        }
        for way, runs in found.items()
    }


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    words = sys.argv[1:]
    rounds = int(words.pop(0)) if words and words[0].isdigit() else 3
    tasks = words or list(EPOCHS)
    with tempfile.TemporaryDirectory() as name, Progress(console=Console(stderr=True)) as progress:
        folder = Path(name)
        subprocess.run([sys.executable, __file__, "--prepare", name], check=True)
        for task in tasks:
            (folder / f"{task}.yaml").write_text(spec_of(task))
        bar = progress.add_task("runs", total=sum(rounds * len(WAYS.get(task, "12")) for task in tasks))
        found = {task: measure(task, rounds, folder, lambda: progress.advance(bar)) for task in tasks}
    columns = [each for name in COLUMNS.values() for each in (name, "times by hand")]
    table = Table("task", "way", *columns, "accuracy")
    for row in _rows(found):
        table.add_row(*row)
    Console(width=130).print(table)
    libraries = {each: version(each) for each in ("torch", "timm", "transformers")}
    facts = {"date": str(date.today()), "python": platform.python_version(), **libraries, "rounds": rounds}
    print(json.dumps({**facts, "tasks": found}))


def _rows(found: dict[str, dict[str, dict[str, float]]]) -> Iterator[list[str]]:
    for task, ways in found.items():
        floor = ways["by hand"]
        for way, told in ways.items():
            cells = [each for key in COLUMNS for each in (f"{told[key]:.1f}", f"{told[key] / floor[key]:.2f}")]
            yield [task, way, *cells, f"{told['accuracy']:.3f}"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        by_hand(sys.argv[3], Path(sys.argv[4]), cached="cached" in sys.argv[2])
    elif sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]))
    else:
        main()
