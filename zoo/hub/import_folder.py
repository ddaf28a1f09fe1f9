"""`zoo import`: a folder of another library, pickles too by this one wish, becomes one that a spec can name."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import complete_or_absent
from zoo.checkpoint.headers import read_header
from zoo.checkpoint.network import first_line
from zoo.checkpoint.shards import INDEX, SINGLE
from zoo.component import Kind, Modality
from zoo.errors import CorruptError, UsageError, ZooError
from zoo.hub.card_licence import licence_entries, named
from zoo.hub.finite import nonfinite
from zoo.hub.foreign import Foreign, look
from zoo.hub.pickles import unpickle
from zoo.hub.raw_run import raw_weights
from zoo.hub.settings import CONFIG, SETTINGS, WORDS, read_small
from zoo.registry.registry import Registered, installed

PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
NAME = re.compile(r"[A-Za-z0-9._-]+")

CARD = "README.md"


@dataclass(frozen=True)
class Imported:
    """What was taken over of a folder.

    Args:
        folder: Where it is now.
        files: Bytes by name.
        tensors: How many tensors there are.
        pickled: Whether the weights were pickles.
        use: The backbone that the weights are of: `transformers/bert`; None where nothing tells.
        line: What to write into a spec to start from the weights.
        stripped: By file, entries that were taken out of it.
        left: What was left behind.
        remarks: What else the user should know.
    """

    folder: Path
    files: Mapping[str, int]
    tensors: int
    pickled: bool
    use: str | None
    line: str
    stripped: Mapping[str, list[str]]
    left: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def import_folder(source: str | Path, output: str | Path | None = None, *, allow_nonfinite: bool = False) -> Imported:
    """Takes over weights that another library saved, with its settings and its tokenizer.

    Of a card the licence is kept, and nothing else.

    Weights in safetensors are copied bit for bit; pickles are read in a process of its own, with `weights_only` and
    with limits, and what that refuses is refused. Every number stays what it is. No code is taken over, and no entry
    that names any.

    Args:
        source: A folder as transformers or timm saves a model, or one file of weights with what stands beside it.
        output: The new folder, complete in the end or absent; `imported/<name>` unless given.
        allow_nonfinite: Whether weights may hold NaN and infinities.

    Raises:
        UsageError: There are no weights, several, or it is a run of zoo already; the new folder cannot be written.
        CorruptError: A file is damaged or unsafe.
        ConflictError: Something is in the new folder already.
    """
    try:
        return _imported(Path(source), None if output is None else Path(output), allow_nonfinite)
    except OSError as error:
        place = error.filename or source
        raise UsageError(f"`{place}` cannot be read or written: {error.strerror or error}") from None


def _imported(source: Path, output: Path | None, allow_nonfinite: bool) -> Imported:
    found = look(source)
    folder = output or Path("imported") / _name(source)
    if "#" in str(folder):
        raise UsageError(
            f"`{folder}`: in a spec a `#` stands before a part of a run; name a folder without one, with -o"
        )
    with complete_or_absent(folder) as beside:
        small, stripped = _copy_small(found, beside)
        config = _config(beside)
        try:
            remarks = _copy_weights(found, beside, tied="model_type" in config)
            remarks += _keep_licence(found, beside)
            tensors = raw_weights(beside)
        except ZooError as error:
            error.args = (str(error).replace(str(beside), str(found.folder)),)
            raise
        if not allow_nonfinite and (wrong := nonfinite(tensors)):
            raise CorruptError(f"`{source}`: `{wrong}` holds NaN or infinities; --allow-nonfinite takes it as it is")
        files = {path.name: path.stat().st_size for path in sorted(beside.iterdir())}
    entry = _backbone(config, remarks)
    if entry is not None and Modality.TEXT in entry.component.modality and not {*WORDS} & {*files}:
        remarks.append("there is no tokenizer: a spec has to name one, in `tokenizer` of the backbone")
    return Imported(
        folder=folder,
        files=files,
        tensors=len(tensors),
        pickled=found.pickled,
        use=None if entry is None else entry.name,
        line=_line(entry, folder),
        stripped=stripped,
        left=tuple(found.left([*small, *({CARD} & {*files})])),
        remarks=tuple(remarks),
    )


def _name(source: Path) -> str:
    real = source.resolve()
    if real.parent.name == "snapshots":  # of the Hub's cache, whose folders are called by commits
        return real.parent.parent.name.rpartition("--")[2]
    return (real.name if real.is_dir() else real.stem) or "model"


def _copy_small(found: Foreign, beside: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Writes the small files; their names, and by name the entries that were taken out."""
    taken: list[str] = []
    stripped: dict[str, list[str]] = {}
    for name in (*SETTINGS, *WORDS):
        if (read := read_small(found, name)) is not None:
            data, lost = read
            (beside / name).write_bytes(data)
            taken.append(name)
            if lost:
                stripped[name] = lost
    return taken, stripped


def _keep_licence(found: Foreign, beside: Path) -> list[str]:
    """Writes a card with the licence that the one of the folder tells, and no other word of it; what is to be said."""
    try:
        card = found.file(CARD)
        entries = licence_entries(card) if card is not None else {}
    except (ZooError, OSError, ValueError) as error:
        return [f"the licence in {CARD} is not kept, because that cannot be read: {first_line(error)}"]
    licence = named(entries)
    if licence is None:
        return []
    head = "".join(f"{key}: {json.dumps(value)}\n" for key, value in entries.items())
    (beside / CARD).write_text(f"---\n{head}---\n\nThe licence is what the card told that stood beside the weights.\n")
    return [f"kept of {CARD}: its licence, {licence}, and nothing else"]


def _copy_weights(found: Foreign, beside: Path, tied: bool) -> list[str]:
    """Writes the weights; what is to be said of it."""
    free = shutil.disk_usage(beside).free
    if found.size > free:
        raise UsageError(f"`{found.folder}` has {found.size:,} bytes of weights, and there are {free:,} free")
    if found.pickled:
        done = unpickle(found.weights, beside, ties=tied)
        remarks = []
        if done.tied:
            remarks.append(f"{done.tied} tensors are others under a second name: stored once, loading ties them again")
        if done.left:
            more = f" and {done.more + len(done.left[8:])} more" if done.more or done.left[8:] else ""
            remarks.append(f"left out of the pickle, for it is no weights: {', '.join(done.left[:8])}{more}")
        return remarks
    for path in found.weights:
        read_header(path)
        shutil.copyfile(path, beside / (path.name if found.index else SINGLE))
    if found.index:
        shutil.copyfile(found.index, beside / INDEX)
    return []


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    entries: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return entries


def _backbone(config: Mapping[str, Any], remarks: list[str]) -> Registered | None:
    """The backbone that the settings of transformers or timm tell of; None, and a remark, where none is installed."""
    wanted = {"transformers": config.get("model_type"), "timm": config.get("architecture")}
    names = [f"{library}/{name}" for library, name in wanted.items() if isinstance(name, str) and NAME.fullmatch(name)]
    for name in names:
        try:
            return installed().resolve(name, Kind.BACKBONE)
        except ZooError as error:
            remarks.append(f"its settings tell of `{name}`: {error}")
    return None


def _line(entry: Registered | None, folder: Path) -> str:
    place = folder.as_posix()
    place = place if "/" in place else f"./{place}"  # `none` and `8` would mean something else
    written = place if PLAIN.fullmatch(place) else json.dumps(place)
    return f"backbone: {{use: {'NAME' if entry is None else entry.name}, weights: {written}}}"
