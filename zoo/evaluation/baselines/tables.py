"""What plain models read of the rows of a table: texts, numbers and categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from zoo.component import Modality
from zoo.data.columns import part_columns
from zoo.data.inputs import Chain
from zoo.data.rows import Selection
from zoo.data.samples import Preparation, at
from zoo.model.model import ZooModel

WORDS = 50_000
"""Most words, and pairs of them, that a text is told by."""

DENSE_WORDS = 100
"""Most words that gradient boosting is given beside numbers."""

DENSE = 0.05
"""Share of the rows that such a word stands in, at least."""


@dataclass
class Rows:
    """Some rows.

    Args:
        texts: By input, its text; "" where a row has none.
        numbers: By input, its numbers and codes of categories, `(rows, columns)`; NaN where one is missing.
        labels: By head, the labels that there are and the rows that they belong to.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, Float[np.ndarray, "rows columns"]] = field(default_factory=dict)
    labels: dict[str, tuple[list[int], list[Any]]] = field(default_factory=dict)


def readable(model: ZooModel) -> dict[str, Chain]:
    """The inputs that plain models read: texts, and vectors of numbers and categories."""
    kinds = {name: model.inputs[name].value.modality for name in model.spec.inputs}
    return {
        name: Chain(part_columns(model.spec.inputs[name]), model.inputs[name], None)
        for name, kind in kinds.items()
        if kind in (Modality.TEXT, Modality.VECTOR)
    }


def read(model: ZooModel, selections: Sequence[Selection], labels: bool) -> Rows:
    """Reads rows.

    Args:
        model: Whose inputs and heads decode the cells.
        selections: The rows.
        labels: Whether to read labels too.
    """
    chains, rows = readable(model), Rows()
    values: dict[str, list[Any]] = {name: [] for name in chains}
    start = 0
    for selection in selections:
        preparation = Preparation(model, selection.heads if labels else ())
        wanted = [column for chain in chains.values() for column in chain.columns]
        wanted += [column for columns in preparation.labels.values() for column in columns]
        for place, (number, row) in enumerate(selection.cells(list(dict.fromkeys(wanted))) if wanted else (), start):
            for name, chain in chains.items():
                with at(selection.table, number, chain.columns):
                    values[name].append(chain.value(row, selection.table.folder))
            for head, label in preparation.labels_of(selection.table, number, row, selection.heads).items():
                places, found = rows.labels.setdefault(head, ([], []))
                places.append(place)
                found.append(label)
        start += len(selection.numbers)
    for name, each in values.items():
        if model.inputs[name].value.modality == Modality.TEXT:
            rows.texts[name] = ["" if value is None else value for value in each]
        else:
            rows.numbers[name] = _stacked(each, model.inputs[name].value.shape[0])
    return rows


def _stacked(values: Sequence[Tensor | None], width: int | None) -> Float[np.ndarray, "rows columns"]:
    known = next((len(each) for each in values if each is not None), width or 1)
    missing = torch.full((known,), torch.nan)
    stacked = torch.stack([missing if each is None else each for each in values]).float().numpy()
    return np.asarray(stacked, dtype=np.float32)


@dataclass(frozen=True)
class Design:
    """Training rows and others as matrices.

    Args:
        training: `(rows, columns)`.
        others: The same columns of the rows to be measured.
    """

    training: Any
    others: Any


def text_design(training: Rows, others: Rows, most: int = WORDS, share: float = 0.0) -> Design | None:
    """Weights of words and pairs of words (TF-IDF), learnt from the training rows; None where there is no word.

    Args:
        training: The training rows.
        others: The rows to be measured.
        most: Most words and pairs of an input, the most frequent ones.
        share: Share of the training rows that each stands in, at least.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = []
    for name, texts in training.texts.items():
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=most, min_df=share or 1)
        try:
            parts.append((vectorizer.fit_transform(texts), vectorizer.transform(others.texts[name])))
        except ValueError:  # of words there are none
            continue
    if not parts:
        return None
    return Design(*(sparse.hstack(each, format="csr") for each in zip(*parts, strict=True)))


def number_design(training: Rows, others: Rows, categories: Mapping[str, Sequence[int]]) -> Design | None:
    """Standardised numbers, the mean where one is missing, which is told beside; and a column for each category."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    if not training.numbers:
        return None
    joined, told = _joined(training), _joined(others)
    coded = _coded(training, categories)
    numeric = make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler())
    transformer = ColumnTransformer(
        [
            ("numbers", numeric, np.flatnonzero(~coded)),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), np.flatnonzero(coded)),
        ]
    )
    return Design(transformer.fit_transform(joined), transformer.transform(told))


def tree_design(training: Rows, others: Rows) -> Design | None:
    """Numbers and codes as they are, and the frequent words of texts; None without numbers: words alone are sparse."""
    if not training.numbers:
        return None
    parts = [(_joined(training), _joined(others))]
    words = text_design(training, others, DENSE_WORDS, DENSE)
    if words is not None:
        parts.append((words.training.toarray(), words.others.toarray()))
    return Design(*(np.hstack(each) for each in zip(*parts, strict=True)))


def joined_designs(first: Design, second: Design) -> Design:
    """The columns of both."""
    from scipy import sparse

    return Design(
        sparse.hstack([first.training, second.training], format="csr"),
        sparse.hstack([first.others, second.others], format="csr"),
    )


def _joined(rows: Rows) -> Float[np.ndarray, "rows columns"]:
    return np.hstack(list(rows.numbers.values()))


def _coded(rows: Rows, categories: Mapping[str, Sequence[int]]) -> NDArray[np.bool_]:
    """Which of all columns hold categories."""
    flags = [list(categories.get(name, ())) or [0] * each.shape[1] for name, each in rows.numbers.items()]
    return np.array([bool(count) for each in flags for count in each])
