"""From local safetensors to the first forward: zoo, the libraries' own way, and the floor, in alternating runs.

Run it as `python benchmarks/load.py [ROUNDS]`. A ViT-B/16 (timm) and a BERT-base (transformers) are written once, with
random weights. Every round runs every way once, each in a fresh process that imports first and measures then: seconds
to build, load and run one forward of both models at batch 1, and peak memory above what the imports took.

The floor is what can be written by hand for these two: each model made on the meta device, the file mapped, its tensors
assigned, and BERT's two buffers that no checkpoint holds made anew.
"""

import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

WAYS = ("floor", "zoo", "libraries")
SPEC = """\
inputs:
  photo: {{type: image, backbone: {{use: timm/vit_base_patch16_224, weights: {folder}/vit}}}}
  review: {{type: text, max_length: 16, backbone: {{use: transformers/bert, weights: {folder}/bert}}}}
fusion: {{use: zoo/concat, dim: 8}}
heads:
  label: {{use: zoo/classifier, classes: [a, b]}}
"""


def prepare(folder: Path) -> None:
    """Writes both models as their libraries save them."""
    import timm
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    (folder / "vit").mkdir()
    vit = timm.create_model("vit_base_patch16_224", num_classes=0)
    save_file(vit.state_dict(), folder / "vit" / "model.safetensors")
    BertModel(BertConfig()).save_pretrained(folder / "bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(30517))]
    (folder / "bert" / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "spec.yaml").write_text(SPEC.format(folder=folder))


def floor(folder: Path) -> Callable[[], None]:
    """By hand: meta device, mapped file, assigned tensors."""
    import timm
    import torch
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    def run() -> None:
        with torch.device("meta"):
            vit = timm.create_model("vit_base_patch16_224", num_classes=0)
            bert = BertModel(BertConfig.from_pretrained(folder / "bert"))
        vit.load_state_dict(load_file(folder / "vit" / "model.safetensors"), assign=True)
        bert.load_state_dict(load_file(folder / "bert" / "model.safetensors"), assign=True)
        bert.embeddings.position_ids = torch.arange(512)[None]
        bert.embeddings.token_type_ids = torch.zeros(1, 512, dtype=torch.long)
        with torch.inference_mode():
            vit.eval()(torch.zeros(1, 3, 224, 224))
            bert.eval()(torch.zeros(1, 16, dtype=torch.long))

    return run


def libraries(folder: Path) -> Callable[[], None]:
    """`timm.create_model(checkpoint_path=...)` and `AutoModel.from_pretrained`."""
    import timm
    import torch
    from transformers import AutoModel, BertModel  # noqa: F401  # BertModel: what AutoModel would import at first use

    def run() -> None:
        path = str(folder / "vit" / "model.safetensors")
        vit = timm.create_model("vit_base_patch16_224", num_classes=0, checkpoint_path=path)
        bert = AutoModel.from_pretrained(folder / "bert")
        with torch.inference_mode():
            vit.eval()(torch.zeros(1, 3, 224, 224))
            bert.eval()(torch.zeros(1, 16, dtype=torch.long))

    return run


def zoo(folder: Path) -> Callable[[], None]:
    """`zoo.build` of a spec that names both folders, its two backbones run as the floor runs them."""
    import timm  # noqa: F401
    import torch
    from transformers import BertModel  # noqa: F401

    import zoo_transformers.backbone  # noqa: F401
    from zoo.features import Values
    from zoo.model.build import build
    from zoo.spec.load import load_spec

    spec = load_spec(folder / "spec.yaml")

    def run() -> None:
        model = build(spec).eval()
        photo, review = torch.zeros(1, 3, 224, 224), torch.zeros(1, 16, dtype=torch.long)
        with torch.inference_mode():
            model.features({"photo": Values(photo), "review": Values(review)})

    return run


def child(way: str, folder: Path) -> None:
    """Measures one way in this process, and prints seconds, CPU seconds and MB above the imports."""
    import torch

    torch.set_num_threads(1)
    run = {"floor": floor, "zoo": zoo, "libraries": libraries}[way](folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({**spent, "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}))


def main() -> None:
    """Prints a table, and a JSON line for the record."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: a process starts with the peak memory of the one that began it.
        subprocess.run([sys.executable, __file__, "--prepare", name], stderr=subprocess.DEVNULL, check=True)
        weights = sum(path.stat().st_size for path in Path(name).rglob("*.safetensors")) / 2**20
        for _ in track(range(rounds), "rounds", console=Console(stderr=True)):
            for way in WAYS:
                command = [sys.executable, __file__, "--child", way, name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
    medians = {
        way: {key: round(statistics.median(each[key] for each in runs), 3) for key in runs[0]}
        for way, runs in found.items()
    }
    table = Table("way", "seconds", "CPU seconds", "times the floor", "peak MB above imports", "times the weights")
    for way, middle in medians.items():
        ratio = middle["cpu_seconds"] / medians["floor"]["cpu_seconds"]
        memory = middle["megabytes"]
        numbers = (f"{middle['seconds']:.2f}", f"{middle['cpu_seconds']:.2f}", f"{ratio:.2f}")
        table.add_row(way, *numbers, f"{memory:.0f}", f"{memory / weights:.2f}")
    Console(width=110).print(table)
    libraries_ = {name: version(name) for name in ("torch", "timm", "transformers")}
    facts = {"date": str(date.today()), "python": platform.python_version(), **libraries_, "rounds": rounds}
    print(json.dumps({**facts, "weights_mb": round(weights), "median": medians}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]))
    else:
        main()
