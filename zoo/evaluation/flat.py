"""Predictions as columns: `mood.label`, `mood.probability`, `mood.probabilities.good`, typed before there is any."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoo.model.model import ZooModel

TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


@dataclass(frozen=True)
class PredictionColumn:
    """A column of predictions.

    Args:
        path: The keys that lead to its value: the head's name, then those of what it says.
        kind: The type of its value, as the head tells it; None where it does not.
    """

    path: tuple[str, ...]
    kind: Any

    @property
    def field(self) -> pa.Field:
        """Its name, `mood.probabilities.good`, and its type."""
        name = ".".join(self.path)
        return pa.field(
            name, pa.dictionary(pa.int32(), pa.string()) if isinstance(self.kind, tuple) else _type(self.kind)
        )

    def array(self, predictions: Sequence[Mapping[str, Any] | None]) -> pa.Array:
        """Its cells; null where there is no prediction."""
        values = [None if each is None else self._value(each) for each in predictions]
        if not isinstance(self.kind, tuple):
            return pa.array(values, _type(self.kind))
        codes = {name: code for code, name in enumerate(self.kind)}
        indices = pa.array([None if each is None else codes[each] for each in values], pa.int32())
        return pa.DictionaryArray.from_arrays(indices, pa.array(self.kind, pa.string()))

    def _value(self, prediction: Mapping[str, Any]) -> Any:
        value: Any = prediction
        for key in self.path:
            value = value[key]
        if self.kind is not None or value is None or isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)


def prediction_columns(model: ZooModel) -> list[PredictionColumn]:
    """The columns of a model's predictions, head by head."""
    return [column for name in model.heads for column in _columns((name,), model.head(name).prediction_type())]


def _columns(path: tuple[str, ...], kind: Any) -> Iterator[PredictionColumn]:
    if isinstance(kind, Mapping):
        for name, each in kind.items():
            yield from _columns((*path, name), each)
    else:
        yield PredictionColumn(path, kind)


def _type(kind: Any) -> pa.DataType:
    """A type that a head tells, as Arrow has it."""
    if kind is None:
        return pa.string()
    if isinstance(kind, list):
        return pa.list_(_type(kind[0]))
    if isinstance(kind, Mapping):
        return pa.struct([(name, _type(each)) for name, each in kind.items()])
    return pa.string() if isinstance(kind, tuple) else TYPES[kind]
