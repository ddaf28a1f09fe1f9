import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn

import zoo
from tests.plugins.tiny_transformers import SIZES, TEXT, TEXTS, Case, Folder, make, make_text, store
from zoo import UsageError
from zoo.features import Batch, Values

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "green", "blue", "sky", "sea")
BERT = {**TEXT, "vocab_size": len(WORDS), "max_position_embeddings": 16}


def tokenizer_of(*words: str) -> str:
    """A tokenizer of whole words, as a file."""
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.enable_padding(length=9)
    made.enable_truncation(3)
    return made.to_str()


def files_of(folder: Path, config: transformers.PreTrainedConfig, **more: str) -> Folder:
    """What a repository has beside its weights."""
    texts = {"config.json": config.to_json_string(), "tokenizer.json": tokenizer_of(*WORDS)}
    return store(folder, texts | {name.replace("__", "."): text for name, text in more.items()})


def bert(folder: Path, **more: str) -> Folder:
    return files_of(folder, transformers.BertConfig(**BERT), **more)


@pytest.mark.parametrize("pool", ["auto", "first"])
def test_a_model_with_a_classifier_gives_the_logits_of_the_librarys_own(pool: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    library = transformers.BertForSequenceClassification(transformers.BertConfig(**BERT, num_labels=5)).eval()
    with torch.no_grad():
        for each in library.parameters():
            each.add_(torch.randn_like(each) * 0.05)
    bert(tmp_path)
    library.save_pretrained(tmp_path)
    backbone = {"use": "transformers/bert", "weights": str(tmp_path), "pool": pool}
    classifier = {"use": "zoo/classifier", "classes": list("abcde")}
    note = {"type": "text", "max_length": 12, "backbone": backbone}
    model = zoo.build({"inputs": {"note": note}, "heads": {"mood": classifier}}).eval()
    start = model.starts["backbones.note"]
    assert (set(start.unused), start.resized, start.new) == ({"classifier.weight", "classifier.bias"}, {}, ())
    model.head("mood").get_submodule("output").load_state_dict(library.classifier.state_dict())
    ids, lengths = torch.randint(1, 10, (4, 12)), torch.tensor([12, 3, 7, 1])
    mask = torch.arange(12) < lengths[:, None]
    expected = library(input_ids=ids.masked_fill(~mask, 0), attention_mask=mask.long()).logits
    given = model(Batch({"note": Values(ids, lengths)})).outputs["mood"]
    assert (given - expected).abs().max() < 1e-6


@pytest.mark.parametrize("pool", ["auto", "first"])
def test_the_first_token_of_a_bert_is_read_through_its_pooling_layer(pool: str) -> None:
    backbone = make(TEXTS[0], pool=pool)
    features = backbone(backbone.example(2))
    dense = backbone.network.pooler.dense
    assert torch.allclose(features.pooled, torch.tanh(dense(features.tokens[:, 0])))


@pytest.mark.parametrize(("case", "way"), [(TEXTS[1], "first"), (TEXTS[5], "mean"), (TEXTS[6], "last")], ids=str)
def test_auto_is_the_way_of_the_architecture(case: Case, way: str) -> None:
    assert make(case).way == way
    assert not hasattr(make(case).network, "pooler") or make(case).network.pooler is None


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "first"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "max"}, "max"),
    ],
)
def test_a_sentence_encoder_says_how_it_pools(said: dict[str, Any], way: str, tmp_path: Path) -> None:
    files = bert(tmp_path / "weights", modules__json="[]")
    store(tmp_path / "weights", {"1_Pooling/config.json": json.dumps(said)})
    backbone = make_text("org/mini", files)
    assert backbone.way == way
    assert backbone.network.pooler is None
    again = make_text("org/mini", store(tmp_path / "run", backbone.files()))
    assert again.way == way
    assert make_text("org/mini", files, pool="max").way == "max"


def test_a_text_becomes_ids_up_to_the_inputs_length(tmp_path: Path) -> None:
    backbone = make_text("bert", bert(tmp_path), max_length=4)
    assert backbone.prepare("red sky").tolist() == [5, 8]
    assert backbone.prepare("red green blue sky sea").tolist() == [5, 6, 7, 8]
    assert backbone.prepare("red sky").dtype == torch.int64
    assert backbone.padding_value == 0


def test_an_empty_text_is_one_padding_token_and_still_has_features(tmp_path: Path) -> None:
    backbone = make_text("bert", bert(tmp_path))
    assert backbone.prepare("").tolist() == [0]
    assert backbone(Values(backbone.prepare("")[None])).pooled.isfinite().all()


@pytest.mark.parametrize(("name", "config"), [("bert", BERT), ("roberta", {**BERT, "max_position_embeddings": 18})])
def test_a_text_longer_than_the_positions_is_refused_with_what_to_write(name: str, config: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"at most 16 tokens.*gives up to 17; write `max_length: 16`"):
        make_text(name, max_length=17, config=config)
    for length in (16, None):
        data = make_text(name, max_length=length, config=config).example(1).data
        assert isinstance(data, Tensor)
        assert data.shape == (1, 16)


def test_the_last_position_can_be_read() -> None:
    backbone = make_text("roberta", max_length=16, config={**BERT, "max_position_embeddings": 18})
    assert backbone(Values(torch.full((2, 16), 5), torch.tensor([16, 3]))).pooled.isfinite().all()


def test_without_a_tokenizer_shapes_are_known_and_texts_are_refused() -> None:
    backbone = make(TEXTS[0])
    with pytest.raises(UsageError, match=r"no tokenizer; name one .* or train one: `tokenizer: \{train: wordpiece\}`"):
        backbone.prepare("red sky")
    assert list(backbone.files()) == ["config.json"]


def test_encode_is_forward_and_can_leave_tokens_out() -> None:
    backbone = make(TEXTS[0])
    values = Values(torch.randint(1, 60, (2, 6)), torch.tensor([6, 4]))
    tokens, mask = backbone.embed(values)
    whole = backbone(values)
    assert torch.equal(backbone.encode(tokens, mask).tokens, whole.tokens)
    assert torch.equal(backbone.encode(tokens, mask).pooled, whole.pooled)
    keep = torch.tensor([[0, 2, 5], [0, 1, 3]])
    some = backbone.encode(tokens, mask, keep)
    assert some.tokens.shape == (2, 3, 32)
    assert mask is not None
    assert torch.equal(some.mask, mask.gather(1, keep))  # type: ignore[arg-type]  # it is one
    order = torch.tensor([[0, 5, 2], [0, 3, 1]])
    assert torch.allclose(backbone.encode(tokens, mask, order).pooled, some.pooled, atol=1e-6)
    assert torch.equal(backbone(values).tokens, whole.tokens)


def test_an_architecture_with_relative_positions_says_that_it_cannot_encode() -> None:
    backbone = make(TEXTS[5])
    with pytest.raises(UsageError, match="`t5` cannot leave tokens out"):
        backbone.embed(backbone.example(1))


def test_depth_keeps_the_layers_nearest_to_the_input(tmp_path: Path) -> None:
    whole, short = make(TEXTS[0]), make(TEXTS[0], depth=2)
    assert len(short.network.encoder.layer) == 2
    adapted = short.adapt(whole.state_dict())
    short.load_state_dict(adapted.tensors)
    values = Values(torch.randint(1, 60, (2, 6)))
    assert torch.equal(
        short.network(values.data).last_hidden_state,
        whole.network(values.data, output_hidden_states=True).hidden_states[2],
    )
    assert all(".layer.2." in name for name in adapted.unused)
    assert make_text("bert", store(tmp_path, short.files()), depth=2).files() == short.files()
    with pytest.raises(UsageError, match="`depth: 4`: `bert` has 3 layers here"):
        make(TEXTS[0], depth=4)


def test_depth_cuts_the_kinds_of_layers_too() -> None:
    assert len(make(TEXTS[4], depth=2).network.layers) == 2


def test_dropout_is_that_of_every_layer() -> None:
    backbone = make(TEXTS[0], dropout=0.5)
    rates = {each.p for each in backbone.modules() if isinstance(each, nn.Dropout)}
    assert rates == {0.5}
    torch.manual_seed(0)
    values = Values(torch.randint(1, 60, (2, 6)))
    assert not torch.equal(backbone.train()(values).pooled, backbone.eval()(values).pooled)


def test_a_causal_decoder_sees_nothing_that_comes_later() -> None:
    backbone = make(TEXTS[6])
    ids = torch.randint(1, 60, (1, 6))
    changed = ids.clone()
    changed[0, 5] = (ids[0, 5] + 1) % 60
    one, other = backbone(Values(ids)).tokens, backbone(Values(changed)).tokens
    assert torch.equal(one[:, :5], other[:, :5])
    assert not torch.equal(one[:, 5], other[:, 5])


def test_sizes_of_a_tower_come_with_the_whole_models_configuration(tmp_path: Path) -> None:
    config = transformers.CLIPConfig(text_config={**TEXT, "eos_token_id": 2}, vision_config=SIZES)
    files = store(tmp_path, {"config.json": config.to_json_string()})
    backbone = make_text("openai/clip", files)
    assert type(backbone.network).__name__ == "CLIPTextModel"
    assert backbone.features.dim == 32
    assert json.loads(backbone.files()["config.json"])["model_type"] == "clip_text_model"
