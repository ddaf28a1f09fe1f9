import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor

from tests.plugins.tiny_transformers import (
    PICTURE,
    PICTURES,
    SIZES,
    SOUND,
    SOUNDS,
    SPECTROGRAMS,
    TEXT,
    TEXTS,
    Case,
    make,
    sample_values,
)
from zoo.checkpoint.loading import fit_state
from zoo.errors import CorruptError

CLIP = {"vision_config": PICTURE, "text_config": TEXT}
SIGLIP = {"vision_config": PICTURE, "text_config": TEXTS[10].config["text_config"]}
SPEECH = {"decoder_layers": 3, "decoder_ffn_dim": 48, "decoder_attention_heads": 4, "vocab_size": 60, "pad_token_id": 0}
PLAIN = {"mask_time_prob": 0.0}
WHISPER, AST = SPECTROGRAMS
BART = Case(
    "bart",
    "text",
    {
        **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 40, "decoder_ffn_dim": 40},
        **{"encoder_attention_heads": 4, "decoder_attention_heads": 4, "vocab_size": 60},
    },
)
WHOLE = [
    (TEXTS[0], "BertForMaskedLM", TEXT),
    (TEXTS[0], "BertForSequenceClassification", TEXT),
    (TEXTS[1], "RobertaForMaskedLM", TEXT),
    (TEXTS[2], "DistilBertForMaskedLM", TEXTS[2].config),
    (TEXTS[3], "DebertaV2ForSequenceClassification", TEXTS[3].config),
    (TEXTS[4], "ModernBertForMaskedLM", {**TEXTS[4].config, "pad_token_id": 0}),
    (TEXTS[5], "T5ForConditionalGeneration", TEXTS[5].config),
    (TEXTS[5], "T5EncoderModel", TEXTS[5].config),
    (TEXTS[6], "GPT2LMHeadModel", TEXTS[6].config),
    (TEXTS[7], "LlamaForCausalLM", TEXT),
    (TEXTS[9], "CLIPModel", CLIP),
    (TEXTS[10], "SiglipModel", SIGLIP),
    (SOUNDS[0], "Wav2Vec2ForCTC", SOUND),
    (SOUNDS[0], "Wav2Vec2ForPreTraining", SOUND),
    (SOUNDS[1], "HubertModel", SOUNDS[1].config),
    (SOUNDS[2], "WavLMModel", SOUNDS[2].config),
    (WHISPER, "WhisperForConditionalGeneration", {**WHISPER.config, **SPEECH}),
    (AST, "ASTForAudioClassification", AST.config),
    (PICTURES[0], "ViTForImageClassification", PICTURE),
    (PICTURES[0], "ViTModel", PICTURE),
    (PICTURES[1], "Dinov2ForImageClassification", PICTURES[1].config),
    (PICTURES[2], "BeitForImageClassification", PICTURES[2].config),
    (PICTURES[3], "CLIPModel", CLIP),
    (PICTURES[3], "CLIPForImageClassification", CLIP),
    (PICTURES[4], "SiglipModel", SIGLIP),
    (PICTURES[5], "SwinForImageClassification", PICTURES[5].config),
]


def without_bart_decoder() -> Case:
    entries = {key: value for key, value in BART.config.items() if not key.startswith("decoder")}
    return Case("bart", "text", entries)


@pytest.mark.parametrize(("case", "name", "config"), WHOLE, ids=lambda each: each if isinstance(each, str) else "")
def test_a_tower_is_found_in_a_checkpoint_that_the_library_wrote(
    case: Case, name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    library = library_model(name, config)
    library.save_pretrained(tmp_path)
    for state in (load_file(tmp_path / "model.safetensors"), library.state_dict()):
        adapted = make(case).adapt(state)
        assert fit_state(make(case), state).tensors.keys() == adapted.tensors.keys()
        lacking = set(make(case).state_dict()) - set(adapted.tensors)
        assert all("pooler" in each for each in lacking)
        assert bool(lacking) == (name == "BertForMaskedLM")
        agree(case, library, adapted.tensors)


def library_model(name: str, config: dict[str, Any]) -> Any:
    torch.manual_seed(1)
    cls = getattr(transformers, name)
    model = cls(cls.config_class(**config)).eval()
    with torch.no_grad():
        for each in model.parameters():
            each.add_(torch.randn_like(each) * 0.05)
    return model


def agree(case: Case, library: Any, tensors: Mapping[str, Tensor]) -> None:
    """The backbone with these weights gives what the library's own tower gives."""
    backbone = make(case)
    backbone.load_state_dict(tensors, strict=False)
    towers = {"image": "vision_model", "text": "text_model"}
    tower = getattr(library, library.base_model_prefix, library)
    inner = "encoder" if library.config.is_encoder_decoder else towers.get(case.modality, "")
    tower = getattr(tower, inner, tower)
    values = sample_values(case)
    expected = tower(values.data).last_hidden_state
    tokens = backbone(values).tokens
    expected = expected.flatten(2).transpose(1, 2) if expected.dim() == 4 else expected
    assert torch.allclose(tokens, expected, atol=1e-5)


def test_an_encoder_and_a_decoder_of_the_same_make_are_told_apart() -> None:
    case = without_bart_decoder()
    library = library_model("BartForConditionalGeneration", dict(BART.config))
    adapted = make(case).adapt(library.state_dict())
    agree(case, library, adapted.tensors)
    assert all(
        "decoder" in each or "lm_head" in each or "shared" in each or "logits" in each for each in adapted.unused
    )


def test_names_of_old_checkpoints_are_known() -> None:
    backbone = make(TEXTS[0])
    old = {
        re.sub(
            r"LayerNorm\.weight$", "LayerNorm.gamma", re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", f"bert.{name}")
        ): each
        for name, each in backbone.network.state_dict().items()
    }
    adapted = backbone.adapt({**old, "cls.predictions.bias": torch.zeros(60)})
    assert {name: each.data_ptr() for name, each in adapted.tensors.items()} == {
        name: each.data_ptr() for name, each in backbone.state_dict().items()
    }
    assert adapted.unused == ("cls.predictions.bias",)
    sound = make(SOUNDS[0])
    parametrization = "parametrizations.weight.original"
    old = {f"{parametrization}0": "weight_g", f"{parametrization}1": "weight_v"}
    assert set(sound.adapt(renamed(sound.network.state_dict(), old)).tensors) == set(sound.state_dict())


def renamed(state: Mapping[str, Tensor], ends: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors with other ends of their names."""
    result = {}
    for name, tensor in state.items():
        end = next((end for end in ends if name.endswith(end)), "")
        result[name.removesuffix(end) + ends.get(end, "")] = tensor
    return result


def shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: each.shape for name, each in state.items()}


def test_a_tensor_that_was_split_since_is_split() -> None:
    config = {**PICTURES[1].config, "use_swiglu_ffn": True}
    case = Case("dinov2", "image", config)
    backbone = make(case)
    state = dict(backbone.network.state_dict())
    for layer in range(3):
        for kind in ("weight", "bias"):
            mlp = f"encoder.layer.{layer}.mlp."
            halves = [state.pop(f"{mlp}{half}_proj.{kind}") for half in ("gate", "up")]
            state[f"{mlp}weights_in.{kind}"] = torch.cat(halves)
            state[f"{mlp}weights_out.{kind}"] = state.pop(f"{mlp}down_proj.{kind}")
    for each in (state, {name: tensor.to("meta") for name, tensor in state.items()}):
        adapted = backbone.adapt(each)
        assert adapted.unused == ()
        assert {n: t.shape for n, t in adapted.tensors.items()} == {
            n: t.shape for n, t in backbone.state_dict().items()
        }
    assert all(
        torch.equal(tensor, backbone.state_dict()[name]) for name, tensor in backbone.adapt(state).tensors.items()
    )


def test_a_part_of_an_earlier_run_has_the_backbones_own_names() -> None:
    backbone = make(PICTURES[3])
    state = backbone.state_dict()
    adapted = backbone.adapt(state)
    assert all(adapted.tensors[name] is state[name] for name in state)
    assert (adapted.unused, adapted.resized) == ((), {})


@pytest.mark.parametrize("case", [*TEXTS, *SOUNDS, *SPECTROGRAMS, *PICTURES], ids=str)
def test_a_plan_of_the_weights_needs_none(case: Case) -> None:
    backbone = make(case)
    reference = backbone.reference()
    assert all(each.is_meta for each in reference.values())
    adapted = backbone.adapt(reference)
    assert shapes(adapted.tensors) == shapes(backbone.state_dict())
    assert adapted.resized == {}
    assert all(name.endswith(("mask_token", "masked_spec_embed")) for name in adapted.unused)


def test_the_reference_has_the_shapes_of_before_any_change() -> None:
    backbone = make(PICTURES[0], resolution=24, depth=2)
    reference = backbone.reference()
    assert reference["network.embeddings.position_embeddings"].shape == (1, 17, 32)
    adapted = backbone.adapt(reference)
    assert list(adapted.resized) == ["network.embeddings.position_embeddings"]
    assert len(adapted.unused) == 16


def test_weights_of_another_architecture_are_refused() -> None:
    with pytest.raises(CorruptError, match=r"do not fit TextEncoder: they hold 0 of 55 tensors of BertModel, not emb"):
        fit_state(make(TEXTS[0]), make(PICTURES[0]).state_dict())


def test_weights_of_another_size_are_refused_at_their_tensor() -> None:
    wide = make(Case("bert", "text", {**TEXT, **SIZES, "intermediate_size": 64}))
    with pytest.raises(
        ValueError, match=r"`encoder.layer.0.intermediate.dense.weight` is \[64, 32\] .* \[48, 32\] here"
    ):
        make(TEXTS[0]).adapt(wide.state_dict())
