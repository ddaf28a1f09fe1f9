"""Law 8: every component that comes with zoo conforms, on tiny random weights; families by several of their members."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.plugins.test_torchaudio_pipeline import TINY
from tests.plugins.tiny_transformers import CASES, VALUES
from zoo import Kind, Registry
from zoo.registry.plugins import Loader
from zoo.testing import check

FIRST_PARTY = ("zoo", "timm", "transformers", "torchaudio")


@dataclass(frozen=True)
class Trial:
    """A component by its name, its options, and what it is tried with."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = "-".join(f"{key}={value}" for key, value in self.options.items() if isinstance(value, (str, int)))
        return f"{self.name}-{told}" if told else self.name


def labelled(name: str, *labels: Any, **options: Any) -> Trial:
    return Trial(name, options, {"samples": labels})


WORDS = ("good", "bad", "good", "fine")
PAIRS = ({"a": 1.0, "b": 2.0}, {"a": 0.0, "b": None}, {"a": 4.0, "b": 7.0})
MIXED = ({"a": 1.0, "b": "x"}, {"a": None, "b": "y"}, {"a": 3.0, "b": None})
SMALL = {"dim": 8, "heads": 2, "layers": 1}

CORE = [
    Trial("zoo/image"),
    Trial("zoo/image", {"channels": 1}),
    Trial("zoo/text"),
    Trial("zoo/audio", {"max_seconds": 0.3}),
    Trial("zoo/vector"),
    Trial("zoo/vector", {"columns": ["a", "b"], "categories": ["b"]}, {"samples": MIXED}),
    Trial("zoo/sequence"),
    Trial("zoo/mlp", {"width": 8}),
    Trial("zoo/gru", {"width": 8, "layers": 2}),
    Trial("zoo/sequence-transformer", {"dim": 8, "heads": 2, "layers": 2}),
    Trial("zoo/text-cnn", {"dim": 8, "filters": 4, "widths": [2, 3], "min_count": 1}, {"samples": WORDS}),
    Trial("zoo/concat", {"dim": 8}),
    Trial("zoo/late", {"dim": 8}),
    Trial("zoo/late", {"dim": 8, "learned": False}),
    Trial("zoo/gated", {"dim": 8}),
    Trial("zoo/token-transformer", {**SMALL, "reads": "tokens"}),
    Trial("zoo/token-transformer", {**SMALL, "reads": "pooled"}),
    labelled("zoo/classifier", *WORDS),
    labelled("zoo/classifier", *WORDS, layers=2, dropout=0.5, class_weights="balanced", label_smoothing=0.1),
    labelled("zoo/classifier", ["good"], ["bad", "good"], [], multi_label=True),
    labelled("zoo/regressor", 1.0, 2.5, -3, layers=2),
    labelled("zoo/regressor", *PAIRS, columns=["a", "b"]),
    Trial("zoo/full"),
    Trial("zoo/frozen"),
    Trial("zoo/last", {"groups": 2}),
    Trial("torchaudio/log-mel", {"n_mels": 16}),
    Trial("torchaudio/mfcc", {"n_mels": 16, "n_mfcc": 8}),
    Trial("torchaudio/conformer", {**SMALL, "kernel_size": 3}),
]
PIPELINES = [
    Trial(f"torchaudio/{name}", {"model": TINY}) for name in ("wav2vec2_base", "wav2vec2_large_lv60k", "wavlm_base")
]
TRANSFORMERS = [
    Trial(
        f"transformers/{case.name}",
        {
            "config": case.config,
            **({"tokenizer": {"train": "bpe", "vocab_size": 60}} if case.modality == "text" else {}),
        },
        {"value": VALUES[case.modality]},
    )
    for case in CASES
]
TIMM = [
    Trial(f"timm/{name}", {"resolution": 64})
    for name in (
        "test_vit",
        "test_efficientnet",
        "test_resnet",
        "test_convnext",
        "test_byobnet",
        "test_nfnet",
        "test_vit_relpos",
    )
]
EVERY = [*CORE, *PIPELINES, *TRANSFORMERS, *TIMM]
QUICK = {
    *(trial.name for trial in CORE),
    *("torchaudio/wav2vec2_base", "timm/test_vit"),
    *(f"transformers/{name}" for name in ("bert", "gpt2", "vit")),
}


@pytest.mark.parametrize(
    "trial",
    [pytest.param(each, id=str(each), marks=() if each.name in QUICK else pytest.mark.slow) for each in EVERY],
)
def test_it_conforms(trial: Trial) -> None:
    check(trial.name, trial.options, **trial.given)


def test_none_is_left_out() -> None:
    registry = Registry(Loader())
    tried = [registry.resolve(trial.name) for trial in EVERY]
    for entry in registry.components():
        if entry.plugin.name not in FIRST_PARTY:
            continue
        if entry.component.family is None:
            assert entry.name in {each.name for each in tried}
        else:
            assert sum(each.plugin.name == entry.plugin.name and each.kind is Kind.BACKBONE for each in tried) > 2
