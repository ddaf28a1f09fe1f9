"""Folds of rows: every row is held out once, in whole groups, with equal shares of the classes."""

import warnings
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from zoo.data.rows import Selection, column_cells, first_labels
from zoo.data.split import class_numbers
from zoo.errors import UsageError
from zoo.spec.sections import Spec

Numbers = Int[np.ndarray, "rows"]


class FoldRows:
    """Rows that are divided into folds.

    Args:
        spec: Whose `evaluate.groups` says which rows stay together, and whose first head has the classes.
        selections: The rows. A row that stands in several of them is always held out of all at once.
    """

    def __init__(self, spec: Spec, selections: Sequence[Selection]) -> None:
        self.selections = tuple(selections)
        self.lengths = [len(each.numbers) for each in selections]
        self.count = sum(self.lengths)
        column = spec.evaluate.groups
        self.column = column
        groups = list(column_cells(selections, column)) if column else [None] * self.count
        rows = [(each.table.name, number) for each in selections for number in each.numbers.tolist()]
        units = [row if group is None else repr(group) for row, group in zip(rows, groups, strict=True)]
        self.units = _numbered(units)
        self.grouped = int(self.units.max(initial=-1)) + 1 < self.count
        self._places = {row: place for place, row in enumerate(rows)}
        found = first_labels(spec, selections)
        self.labels: list[Any] = [None] * self.count if found is None else list(found)
        self.known = class_numbers(self.labels, self.count, max(1, self.count // 2))
        first = next(iter(spec.heads.values()))
        self._learns_classes = bool(first.registered.component.fit) and not getattr(first.options, "classes", None)

    def classes(self, folds: int) -> Numbers:
        """The number of each row's class; 0 of all rows where labels are none, or too rare to be in every fold."""
        rare = int(np.bincount(self.known).max()) < folds
        return np.zeros_like(self.known) if rare else self.known

    def folds(self, folds: int, seed: int) -> Numbers:
        """The fold that holds each row out, from 0: the same for the same arguments.

        Each class has its share in every fold, to a row; of rows that stay together in whole groups, as nearly as these
        allow (scikit-learn's `StratifiedKFold` and `StratifiedGroupKFold`).

        Args:
            folds: How many.
            seed: Of the choice.

        Raises:
            UsageError: There are fewer rows, or groups, than folds; or all rows of a class are held out at once.
        """
        self._check(folds)
        classes = self.classes(folds)
        held = self._grouped_folds(classes, folds, seed) if self.grouped else _stratified(classes, folds, seed)
        if self._learns_classes:
            self._check_learnable(held)
        return held

    def remarks(self, folds: int) -> list[str]:
        """What the user should know: classes that some folds lack."""
        if not self.known.any():
            return []
        counts = Counter(each for each in self.labels if isinstance(each, str))
        few = [f"`{label}` ({count})" for label, count in counts.items() if count < folds]
        told = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
        return [f"fewer rows than the {folds} folds, so that some hold none out: {told}"] if few else []

    def parts(self, kept: NDArray[np.bool_]) -> list[tuple[Selection, NDArray[np.int64]]]:
        """Each selection, and which of its positions are kept; those that nothing is left of are left out.

        Args:
            kept: `(rows,)`.
        """
        pieces = np.split(kept, np.cumsum(self.lengths)[:-1])
        pairs = zip(self.selections, pieces, strict=True)
        return [(selection, piece.nonzero()[0]) for selection, piece in pairs if piece.any()]

    def places(self, selections: Sequence[Selection]) -> Numbers:
        """Where some of the rows stand among all, one after another."""
        found = [self._places[each.table.name, number] for each in selections for number in each.numbers.tolist()]
        return np.array(found, np.int64)

    def share(self, among: NDArray[np.bool_], share: float, seed: int) -> NDArray[np.bool_]:
        """A share of some rows, in whole groups: of each class two groups at least, where there are two.

        Smaller shares of the same rows are part of larger ones.

        Args:
            among: `(rows,)` of which rows.
            share: Which share of them, above 0.
            seed: Of the choice.
        """
        wanted = max(1, round(share * int(among.sum())))
        order = self._order(among, seed)
        sizes = np.bincount(self.units[among], minlength=int(self.units.max()) + 1)
        needed = self._needed(among, order)
        known = set(needed)
        chosen = [*needed, *(unit for unit in order if unit not in known)]
        reached = np.cumsum(sizes[chosen])
        count = max(len(needed), int(np.searchsorted(reached, wanted)) + 1)
        return among & np.isin(self.units, chosen[:count])

    def _order(self, among: NDArray[np.bool_], seed: int) -> list[int]:
        found: list[int] = np.random.default_rng(seed).permutation(np.unique(self.units[among])).tolist()
        return found

    def _needed(self, among: NDArray[np.bool_], order: Sequence[int]) -> list[int]:
        """The first groups of the order that make every class be there in two of them."""
        classes = self.known
        held: dict[int, set[int]] = {}
        for row in among.nonzero()[0]:
            held.setdefault(int(self.units[row]), set()).add(int(classes[row]))
        lacking = Counter(dict.fromkeys(set(classes[among].tolist()), 2))
        needed = []
        for unit in order:
            if any(lacking[each] > 0 for each in held[unit]):
                needed.append(unit)
                lacking.subtract(held[unit])
        return needed

    def _check(self, folds: int) -> None:
        units = int(self.units.max(initial=-1)) + 1
        if units < folds:
            what = f"groups of `{self.column}`" if self.column else "rows"
            advice = f"take fewer folds: --folds {units}" if units > 1 else "label more of them"
            raise UsageError(f"there are {units} {what} and {folds} folds; {advice}")

    def _check_learnable(self, held: Numbers) -> None:
        """Refuses a class of which every row is held out at once: nothing would be left to learn it from."""
        for number in np.unique(self.known) if self.known.any() else ():
            rows = (self.known == number).nonzero()[0]
            label = self.labels[rows[0]]
            if isinstance(label, str) and len(np.unique(held[rows])) == 1:  # numbers may be a scale without classes
                those = f"{len(rows)} rows, all held out at once" if len(rows) > 1 else "one row"
                raise UsageError(
                    f"the class `{label}` has {those}, and nothing is left to learn it from; "
                    "label more of it, leave it out, or write the `classes` of the head in the spec"
                )

    def _grouped_folds(self, classes: Numbers, folds: int, seed: int) -> Numbers:
        from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

        stratified = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        if classes.any():
            held = _held(stratified, classes, self.units)
            if len(np.unique(held)) == folds:
                return held
        return _held(GroupKFold(folds, shuffle=True, random_state=seed), classes, self.units)


def _stratified(classes: Numbers, folds: int, seed: int) -> Numbers:
    from sklearn.model_selection import StratifiedKFold

    return _held(StratifiedKFold(folds, shuffle=True, random_state=seed), classes, None)


def _held(splitter: Any, classes: Numbers, units: Numbers | None) -> Numbers:
    held = np.zeros(len(classes), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds, which `remarks` tells
        for number, (_, rows) in enumerate(splitter.split(np.zeros(len(classes)), classes, units)):
            held[rows] = number
    return held


def _numbered(names: Sequence[Hashable]) -> Numbers:
    """A number for each name, in the order in which they come."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)
