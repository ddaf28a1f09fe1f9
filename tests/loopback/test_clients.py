"""timm and transformers push to the Hub of the tests and load from it."""

from pathlib import Path
from typing import Any

import pytest

from tests.loopback.client import ask
from tests.loopback.serving import Loopback


def same(first: Any, second: Any) -> bool:
    """Whether two models have the same tensors, bit by bit."""
    one, two = first.state_dict(), second.state_dict()
    return one.keys() == two.keys() and all(one[name].equal(two[name]) for name in one)


def share_timm() -> bool:
    import timm

    model = timm.create_model("test_resnet", num_classes=3)
    timm.models.push_to_hf_hub(model, "acme/net", safe_serialization=True)
    return same(model, timm.create_model("hf-hub:acme/net", pretrained=True))


@pytest.mark.slow
def test_timm(hub: Loopback, tmp_path: Path) -> None:
    assert ask(hub, tmp_path, share_timm)
    assert hub.read("acme/net").keys() == {"README.md", "config.json", "model.safetensors"}
    assert (hub.xet_received() > 0) == hub.xet == (hub.received("lfs_put") == 0)


def share_transformers() -> dict[str, Any]:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertModel(BertConfig(vocab_size=8, max_position_embeddings=16, **sizes))
    model.push_to_hub("acme/bert")
    words = Tokenizer(WordLevel({"[UNK]": 0, "a": 1}, "[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").push_to_hub("acme/bert")
    loaded, report = AutoModel.from_pretrained("acme/bert", output_loading_info=True)
    return {
        "same": same(model, loaded),
        "missing": sorted(report["missing_keys"]),
        "tokens": AutoTokenizer.from_pretrained("acme/bert")("a")["input_ids"],
    }


@pytest.mark.slow
def test_transformers(hub: Loopback, tmp_path: Path) -> None:
    assert ask(hub, tmp_path, share_transformers) == {"same": True, "missing": [], "tokens": [1]}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= hub.read("acme/bert").keys()
    assert (hub.xet_received() > 0) == hub.xet == (hub.received("lfs_put") == 0)
