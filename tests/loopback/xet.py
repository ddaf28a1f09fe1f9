"""The storage that hf_xet reads and writes: folders, which it takes for a server when they are named `local://FOLDER`.

A process that opens such a folder locks it as long as it lives. So every token leads to a folder of its own, which
starts as a copy of all that is there (by hard links: only the index is copied), and when a commit names a file that a
client has written to its folder, the file is taken into the main one.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

INDEX = ".redb"
HEADER = 48
ENTRY = 48
END = b"\xff" * 32
VERIFIED, DESCRIBED = 1 << 31, 1 << 30
TIMEOUT = 60


@dataclass(frozen=True)
class Lease:
    """A folder that a client got.

    Args:
        folder: Where it is.
        before: The blocks that were in it.
    """

    folder: Path
    before: frozenset[str] = field(repr=False)

    @property
    def url(self) -> str:
        """How hf_xet is told of it."""
        return f"local://{self.folder}"

    def blocks(self) -> list[Path]:
        """The files that content is in."""
        return [path for path in self.folder.glob("xet/xorbs/xorbs/*") if path.suffix != ".tagset"]

    def sent(self) -> int:
        """Bytes that were written to it."""
        return sum(path.stat().st_size for path in self.blocks() if path.name not in self.before)

    def files(self) -> dict[str, tuple[str, int]]:
        """Hash and size of the files in it, by their sha-256."""
        shards = sorted(self.folder.glob("xet/xorbs/shards/*.mdb"))
        return {
            digest: (xet_hash, size) for shard in shards for digest, xet_hash, size in described(shard.read_bytes())
        }


class Storage:
    """All folders, below one.

    Args:
        folder: Theirs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}
        self._leases: list[Lease] = []
        self._made = 0
        self._lock = threading.RLock()
        self._main = Lease(folder / "main", frozenset())
        self._main.folder.mkdir(parents=True)

    def lease(self, *, write: bool) -> str:
        """A folder for a client, as hf_xet is told of it."""
        with self._lock:
            lease = self._copy(self._main)
            if write:
                self._leases.append(lease)
            return lease.url

    def damage(self, url: str) -> None:
        """Changes a byte in the middle of every block in a folder."""
        for block in Lease(Path(url.removeprefix("local://")), frozenset()).blocks():
            content = block.read_bytes()
            block.unlink()  # it is another folder's too
            block.write_bytes(flipped(content))

    def sent(self) -> int:
        """Bytes that clients have written."""
        with self._lock:
            return sum(lease.sent() for lease in self._leases)

    def take(self, digests: Collection[str]) -> dict[str, bytes]:
        """Takes files into the main folder that clients have written, and reads them."""
        found: dict[str, bytes] = {}
        with self._lock:
            for lease in reversed(self._leases) if digests else ():
                known = lease.files()
                wanted = {digest: known[digest] for digest in digests if digest in known and digest not in found}
                if wanted:
                    found |= self._transfer(self._copy(lease), wanted)
        return found

    def add(self, contents: Collection[bytes]) -> None:
        """Puts files into the main folder."""
        with self._lock:
            new = {sha256(content).hexdigest(): content for content in contents if content}
            for digest, content in new.items():
                self._scratch(digest).write_bytes(content)
            if new:
                self._transfer(self._main, dict.fromkeys(new, ("", 0)))

    def _transfer(self, source: Lease, files: Mapping[str, tuple[str, int]]) -> dict[str, bytes]:
        asked = {
            "source": source.url,
            "target": self._main.url,
            "files": [[str(self._scratch(digest)), *told] for digest, told in files.items()],
        }
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("xet_transfer.py"))],
            input=json.dumps(asked),
            env={**os.environ, "HF_HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.hashes |= zip(files, json.loads(done.stdout), strict=True)
        return {digest: self._scratch(digest).read_bytes() for digest in files}

    def _scratch(self, digest: str) -> Path:
        folder = self.folder / "scratch"
        folder.mkdir(exist_ok=True)
        return folder / digest

    def _copy(self, lease: Lease) -> Lease:
        self._made += 1
        folder = self.folder / f"lease-{self._made}"
        shutil.copytree(lease.folder, folder, copy_function=_copy_or_link)
        return Lease(folder, frozenset(path.name for path in Lease(folder, frozenset()).blocks()))


def _copy_or_link(source: str, target: str) -> None:
    if source.endswith(INDEX):
        shutil.copyfile(source, target)
    else:
        os.link(source, target)


def flipped(content: bytes) -> bytes:
    """The same, with another byte in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 1 for byte in content[middle : middle + 1]) + content[middle + 1 :]


def described(shard: bytes) -> Iterator[tuple[str, str, int]]:
    """The sha-256, hash and size of the files that a shard describes.

    A header, then for each file one entry of 48 bytes with its hash, its flags and the number of its segments; an entry
    for each segment, whose bytes 36 to 40 are a size; as many again to verify them; and one with the sha-256.
    """
    offset = HEADER
    while offset < len(shard) and shard[offset : offset + 32] != END:
        name = digits(shard[offset : offset + 32])
        flags, segments = (int.from_bytes(shard[at : at + 4], "little") for at in (offset + 32, offset + 36))
        starts = range(offset + ENTRY, offset + ENTRY * (1 + segments), ENTRY)
        size = sum(int.from_bytes(shard[start + 36 : start + 40], "little") for start in starts)
        offset += ENTRY * (1 + segments * (2 if flags & VERIFIED else 1))
        if flags & DESCRIBED:
            yield digits(shard[offset : offset + 32]), name, size
            offset += ENTRY


def digits(raw: bytes) -> str:
    """How hf_xet writes 32 bytes: as four numbers, each from its last byte to its first."""
    return "".join(raw[start : start + 8][::-1].hex() for start in range(0, 32, 8))
