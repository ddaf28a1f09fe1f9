"""What a GPU shows of zoo: whether plans hold there, what a step costs, sharding, and the same answers as on a CPU.

Run it as `python benchmarks/cuda.py OUTPUT.json [PART ...]` on a machine with one. Parts:

- `memory`: planned and really taken bytes of models in float32 and bf16, as in `plan.py`
- `speed`: a ResNet-50 on 224 x 224 JPEG files and a BERT-base on texts, in bf16, beside loops by hand
- `compiled`: the texts with `train.compile`
- `digits`: `zoo data digits` from scratch, its scores, predictions on the GPU beside those on the CPU
- `shard`: the same in shares (FSDP2 over NCCL) as torchrun starts it, beside the model held whole
- `resume`: SIGTERM in the middle, and going on
- `full`: a batch that does not fit into the memory that the process may have
"""

import json
import os
import platform
import signal
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

import plan

PICTURES, SENTENCES, WORDS, EPOCHS = 2048, 4096, 96, 3
BATCH = {"image": 128, "text": 64}
TRAIN = "precision: auto, bucket: false, cache: false, clip: 1.0"
SPECS = {
    "image": "inputs: {image: {type: image, augment: none, backbone: {use: timm/resnet50, weights: none}}}",
    "text": "inputs: {text: {type: text, max_length: 128, backbone: {use: transformers/bert, weights: none, "
    "config: {}, tokenizer: {train: wordpiece, vocab_size: 2000}}}}",
}
ZOO = [sys.executable, "-m", "zoo"]


def spec_of(task: str) -> str:
    """The spec of a task of `speed`."""
    return (
        f"{SPECS[task]}\nheads: {{label: zoo/classifier}}\ndata: {{train: {task}.parquet, validation: null}}\n"
        f"train: {{epochs: {EPOCHS}, batch_size: {BATCH[task]}, {TRAIN}}}\n"
    )


def prepare(folder: Path) -> None:
    """Writes the tables of `speed`."""
    import numpy as np
    import pyarrow as pa
    from PIL import Image
    from pyarrow import parquet

    random = np.random.default_rng(0)
    files = []
    for _ in range(PICTURES):
        picture = Image.fromarray(random.integers(0, 256, (14, 14, 3), dtype=np.uint8)).resize((256, 256))
        file = BytesIO()
        picture.save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    labels = [str(each) for each in random.integers(0, 10, PICTURES)]
    parquet.write_table(pa.table({"image": files, "label": labels}), folder / "image.parquet")
    words = ["".join(map(chr, random.integers(97, 123, 5))) for _ in range(1000)]
    texts = [" ".join(random.choice(words, WORDS)) for _ in range(SENTENCES)]
    labels = [str(each) for each in random.integers(0, 10, SENTENCES)]
    parquet.write_table(pa.table({"text": texts, "label": labels}), folder / "text.parquet")


def by_hand(task: str, folder: Path) -> list[float]:
    """Seconds of each epoch of a careful loop."""
    import torch
    from torch import nn

    model, batches = (_pictures if task == "image" else _texts)(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05, fused=True)
    model.cuda().train()
    seconds = []
    for _ in range(EPOCHS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for given, labels in batches():
            with torch.autocast("cuda", torch.bfloat16):
                loss = nn.functional.cross_entropy(model(given), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return seconds


def _pictures(folder: Path) -> tuple[Any, Callable[[], Iterator[Any]]]:
    import timm
    import torch
    from PIL import Image
    from pyarrow import parquet
    from torchvision.transforms import v2

    class Rows(torch.utils.data.Dataset[Any]):
        def __init__(self) -> None:
            table = parquet.read_table(folder / "image.parquet")
            self.files, self.labels = table.column("image"), table.column("label").to_pylist()
            self.prepare = v2.Compose(
                [
                    v2.Resize(224, interpolation=v2.InterpolationMode.BICUBIC),
                    v2.CenterCrop(224),
                    v2.PILToTensor(),
                    v2.ToDtype(torch.float32, scale=True),
                    v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
                ]
            )

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, row: int) -> tuple[Any, int]:
            return self.prepare(Image.open(BytesIO(self.files[row].as_py())).convert("RGB")), int(self.labels[row])

    workers = min(8, os.cpu_count() or 1)
    loader = torch.utils.data.DataLoader(
        Rows(), BATCH["image"], shuffle=True, num_workers=workers, pin_memory=True, persistent_workers=True
    )

    def batches() -> Iterator[Any]:
        for given, labels in loader:
            yield (
                given.cuda(non_blocking=True).to(memory_format=torch.channels_last),
                labels.cuda(non_blocking=True),
            )

    model: Any = timm.create_model("resnet50", num_classes=10)
    return model.to(memory_format=torch.channels_last), batches


def _texts(folder: Path) -> tuple[Any, Callable[[], Iterator[Any]]]:
    import torch
    from pyarrow import parquet
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel

    table = parquet.read_table(folder / "text.parquet")
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(table.column("text").to_pylist(), vocab_size=2000, show_progress=False)
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(length=128)
    ids = torch.tensor([each.ids for each in tokenizer.encode_batch(table.column("text").to_pylist())]).cuda()
    labels = torch.tensor([int(each) for each in table.column("label").to_pylist()]).cuda()

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert, self.head = BertModel(BertConfig(vocab_size=2000)), torch.nn.Linear(768, 10)

        def forward(self, given: Any) -> Any:
            mask = given != 0
            hidden = self.bert(input_ids=given, attention_mask=mask).last_hidden_state
            return self.head((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))

    def batches() -> Iterator[Any]:
        for index in torch.split(torch.randperm(len(ids)).cuda(), BATCH["text"]):
            yield ids[index], labels[index]

    return Network(), batches


def run(words: list[Any], folder: Path, **settings: str) -> str:
    """What a command says; it ends the benchmark where it fails."""
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout + done.stderr


def history(folder: Path, key: str = "seconds") -> list[float]:
    """A number of each epoch of a training."""
    return [json.loads(line)[key] for line in (folder / "history.jsonl").read_text().splitlines()]


def memory(folder: Path) -> dict[str, Any]:
    """Planned and real bytes."""
    return {precision: plan.memory(precision) for precision in ("fp32", "bf16")}


def speed(folder: Path) -> dict[str, Any]:
    """Seconds of each epoch, by hand and of zoo."""
    prepare(folder)
    found: dict[str, Any] = {}
    for task in SPECS:
        (folder / f"{task}.yaml").write_text(spec_of(task))
        told = run([sys.executable, __file__, "--by-hand", task, folder], folder)
        run([*ZOO, "train", f"{task}.yaml", "-o", task], folder)
        found[task] = {"by hand": json.loads(told.splitlines()[-1]), "zoo": history(folder / task)}
        print(task, found[task], flush=True)
    return found


def compiled(folder: Path) -> dict[str, Any]:
    """Seconds of each epoch of zoo with `train.compile`."""
    if not (folder / "text.parquet").is_file():
        prepare(folder)
    (folder / "text.yaml").write_text(spec_of("text"))
    run([*ZOO, "train", "text.yaml", "-o", "compiled", "--set", "train.compile=true"], folder)
    return {"text": history(folder / "compiled")}


def digits(folder: Path) -> dict[str, Any]:
    """Scores of the digits, and how far predictions on the GPU are from those on the CPU."""
    from pyarrow import parquet

    _digits(folder)
    started = time.perf_counter()
    run([*ZOO, "train", "digits.yaml", "-o", "whole"], folder)
    seconds = time.perf_counter() - started
    told = run([*ZOO, "eval", "whole", "--json"], folder)
    scores = json.loads(told[told.index("{") : told.rindex("\n}") + 2])["subsets"]
    probabilities = []
    for name, visible in (("gpu", "0"), ("cpu", "")):
        output = f"{name}.parquet"
        run(
            [*ZOO, "predict", "whole", "--table", "digits/test.parquet", "-o", output],
            folder,
            CUDA_VISIBLE_DEVICES=visible,
        )
        probabilities.append(parquet.read_table(folder / output).to_pylist())
    return {
        "seconds": seconds,
        "epochs": history(folder / "whole"),
        "accuracy": {subset: each["label"]["accuracy"] for subset, each in scores.items()},
        "difference from the CPU": max(map(_apart, *probabilities)),
        "labels that differ": sum(one["label"] != other["label"] for one, other in zip(*probabilities, strict=True)),
    }


def _apart(one: Any, other: Any) -> float:
    """The largest difference of any two numbers at the same place of two rows."""
    if isinstance(one, dict):
        return max((_apart(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list):
        return max(map(_apart, one, other), default=0.0)
    return abs(one - other) if isinstance(one, float) else 0.0


def _digits(folder: Path) -> None:
    if not (folder / "digits").is_dir():
        run([*ZOO, "data", "digits", "-o", "digits"], folder)
        (folder / "digits.yaml").write_text(run([*ZOO, "show", "digits", "--yaml"], folder).partition("next:")[0])


def shard(folder: Path) -> dict[str, Any]:
    """Losses of the model in shares beside those of the model held whole, in float32."""
    _digits(folder)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "1", "-m", "zoo"]
    words = ["train", "digits.yaml", "--set", "train.precision=fp32", "--set", "train.epochs=2"]
    run([*ZOO, *words, "-o", "held"], folder)
    run([*launch, *words, "-o", "launched"], folder)
    run([*launch, *words, "--set", "train.shard=true", "-o", "shared"], folder)
    return {name: history(folder / name, "loss") for name in ("held", "launched", "shared")}


def resume(folder: Path) -> dict[str, Any]:
    """The largest difference of weights, and the losses, of a training that was ended in the middle and another."""
    from safetensors.numpy import load_file

    _digits(folder)
    words = [*ZOO, "train", "digits.yaml", "--set", "train.epochs=4"]
    run([*words, "-o", "straight"], folder)
    with subprocess.Popen([*words, "-o", "broken"], cwd=folder, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(folder.glob("*broken*/**/history.jsonl")):
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
    ended = process.returncode
    run([*words, "-o", "broken", "--resume"], folder)
    one, other = (load_file(folder / name / "model.safetensors") for name in ("straight", "broken"))
    largest = max(float(abs(one[name].astype("float64") - other[name].astype("float64")).max()) for name in one)
    return {"exit": ended, "weights": largest, **{n: history(folder / n, "loss") for n in ("straight", "broken")}}


def full(folder: Path) -> dict[str, Any]:
    """What is said of a batch that does not fit."""
    if not (folder / "image.parquet").is_file():
        prepare(folder)
    (folder / "image.yaml").write_text(spec_of("image"))
    script = "import sys, torch; torch.cuda.set_per_process_memory_fraction(0.04); from zoo.cli import run; run()"
    words = ["train", "image.yaml", "-o", "full", "--set", "train.batch_size=512", "--set", "train.epochs=1"]
    told = run([sys.executable, "-c", script, *words], folder)
    return {"told": [line for line in told.splitlines() if "memory" in line], "seconds": history(folder / "full")}


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    each.__name__: each for each in (memory, speed, compiled, digits, shard, resume, full)
}


def main() -> None:
    """Writes what was found after every part, and prints it."""
    import torch

    output, names = Path(sys.argv[1]), sys.argv[2:] or list(PARTS)
    libraries = {name: version(name) for name in ("torch", "timm", "transformers", "accelerate")}
    gpu = torch.cuda.get_device_name()
    found: dict[str, Any] = {"date": str(date.today()), "gpu": gpu, "python": platform.python_version(), **libraries}
    with tempfile.TemporaryDirectory() as name:
        for part in names:
            started = time.perf_counter()
            try:
                found[part] = PARTS[part](Path(name))
            except Exception as error:
                found[part] = {"failed": f"{type(error).__name__}: {error}"[:3000]}
            print(part, f"{time.perf_counter() - started:.0f} s", json.dumps(found[part])[:1500], flush=True)
            output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--by-hand"]:
        print(json.dumps(by_hand(sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
