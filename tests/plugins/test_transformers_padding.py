from functools import cache

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.plugins.tiny_transformers import SOUNDS, SPECTROGRAMS, TEXTS, Case, make, make_example, sample_values
from zoo.features import Features, Values
from zoo.model.tower import run_tower

MASKED = [case for case in [*TEXTS, *SOUNDS] if case.name not in ("wav2vec2", "siglip")]
padded = pytest.mark.parametrize("case", MASKED, ids=str)
QUICK = settings(max_examples=5, deadline=None)
made = cache(make)


def values_of(case: Case, lengths: list[int], extra: int, garbage: float) -> Values:
    """Rows of these lengths, and garbage behind them, up to `extra` steps more than the longest."""
    full = sample_values(case, len(lengths)).data
    assert isinstance(full, Tensor)
    steps = torch.tensor(lengths)
    data = full[:, : min(int(steps.max()) + extra, full.shape[1])].clone()
    behind = torch.arange(data.shape[1]) >= steps[:, None]
    data[behind] = data.new_tensor(garbage)
    return Values(data, steps)


def lengths_of(case: Case) -> st.SearchStrategy[list[int]]:
    shortest, longest = (1, 12) if case.modality == "text" else (200, 1500)
    return st.lists(st.integers(shortest, longest), min_size=1, max_size=4)


def close(one: Tensor, other: Tensor) -> None:
    assert (one - other).abs().max() <= 1e-5 * other.abs().max().clamp(min=1)


@padded
@QUICK
@given(data=st.data())
def test_what_stands_under_padding_changes_no_bit(case: Case, data: st.DataObject) -> None:
    lengths, extra = data.draw(lengths_of(case)), data.draw(st.integers(0, 7))
    backbone = made(case)
    one = backbone(values_of(case, lengths, extra, 7))
    other = backbone(values_of(case, lengths, extra, 31 if case.modality == "text" else float("nan")))
    assert torch.equal(one.pooled, other.pooled)
    assert torch.equal(one.tokens, other.tokens)


@padded
@QUICK
@given(data=st.data())
def test_padding_and_other_rows_change_nothing_but_by_rounding(case: Case, data: st.DataObject) -> None:
    lengths, extra = data.draw(lengths_of(case)), data.draw(st.integers(0, 7))
    backbone = made(case)
    values = values_of(case, lengths, extra, 7)
    together = backbone(values)
    for row in range(len(lengths)):
        alone = backbone(values.rows(torch.tensor([row])))
        close(together.pooled[row], alone.pooled[0])
        tokens = alone.tokens.shape[1]
        close(together.tokens[row, :tokens], alone.tokens[0])
        assert together.mask is not None
        assert together.mask[row].sum() == tokens


@pytest.mark.parametrize("case", MASKED, ids=str)
def test_padded_rows_are_what_the_library_makes_of_each_alone(case: Case) -> None:
    backbone = make(case)
    lengths = [12, 3, 7] if case.modality == "text" else [1500, 400, 977]
    values = values_of(case, lengths, 0, 9)
    features = backbone(values)
    assert isinstance(values.data, Tensor)
    for row, length in enumerate(lengths):
        outputs = backbone.network(values.data[row : row + 1, :length])
        hidden = outputs.last_hidden_state[0]
        close(features.tokens[row, : len(hidden)], hidden)
        expected = {"last": hidden[-1], "mean": hidden.mean(0), "first": hidden[0]}
        close(features.pooled[row], outputs.pooler_output[0] if backbone.way == "network" else expected[backbone.way])


@pytest.mark.parametrize("pool", ["mean", "max", "first", "last"])
def test_each_way_of_pooling_reads_the_real_tokens_alone(pool: str) -> None:
    backbone = make(TEXTS[1], pool=pool)
    features = backbone(values_of(TEXTS[1], [4, 9], 2, 5))
    for row, length in enumerate([4, 9]):
        tokens = features.tokens[row, :length]
        expected = {"mean": tokens.mean(0), "max": tokens.amax(0), "first": tokens[0], "last": tokens[-1]}
        close(features.pooled[row], expected[pool])


def test_a_clip_text_is_pooled_at_its_end_as_the_library_does() -> None:
    case = next(case for case in TEXTS if case.name == "clip")
    backbone = make(case)
    config = backbone.network.config
    config.eos_token_id = 59
    library = transformers.CLIPTextModel(config).eval()
    library.load_state_dict(backbone.network.state_dict())
    ids = torch.tensor([[5, 8, 59, 59, 59], [5, 8, 9, 10, 59]])
    expected = library(input_ids=ids, attention_mask=torch.tensor([[1, 1, 1, 0, 0], [1] * 5])).pooler_output
    close(backbone(Values(ids, torch.tensor([3, 5]))).pooled, expected)


def test_a_siglip_text_is_always_as_long_as_in_training() -> None:
    case = next(case for case in TEXTS if case.name == "siglip")
    backbone = make(case)
    assert make_example(case, 2).shape == (2, 16)
    features = backbone(Values(torch.full((1, 16), 5), torch.tensor([3])))
    assert features.mask is None
    assert features.pooled.shape == (1, 40)


def test_group_norm_runs_sounds_of_equal_length_together() -> None:
    case = SOUNDS[0]
    backbone = make(case)
    assert backbone.padding == "exact"
    values = values_of(case, [900, 400, 900], 0, 3.0)
    assert isinstance(values.data, Tensor)
    features = run_tower(backbone, backbone, values)
    for row, length in enumerate([900, 400, 900]):
        alone = backbone(Values(values.data[row : row + 1, :length]))
        close(features.pooled[row], alone.pooled[0])
        assert features.mask is not None
        assert features.mask[row].sum() == alone.tokens.shape[1]


@pytest.mark.parametrize("case", SPECTROGRAMS, ids=str)
def test_spectrograms_are_what_the_library_makes_of_them(case: Case) -> None:
    backbone, values = make(case), sample_values(case)
    outputs = backbone.network(values.data)
    features: Features = backbone(values)
    close(features.tokens, outputs.last_hidden_state)
    pooled = outputs.pooler_output if case.name != "whisper" else outputs.last_hidden_state.mean(1)
    close(features.pooled, pooled)


@pytest.mark.parametrize("model_type", ["wav2vec2-conformer", "sew"])
def test_architectures_that_mix_frames_in_their_layers_are_not_padded(model_type: str) -> None:
    config = {**SOUNDS[2].config}
    if model_type == "sew":
        config |= {"squeeze_factor": 1}
    assert make(Case(model_type, "audio", config)).padding == "exact"
