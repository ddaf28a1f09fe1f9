"""A store in a folder, for a lab's shared disk or a machine without a network: commits, objects by digest, one tip."""

import hashlib
import json
import platform
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.heard import Heard
from zoo.errors import ConflictError, CorruptError, NetworkError, UsageError
from zoo.files import file_digest, json_text, locked
from zoo.hub.names import MOST
from zoo.hub.reference import COMMIT, Reference
from zoo.hub.store import Blob, Preview, Pushed, Store

TIP = "main"
MOST_BYTES = 16 << 20
"""Bytes of a record, at most."""

SHA256 = re.compile(r"[0-9a-f]{64}")


class FolderStore(Store):
    """A folder with `main` (the newest commit), `commits/ID.json` and `objects/SHA256`.

    What was written is never changed, so that many may read while one writes; a lock lets one commit at a time. What a
    killed process left is swept by its own machine alone: a disk that is shared may not tell locks of the others.
    """

    own = False

    def __init__(self, reference: Reference) -> None:
        super().__init__(reference)
        self._trees: dict[str, Mapping[str, Blob]] = {}

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.reference.place)

    def tip(self) -> str | None:
        """What `main` says."""
        try:
            found = (self.folder / TIP).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise NetworkError(f"`{self.reference}` cannot be read: {error}") from None
        if not COMMIT.fullmatch(found):
            raise CorruptError(f"`{self.folder / TIP}` names no commit")
        return found

    def resolve(self) -> str:
        """The commit itself, or the newest one; there are no other branches, and no tags."""
        revision = self.reference.revision
        if revision in (None, TIP):
            tip = self.tip()
            if tip is None:
                raise UsageError(f"there is no model in `{self.reference}`")
            return tip
        assert revision is not None
        if not self.reference.pinned or not self._record(revision).is_file():
            raise UsageError(f"`{self.reference}` has no commit `{revision}`")
        return revision

    def tree(self, commit: str) -> Mapping[str, Blob]:
        """The files that the commit's record lists."""
        if commit not in self._trees:
            self._trees[commit] = self._listed(commit)
        return self._trees[commit]

    def _listed(self, commit: str) -> Mapping[str, Blob]:
        files = self._read(commit).get("files")
        if not isinstance(files, dict):
            raise CorruptError(f"`{self._record(commit)}` lists no files")
        if len(files) > MOST:
            raise CorruptError(f"`{self._record(commit)}` lists {len(files):,} files, and a run has {MOST:,} at most")
        found = {}
        for name, each in files.items():
            size, digest = (each.get(key) for key in ("size", "sha256")) if isinstance(each, dict) else (None, None)
            if type(size) is not int or not isinstance(digest, str) or not SHA256.fullmatch(digest):
                raise CorruptError(f"`{self._record(commit)}` lists `{name}` without size and digest")
            found[name] = Blob(size, digest)
        return found

    def fetch(self, commit: str, name: str, *, again: bool = False, heard: Heard | None = None) -> Path:
        """The object itself: nothing is copied."""
        digest = self.tree(commit)[name].sha256
        path = self.folder / "objects" / str(digest)
        if not path.is_file():
            raise NetworkError(f"`{self.reference}` lacks `{name}` (objects/{digest})")
        return path

    def preview(self, files: Mapping[str, Path]) -> Preview:
        """Files whose content no object has yet."""
        tip = self.tip()
        there = set() if tip is None else self.tree(tip).keys() - files.keys()
        objects = {name: self.folder / "objects" / file_digest(path) for name, path in files.items()}
        sent = {name: path.stat().st_size for name, path in files.items() if not objects[name].is_file()}
        return Preview(sent, tuple(sorted(there)), "whoever can read the folder")

    def commit(self, files: Mapping[str, Path], parent: str | None, message: str) -> Pushed:
        """Copies what is not there yet, writes the record, and moves `main` to it last."""
        listed = {name: {"size": path.stat().st_size, "sha256": file_digest(path)} for name, path in files.items()}
        try:
            for each in ("objects", "commits"):
                (self.folder / each).mkdir(parents=True, exist_ok=True)
            with passing_folder(f"new.{platform.node()}", within=self.folder) as beside:
                sent = sum(
                    self._keep(path, str(listed[name]["sha256"]), beside) for name, path in sorted(files.items())
                )
                with locked(self.folder / ".lock"):
                    return self._move(dict(sorted(listed.items())), parent, message, sent, beside)
        except OSError as error:
            raise NetworkError(f"`{self.reference}` cannot be written: {error.strerror or error}") from None

    def _move(self, files: dict[str, Any], parent: str | None, message: str, sent: int, beside: Path) -> Pushed:
        tip = self.tip()
        if tip is not None and self._read(tip).get("files") == files:
            return Pushed(tip, parent, sent, new=False)
        if tip != parent:
            before = parent or "nothing"
            raise ConflictError(f"`{self.reference}` is at {tip} and no longer at {before}: somebody pushed meanwhile")
        record = {"parent": parent, "message": message, "time": round(time.time(), 3), "files": files}
        text = json_text(record)
        commit = _identity(text.encode())
        for place, content in ((self._record(commit), text), (self.folder / TIP, f"{commit}\n")):
            (beside / place.name).write_text(content, encoding="utf-8")
            (beside / place.name).replace(place)
        return Pushed(commit, parent, sent, new=True)

    def _keep(self, path: Path, digest: str, beside: Path) -> int:
        """Copies a file if no other has its content; the bytes that it took."""
        place = self.folder / "objects" / digest
        if place.is_file() and file_digest(place) == digest:  # else it is damaged, and this mends it
            return 0
        shutil.copyfile(path, beside / digest)
        if file_digest(beside / digest) != digest:
            raise ConflictError(f"`{path}` was changed while it was pushed")
        (beside / digest).replace(place)
        return place.stat().st_size

    def _record(self, commit: str) -> Path:
        return self.folder / "commits" / f"{commit}.json"

    def _read(self, commit: str) -> dict[str, Any]:
        path = self._record(commit)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError
            content = path.read_bytes()
            found = json.loads(content)
        except (OSError, ValueError, RecursionError):
            raise CorruptError(f"`{path}` is no record of a commit") from None
        if not isinstance(found, dict) or _identity(content) != commit:
            raise CorruptError(f"`{path}` is not the record that was written")
        return found


def _identity(record: bytes) -> str:
    """What a commit is called: a digest of its record, its parent's name within."""
    return hashlib.sha1(record, usedforsecurity=False).hexdigest()
