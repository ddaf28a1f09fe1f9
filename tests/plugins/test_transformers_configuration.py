import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import transformers

from tests.plugins.tiny_transformers import CASES, PICTURE, SIZES, SOUND, TEXT, VALUES, Case, context, make, store
from zoo import UsageError
from zoo_transformers.backbone import build
from zoo_transformers.declaration import TrainedTokenizer, Transformers
from zoo_transformers.entries import known_keys
from zoo_transformers.network import network_class


def made(name: str, modality: str = "text", files: Any = None, **options: Any) -> Any:
    return build(Transformers(**options), context(name, VALUES[modality], files))


@pytest.mark.parametrize(
    ("name", "key", "nearest"),
    [
        ("bert", "hidden_sizes", "hidden_size"),
        ("distilbert", "n_layer", "n_layers"),
        ("vit", "num_channel", "num_channels"),
        ("wav2vec2", "conv_kernels", "conv_kernel"),
        ("llama", "rope_thet", "rope_theta"),
    ],
)
@pytest.mark.parametrize("place", ["config", "model"])
def test_an_unknown_entry_is_refused_with_the_nearest_name(name: str, key: str, nearest: str, place: str) -> None:
    case = next(case for case in CASES if case.name == name)
    with pytest.raises(UsageError, match=rf"`{place}.{key}`: `{name}` has no such entry; did you mean `{nearest}`\?"):
        if place == "config":
            made(name, case.modality, config={**case.config, key: 3})
        else:
            make(case, model={key: 3})


def test_an_unknown_entry_of_a_tower_is_refused_too() -> None:
    with pytest.raises(UsageError, match=r"`config.vision_config.patchsize`: `clip_vision_model` .* `patch_size`"):
        made("clip", "image", config={"vision_config": {**PICTURE, "patchsize": 4}})


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("bert", "num_labels"),
        ("bert", "classifier_dropout"),
        ("bert", "dtype"),
        ("bert", "return_dict"),
        ("t5", "num_decoder_layers"),
        ("whisper", "decoder_layers"),
        ("whisper", "mask_time_prob"),
        ("wav2vec2", "ctc_loss_reduction"),
    ],
)
def test_an_entry_that_would_change_nothing_is_refused(name: str, key: str) -> None:
    case = next(case for case in CASES if case.name == name)
    with pytest.raises(UsageError, match=f"`model.{key}`: `{name}` has no such entry"):
        make(case, model={key: 1})


def test_entries_that_the_library_reads_without_declaring_them_are_known() -> None:
    assert "position_buckets" in known_keys(transformers.DebertaV2Config)
    assert "global_attn_every_n_layers" in known_keys(transformers.ModernBertConfig)
    assert {"hidden_size", "n_embd"} <= known_keys(transformers.GPT2Config)
    assert {"rope_theta", "rope_parameters"} <= known_keys(transformers.LlamaConfig)


def test_further_entries_change_the_network() -> None:
    case = CASES[0]
    assert make(case, model={"type_vocab_size": 5}).network.embeddings.token_type_embeddings.num_embeddings == 5
    clip = next(case for case in CASES if str(case) == "clip-image")
    network = make(clip, model={"vision_config": {"intermediate_size": 20}}).network
    assert network.encoder.layers[0].mlp.fc1.out_features == 20
    assert network.config.hidden_size == 32
    assert make(case, model={"attn_implementation": "eager"}).network.config._attn_implementation == "eager"


@pytest.mark.parametrize(
    ("name", "config", "told"),
    [
        ("bert", {**TEXT, "num_attention_heads": 5}, r"heads \(5\) must divide the width \(32\) of `bert`"),
        ("gpt2", {"n_embd": 30, "n_head": 4}, r"heads \(4\) must divide the width \(30\)"),
        ("bert", {**TEXT, "num_attention_heads": 0}, r"heads \(0\) must divide"),
        ("bert", {**TEXT, "hidden_size": "wide"}, r"no configuration of `bert`: .*hidden_size.*int"),
        ("bert", {**TEXT, "hidden_act": "gelly"}, r"`bert` cannot be built from this configuration: .*gelly"),
        ("bert", {"attn_implementation": "some/kernel"}, r"one of eager, sdpa, .*, not `some/kernel`"),
    ],
)
def test_sizes_that_do_not_fit_together_are_told(name: str, config: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        made(name, config=config)


@pytest.mark.parametrize(
    ("name", "modality", "options", "told"),
    [
        ("bert", "text", {"resolution": 32}, "`resolution` means nothing for text"),
        ("wav2vec2", "audio", {"resolution": 32}, "`resolution` means nothing for audio"),
        ("vit", "image", {"tokenizer": "some/repo"}, "`tokenizer` means nothing for image"),
        ("wav2vec2", "audio", {"tokenizer": TrainedTokenizer(train="bpe")}, "`tokenizer` means nothing for audio"),
        ("resnet", "image", {"dropout": 0.1}, "`dropout`: `resnet` has none"),
        ("swin", "image", {"depth": 1}, r"`depth`: `swin` has stages; .*`model: \{depths: \[...\]\}`"),
        ("vit", "text", {}, "`vit` reads `pixel_values`, and the input gives text"),
        ("bert", "image", {}, "`bert` reads `input_ids`, and the input gives image"),
        ("clap", "audio", {}, "reads sounds in a way that is not known here; known are"),
        ("bart_", "text", {}, "no architecture `bart_`; did you mean `bart`?"),
    ],
)
def test_what_means_nothing_is_refused(name: str, modality: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        made(name, modality, **options)


def test_an_encoder_decoder_gives_its_encoder_alone() -> None:
    names = {
        name: network_class(getattr(transformers, f"{name}Config")()).__name__ for name in ("T5", "Whisper", "Bart")
    }
    assert names == {"T5": "T5Stack", "Whisper": "WhisperEncoder", "Bart": "BartEncoder"}


def test_weights_bring_their_configuration(tmp_path: Path) -> None:
    files = store(tmp_path, {"config.json": transformers.BertConfig(**TEXT).to_json_string()})
    assert made("org/repo", files=files).network.config.hidden_size == 32
    assert made("bert", files=files).network.config.hidden_size == 32
    assert made("bert", files=files, config={**SIZES, "hidden_size": 12}).network.config.hidden_size == 12
    with pytest.raises(UsageError, match=r"the weights are of a `bert`; name that: `transformers/bert`"):
        made("roberta", files=files)


def test_weights_of_one_tower_fit_the_name_of_the_whole(tmp_path: Path) -> None:
    config = transformers.CLIPVisionConfig(**PICTURE)
    files = store(tmp_path, {"config.json": config.to_json_string()})
    assert type(made("clip", "image", files=files).network).__name__ == "CLIPVisionModel"


@pytest.mark.parametrize(
    ("text", "told"), [("{", "is no JSON"), ("[]", "no configuration"), ("{}", "architecture is unknown")]
)
def test_a_repository_without_a_configuration_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        made("org/repo", files=store(tmp_path, {"config.json": text}))
    with pytest.raises(UsageError, match=r"`org/repo` has no `config.json`"):
        made("org/repo", files=store(tmp_path / "empty", {}))


def test_a_file_says_neither_code_nor_kernels_nor_types(tmp_path: Path) -> None:
    unsafe = {
        **{"auto_map": {"AutoModel": "evil.Model"}, "attn_implementation": "evil/kernel", "dtype": "float16"},
        **{"_attn_implementation_internal": "evil/kernel", "experts_implementation": "evil/kernel"},
    }
    entries = json.loads(transformers.BertConfig(**TEXT).to_json_string()) | unsafe
    network = made("org/repo", files=store(tmp_path, {"config.json": json.dumps(entries)})).network
    assert network.config._attn_implementation == "sdpa"
    assert not hasattr(network.config, "auto_map")
    assert network.embeddings.word_embeddings.weight.dtype.itemsize == 4
    own = json.dumps({"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}})
    with pytest.raises(UsageError, match="no architecture `evil`"):
        made("org/repo", files=store(tmp_path, {"config.json": own}))


def test_dropout_reaches_every_kind_of_layer() -> None:
    sound = make(Case("wav2vec2", "audio", SOUND), dropout=0.3).network.config
    kinds = (sound.hidden_dropout, sound.attention_dropout, sound.activation_dropout, sound.feat_proj_dropout)
    assert kinds == (0.3,) * 4
    assert sound.layerdrop == 0.0


COST = """\
import sys
from zoo import BackboneContext, ValueSpec
from zoo_transformers.declaration import Transformers
from zoo_transformers.backbone import build
build(Transformers(config={"hidden_size": 12}), BackboneContext(name="bert", value=ValueSpec(modality="text")))
print(*sys.modules)
"""


@pytest.mark.slow
def test_a_bert_costs_no_more_imports_than_the_library_itself() -> None:
    def modules(code: str) -> set[str]:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    bare = modules("import sys; from transformers import BertModel; print(*sys.modules)")
    ours = {name for name in modules(COST) - bare if not name.startswith(("zoo", "jaxtyping"))}
    assert not {name for name in ours if name.startswith(("transformers.models", "torch", "timm"))}
    assert len(ours) < 40
