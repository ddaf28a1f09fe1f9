"""Runs that somebody changed by chance: bits and bytes, headers, values in JSON, words in specs. No torch is imported.

Or that somebody changed who means it, and has every digest tell of it.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.checkpoint.raw import map_file
from zoo.errors import CorruptError
from zoo.files import json_text

Files = dict[str, bytes]
"""What a commit holds, by name."""

Change = Callable[[bytes, random.Random], bytes]

LOCK, SPEC, INDEX = "zoo.lock", "zoo.yaml", "model.safetensors.index.json"
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    "",
    "a",
    "../../x",
    "x" * 10_000,
    "\x1b[2J\n",
    "\ud800",
    [],
    [[]],
    {},
    "HUGE",
]
WORDS = ["zoo/mlp", "zoo/classifier", "vector", "left", "kind", "[a, b]", "16", "true", "null"]
STRANGE = ["*a", "&a", "!!python/name:os.system", "<<: {}", "timm/resnet18", "-1", "[", "'", "\t", "zoo/gone", "1e999"]


def read_files(folder: Path) -> Files:
    """The files in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def meant(files: Files, name: str, content: bytes, *, tensors: bool = False) -> Files:
    """The files with another content of one of them, of which the lock tells.

    Args:
        files: The files.
        name: The one.
        content: Its content.
        tensors: Whether the lock tells the digests of the tensors in it too, as far as they can be read.
    """
    lock = json.loads(files[LOCK])
    digest = hashlib.sha256(content).hexdigest()
    lock["shared"]["files"][name] = {"size": len(content), "sha256": digest}
    if name in lock["files"]:
        lock["files"][name] = digest
    if tensors:
        lock["tensors"] |= digests(content)
        listed = "".join(f"{name} {each}\n" for name, each in lock["tensors"].items())
        lock["digest"] = hashlib.sha256(listed.encode()).hexdigest()
    return {**files, name: content, LOCK: json_text(lock).encode()}


def digests(content: bytes) -> dict[str, str]:
    """The digests of the tensors in a safetensors file; none where it is none."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        try:
            return {name: each.digest() for name, each in map_file(Path(file.name)).items()}
        except CorruptError:
            return {}


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Up to four bits are others."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    """The end is gone."""
    return content[: chance.randrange(len(content))]


def longer(content: bytes, chance: random.Random) -> bytes:
    """There is more."""
    return content + chance.randbytes(chance.randint(1, 100))


def header_changed(content: bytes, chance: random.Random) -> bytes:
    """Bits of the header of weights, its length among them, are others."""
    end = 8 + int.from_bytes(content[:8], "little")
    return flipped(content[:end], chance) + content[end:]


def numbers_changed(content: bytes, chance: random.Random) -> bytes:
    """Bits of numbers are others."""
    end = 8 + int.from_bytes(content[:8], "little")
    return content[:end] + flipped(content[end:], chance)


def json_changed(content: bytes, chance: random.Random) -> bytes:
    """A value somewhere in JSON becomes another, goes, or comes under another key."""
    told = json.loads(content)
    place = told
    shared = told.get("shared")
    if shared and chance.random() < 0.5:
        place = chance.choice([shared["delta"], shared["files"], told["aliases"] or told, told["tensors"], shared])
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or chance.random() < 0.3:
            break
        place = inner
    fate = chance.random()
    if fate < 0.7:
        place[key] = chance.choice(VALUES)
    elif isinstance(place, dict):
        value = place.pop(key)
        if fate < 0.85:
            place[f"{key}x" if fate < 0.8 else str(chance.choice(VALUES))] = value
    return json_bytes(told)


def json_bytes(told: Any) -> bytes:
    """JSON as nobody should write it: with NaN, halves of characters, and numbers of more digits than Python reads."""
    return json.dumps(told).replace('"HUGE"', "9" * 5000).encode()


def words_changed(content: bytes, chance: random.Random) -> bytes:
    """A word of a spec is another."""
    text = content.decode()
    known = [each for each in WORDS if each in text]
    return text.replace(chance.choice(known), chance.choice([*STRANGE, *WORDS]), 1).encode()


def changed(files: Files, chance: random.Random) -> Files:
    """The files with a change in one of them; mostly the lock is made to tell of it, as somebody would who means it."""
    weights = [name for name in files if name.endswith(".safetensors")]
    texts = [name for name in files if name.endswith(".json")]
    name = chance.choice([chance.choice(weights), chance.choice(texts), SPEC, SPEC, LOCK, LOCK])
    ways: list[Change] = [flipped, cut, longer]
    if name in weights:
        ways += [header_changed, header_changed, numbers_changed, numbers_changed]
    elif name == SPEC:
        ways += [words_changed] * 6
    else:
        ways += [json_changed] * 6
    content = chance.choice(ways)(files[name], chance)
    if name == LOCK or chance.random() < 0.2:
        return {**files, name: content}
    return meant(files, name, content, tensors=chance.random() < 0.5)
