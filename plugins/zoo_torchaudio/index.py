"""The index of torchaudio: its pipelines that hold a wav2vec 2.0, HuBERT, WavLM or XLS-R encoder, in lower case.

`parameters` are those of the encoder without a speech recogniser's output layer, so that a fine-tuned pipeline counts
as much as the one it came from; `dim` is the width of the encoder. Data, licence and summary are read from torchaudio's
own text about each pipeline.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# A data set as torchaudio writes it: emphasised or bare, and cited.
DATA_SET = re.compile(r"(?:\*([^*]+)\*|([A-Z][\w-]+))(?:\s+dataset)?\s+:cite:")
LICENSES = {"MIT License": "mit", "CC BY-NC 4.0": "cc-by-nc-4.0", "CC-BY-NC 4.0": "cc-by-nc-4.0"}
HOST = "https://download.pytorch.org/torchaudio/models/"
MISTAKEN = {"wav2vec2_xlsr53"}
"""Pipelines whose summary is wrong in torchaudio: this one has the large architecture and is called "base"."""


def names() -> list[str]:
    """Every name that the index of the installed version holds, sorted."""
    from zoo_torchaudio.pipeline import bundles

    return list(bundles())


def _data(text: str) -> str | None:
    """What it was trained on, in order: `Libri-Light, then transcribed LibriSpeech (960 hours)`."""
    if trained := re.search(r"Trained on (.+?) from", text):
        return trained[1]
    before, *after = text.split("Originally published")[0].split("fine-tuned for ASR on", 1)
    first, *rest = [", ".join(a or b for a, b in DATA_SET.findall(part)) for part in (before, *after)]
    if not first or not after:
        return first or None
    amount = re.search(r"[\d,]+ (?:hours|minutes)", after[0])
    return f"{first}, then transcribed {rest[0] or first}" + (f" ({amount[0]})" if amount else "")


def _parameters(bundle: Any) -> int | None:
    with suppress(Exception):
        import torch

        from zoo_torchaudio.pipeline import network

        with torch.device("meta"):
            encoder = network(bundle, aux_num_out=None)
        return sum(each.numel() for each in encoder.parameters())
    return None


def _record(name: str, bundle: Any) -> dict[str, Any]:
    text = bundle.__doc__ or ""
    about = re.match(r"\s*([^,]*\bmodel\b[^,]*),", text)
    record = {
        "modality": "audio",
        "parameters": _parameters(bundle),
        "input": f"{bundle.sample_rate:.0f} Hz",
        "dim": bundle._params.get("encoder_embed_dim"),
        "data": _data(text),
        "license": next((short for said, short in LICENSES.items() if said in text), None),
        "weights": bundle._path if bundle._path.startswith("https") else HOST + bundle._path,
        "summary": about[1] if about and name not in MISTAKEN else None,
    }
    return {key: value for key, value in record.items() if value is not None}


def build(progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Makes the index of the installed torchaudio.

    Args:
        progress: Called with how many models are done and how many there are.
    """
    from importlib.metadata import version

    from zoo_torchaudio.pipeline import bundles

    known, models = bundles(), {}
    for done, (name, bundle) in enumerate(known.items(), 1):
        models[name] = _record(name, bundle)
        progress(done, len(known))
    return {"library": "torchaudio", "version": version("torchaudio"), "models": models}
