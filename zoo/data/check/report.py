"""Checks the data of a spec: one pass through each table, then what the tables tell together."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.check.alike import alike_findings
from zoo.data.check.classes import class_findings
from zoo.data.check.facts import facts
from zoo.data.check.finding import Finding, Level, counted
from zoo.data.check.groups import group_findings
from zoo.data.check.opened import TRAIN, open_tables
from zoo.data.check.quick import choose, quick_findings
from zoo.data.check.readers import make_readers
from zoo.data.check.scan import Scanned, scan
from zoo.errors import UsageError
from zoo.spec.sections import Spec

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What a check of data found.

    Args:
        tables: What each table is like.
        findings: What is wrong and what is suspect, the worst first.
    """

    tables: list[dict[str, Any]]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether every row can be used."""
        return not counted(self.findings, Level.ERROR)

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo data check`."""
        return {
            "ok": self.ok,
            "tables": self.tables,
            "findings": [each.as_dict() for each in self.findings],
        }


def check_data(spec: Spec, further: str | Path | None = None, tell: Tell = lambda text: None) -> Report:
    """Looks at every row of the tables that a spec names. Fetches nothing, and builds no backbone.

    Args:
        spec: The spec.
        further: A table to look at beside the training tables, in place of those for validation and test.
        tell: Hears what is being looked at.

    Raises:
        UsageError: The spec names no training table.
    """
    if not spec.data.train:
        raise UsageError("`data.train` names no table to learn from; write `data: {train: TABLE}`")
    findings: list[Finding] = []
    opened = open_tables(spec, None if further is None else str(further), findings)
    if not any(each.role == TRAIN for each in opened):
        return Report([], findings)
    readers = make_readers(spec, opened, findings)
    chosen = choose([len(each.table) if each.role == TRAIN else 0 for each in opened])
    scans: list[Scanned] = []
    for each, rows in zip(opened, chosen, strict=True):
        tell(f"{each.table.name}: {len(each.table):,} rows")
        scans.append(scan(each, readers, rows if each.role == TRAIN else np.zeros(len(each.table), np.bool_), findings))
    tell("comparing rows")
    findings += class_findings(scans, readers)
    findings += alike_findings(scans, readers)
    findings += group_findings(spec.evaluate.groups, opened)
    tell("looking for labels that may be wrong")
    findings += quick_findings(scans, readers)
    order = list(Level)
    return Report([facts(each, readers) for each in scans], sorted(findings, key=lambda each: order.index(each.level)))
