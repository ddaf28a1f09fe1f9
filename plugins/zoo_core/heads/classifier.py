"""Classification: one class of several, or any number of labels."""

from collections.abc import Iterable
from typing import Any

from zoo.contract import HeadContext
from zoo_core.declarations.heads import Classifier
from zoo_core.heads.class_scores import ClassScores
from zoo_core.heads.classes import class_names, count_classes, single_class_name
from zoo_core.heads.multi_label import MultiLabel
from zoo_core.heads.single_label import SingleLabel


def build(options: Classifier, context: HeadContext) -> "ClassScores":
    """The classifier that the options describe.

    Raises:
        UsageError: Its classes, or their weights, are learnt from training rows, and there were none.
    """
    return MultiLabel(options, context) if options.multi_label else SingleLabel(options, context)


def fit(options: Classifier, context: HeadContext, cells: Iterable[Any]) -> dict[str, Any]:
    """Learns the classes from the labels of the training rows.

    Args:
        options: The head's options.
        context: Unused.
        cells: Label cells as they stand in the table, without nulls.

    Returns:
        `classes`, in the order of the outputs; `counts`, how many rows have each; `rows`, how many there are.

    Raises:
        ValueError: A cell is no label, or the labels are no classes.
    """
    rows = map(class_names, cells) if options.multi_label else ([single_class_name(cell)] for cell in cells)
    found = count_classes(rows, options.classes)
    if len(found["classes"]) == 1 and not options.multi_label:
        raise ValueError(f"all training rows are of the class `{found['classes'][0]}`; a choice needs two classes")
    return found
