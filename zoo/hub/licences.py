"""Licences of what a run was made of, as the cards and specs tell that stand where its weights came from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.checkpoint.network import first_line
from zoo.checkpoint.repository import Repository
from zoo.checkpoint.verify import read_lock, section
from zoo.errors import NetworkError, UsageError, ZooError
from zoo.hub.bases import pinned_records
from zoo.hub.card_licence import is_licence, licence_entries, named
from zoo.hub.hub_store import HubStore
from zoo.hub.raw_run import LOCK
from zoo.hub.reference import Reference
from zoo.spec.licences import Licensed, Start, starts, stated
from zoo.spec.load import load_spec
from zoo.spec.paths import is_name
from zoo.spec.sections import Spec

CARD, SPEC = "README.md", "zoo.yaml"

LARGEST = {CARD: 512 << 10, SPEC: 256 << 10, LOCK: 16 << 20}
"""Bytes of each file that is read, at most."""

MOST_RUNS = 20
"""Runs, each the start of another, that are looked through."""

MOST_PLACES = 100
"""Places, folders and repositories, whose cards and specs are looked at."""

Files = Callable[[str], Path | None]
"""Gives a file by its name, None where there is none; raises a ZooError where nobody can tell."""


def base_licences(spec: Spec, weights: Mapping[str, Any]) -> list[Licensed]:
    """The licence of everything that a run was made of, that of runs before it too.

    First tell the index of a library and the catalogue, then the card of a repository at the commit that was used,
    from the cache or the Hub; of a run its `hub.license`. What cannot be read is not known, and why is told.

    Args:
        spec: The spec of a run on this machine.
        weights: Where the weights of its parts came from, as its lock tells it.
    """
    return list(dict.fromkeys(_Reader().of_run(spec, weights, here=True)))


class _Reader:
    """Reads cards and specs, each place once; a Hub that did not answer is not asked again."""

    def __init__(self) -> None:
        self._runs = 0
        self._told: dict[tuple[str, bool], Licensed] = {}
        self._unreachable = ""

    def of_run(self, spec: Spec, weights: Mapping[str, Any], *, here: bool) -> Iterator[Licensed]:
        """The licences of a run's bases; paths in a spec of this machine alone are followed."""
        pinned = pinned_records(weights)
        for start in starts(spec):
            known = stated(start, weights.get(start.part, {}))
            place = start.weights.partition("#")[0]
            if known.licence is not None:
                yield known
            elif start.part in pinned:
                repo, commit = pinned[start.part]
                yield from self._of_place(known, start, f"{repo}@{commit}", self._hub(repo, commit), here=False)
            elif is_name(place):
                yield replace(known, why="no index, card or commit tells it")
            elif here:
                folder = spec.folder / place
                yield from self._of_place(known, start, str(folder.resolve()), _folder(folder), here=True)
            else:
                yield replace(known, why="it is on the machine of somebody else")

    def _of_place(self, known: Licensed, start: Start, place: str, files: Files, *, here: bool) -> Iterator[Licensed]:
        """The licence of what stands at a place; the bases of a run there are told the first time alone."""
        asked = place, "#" in start.weights
        if asked in self._told:
            yield replace(self._told[asked], base=known.base)
        elif len(self._told) == MOST_PLACES:
            yield replace(known, why=f"more than {MOST_PLACES} places are not looked at")
        else:
            for told in self._looked_at(known, start, files, here=here):
                self._told.setdefault(asked, told)
                yield told

    def _looked_at(self, known: Licensed, start: Start, files: Files, *, here: bool) -> Iterator[Licensed]:
        """The licence of what stands at a place, and after it those of the bases of a run there."""
        try:
            if "#" in start.weights:
                yield from self._of_earlier(known, files, here=here)
            else:
                yield _card_licence(known, files(CARD))
        except (ZooError, OSError, ValueError) as error:  # ValueError: a repository's name that the Hub cannot have
            yield replace(known, why=first_line(error))

    def _of_earlier(self, known: Licensed, files: Files, *, here: bool) -> Iterator[Licensed]:
        """The licence of a run that weights are a part of, and those of its bases."""
        path, lock = files(SPEC), files(LOCK)
        if path is None or lock is None:
            yield replace(known, why="there is no run any more")
            return
        spec, weights = load_spec(path), section(read_lock(lock), "weights", LOCK)
        if is_licence(spec.hub.license):
            yield replace(known, licence=spec.hub.license, why="")
        else:
            on_card = _card_licence(known, files(CARD))
            yield on_card if on_card.licence else replace(known, why=f"its {SPEC} has no `hub.license`")
        bases = Licensed(f"the bases of {known.base}", None, f"more than {MOST_RUNS} runs are not looked through")
        if self._runs == MOST_RUNS:
            yield bases
            return
        self._runs += 1
        try:
            yield from self.of_run(spec, weights, here=here)
        except ZooError as error:
            yield replace(bases, why=first_line(error))

    def _hub(self, repo: str, commit: str) -> Files:
        def file(name: str) -> Path | None:
            repository = Repository("model", repo, commit, "")
            if (cached := repository.cached(name)) is not None:
                return _small(cached)
            if self._unreachable:
                raise NetworkError(self._unreachable)
            try:
                listed = HubStore(Reference(repo)).tree(commit).get(name)
                if listed is not None and listed.size > LARGEST[name]:
                    raise UsageError(f"its {name} has more than {LARGEST[name]:,} bytes")
                return None if listed is None else repository.path(name)
            except NetworkError as error:
                self._unreachable = str(error)
                raise

        return file


def _folder(folder: Path) -> Files:
    """The files of a folder of this machine; beside a file of weights, those of its folder."""

    def file(name: str) -> Path | None:
        path = (folder.parent if folder.is_file() else folder) / name
        return _small(path) if path.is_file() else None

    return file


def _small(path: Path) -> Path:
    if path.stat().st_size > LARGEST[path.name]:
        raise UsageError(f"its {path.name} has more than {LARGEST[path.name]:,} bytes")
    return path


def _card_licence(known: Licensed, card: Path | None) -> Licensed:
    """What the head of a card says."""
    if card is None:
        return replace(known, why="it has no card")
    try:
        licence = named(licence_entries(card))
    except (ValueError, OSError) as error:
        return replace(known, why=f"the head of its card cannot be read: {first_line(error)}")
    return replace(known, licence=licence, why="" if licence else "its card tells none")
