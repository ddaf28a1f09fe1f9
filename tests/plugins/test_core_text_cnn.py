"""Words as numbers, and convolutions over them."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from zoo import UsageError
from zoo.contract import BackboneContext, ValueSpec
from zoo.features import Features, Values
from zoo_core.backbones.text_cnn import WordConvolutions, build
from zoo_core.backbones.words import Number, fit, words_of
from zoo_core.declarations.texts import TextCNN

TEXTS = ["What is a fox ?", "what is an owl?", "Who is it?"]
OPTIONS = TextCNN(dim=6, filters=4, widths=[1, 2, 3], min_count=1)


def learnt(options: TextCNN = OPTIONS) -> BackboneContext:
    value = ValueSpec(modality="text", max_length=8)
    return BackboneContext(name="text-cnn", value=value, fitted=fit(options, None, TEXTS))


@pytest.fixture(scope="module")
def network() -> WordConvolutions:
    torch.manual_seed(0)
    return build(OPTIONS, learnt()).eval()


def padded(texts: list[list[int]], padding: int, filling: int = 0) -> Values:
    data = torch.full((len(texts), max(map(len, texts)) + padding), filling)
    for row, each in zip(data, texts, strict=True):
        row[: len(each)] = torch.tensor(each)
    return Values(data, torch.tensor([len(each) for each in texts]))


def test_words_are_runs_of_letters_and_single_signs() -> None:
    assert words_of("Où est-il, l'été?\t42!") == ["Où", "est", "-", "il", ",", "l", "'", "été", "?", "42", "!"]
    assert words_of(" \n") == []


def test_the_vocabulary_is_the_most_frequent_words_then_those_first_by_letters() -> None:
    assert fit(OPTIONS, None, TEXTS)["words"][:3] == ["?", "is", "What"]
    assert fit(TextCNN(min_count=2), None, TEXTS) == {"words": ["?", "is"]}
    assert fit(TextCNN(min_count=1, vocab_size=16), None, TEXTS)["words"] == fit(OPTIONS, None, [*TEXTS])["words"]
    assert fit(OPTIONS, None, reversed(TEXTS)) == fit(OPTIONS, None, TEXTS)


def test_texts_without_a_word_that_comes_often_enough_are_refused() -> None:
    with pytest.raises(UsageError, match="no word of the training rows is there 4 times"):
        fit(TextCNN(min_count=4), None, TEXTS)


def test_without_training_rows_it_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match=r"name them in `data\.train`"):
        build(OPTIONS, BackboneContext(name="text-cnn", value=ValueSpec(modality="text")))


def test_a_text_becomes_numbers_of_its_words() -> None:
    number = pickle.loads(pickle.dumps(Number({"words": ["is", "a"]}, 3)))
    assert number("a is what is").tolist() == [3, 2, 1]
    assert number("").tolist() == number("other").tolist() == [1]
    assert len(number) == 4


def test_pooled_are_the_greatest_answers_of_each_filter(network: WordConvolutions) -> None:
    numbers = torch.tensor([2, 3, 4, 1])
    features = network(Values(numbers[None]))
    vectors = network.embedding(numbers)
    wanted = []
    for width, convolution in zip(OPTIONS.widths, network.convolutions, strict=True):
        before = (width - 1) // 2
        around = functional.pad(vectors, (0, 0, before, width - 1 - before))
        assert isinstance(convolution, nn.Conv1d)
        weight, bias = convolution.weight, convolution.bias
        assert bias is not None
        windows = around.unfold(0, width, 1)  # words, dim, width
        wanted.append(torch.relu(torch.einsum("ndw,fdw->nf", windows, weight) + bias))
    torch.testing.assert_close(features.tokens[0], torch.cat(wanted, 1))
    torch.testing.assert_close(features.pooled[0], torch.cat(wanted, 1).amax(0))


def real(features: Features) -> Tensor:
    assert features.mask is not None
    return features.tokens[features.mask]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=6), min_size=1, max_size=4),
    st.integers(0, 4),
    st.integers(0, 9),
)
def test_padding_changes_nothing(network: WordConvolutions, texts: list[list[int]], padding: int, filling: int) -> None:
    found = []
    for values in (padded(texts, 0), padded(texts, padding, filling)):
        network.zero_grad()
        features = network(values)
        (features.pooled.sum() + real(features).square().sum()).backward()
        gradients = [each.grad for each in network.parameters() if each.grad is not None]
        found.append([features.pooled, real(features), *gradients])
    for left, right in zip(*found, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)
    for text, pooled in zip(texts, found[0][0], strict=True):
        torch.testing.assert_close(network(Values(torch.tensor([text]))).pooled[0], pooled, rtol=1e-5, atol=1e-6)


def test_the_vector_of_padding_never_learns(network: WordConvolutions) -> None:
    network.zero_grad()
    network(padded([[2, 3], [4]], 2)).pooled.sum().backward()
    assert network.embedding.weight.grad is not None
    assert not network.embedding.weight.grad[0].any()
