"""What a plain quick model tells: inputs that give the label away, and labels that may be wrong."""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zoo.data.check.finding import Finding, Level, at_row
from zoo.data.check.opened import TRAIN
from zoo.data.check.readers import Readers
from zoo.data.check.scan import Scanned

MOST = 20_000
"""Rows that a quick model learns from, at most."""

FOLDS = 3
FEWEST = 60
"""Rows below which out-of-fold predictions say little."""

SURE = 0.995
"""Share of rows in which an input alone must tell the label to be pointed out."""

UNLIKELY = 0.05
"""Probability of the given label below which it is a suspect."""

Codes = Int[np.ndarray, "rows"]
Chances = Float[np.ndarray, "rows classes"]


def choose(rows: Sequence[int]) -> list[Bool[np.ndarray, "_"]]:
    """Which rows of each table a quick model reads: all, or as many as it can take, the same ones each time.

    Args:
        rows: How many rows each training table has; 0 of a table that is none.
    """
    total = sum(rows)
    chosen = np.ones(total, np.bool_)
    if total > MOST:
        chosen = np.zeros(total, np.bool_)
        chosen[np.random.default_rng(0).permutation(total)[:MOST]] = True
    return np.split(chosen, np.cumsum(rows)[:-1])


def quick_findings(scans: Sequence[Scanned], readers: Readers) -> Iterator[Finding]:
    """Inputs that tell a class by themselves, and rows whose class the quick models find very unlikely.

    A row's class is predicted by logistic regression that learnt from other rows: on TF-IDF of words and pairs of
    words, on small grey pictures, on energies in bands, on numbers as they are. Suspects are chosen by confident
    learning (Northcutt et al. 2021): another class is as likely as it is on average where it is given, and the given
    one is not; here its probability must be below 0.05 too.
    """
    training = [each for each in scans if each.opened.role == TRAIN]
    for head in readers.classes:
        labelled = _labelled(training, head)
        codes = np.array([each.label for each in labelled], np.int64)
        judged = {}
        for name in readers.chains:
            found = _judge(_features(name, labelled), codes)
            if found is not None:
                judged[name] = found
        if judged:
            yield from _telling(head, labelled, codes, judged, readers)
            yield from _suspects(head, labelled, codes, list(judged.values()), readers)


class _Labelled(NamedTuple):
    """A row with one class."""

    scanned: Scanned
    row: int
    label: int


class _Judged(NamedTuple):
    """What a quick model says of the rows that have an input: their positions, and the chances of every class."""

    positions: Codes
    chances: Chances


def _labelled(training: Sequence[Scanned], head: str) -> list[_Labelled]:
    """The rows with a class that enough rows have for every fold."""
    rows = [
        _Labelled(scanned, row, label)
        for scanned in training
        if not scanned.sets.get(head)
        for row, label in enumerate(scanned.labels.get(head, ()))
        if label is not None and any(row in column.features for column in scanned.columns.values())
    ]
    counts = Counter(each.label for each in rows)
    return [each for each in rows if counts[each.label] >= FOLDS]


def _features(name: str, labelled: Sequence[_Labelled]) -> dict[int, Any]:
    """What the quick model reads of an input, by position; positions that lack it are left out."""
    found = {}
    for position, (scanned, row, _) in enumerate(labelled):
        features = scanned.columns[name].features.get(row) if name in scanned.columns else None
        if features is not None:
            found[position] = features
    return found


def _judge(features: Mapping[int, Any], codes: Codes) -> _Judged | None:
    """None where too few rows have the input, or a class that others have."""
    positions = np.array(list(features), np.int64)
    classes, counts = np.unique(codes[positions], return_counts=True)
    if len(positions) < FEWEST or len(classes) < 2 or counts.min() < FOLDS or len(classes) < len(np.unique(codes)):
        return None
    return _Judged(positions, _out_of_fold(list(features.values()), codes[positions]))


def _telling(
    head: str, labelled: Sequence[_Labelled], codes: Codes, judged: Mapping[str, _Judged], readers: Readers
) -> Iterator[Finding]:
    """Inputs that tell the class by themselves."""
    known = np.unique(codes)
    for name, (positions, chances) in judged.items():
        own = codes[positions]
        right = float((known[chances.argmax(1)] == own).mean())
        if right >= SURE and np.bincount(own).max() < 0.9 * len(own):
            message = (
                f"`{name}` alone tells `{head}` in {right:.1%} of {len(own):,} rows: if it stands there because of the "
                "label, what is measured says nothing of rows whose label nobody knows yet"
            )
            table, column = labelled[0].scanned.opened.table.name, ", ".join(readers.chains[name].columns)
            yield Finding(Level.WARNING, "tells the label", table, message, column=column)


def _suspects(
    head: str, labelled: Sequence[_Labelled], codes: Codes, judged: Sequence[_Judged], readers: Readers
) -> Iterator[Finding]:
    """Rows whose label may be wrong, the most suspicious first."""
    classes, column = readers.classes[head], ", ".join(readers.labels[head])
    known, own = np.unique(codes, return_inverse=True)
    chances = _joined(judged, codes)
    given = chances[np.arange(len(own)), own]
    usual = np.array([given[own == code].mean() for code in range(len(known))])
    above = chances >= usual
    above[np.arange(len(own)), own] = False
    wrong = above.any(1) & (given < usual[own]) & (given < UNLIKELY)
    for position in np.flatnonzero(wrong)[np.argsort(given[wrong], kind="stable")].tolist():
        scanned, row, label = labelled[position]
        likely = int(np.where(above[position], chances[position], -1).argmax())
        message = (
            f"`{classes[label]}` may be wrong: a quick model gives it {given[position]:.3f}, and "
            f"`{classes[known[likely]]}` {chances[position, likely]:.3f}"
        )
        yield at_row(Level.SUSPECT, "label noise", scanned.opened.table, row, message, column)


def _joined(judged: Sequence[_Judged], codes: Codes) -> Chances:
    """Chances from all inputs: out-of-fold again, from the logarithms of what each says (Wolpert 1992).

    Of an input that a row lacks, the shares of the classes stand in.
    """
    shares = np.unique(codes, return_counts=True)[1] / len(codes)
    said = np.tile(np.log(shares), (len(codes), len(judged), 1))
    for number, (positions, chances) in enumerate(judged):
        said[positions, number] = np.log(chances + 1e-6)
    if len(judged) == 1:
        return np.asarray(np.exp(said[:, 0]))
    return _out_of_fold(list(said.reshape(len(codes), -1).astype(np.float32)), codes)


def _out_of_fold(features: Sequence[Any], codes: Codes) -> Chances:
    """Probabilities of the classes of each row, from a model that did not learn from it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    texts = isinstance(features[0], str)
    rows: Any = list(features) if texts else np.stack(features)
    model = _of_texts() if texts else _of_numbers(crowded=len(rows) < 10 * rows.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a quick model need not be at its best
        chances = cross_val_predict(model, rows, codes, cv=folds, method="predict_proba")
    return np.asarray(chances, np.float64)


def _of_texts() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True, max_features=50_000)
    return make_pipeline(words, LogisticRegression(C=10, max_iter=50))


def _of_numbers(crowded: bool) -> Any:
    """A linear model, held back more where there are few rows for so many numbers."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1 if crowded else 1, max_iter=50))
