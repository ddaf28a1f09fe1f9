"""Strategies of runs that somebody changed: headers, indexes, names of files, locks and specs. No torch is imported."""

import json
import math
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.sharing.mutants import INDEX, LOCK, SPEC, Files, json_bytes, meant
from zoo.checkpoint.headers import BYTES

Draw = Callable[[st.SearchStrategy[Any]], Any]

numbers = st.integers(0, 70) | st.integers(-(2**70), 2**70) | st.sampled_from([2**31, 2**62, 2**63 - 1, 2**63, 10**15])
strings = st.sampled_from(
    [
        "../../x",
        "/etc/passwd",
        "x" * 10_000,
        "\x1b[2J",
        "a\0b",
        "",
        "..",
        "con.safetensors",
        "\u202ex",
        "HUGE",
        "\ud800",
    ]
) | st.text(max_size=12)
scalars = st.none() | st.booleans() | numbers | st.floats() | strings
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4), max_leaves=12
)

ENCODER = {"num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
ENCODER |= {"max_position_embeddings": 32, "type_vocab_size": 2}
"""Sizes of an encoder of texts."""


def parsed(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a safetensors file."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def weighty(header: bytes, data: bytes, length: int | None = None) -> bytes:
    """A safetensors file, whose header may be said to have another length."""
    told = len(header) if length is None else length
    return (told % 2**64).to_bytes(8, "little") + header + data


@st.composite
def entries(draw: Draw, size: int) -> Any:
    """What a header may tell of a tensor: something right for such data, or something else."""
    dtype = draw(st.sampled_from(sorted(BYTES)) | strings)
    shape = draw(st.lists(numbers, max_size=4) | st.lists(st.integers(0, 4), max_size=70))
    width = BYTES.get(dtype, 4)
    start = draw(st.integers(0, size))
    right = [start, start + math.prod(shape) * width]
    told = {"dtype": dtype, "shape": shape, "data_offsets": draw(st.just(right) | st.lists(numbers, max_size=3))}
    return draw(st.just(told) | st.just({**told, draw(strings): 1}) | values)


@st.composite
def rewritten(draw: Draw, header: dict[str, Any], data: bytes) -> bytes:
    """A file with another header before the same numbers: some entries are others, or are exchanged."""
    told = dict(header)
    tensors = [name for name in header if name != "__metadata__"]
    if draw(st.booleans()):
        told = {**dict(zip(tensors, draw(st.permutations([header[name] for name in tensors])), strict=True))}
    else:
        told |= draw(
            st.dictionaries(st.sampled_from([*tensors, "__metadata__"]) | strings, entries(len(data)), max_size=3)
        )
        for name in draw(st.lists(st.sampled_from(tensors), max_size=2)):
            told.pop(name, None)
    text = json_bytes(told) + b" " * draw(st.integers(0, 8))
    return weighty(text, data, draw(st.none() | st.none() | st.none() | numbers))


@st.composite
def made_up(draw: Draw) -> bytes:
    """A right file of tensors that nobody asked for."""
    told, end = {}, 0
    for name, dtype, shape in draw(
        st.lists(
            st.tuples(strings, st.sampled_from(sorted(BYTES)), st.lists(st.integers(0, 5), max_size=5)), max_size=6
        )
    ):
        if name not in told:
            start, end = end, end + math.prod(shape) * BYTES[dtype]
            told[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    return weighty(json_bytes(told), bytes(range(256)) * (end // 256) + bytes(end % 256))


@st.composite
def headers(draw: Draw, files: Files) -> Files:
    """A run one of whose files of weights has another header."""
    name = draw(st.sampled_from(sorted(each for each in files if each.endswith(".safetensors"))))
    content = draw(rewritten(*parsed(files[name])) | made_up())
    return meant(files, name, content, tensors=draw(st.booleans()))


@st.composite
def indexes(draw: Draw, files: Files) -> Files:
    """A run whose index tells something else."""
    told = json.loads(files[INDEX])
    shards = sorted(set(told["weight_map"].values()))
    places = st.sampled_from([*shards, "../../zoo.yaml", "../model.safetensors", "model-00009-of-00002.safetensors"])
    suffixed = strings.map(lambda text: f"{text}.safetensors")
    names = st.sampled_from(sorted(told["weight_map"])) | strings
    told["weight_map"] |= draw(st.dictionaries(names, places | suffixed | values, max_size=3))
    for name in draw(st.lists(st.sampled_from(sorted(told["weight_map"])), max_size=2)):
        told["weight_map"].pop(name, None)
    return meant(files, INDEX, json_bytes(draw(st.just(told) | st.just(told) | values)))


@st.composite
def names(draw: Draw, files: Files) -> Files:
    """A run one of whose files is called something else, or is there under a second name."""
    name = draw(st.sampled_from(sorted(files.keys() - {LOCK})))
    other = draw(
        strings.filter(lambda text: text.isascii() or text.encode(errors="ignore").decode() == text)
        | st.sampled_from(
            [f"../{name}", f"/{name}", name.upper(), f"{name}.", f"parts/{name}", f"{name}/x", f"./{name}"]
        )
    )
    changed = meant({**files, other: files[name]}, other, files[name])
    lock = json.loads(changed[LOCK])
    if draw(st.booleans()):
        del changed[name]
        lock["shared"]["files"].pop(name, None)
        lock["files"].pop(name, None)
    index = changed.get(INDEX)
    if index is not None and draw(st.booleans()):
        changed = meant(changed, INDEX, index.replace(json.dumps(name).encode(), json.dumps(other).encode()))
        lock["shared"]["files"][INDEX] = json.loads(changed[LOCK])["shared"]["files"][INDEX]
    return {**changed, LOCK: json_bytes(lock)}


@st.composite
def elsewhere(draw: Draw, told: Any) -> Any:
    """JSON in which a value somewhere is another, or comes under another key."""
    if not isinstance(told, (dict, list)) or not told or draw(st.integers(0, 3)) == 0:
        return draw(values)
    if isinstance(told, list):
        place = draw(st.integers(0, len(told) - 1))
        return [*told[:place], draw(elsewhere(told[place])), *told[place + 1 :]]
    key = draw(st.sampled_from(list(told)))
    if draw(st.integers(0, 5)) == 0:
        return {draw(strings) if each == key else each: value for each, value in told.items()}
    return {**told, key: draw(elsewhere(told[key]))}


@st.composite
def locks(draw: Draw, files: Files) -> Files:
    """A run whose lock tells something else."""
    lock = json.loads(files[LOCK])
    part = draw(st.sampled_from(list(lock)))
    return {**files, LOCK: json_bytes({**lock, part: draw(elsewhere(lock[part]))})}


@st.composite
def specs(draw: Draw, files: Files) -> Files:
    """A run whose spec says something else: a value, or a piece of text that is there once more, or gone."""
    text = files[SPEC].decode()
    if draw(st.booleans()):
        text = yaml.safe_dump(draw(elsewhere(yaml.safe_load(text))), allow_unicode=True)
    else:
        start, stop = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        stop = min(stop, start + draw(st.integers(0, 40)))
        piece = draw(
            st.text(st.sampled_from("{}[]:,-&*!|>'\"#%@?\n\t ab01~.="), max_size=30) | st.just(text[start:stop] * 2)
        )
        text = text[:start] + piece + text[stop:]
    return meant(files, SPEC, text.encode(errors="surrogatepass"))


@st.composite
def greedy(draw: Draw, files: Files) -> Files:
    """A run whose spec asks for a larger encoder of texts."""
    key = draw(st.sampled_from(sorted(ENCODER)))
    told = yaml.safe_load(files[SPEC])
    told["inputs"]["review"]["backbone"]["config"][key] = draw(numbers)
    return meant(files, SPEC, yaml.safe_dump(told).encode())
