"""The feature cache: what frozen backbones give is computed once and read from then on.

By epochs, folds, other heads on the same backbone, and rankings: features are kept under what is in a cell and all that
they depend on.
"""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from zoo.checkpoint.tensors import digest
from zoo.contract import Backbone, Head, InputType
from zoo.data.columns import cell_of, columns_of, part_columns
from zoo.data.feature_store import Digests, FeatureStore, StoredRows, digest_of
from zoo.data.open import unlabelled
from zoo.data.rows import Selection
from zoo.errors import UsageError
from zoo.features import Features
from zoo.files import cache_folder, json_text, locked, replace_file
from zoo.model.model import ZooModel
from zoo.registry.registry import UNPACKAGED, Registered
from zoo.spec.render import spec_data
from zoo.spec.sections import Part, SharedBackbone

MADE_OF = "made_of.json"
"""What features depend on beside the cell, for people; written anew whenever they are used."""

MOST = 20 << 30
"""Bytes that all features take, at most; those that were not used for longest go first."""

Stored = dict[str, list[StoredRows]]
"""By input, the features of each selection's rows."""


def frozen_inputs(model: ZooModel) -> list[str]:
    """The inputs whose features never change in a training: frozen backbones whose features alone are read.

    Not those of components that no package has, whose code may change unseen; nor where a head makes views of its own,
    or reads more than pooled features and tokens.
    """
    heads = [section.registered.component.needs for section in model.spec.heads.values()]
    plain = all(needs <= {"pooled", "tokens"} for needs in heads)
    viewing = any(type(model.head(name)).views is not Head.views for name in model.heads)
    if not plain or viewing:
        return []
    fixed = [name for name in model.spec.inputs if name not in model.spec.augmented]
    return [name for name in fixed if model.is_frozen(name) and _packaged(model, name)]


class FeatureCache:
    """Computes features of frozen backbones, or finds them.

    Args:
        model: A model, its transfer applied.
        accelerator: The devices; the first process computes, and the others wait for it.
        folder: Where features are kept.
    """

    def __init__(self, model: ZooModel, accelerator: Accelerator, folder: Path | None = None) -> None:
        self._model, self._accelerator = model, accelerator
        self.folder = folder or cache_folder() / "features"
        self.names = frozen_inputs(model)
        self.computed = self.found = 0
        self.seconds = 0.0

    def stored(self, selections: Sequence[Selection], precision: str) -> Stored:
        """Features of all frozen inputs, for the rows of selections.

        Args:
            selections: The rows.
            precision: The arithmetic in which they are read: `no`, `bf16` or `fp16`.

        Raises:
            UsageError: A cell cannot be decoded, or a row has no input at all.
        """
        if self.names:
            for each in selections:
                _check_rows(self._model, each)
        found = {name: self._rows(name, selections, precision) for name in self.names}
        return {name: rows for name, rows in found.items() if rows is not None}

    def _rows(self, name: str, selections: Sequence[Selection], precision: str) -> list[StoredRows] | None:
        """One input's features; None where no row has it, or its tokens cannot be kept."""
        backbone = self._model.backbone(name)
        facts = self._facts(name, precision)
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
        store = FeatureStore(self.folder / key, backbone.features.dim, facts["tokens"])
        digests = [_digests(self._model, name, selection) for selection in selections]
        if _size(backbone, facts["tokens"], sum(len(rows) for rows, _ in digests)) > MOST:
            return None
        if self._accelerator.is_main_process:
            with locked(self.folder / f"{key}.lock"):
                store.refresh()
                for selection, (rows, each) in zip(selections, digests, strict=True):
                    self._fill(name, store, selection, rows, each, precision)
                replace_file(store.folder / MADE_OF, json_text(facts))
            _trim(self.folder, MOST)
        self._accelerator.wait_for_everyone()
        store.refresh()
        pairs = zip(selections, digests, strict=True)
        found = [_placed(store, selection, rows, each) for selection, (rows, each) in pairs]
        return found if any((each.places >= 0).any() for each in found) else None

    def _fill(
        self, name: str, store: FeatureStore, selection: Selection, rows: Any, digests: Digests, precision: str
    ) -> None:
        """Computes what the store lacks of a selection's rows."""
        lacking = (store.find(digests)[:, 0] < 0).nonzero()[0]
        _, first = np.unique(digests[lacking], axis=0, return_index=True)
        lacking = lacking[np.sort(first)]
        self.computed, self.found = self.computed + len(lacking), self.found + len(rows) - len(lacking)
        if len(lacking):
            started = time.perf_counter()
            store.add(digests[lacking], self._features(name, selection, rows[lacking], precision))
            self.seconds += time.perf_counter() - started

    def _features(self, name: str, selection: Selection, rows: Any, precision: str) -> Iterator[Features]:
        """Features of some rows, which all have the input, batch by batch, on the CPU."""
        model, device = self._model, self._accelerator.device
        others = [each for each in model.spec.inputs if each != name]
        backbone = model.backbone(name)
        backbone.to(device)
        for batch in unlabelled(model, selection.table, others, rows):
            with torch.inference_mode(), self._autocast(precision):
                given = model.features({name: batch.to(device).inputs[name]})[name]
            mask = None if given.mask is None else given.mask.cpu()
            yield Features(given.tokens.cpu(), given.pooled.cpu(), mask)

    def told(self) -> str:
        """How many features were computed, and in which time, and how many were there."""
        computed = f"{self.computed:,} computed" + (f" in {self.seconds:.1f} s" if self.computed else "")
        kept = f"{self.found:,} found in {self.folder}"
        return f"features of {', '.join(self.names)}, which stay as they are: {computed}, {kept}"

    @contextmanager
    def _autocast(self, precision: str) -> Iterator[None]:
        if precision == "no":
            yield
            return
        with self._accelerator.autocast():
            yield

    def _facts(self, name: str, precision: str) -> dict[str, Any]:
        """All that an input's features depend on, beside the cell."""
        model = self._model
        section, backbone = model.spec.inputs[name], model.backbone(name)
        owner = section.backbone.same_as if isinstance(section.backbone, SharedBackbone) else name
        tower = model.spec.inputs[owner].backbone
        assert isinstance(tower, Part)
        told = spec_data(section)
        for key in ("backbone", "column", "columns", "transfer"):
            told.pop(key, None)
        parts: list[Part] = [section, tower, *([section.frontend] if section.frontend else [])]
        weights = hashlib.sha256()
        for each, tensor in backbone.state_dict().items():
            weights.update(f"{each} {digest(tensor)}\n".encode())
        return {
            "input": told,
            "backbone": {key: value for key, value in spec_data(tower).items() if key != "weights"},
            "plugins": {each.registered.name: _code(each.registered) for each in parts},
            "fitted": [model.fitted.get("inputs", {}).get(name), model.fitted.get("backbones", {}).get(owner)],
            "weights": weights.hexdigest(),
            "policy": "frozen",
            "view": None,
            "precision": precision,
            "device": self._accelerator.device.type,
            "torch": torch.__version__,
            "padding": backbone.padding,
            "rows": model.frozen_rows,
            "tokens": _reads_tokens(model),
        }


def _packaged(model: ZooModel, name: str) -> bool:
    section = model.spec.inputs[name]
    parts = [section, section.backbone, section.frontend]
    registered = [each.registered for each in parts if isinstance(each, Part)]
    packaged = all(each.plugin is not UNPACKAGED for each in registered)
    return packaged and type(model.inputs[name]).is_missing is InputType.is_missing


def _code(registered: Registered) -> list[str]:
    """The version of a component's code: its distribution's, and the digest of the module that it is in."""
    module = sys.modules.get(registered.component.target.partition(":")[0])
    source = Path(module.__file__).read_bytes() if module is not None and module.__file__ else b""
    return [registered.plugin.version, hashlib.sha256(source).hexdigest()]


def _size(backbone: Backbone, tokens: bool, rows: int) -> int:
    """Bytes that the features of so many rows take; of tokens, where their number is known."""
    spec = backbone.features
    return 4 * rows * (spec.pooled_dim + (spec.tokens or 0) * spec.dim * tokens)


def _trim(folder: Path, most: int) -> None:
    """Removes the features that were not used for longest, as long as all take too much."""
    used = sorted(folder.glob(f"*/{MADE_OF}"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for each in used:
        with suppress(FileNotFoundError):  # another process is at it too
            total += sum(file.stat().st_size for file in each.parent.iterdir())
        if total > most:
            shutil.rmtree(each.parent, ignore_errors=True)


def _reads_tokens(model: ZooModel) -> bool:
    """Whether anything reads more of an input than its pooled features."""
    parts = [*model.spec.heads.values(), *([model.spec.fusion] if model.spec.fusion is not None else [])]
    return any("tokens" in part.registered.component.needs for part in parts)


def _check_rows(model: ZooModel, selection: Selection) -> None:
    """Refuses rows without any input, as the preparation of a row does that decodes all of them."""
    columns = columns_of(model.spec, model.spec.inputs, ())
    filled = np.logical_or.reduce([selection.table.filled(column) for column in columns])
    empty = [int(row) for row in selection.numbers if not filled[row]]
    if empty:
        raise UsageError(f"{selection.table.place(empty[0])}: it has no input at all; fill one in or remove the row")


def _digests(model: ZooModel, name: str, selection: Selection) -> tuple[Any, Digests]:
    """The rows that have an input, by number, and the digest of each one's cell."""
    columns, made = part_columns(model.spec.inputs[name]), model.inputs[name]
    rows: list[int] = []
    digests = bytearray()
    for number, row in selection.cells(columns):
        cell = cell_of(row, columns)
        if not made.is_missing(cell):
            rows.append(number)
            digests += digest_of(made.identity(cell, selection.table.folder))
    return np.array(rows, np.int64), np.frombuffer(bytes(digests), np.uint8).reshape(-1, 16)


def _placed(store: FeatureStore, selection: Selection, rows: Any, digests: Digests) -> StoredRows:
    """The features of a selection's rows, by position in it."""
    places = np.full((len(selection.numbers), 2), -1, np.int64)
    places[np.isin(selection.numbers, rows)] = store.find(digests)
    return StoredRows(store, places)
