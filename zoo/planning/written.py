"""A plan in words and as JSON."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.component import FeatureSpec
    from zoo.planning.memory import Memory
    from zoo.planning.plan import Plan, PlannedPart

NUMBER = re.compile(r"[\d,.]+( \w+)?")
SIZES = 1, 8, 32, 128
"""Batch sizes whose memory is told, beside the spec's own."""


def as_dict(plan: "Plan") -> dict[str, Any]:
    """The JSON shape of `zoo plan`."""
    return {
        "name": plan.name,
        "parameters": {"total": plan.parameters, "trainable": plan.trainable},
        "inputs": {name: _input(plan, name) for name in plan.inputs},
        "fusion": None if plan.fused is None else {**_part(plan.parts["fusion"]), **_features(plan.fused)},
        "heads": {
            name.partition(".")[2]: {**_part(part), "outputs": plan.outputs.get(name.partition(".")[2])}
            for name, part in plan.parts.items()
            if name.startswith("heads.")
        },
        "operations": plan.operations,
        "memory": None if plan.memory is None else _memory(plan.memory),
        "download_bytes": plan.download_bytes,
        "download_estimate": plan.download_estimate,
        "route": plan.route,
    }


def as_text(plan: "Plan") -> str:
    """The plan as a person reads it."""
    sections = [_head_line(plan), _flow(plan), _starts(plan), _memory_table(plan)]
    return "\n\n".join(filter(None, sections))


def bytes_in_words(count: int) -> str:
    """1,234,567 bytes as `1.2 MB`, in powers of 1000."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if size >= 9.95 or units[0] == "B" else f"{size:.1f} {units[0]}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, columns fitted to their cells, numbers to the right; empty columns left out."""
    kept = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    widths = [max(len(row[index]) for row in rows) for index in kept]
    right = [all(not row[index] or NUMBER.fullmatch(row[index]) for row in rows[1:]) for index in kept]
    return "\n".join(
        "  ".join(
            f"{row[index]:>{width}}" if to_right else f"{row[index]:<{width}}"
            for index, width, to_right in zip(kept, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )


def _input(plan: "Plan", name: str) -> dict[str, Any]:
    planned = plan.inputs[name]
    return {
        "type": planned.type,
        "backbone": planned.backbone,
        "part": planned.part,
        "reads": planned.reads,
        **_features(planned.gives),
        "tokens_vary": planned.varies,
        "operations": planned.operations,
        **{key: value for key, value in _part(plan.parts[planned.part]).items() if key != "component"},
    }


def _features(spec: "FeatureSpec") -> dict[str, Any]:
    return {"dim": spec.dim, "pooled_dim": spec.pooled_dim, "tokens": spec.tokens, "maps": spec.maps}


def _part(part: "PlannedPart") -> dict[str, Any]:
    start = part.start
    return {
        "component": part.component,
        "parameters": part.parameters,
        "trainable": part.trainable,
        "weights": None if start is None else {"source": part.source or None, **vars(start)},
    }


def _memory(memory: "Memory") -> dict[str, Any]:
    sizes = _sizes(memory)
    return {
        "device": memory.device.kind,
        "device_name": memory.device.name,
        "available": memory.device.memory,
        "precision": memory.precision,
        "optimizer": "adamw",
        "training": {str(size): memory.training(size) for size in sizes},
        "inference": {str(size): memory.inference(size) for size in sizes},
        "batch_size": memory.batch_size,
        "fits": memory.fits,
        "largest_batch_size": memory.largest_batch_size,
    }


def _sizes(memory: "Memory") -> list[int]:
    return sorted({*SIZES, memory.batch_size})


def _head_line(plan: "Plan") -> str:
    parts = [f"{plan.name}: {plan.parameters:,} parameters, {plan.trainable:,} of them trained"]
    if plan.operations is not None:
        parts.append(f"{_operations(plan.operations)} for one sample")
    if plan.download_bytes is None:
        parts.append(f"about {bytes_in_words(plan.download_estimate)} to fetch (estimated from shapes)")
    elif plan.download_bytes:
        parts.append(f"{bytes_in_words(plan.download_bytes)} to fetch")
    if plan.route != "the meta device":
        parts.append(f"by {plan.route}")
    return "; ".join(parts)


def _flow(plan: "Plan") -> str:
    """What each part reads and gives, from the inputs to the heads."""
    rows = [("part", "component", "reads", "gives", "parameters", "trained", "operations")]
    for name, planned in plan.inputs.items():
        part = plan.parts[planned.part]
        shared = "" if planned.part == f"backbones.{name}" else f" of {planned.part.partition('.')[2]}"
        numbers = ("", "") if shared else _numbers(part)
        cost = "" if planned.operations is None else _operations(planned.operations)
        reads = _shape(planned.reads) if planned.reads is not None else "values of several sizes"
        rows.append((name, planned.backbone + shared, reads, _gives(planned.gives, planned.varies), *numbers, cost))
    for place, part in plan.parts.items():
        if not place.startswith("backbones."):
            rows.append((place.removeprefix("heads."), part.component, "", _of_part(plan, place), *_numbers(part), ""))
    return table(rows)


def _of_part(plan: "Plan", place: str) -> str:
    if place == "fusion" and plan.fused is not None:
        return _gives(plan.fused, varies=False)
    outputs = plan.outputs.get(place.removeprefix("heads."))
    return ", ".join(_shape(shape) for shape in _leaves(outputs)) if outputs is not None else ""


def _numbers(part: "PlannedPart") -> tuple[str, str]:
    trained = {0: "none", part.parameters: "all"}.get(part.trainable, f"{part.trainable:,}")
    return f"{part.parameters:,}", trained


def _gives(spec: "FeatureSpec", varies: bool) -> str:
    tokens = "" if spec.tokens is None else f"{'up to ' if varies else ''}{spec.tokens} tokens x {spec.dim}, "
    maps = "".join(f", map /{stride} x {channels}" for channels, stride in spec.maps)
    return f"{tokens}pooled {spec.pooled_dim}{maps}"


def _starts(plan: "Plan") -> str:
    """Of each part that has weights: where from, and what is kept, resized, new and unused."""
    lines = [
        f"{place.partition('.')[2]}: {line}"
        for place, part in plan.parts.items()
        if part.source
        for line in _told(part)
    ]
    return "\n".join(["weights", *(f"  {line}" for line in lines)]) if lines else ""


def _told(part: "PlannedPart") -> Iterator[str]:
    fetched = "" if part.to_fetch == 0 else f", {bytes_in_words(part.to_fetch or part.estimate)} to fetch"
    if part.start is None or not (part.start.kept or part.start.resized):
        yield f"from {part.source}{fetched}"
        return
    yield from part.start.told(f"{part.source}{fetched}")


def _memory_table(plan: "Plan") -> str:
    memory = plan.memory
    if memory is None:
        return "memory: unknown"
    rows = [("batch", "training", "prediction", "")]
    for size in _sizes(memory):
        own = "this spec's" if size == memory.batch_size else ""
        training, inference = (bytes_in_words(each(size)) for each in (memory.training, memory.inference))
        rows.append((str(size), training, inference, own))
    device = memory.device
    title = f"memory on the {device.name}, {memory.precision}, AdamW, samples of the largest size"
    return "\n".join([title, *(f"  {line}" for line in table(rows).splitlines()), *_verdict(memory)])


def _verdict(memory: "Memory") -> Iterator[str]:
    if memory.device.memory is None:
        return
    room = bytes_in_words(memory.device.memory)
    largest = memory.largest_batch_size
    if memory.fits:
        yield f"it fits: {room} are there, enough for batches of {largest:,}"
    elif largest:
        yield f"it does not fit the {room} that are there; write `train: {{batch_size: {largest}}}`"
    else:
        yield f"it does not fit the {room} that are there, whatever the batch size; freeze parts, or take smaller ones"


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _leaves(tree: Any) -> Iterator[Sequence[int]]:
    """The shapes in a tree of them."""
    if isinstance(tree, Mapping):
        for each in tree.values():
            yield from _leaves(each)
    elif isinstance(tree, (list, tuple)) and not all(isinstance(each, int) for each in tree):
        for each in tree:
            yield from _leaves(each)
    elif isinstance(tree, (list, tuple)):
        yield tree


def _operations(count: int) -> str:
    for unit, size in (("TFLOP", 1e12), ("GFLOP", 1e9), ("MFLOP", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:,} FLOP"
