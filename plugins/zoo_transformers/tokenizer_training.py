"""Trains a tokenizer on the texts of the training rows; the same texts give the same tokenizer."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from zoo import UsageError
from zoo_transformers.declaration import TrainedTokenizer, Transformers

BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
"""Special tokens in the order of BERT's and RoBERTa's vocabularies: positions of the latter count from its pad id."""


def fit(options: Transformers, context: Any, cells: Iterable[Any]) -> dict[str, Any]:
    """What a backbone must learn from the training rows before it is built: a tokenizer, if the spec asks for one.

    Args:
        options: The backbone's options.
        context: What surrounds the backbone.
        cells: Texts of the training rows.

    Returns:
        `{"tokenizer": ...}`, as in a `tokenizer.json`; nothing where none is to be trained.

    Raises:
        UsageError: There is no text to learn from.
    """
    if not isinstance(options.tokenizer, TrainedTokenizer):
        return {}
    texts = [text for text in cells if isinstance(text, str)]
    if not any(map(str.strip, texts)):
        raise UsageError("`tokenizer`: the training rows have no text to train it on")
    with _alone():
        return {"tokenizer": json.loads(train(options.tokenizer, texts).to_str())}


def train(options: TrainedTokenizer, texts: list[str]) -> Tokenizer:
    """A tokenizer of at most `vocab_size` entries.

    Sources: Schuster and Nakajima 2012 (WordPiece), Sennrich et al. 2016 (BPE, here on bytes), Kudo 2018 (Unigram).

    Args:
        options: Algorithm and size.
        texts: What to train it on.
    """
    return {"wordpiece": _wordpiece, "bpe": _bpe, "unigram": _unigram}[options.train](options.vocab_size, texts)


def _wordpiece(size: int, texts: list[str]) -> Tokenizer:
    """BERT's tokenizer, cased.

    The library numbers the letters within words in the order of a hash table, which differs from run to run and
    decides ties. Here they are named beforehand; a fresh tokenizer then takes the vocabulary, without them as special.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    letters = _letters(_words(tokenizer, texts), (size - len(BERT)) // 4)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*BERT, *(f"##{letter}" for letter in letters)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = models.WordPiece(tokenizer.get_vocab(), unk_token="[UNK]")
    return _finished(tokenizer, model, decoders.WordPiece(), BERT, first="[CLS]", last="[SEP]")


def _bpe(size: int, texts: list[str]) -> Tokenizer:
    """GPT-2's byte-level tokenizer with RoBERTa's special tokens; below 261 entries it knows not every byte."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    room = size - len(ROBERTA)
    letters = pre_tokenizers.ByteLevel.alphabet() if room >= 256 else _letters(_words(tokenizer, texts), room)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(ROBERTA),
        initial_alphabet=sorted(letters),
        limit_alphabet=len(letters),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _finished(tokenizer, tokenizer.model, decoders.ByteLevel(), ROBERTA, first="<s>", last="</s>")


def _unigram(size: int, texts: list[str]) -> Tokenizer:
    """A unigram language model of pieces.

    Ours starts from the pieces of a BPE four times the size, and then alternates splitting the words most probably with
    counting the pieces and dropping the rarest quarter, down to the size: the library's trainer, which sums over all
    splits, gives other pieces in every run.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    words, goal = _words(tokenizer, texts), size - len(ROBERTA)
    letters = _letters(words, goal)
    trainer = trainers.BpeTrainer(
        vocab_size=4 * size, initial_alphabet=letters, limit_alphabet=len(letters), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    pieces = sorted(tokenizer.get_vocab())
    counts = _split_counts(Tokenizer(tokenizer.model), words, pieces)
    while True:
        model = _scored(counts)
        if len(counts) <= goal:
            return _finished(tokenizer, model, decoders.Metaspace(), ROBERTA, first="<s>", last="</s>")
        counts = _split_counts(Tokenizer(model), words, list(counts))
        kept = max(goal, len(counts) * 3 // 4)
        order = sorted(counts, key=lambda piece: (len(piece) > 1, -counts[piece], piece))
        counts = {piece: counts[piece] for piece in order[:kept]}


def _split_counts(tokenizer: Tokenizer, words: Mapping[str, int], pieces: list[str]) -> dict[str, int]:
    """How often each piece occurs when the words are split; each piece once for good measure."""
    counts = dict.fromkeys(pieces, 1)
    for encoding, number in zip(tokenizer.encode_batch(list(words)), words.values(), strict=True):
        for piece in encoding.tokens:
            if piece in counts:
                counts[piece] += number
    return counts


def _scored(counts: Mapping[str, int]) -> models.Unigram:
    total = math.log(sum(counts.values()))
    order = sorted(counts, key=lambda piece: (-counts[piece], piece))
    scores = [(piece, math.log(counts[piece]) - total) for piece in order]
    return models.Unigram([*((name, 0.0) for name in ROBERTA), *scores], unk_id=ROBERTA.index("<unk>"))


def _words(tokenizer: Tokenizer, texts: list[str]) -> Counter[str]:
    """The words that the tokenizer will split into pieces, in the order of the alphabet, and how often they occur."""
    counts: Counter[str] = Counter()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer is not None else text
        counts.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    return Counter(dict(sorted(counts.items())))


def _letters(words: Mapping[str, int], most: int) -> list[str]:
    """The most frequent letters, in the order of the alphabet; the library would break ties at random."""
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for letter in word:
            counts[letter] += number
    return sorted(sorted(counts, key=lambda letter: (-counts[letter], letter))[:most])


def _finished(
    trained: Tokenizer, model: Any, decoder: Any, special: tuple[str, ...], *, first: str, last: str
) -> Tokenizer:
    """The tokenizer around a trained model, which puts a token before each text and one after it."""
    tokenizer = Tokenizer(model)
    if trained.normalizer is not None:
        tokenizer.normalizer = trained.normalizer
    tokenizer.pre_tokenizer = trained.pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens(list(special))
    ends = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    return tokenizer


@contextmanager
def _alone() -> Iterator[None]:
    """Without the library's threads: worker processes that are forked after these would be warned of."""
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = before
