"""What a table is like, in numbers."""

from typing import Any

import numpy as np

from zoo.data.check.classes import class_counts
from zoo.data.check.readers import Readers
from zoo.data.check.scan import Column, Scanned


def facts(scanned: Scanned, readers: Readers) -> dict[str, Any]:
    """The JSON shape of what a table is like: rows, labels, classes, what is missing, lengths and sizes."""
    opened = scanned.opened
    return {
        "role": opened.role,
        "table": opened.table.name,
        "rows": len(opened.table),
        "unusable": len(scanned.bad),
        "empty": scanned.empty,
        "unused_columns": list(opened.unused),
        "inputs": {name: _of_input(column) for name, column in scanned.columns.items()},
        "heads": {
            name: {
                "labelled": sum(1 for each in labels if each is not None),
                "classes": class_counts(scanned, name, readers),
            }
            for name, labels in scanned.labels.items()
        },
    }


def _of_input(column: Column) -> dict[str, Any]:
    return {
        "missing": column.missing,
        "beyond_max_length": column.beyond,
        "measures": {name: _spread(np.frombuffer(values, np.float64)) for name, values in column.measures.items()},
        "traits": dict(column.traits.most_common()),
    }


def _spread(values: Any) -> dict[str, float]:
    return {"min": float(values.min()), "median": float(np.median(values)), "max": float(values.max())}
