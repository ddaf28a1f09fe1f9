"""`zoo.pull`: the same model to the last bit, or a clear reason why not; nothing of a stranger runs."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.delta import DELTA, put_together
from zoo.checkpoint.folder import complete_or_absent
from zoo.checkpoint.raw import Raw, map_file, write_file
from zoo.checkpoint.shards import INDEX, SINGLE, shard_names
from zoo.checkpoint.verify import check_plugins, read_lock, section, version_remarks
from zoo.errors import CorruptError, DigestError, UsageError, ZooError
from zoo.files import writing
from zoo.hub.bases import base_tensors
from zoo.hub.finite import nonfinite
from zoo.hub.names import SMALL, WEIGHTS, check_names
from zoo.hub.open import open_store
from zoo.hub.placing import place, reading
from zoo.hub.prove import Reader
from zoo.hub.raw_run import LOCK, check_complete, check_digests, raw_weights
from zoo.hub.reference import Reference, read_reference
from zoo.hub.store import Blob, Store, matches
from zoo.hub.told import Told, read_told
from zoo.hub.watch import Unwatched, Watch, counted

AT_ONCE = 8
"""Files that are fetched at once."""

CARD = "README.md"
UNLISTED = (LOCK, CARD)
"""Files without a digest in the lock: itself, and the card, which its readers may mend."""


@dataclass(frozen=True)
class Pulled:
    """A run that was pulled.

    Args:
        folder: Where it is.
        reference: The model, at the commit that it was.
        size: Bytes of its files.
        difference: The largest difference of its golden outputs; None where it has none.
        remarks: What the user should know: that a commit is one of the cache, because the store could not be asked;
            libraries that are not here in the version that it was made with.
    """

    folder: Path
    reference: Reference
    size: int
    difference: float | None
    remarks: tuple[str, ...] = ()


def pull(
    reference: str | Reference,
    output: str | Path | None = None,
    *,
    allow_nonfinite: bool = False,
    watch: Watch | None = None,
) -> Pulled:
    """Fetches a shared run, compares every digest, and proves in a fresh process that it says what it said.

    Before weights are fetched it is known whether its plugins are installed. Headers are looked over before torch is
    imported. A delta is put together with its bases, at their commits.

    Args:
        reference: `org/name`, `org/name@revision`, `file:///folder`.
        output: Folder of the run, complete in the end or absent; `runs/<name>` unless given.
        allow_nonfinite: Whether weights may hold NaN and infinities.
        watch: Hears how far it is; huggingface_hub shows bars of its own where nobody hears.

    Raises:
        UsageError: There is no such model or revision, or the folder cannot be written.
        PluginError: A plugin that it was made with is not installed.
        CorruptError: It is damaged, unsafe, or no run.
        DigestError: A file or tensor is not the one that was pushed, or it says something else here.
        NetworkError: It cannot be fetched.
        ConflictError: Something is in the folder already.
    """
    asked = read_reference(reference) if isinstance(reference, str) else reference
    folder = Path(output) if output is not None else Path("runs") / asked.name
    with complete_or_absent(folder) as beside, _named(beside, folder, asked), Reader() as reader:
        store = open_store(asked)
        commit = store.resolve()
        one = _Pull(store, commit, watch)
        size = one.into(beside, reader.start)
        if not allow_nonfinite and (wrong := nonfinite(raw_weights(beside))):
            raise CorruptError(f"`{asked}`: `{wrong}` holds NaN or infinities; --allow-nonfinite takes it as it is")
        one.watch.step("reading it in a fresh process")
        difference = reader.prove(beside, called=str(asked))
    return Pulled(folder, asked.at(commit), size, difference, (*store.remarks, *one.remarks))


def pull_small(reference: Reference, folder: Path) -> tuple[str, ...]:
    """Fetches all of a shared run but its weights into a folder, every digest compared; remarks on it.

    Raises:
        ZooError: As `pull` does.
    """
    with _named(folder, folder, reference):
        store = open_store(reference)
        _Pull(store, store.resolve()).small_into(folder)
    return store.remarks


@contextmanager
def _named(beside: Path, folder: Path, asked: Reference) -> Iterator[None]:
    """Errors that name what is in a folder that nobody will see name the model, or the folder that it was to become."""
    try:
        yield
    except ZooError as error:
        known = folder if isinstance(error, UsageError) else asked
        error.args = (str(error).replace(str(beside), str(known)),)
        raise


class _Pull:
    """One pull of a commit.

    `remarks` tells, when all is there, which libraries are here in other versions, or not at all.
    """

    def __init__(self, store: Store, commit: str, watch: Watch | None = None) -> None:
        self._store, self._commit = store, commit
        self.watch: Watch = watch or Unwatched()
        self._heard = None if watch is None else watch.more
        self._where = f"`{store.reference.at(commit)}`"
        self._tree: Mapping[str, Blob] = store.tree(commit)
        self.remarks: list[str] = []

    def into(self, folder: Path, worth: Callable[[], None]) -> int:
        """Fetches everything into a new folder; the bytes that it has.

        Args:
            folder: The folder.
            worth: Called when what is small is there, and in order: from here on the run is likely to be read.
        """
        self.watch.step(f"asking for {self._store.reference.name}")
        lock, told, wanted = self._looked_at()
        bases = sum(int(file["size"]) for each in told.bases.values() for file in each.files.values())
        size = sum(each.size for each in wanted.values())
        self._check_room(folder, size + 2 * bases)
        self.watch.step(f"fetching {self._store.reference.name}", size + bases)
        self._place_small(folder, told, wanted)  # which may tell that the rest is not worth fetching
        worth()
        for name, path in self._all_verified({name: each for name, each in wanted.items() if WEIGHTS.fullmatch(name)}):
            if name == DELTA:
                self._put_together(map_file(path), lock, told, folder)
            else:
                place(path, folder / name, self._store.own)
        check_complete(raw_weights(folder), lock, self._where)
        return size

    def small_into(self, folder: Path) -> None:
        """Fetches everything but weights into a folder."""
        _, told, wanted = self._looked_at()
        self._place_small(folder, told, wanted)

    def _looked_at(self) -> tuple[dict[str, Any], Told, dict[str, Blob]]:
        """The lock, what it tells of sharing, and the files to fetch, of a run that can be read here."""
        names = check_names(self._tree, self._where)
        for name in (LOCK, "zoo.yaml", "config.json"):
            if name not in names:
                raise UsageError(f"{self._where} is no model of zoo: it has no {name}")
        lock = read_lock(self._small(LOCK), f"the zoo.lock of {self._where}")
        told = read_told(lock, self._where)
        check_plugins(self._where, section(lock, "plugins", f"the zoo.lock of {self._where}"))
        self.remarks = version_remarks(lock)
        return lock, told, self._wanted(names, told)

    def _place_small(self, folder: Path, told: Told, wanted: Mapping[str, Blob]) -> None:
        small = {name: each for name, each in wanted.items() if not WEIGHTS.fullmatch(name)}
        for name, path in self._all_verified(small):
            if name != INDEX or not told.rules:
                place(path, folder / name, self._store.own)

    def _wanted(self, names: list[str], told: Told) -> dict[str, Blob]:
        """The files to fetch, those of which a lock tells with what it tells of them."""
        listed = told.files if told.files is not None else {each: self._tree[each] for each in names}
        if lacking := sorted(listed.keys() - set(names)):
            raise CorruptError(f"{self._where} lacks {lacking[0][:80]!r}, which its zoo.lock lists")
        unlisted = {name: self._tree[name] for name in UNLISTED if name in names}
        wanted = {**listed, **unlisted}
        for name, blob in wanted.items():
            if not WEIGHTS.fullmatch(name) and blob.size > SMALL:
                raise CorruptError(f"{self._where}: {name!r} has {blob.size:,} bytes, too many for what it is")
            if blob.size != self._tree[name].size:
                raise DigestError(f"{self._where}: {name!r} has not the size that zoo.lock tells")
        return dict(sorted(wanted.items()))

    def _check_room(self, folder: Path, size: int) -> None:
        free = shutil.disk_usage(folder).free
        if size > free:
            raise UsageError(
                f"{self._where} takes {size:,} bytes, and there are {free:,} free beside `{folder.parent}`"
            )

    def _all_verified(self, blobs: Mapping[str, Blob]) -> Iterator[tuple[str, Path]]:
        """Several files at once, in their order; none is begun after one failed."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            paths = [pool.submit(self._verified, name, blob) for name, blob in blobs.items()]
            yield from zip(blobs, (path.result() for path in paths), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def _small(self, name: str) -> Path:
        if self._tree[name].size > SMALL:
            raise CorruptError(f"{self._where}: {name!r} has {self._tree[name].size:,} bytes, too many for what it is")
        return self._verified(name, self._tree[name])

    def _verified(self, name: str, blob: Blob) -> Path:
        """A file with the digest that the lock, else the store, tells; fetched again once where it has another."""
        with reading(f"{self._where}: {name!r}"), counted(self._heard, blob.size) as heard:
            path = self._store.fetch(self._commit, name, heard=heard)
            if not matches(path, blob):
                path = self._store.fetch(self._commit, name, again=True, heard=heard)
            if matches(path, blob):
                return path
        raise DigestError(f"{self._where}: {name!r} does not have the digest that it should have; pull it anew later")

    def _put_together(self, own: Mapping[str, Raw], lock: Mapping[str, Any], told: Told, folder: Path) -> None:
        """Writes the weights, whole, from a delta and its bases."""
        with reading(f"a base of {self._where}"):
            bases = {name: base_tensors(each, self._heard) for name, each in told.bases.items()}
        aliases = section({"aliases": {}, **lock}, "aliases", self._where)
        names = [name for name in section(lock, "tensors", self._where) if name not in aliases]
        tensors = dict(put_together(names, own, told.rules, bases))
        check_digests(tensors, lock, self._where)
        for file, mine in self._files_of(tensors, folder):
            with writing(folder / file):
                write_file(folder / file, mine)

    def _files_of(self, tensors: Mapping[str, Raw], folder: Path) -> Iterator[tuple[str, Mapping[str, Raw]]]:
        if INDEX not in self._tree:
            yield SINGLE, tensors
            return
        index = self._store.fetch(self._commit, INDEX)  # verified with what is small
        shards = shard_names(index)
        if set().union(*shards.values()) != tensors.keys():
            raise CorruptError(f"{self._where}: its {INDEX} does not name the tensors of its zoo.lock")
        place(index, folder / INDEX, own=False)
        for file, names in shards.items():
            yield file, {name: tensors[name] for name in names}
