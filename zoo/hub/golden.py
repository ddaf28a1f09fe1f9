"""Golden outputs: what a model said of a few samples when it was shared, and whether it says the same here.

The samples are made up, of the modalities of the inputs, and kept as raw bytes: decoding, resizing and tokenizing are
part of what is compared.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from zoo.checkpoint.lock import versions
from zoo.component import Modality
from zoo.data.columns import part_columns
from zoo.errors import CorruptError, DigestError, UsageError
from zoo.evaluation.predict import predict
from zoo.files import finite
from zoo.hub.tolerance import ELSEWHERE, TOLERANCE
from zoo.model.model import ZooModel
from zoo.testing.samples import sample_cells, sample_values

GOLDEN = "golden.json"
FORMAT = 1
ROWS = 3

Cells = dict[str, Any]


def golden_of(model: ZooModel) -> dict[str, Any] | None:
    """What the model says of some samples; None where none can be made for any of its inputs."""
    known = {name: cells for name in model.spec.inputs if (cells := _cells(model, name))}
    if not known:
        return None
    rows: list[Cells] = [{name: cells[number] for name, cells in known.items()} for number in range(ROWS)]
    if len(known) > 1:
        rows += [{name: cells[0] for name, cells in known.items() if name != absent} for absent in known]
    return {
        "format": FORMAT,
        "device": _device(model),
        "dtype": _dtype(model),
        "libraries": versions(model.spec)["libraries"],
        "rows": [{name: _written(cell) for name, cell in row.items()} for row in rows],
        "predictions": finite(predict(model, rows)),
    }


def check_golden(model: ZooModel, told: Mapping[str, Any], name: str) -> float:
    """Compares what the model says with what it said when it was shared.

    Args:
        model: The model.
        told: What `golden_of` gave then.
        name: What messages call the model.

    Returns:
        The largest difference of a number, relative to 1 or to itself.

    Raises:
        CorruptError: `told` is no such thing.
        DigestError: It says something else here.
    """
    rows, before = _read(model, told, name)
    allowed = TOLERANCE.get(_dtype(model), TOLERANCE["float16"])
    if told.get("device") != _device(model):
        allowed *= ELSEWHERE
    try:
        now = finite(predict(model, rows))
    except UsageError as error:
        raise CorruptError(f"{name}: its golden samples cannot be predicted: {error}") from None
    differences = list(_differences(before, now, "row"))
    largest = max((each for _, each in differences), default=0.0)
    if largest > allowed:
        place = max(differences, key=lambda each: each[1])[0]
        raise DigestError(
            f"{name} does not say here what it said where it was shared: {place} differs by {largest:.2g}, and "
            f"{allowed:.2g} is allowed; libraries then: {_versions(told)}"
        )
    return largest


def _cells(model: ZooModel, name: str) -> list[Any]:
    """Cells for an input; none where its modality is a plugin's own, or it takes other cells."""
    value, columns = model.inputs[name].value, part_columns(model.spec.inputs[name])
    try:
        if value.modality == Modality.VECTOR:
            cells = [_vector(each.tolist(), value.categories, columns) for each in sample_values(value)]
        elif value.modality == Modality.SEQUENCE:
            cells = [each.tolist() for each in sample_values(value)]
        else:
            cells = sample_cells(value.modality, columns)
        predict(model, [{name: cell} for cell in cells[:ROWS]])
    except (UsageError, ValueError):
        return []
    return cells[:ROWS]


def _vector(numbers: list[float], categories: tuple[int, ...], columns: tuple[str, ...]) -> Any:
    """Numbers as cells. Categories are missing, because their names are not known here; so is a number, but not all."""
    counts = categories or (0,) * len(numbers)
    known = [None if count or each != each else each for each, count in zip(numbers, counts, strict=True)]
    if not any(known):
        known = [None if count else 0.5 for count in counts]
    if len(columns) > 1:
        return dict(zip(columns, known, strict=True))
    return known[0] if len(known) == 1 else known


def _written(cell: Any) -> Any:
    return {"base64": base64.b64encode(cell).decode()} if isinstance(cell, bytes) else cell


def _read(model: ZooModel, told: Mapping[str, Any], name: str) -> tuple[list[Cells], list[Any]]:
    """Cells and predictions. A text where bytes belong would be the path of a file on this machine."""
    rows, before = told.get("rows"), told.get("predictions")
    most = ROWS + len(model.spec.inputs)
    whole = isinstance(rows, list) and isinstance(before, list) and 0 < len(rows) == len(before) <= most
    if told.get("format") != FORMAT or not whole or not all(isinstance(each, dict) for each in rows or ()):
        raise CorruptError(f"{name}: its {GOLDEN} is of no format that this zoo reads")
    try:
        modalities = {key: each.value.modality for key, each in model.inputs.items()}
        cells = [{key: _cell(cell, modalities[key]) for key, cell in row.items()} for row in rows or ()]
    except (ValueError, KeyError) as error:
        raise CorruptError(f"{name}: its {GOLDEN} is damaged ({error})") from None
    return cells, finite(before or [])


def _cell(cell: Any, modality: str) -> Any:
    if modality not in (Modality.TEXT, Modality.VECTOR, Modality.SEQUENCE) and not isinstance(cell, dict):
        raise ValueError(f"a cell of the modality {modality} has no bytes")
    if isinstance(cell, dict) and cell.keys() == {"base64"}:
        return base64.b64decode(str(cell["base64"]), validate=True)
    return cell


def _differences(before: Any, now: Any, place: str) -> Iterator[tuple[str, float]]:
    """The place and size of every difference; a text beside numbers follows from them and is not compared."""
    if isinstance(before, bool) or isinstance(now, bool) or before is None or now is None:
        yield place, float("inf") if before != now else 0.0
    elif isinstance(before, (int, float)) and isinstance(now, (int, float)):
        yield place, abs(before - now) / max(1.0, abs(before))
    elif isinstance(before, Mapping) and isinstance(now, Mapping):
        if before.keys() != now.keys():
            yield place, float("inf")
            return
        numbers = any(isinstance(each, (int, float, Mapping)) for each in before.values())
        for key in before:
            if not (numbers and isinstance(before[key], str) and isinstance(now[key], str)):
                yield from _differences(before[key], now[key], f"{place}.{key}")
    elif isinstance(before, (list, tuple)) and isinstance(now, (list, tuple)) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{place} {number}")
    else:
        yield place, 0.0 if before == now else float("inf")


def _device(model: ZooModel) -> str:
    return next(model.parameters()).device.type


def _dtype(model: ZooModel) -> str:
    floats = (each.dtype for each in model.parameters() if each.dtype.is_floating_point)
    return str(next(floats, torch.float32)).removeprefix("torch.")


def _versions(told: Mapping[str, Any]) -> str:
    libraries = told.get("libraries")
    return (
        ", ".join(f"{name} {each}" for name, each in libraries.items()) if isinstance(libraries, dict) else "not told"
    )
