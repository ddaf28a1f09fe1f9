"""The floor of the training benchmark: a careful loop by hand, on the libraries' own networks."""

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

ROWS, BANDS = 1400, 64
EPOCHS = {"image": 5, "text": 3, "image+text": 2, "image+text+audio": 2, "cached": 10}
BATCH = {"image": 64, "cached": 64}
"""Rows of a step, where they are not 32."""


class Floor:
    """The careful loop: the libraries' own networks, a fused AdamW, everything decoded once, no more than is needed.

    Args:
        task: What is learnt.
        folder: Where the tables are.
        cached: Whether frozen features are computed once.
    """

    def __init__(self, task: str, folder: Path, *, cached: bool) -> None:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.parts = ["image"] if task == "cached" else task.split("+")
        if "text" in self.parts:
            _vocabulary(folder)
        self.folder, self.size = folder, BATCH.get(task, 32)
        self.model = _network(self.parts, frozen=task in ("image", "cached"))
        self.trained = [each for each in self.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=1e-3, weight_decay=0.05, fused=True)
        steps = EPOCHS[task] * -(-ROWS // self.size)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)
        started = time.perf_counter()
        self.train = _decoded(folder / "train.parquet", self.parts, folder)
        self.features = _features(self.model, self.train[0]) if cached else None
        self.ready = time.perf_counter() - started

    def epoch(self) -> float:
        """One epoch, and the seconds that it took."""
        started = time.perf_counter()
        for _ in self.steps():
            pass
        return time.perf_counter() - started

    def steps(self) -> Iterator[None]:
        """The steps of an epoch, each made when the next one is asked for."""
        import torch
        from torch import nn

        self.model.train()
        for index in torch.split(torch.randperm(ROWS), self.size):
            if self.features is not None:
                logits = self.model.head(self.features[index])
            else:
                logits = self.model([each[index] for each in self.train[0]])
            loss = nn.functional.cross_entropy(logits, self.train[1][index])
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.trained, 1.0)
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
            yield

    def accuracy(self) -> float:
        """The share of test rows that are right."""
        import torch

        values, labels = _decoded(self.folder / "test.parquet", self.parts, self.folder)
        self.model.eval()
        with torch.inference_mode():
            chunks = [self.model([each[i : i + 64] for each in values]) for i in range(0, len(labels), 64)]
        return float((torch.cat(chunks).argmax(1) == labels).float().mean())


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


def _vocabulary(folder: Path) -> None:
    from pyarrow import parquet
    from tokenizers import BertWordPieceTokenizer

    cells = parquet.read_table(folder / "train.parquet", columns=["text"]).column("text").to_pylist()
    trainer = BertWordPieceTokenizer()
    trainer.train_from_iterator(cells, vocab_size=400, show_progress=False)
    trainer.save_model(str(folder))


def _texts(cells: list[str], folder: Path) -> Any:
    import torch
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"))
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
