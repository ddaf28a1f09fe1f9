"""What reads the cells of a table that is checked: inputs and heads, fitted to the training rows that can be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.component import FeatureSpec
from zoo.contract import Head, HeadContext
from zoo.data.check.finding import Finding, Level
from zoo.data.check.opened import TRAIN, Opened
from zoo.data.columns import is_missing, part_columns
from zoo.data.fit import Fitted, fit_inputs, fit_rows
from zoo.data.inputs import Chain, factory, make_input
from zoo.data.learnable import wrong_cells
from zoo.data.rows import Selection
from zoo.data.usable import Unusable, without
from zoo.errors import ZooError
from zoo.spec.sections import Spec

ANY = FeatureSpec(dim=1, pooled_dim=1)
"""Features for a head that computes nothing and reads labels alone."""


@dataclass(frozen=True)
class Readers:
    """What reads cells.

    Args:
        chains: What decodes each input's cells, without front end.
        heads: What reads labels, of those heads that can be built without a backbone.
        labels: Columns of each head's labels.
        classes: Names of the classes of each head that has any.
        wrong: Training rows with a cell that nothing can be learnt from, by table and row.
    """

    chains: Mapping[str, Chain]
    heads: Mapping[str, Head]
    labels: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, tuple[str, ...]]
    wrong: Mapping[tuple[str, int], Unusable]


def make_readers(spec: Spec, opened: Sequence[Opened], findings: list[Finding]) -> Readers:
    """Fits inputs and heads to the training rows, and makes them.

    Args:
        spec: The spec.
        opened: The tables.
        findings: Takes what cannot be learnt, or not be made.
    """
    training = [each for each in opened if each.role == TRAIN]
    rows = [Selection(each.table, np.arange(len(each.table)), frozenset(each.heads)) for each in training]
    inputs = {name: part for name, part in spec.inputs.items() if all(name in each.inputs for each in training)}
    heads = {name: part for name, part in spec.heads.items() if any(name in each.heads for each in training)}
    known = replace(spec, inputs=inputs, heads=heads)
    wrong = wrong_cells(known, rows)
    fitted = _fitted(known, without(rows, wrong), findings)
    made = {name: _head(known, name, fitted, findings) for name in heads if name in fitted["heads"]}
    return Readers(
        {name: _chain(known, name, fitted) for name in inputs if name in fitted["inputs"]},
        {name: head for name, head in made.items() if head is not None},
        {name: part_columns(part) for name, part in heads.items()},
        {name: tuple(map(str, each["classes"])) for name, each in fitted["heads"].items() if "classes" in each},
        {(each.table, each.row): each for each in wrong},
    )


def _fitted(spec: Spec, rows: Sequence[Selection], findings: list[Finding]) -> Fitted:
    """What each part learns; a part that cannot is left out, and told of."""
    fitted: Fitted = {"inputs": {}, "heads": {}}
    for name, section in spec.inputs.items():
        try:
            fitted["inputs"][name] = fit_inputs(replace(spec, inputs={name: section}), rows).get(name, {})
        except ZooError as error:
            findings.append(Finding(Level.ERROR, "table", "", str(error), column=", ".join(part_columns(section))))
    for name, head in spec.heads.items():
        labelled = [each for each in rows if name in each.heads]
        try:
            fitted["heads"][name] = fit_rows(replace(spec, inputs={}, heads={name: head}), labelled)["heads"].get(
                name, {}
            )
        except ZooError as error:
            findings.append(Finding(Level.ERROR, "table", "", str(error), column=", ".join(part_columns(head))))
    return fitted


def _chain(spec: Spec, name: str, fitted: Fitted) -> Chain:
    section = spec.inputs[name]
    return Chain(part_columns(section), make_input(section, name, fitted["inputs"][name]), None)


def _head(spec: Spec, name: str, fitted: Fitted, findings: list[Finding]) -> Head | None:
    section = spec.heads[name]
    columns = part_columns(section)
    if not columns:
        return None
    context = HeadContext(name=name, features=ANY, columns=columns, fitted=fitted["heads"][name])
    try:
        made: Head = factory(section, f"heads.{name}")(context)
    except ZooError:
        told = f"the labels of `{name}` are not looked at: its head cannot be made without a backbone"
        findings.append(Finding(Level.SUSPECT, "label", "", told, column=", ".join(columns)))
        return None
    return made


def label_of(head: Head, cell: Any) -> Any:
    """The label in a cell; None where there is none.

    Raises:
        ValueError: It is no label of the head.
    """
    return None if is_missing(cell) else head.label(cell)
