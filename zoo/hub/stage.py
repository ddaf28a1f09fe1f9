"""What a push sends of a run: its small files, its weights or what differs from their base, and a lock of all."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.delta import DELTA, Rule, own_names, rule_of
from zoo.checkpoint.heard import Heard
from zoo.checkpoint.raw import Raw, write_file
from zoo.checkpoint.verify import check_files, read_json, read_lock, section, text_digest
from zoo.errors import CorruptError, NetworkError, UsageError
from zoo.files import file_digest, json_text, replace_file, writing
from zoo.hub.bases import Base, base_tensors, find_base, pinned_records
from zoo.hub.finite import nonfinite
from zoo.hub.licences import base_licences
from zoo.hub.names import SMALL, WEIGHTS, check_names, stray
from zoo.hub.prove import make_golden
from zoo.hub.public import home_remarks, public_lock, public_names, public_spec, public_text, weights_paths
from zoo.hub.raw_run import LOCK, check_digests, raw_weights
from zoo.hub.reference import Reference
from zoo.hub.told import FORMAT
from zoo.hub.tolerance import ELSEWHERE, TOLERANCE
from zoo.model.licences import as_told, licence_section
from zoo.model.marks import with_section
from zoo.model.use import use_section
from zoo.spec.licences import Licensed, licence_remarks
from zoo.spec.load import load_spec
from zoo.spec.sections import Spec

GOLDEN, SPEC, CARD = "golden.json", "zoo.yaml", "README.md"

TOLD = (CARD, "skipped.csv", "metrics.json")
"""Texts beside the spec that may name its tables and weights."""

WORTH = 0.9
"""A delta is sent where it has fewer bytes than this share of the weights."""


@dataclass(frozen=True)
class Staged:
    """What is to be pushed.

    Args:
        files: By name; where they are.
        weights: Bytes of the weights, whole.
        bases: The bases that must stay where they are; none unless a delta is sent.
        remarks: What the user should know.
    """

    files: Mapping[str, Path]
    weights: int
    bases: tuple[Base, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files.values())


def stage(
    run: Path,
    beside: Path,
    reference: Reference | None = None,
    *,
    full: bool = False,
    allow_nonfinite: bool = False,
    heard: Heard | None = None,
) -> Staged:
    """Looks whether a run can be shared, and makes what a push sends of it.

    Args:
        run: The run's folder. Nothing in it is changed.
        beside: A new folder for what is made: the lock, the texts that name places of this machine without these, and
            the delta if there is one.
        reference: Where it will be, for the card to tell; without it the card tells what it did.
        full: Whether the weights are sent whole even where a pinned base has most of them.
        allow_nonfinite: Whether weights may hold NaN and infinities.
        heard: Hears how many bytes more of bases are there.

    Raises:
        UsageError: It is no run, it holds files that are of no run, or weights that are no numbers.
        CorruptError: It is not whole.
        DigestError: A file or tensor is not the one that was written.
    """
    files = _files(run)
    lock = read_lock(run / LOCK)
    check_files(run, lock)
    tensors = raw_weights(run)
    check_digests(tensors, lock, f"`{run}`")
    if not allow_nonfinite and (wrong := nonfinite(tensors)):
        told = f"`{run}`: `{wrong}` holds NaN or infinities: this model predicts nothing"
        raise UsageError(f"{told}; train it again, or send it as it is with --allow-nonfinite")
    if make_golden(run, beside / GOLDEN):
        files[GOLDEN] = beside / GOLDEN
    else:
        files.pop(GOLDEN, None)
    size = sum(each.size for each in tensors.values())
    spec = load_spec(run / SPEC)
    names = public_names(spec, run)
    made_of = section(lock, "weights", LOCK)
    lock = public_lock(lock, spec, names)
    remarks = list(_weights_remarks(spec, names))
    files |= _public_texts(files, beside, spec, names, lock)
    if reference is not None:
        found = as_told(base_licences(spec, made_of), _text(files[CARD]) if CARD in files else "")
        remarks += licence_remarks(spec.hub.license, found)
        if CARD in files:
            _write_card(files, beside, spec, lock, reference, found)
    remarks += home_remarks({name: _text(path) for name, path in files.items() if _is_ours(name)})
    rules, bases, own = ([], {}, []) if full else _differing(tensors, lock, remarks, heard)
    if bases and sum(tensors[name].size for name in own) < WORTH * size:
        files = {name: path for name, path in files.items() if not WEIGHTS.fullmatch(name)}
        with writing(beside / DELTA):
            write_file(beside / DELTA, {name: tensors[name] for name in own})
        files[DELTA] = beside / DELTA
    else:
        rules, bases = [], {}
    replace_file(beside / LOCK, json_text({**lock, "shared": _shared(files, rules, bases)}))
    return Staged({**files, LOCK: beside / LOCK}, size, tuple(bases.values()), tuple(remarks))


def _shared(files: Mapping[str, Path], rules: list[Rule], bases: Mapping[str, Base]) -> dict[str, Any]:
    """What the lock tells of how the run is shared: its files, and what a delta of its weights is put together from."""
    return {
        "format": FORMAT,
        "files": {name: _told(path) for name, path in sorted(files.items()) if name not in (LOCK, CARD)},
        "delta": {
            "rules": [each.as_dict() for each in rules],
            "bases": {str(each): each.as_dict() for each in bases.values()},
        },
    }


def _files(run: Path) -> dict[str, Path]:
    """The files of a run, none of them a link, large, or of something else."""
    if not (run / LOCK).is_file():
        raise UsageError(f"`{run}` is no run folder: it has no {LOCK}")
    found = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_symlink() or path.is_file()}
    found = {name: path for name, path in found.items() if not name.startswith("logs/")}
    known = check_names(found, f"`{run}`")
    if further := [*stray(found), *([DELTA] if DELTA in found else [])]:
        raise UsageError(f"`{run}` holds {', '.join(further[:5])}, which is no file of a run; move it elsewhere first")
    for name in known:
        if found[name].is_symlink():
            raise UsageError(f"`{found[name]}` is a link; a run that is shared has files alone")
        if not WEIGHTS.fullmatch(name) and found[name].stat().st_size > SMALL:
            raise UsageError(f"`{found[name]}` is larger than {SMALL >> 20} MiB, and holds no weights")
    return {name: found[name] for name in known}


def _differing(
    tensors: Mapping[str, Raw], lock: Mapping[str, Any], remarks: list[str], heard: Heard | None
) -> tuple[list[Rule], dict[str, Base], list[str]]:
    """Where tensors stand in pinned bases, and the names of those that stand in none; remarks on bases not reached."""
    told = section(lock, "tensors", LOCK)
    digests = {name: str(told[name]) for name in tensors}
    sizes = {name: each.size for name, each in tensors.items()}
    bases: dict[str, Base] = {}
    known: dict[str, dict[str, str]] = {}
    rules = []
    for part, (repo, commit) in pinned_records(section(lock, "weights", LOCK)).items():
        try:
            base = bases.get(f"{repo}@{commit}") or find_base(repo, commit, heard)
        except NetworkError as error:
            remarks.append(f"weights of {part} are sent whole, because their base cannot be compared: {error}")
            continue
        if base is None:
            continue
        bases[str(base)] = base
        if str(base) not in known:
            known[str(base)] = {name: each.digest() for name, each in base_tensors(base, heard).items()}
        mine = {name: digest for name, digest in digests.items() if name.startswith(f"{part}.")}
        if (rule := rule_of(str(base), mine, known[str(base)], sizes)) is not None:
            rules.append(rule)
    used = {each.base for each in rules}
    return rules, {name: each for name, each in bases.items() if name in used}, own_names(digests, rules, known)


def _public_texts(
    files: Mapping[str, Path], beside: Path, spec: Spec, names: Mapping[str, str], lock: dict[str, Any]
) -> dict[str, Path]:
    """The texts of a run that name places of this machine, written anew without these, and told in its lock."""
    if not names:
        return {}
    text = public_spec(spec, names)
    lock["files"] = {**lock["files"], SPEC: text_digest(text.encode())}
    texts = {SPEC: text, **{name: public_text(_text(files[name]), names) for name in TOLD if name in files}}
    for name, each in texts.items():
        replace_file(beside / name, each)
    return {name: beside / name for name in texts}


def _weights_remarks(spec: Spec, names: Mapping[str, str]) -> Iterator[str]:
    for path in dict.fromkeys(weights_paths(spec)):
        if path in names:
            told = f"the weights `{path}` are told as `{names[path]}`"
            yield f"{told}: whoever pulls this has the model, and not what it was made from"


def _write_card(
    files: dict[str, Path],
    beside: Path,
    spec: Spec,
    lock: Mapping[str, Any],
    reference: Reference,
    found: Sequence[Licensed],
) -> None:
    """Puts into the card what a push alone knows: what to type, and the licences of the bases."""
    fitted = read_json(files["preprocessing.json"])
    called = str(reference) if reference.folder else reference.place
    proof = _proof(read_json(files[GOLDEN])) if GOLDEN in files else ""
    card = with_section(_text(files[CARD]), use_section(spec, fitted, lock["plugins"], called, reference.name, proof))
    if found:
        card = with_section(card, licence_section(spec.hub.license, found))
    replace_file(beside / CARD, card)
    files[CARD] = beside / CARD


def _proof(golden: Mapping[str, Any]) -> str:
    kind = str(golden["dtype"])
    allowed = TOLERANCE.get(kind, TOLERANCE["float16"])
    told = f"`zoo pull` has the model say again what it said of the samples in `{GOLDEN}`"
    return f"{told}: {allowed:g} of a number is allowed ({kind}), {ELSEWHERE} times that on another kind of device."


def _is_ours(name: str) -> bool:
    """Whether a file has words of this machine in it, and is no weights."""
    return name in (SPEC, *TOLD) or name.startswith("parts/")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _told(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if not math.isfinite(size):
        raise CorruptError(f"`{path}` has no size")
    return {"sha256": file_digest(path), "size": size}
