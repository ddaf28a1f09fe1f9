"""What is absent or padding changes nothing (law 4), and every row gives numbers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional as F

from tests.plugins.core_fusions import TINY, TOKENS, build, features, masked, without
from zoo.features import Features

ROWS = 4
Masks = dict[str, Bool[Tensor, "batch _tokens"]]


@st.composite
def real(draw: st.DrawFn) -> Masks:
    """Masks of every input: in each row absent, padded at the end, or whole."""
    masks = {}
    for name, tokens in TOKENS.items():
        lengths = draw(st.lists(st.integers(0, tokens), min_size=ROWS, max_size=ROWS))
        masks[name] = torch.arange(tokens) < torch.tensor(lengths)[:, None]
    return masks


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", TINY)
@settings(max_examples=15, deadline=None)
@given(masks=real(), seed=st.integers(0, 99), garbage=st.sampled_from([float("nan"), float("inf"), -1e30, 7.0]))
def test_garbage_changes_no_bit(name: str, masks: Masks, seed: int, garbage: float) -> None:
    fusion, inputs = build(name), features(ROWS, seed)
    clean, dirty = fusion(masked(inputs, masks)), fusion(masked(inputs, masks, garbage))
    assert torch.equal(clean.pooled, dirty.pooled)
    assert torch.equal(clean.tokens, dirty.tokens)
    assert torch.equal(clean.present, dirty.present)
    assert clean.pooled.isfinite().all()
    assert clean.tokens.isfinite().all()


@pytest.mark.parametrize("name", TINY)
def test_garbage_reaches_no_gradient(name: str) -> None:
    gradients = []
    for garbage in (0.0, float("nan")):
        masks = {each: torch.arange(count) < torch.tensor([[0], [1], [count]]) for each, count in TOKENS.items()}
        fusion = build(name)
        fusion(masked(features(3), masks, garbage)).pooled.square().sum().backward()
        gradients.append([parameter.grad for parameter in fusion.parameters()])
    for clean, dirty in zip(*gradients, strict=True):
        assert clean is not None and dirty is not None
        assert torch.equal(clean, dirty)


@pytest.mark.parametrize("name", TINY)
@settings(max_examples=10, deadline=None)
@given(masks=real(), padding=st.integers(1, 20))
def test_more_padding_changes_rounding_at_most(name: str, masks: Masks, padding: int) -> None:
    fusion, inputs = build(name), masked(features(ROWS), masks)
    review = inputs["review"]
    longer = Features(F.pad(review.tokens, (0, 0, 0, padding)), review.pooled, F.pad(review.mask, (0, padding)))
    short, long = fusion(inputs), fusion({**inputs, "review": longer})
    close(short.pooled, long.pooled)
    close(short.tokens[short.mask], long.tokens[long.mask])


@pytest.mark.parametrize("name", TINY)
@settings(max_examples=10, deadline=None)
@given(masks=real(), others=st.integers(1, 99), row=st.integers(0, ROWS - 1))
def test_other_rows_change_rounding_at_most(name: str, masks: Masks, others: int, row: int) -> None:
    fusion, together = build(name), masked(features(ROWS), masks)
    alone = fusion({each: value.rows(torch.tensor([row])) for each, value in together.items()})
    fused = fusion(together)
    close(fused.pooled[row], alone.pooled[0])
    close(fused.tokens[row], alone.tokens[0])


@pytest.mark.parametrize("name", TINY)
def test_no_mask_is_a_mask_of_true(name: str) -> None:
    fusion, inputs = build(name), features(2)
    whole, told = fusion(inputs), fusion(without(inputs))
    close(whole.pooled, told.pooled)
    assert told.mask.all()
    assert whole.mask is None or whole.mask.all()


@pytest.mark.parametrize("name", TINY)
def test_some_inputs_may_have_a_mask_and_others_none(name: str) -> None:
    fusion, inputs = build(name), features(2)
    close(fusion({**inputs, "review": without(inputs)["review"]}).pooled, fusion(inputs).pooled)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("kept", TOKENS)
def test_a_single_present_input_is_enough_and_tells_what_it_is(name: str, kept: str) -> None:
    fusion = build(name)
    absent = [each for each in TOKENS if each != kept]
    fused, others = (fusion(without(features(2, seed), *absent)) for seed in (0, 1))
    assert fused.pooled.isfinite().all()
    assert fused.present.all()
    assert not torch.allclose(fused.pooled, others.pooled, rtol=1e-3)


@pytest.mark.parametrize("name", TINY)
def test_a_row_without_any_input_gives_numbers_and_is_masked(name: str) -> None:
    fusion, inputs = build(name), without(features(2), *TOKENS)
    fused = fusion(inputs)
    assert fused.pooled.isfinite().all()
    assert fused.tokens.isfinite().all()
    assert not fused.present.any()
    fused.pooled.sum().backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in fusion.parameters())


@pytest.mark.parametrize("name", TINY)
def test_every_input_changes_the_result_while_it_is_present(name: str) -> None:
    fusion, inputs, others = build(name), features(2), features(2, seed=1)
    for each in TOKENS:
        changed = {**inputs, each: others[each]}
        assert not torch.allclose(fusion(inputs).pooled, fusion(changed).pooled, rtol=1e-3)
