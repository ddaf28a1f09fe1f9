"""Finds the tensors of a tower in a checkpoint, whatever model it holds and whichever release named them."""

from collections import Counter
from collections.abc import Collection, Mapping
from copy import deepcopy

from torch import Tensor
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key
from transformers.modeling_utils import PreTrainedModel

SHARED = {"embed_tokens.weight": "shared.weight"}
"""What an encoder-decoder calls a tensor that its encoder has under a name of its own."""


def matched(
    network: PreTrainedModel, own: Collection[str], state: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The network's tensors by its own names, and those names of the checkpoint that it has no place for.

    The checkpoint may hold the network alone, the network with a task head, or a bigger model with this tower inside.

    Args:
        network: The network of the tower.
        own: Names of its tensors.
        state: Tensors of the checkpoint.

    Raises:
        ValueError: Less than half of the network's tensors are there.
    """
    names: dict[str, tuple[str, ...]] = {name: (name,) for name in state}
    places, tensors = _under_best_prefix(own, names), dict(state)
    if len(places) < len(own):
        renamed, converted = _as_named_today(network, state)
        if len(later := _under_best_prefix(own, renamed)) > len(places):
            names, places, tensors = renamed, later, converted
    if 2 * len(places) < len(own):
        lacking = ", ".join([name for name in own if name not in places][:3])
        raise ValueError(f"they hold {len(places)} of {len(own)} tensors of {type(network).__name__}, not {lacking}")
    used = {source for place in places.values() for source in names[place]}
    return {name: tensors[place] for name, place in places.items()}, tuple(name for name in state if name not in used)


def _under_best_prefix(own: Collection[str], names: Collection[str]) -> dict[str, str]:
    """Own names to names in the checkpoint, under the prefix that holds most of them (`bert.`, `model.encoder.`)."""
    prefixes: Counter[str] = Counter()
    for name in names:
        start = 0
        while start >= 0:
            if name[start:] in own:
                prefixes[name[:start]] += 1
            start = name.find(".", start) + 1 or -1
    if not prefixes:
        return {}
    # An encoder and a decoder of the same make differ in nothing but where they stand.
    prefix = max(prefixes, key=lambda each: (prefixes[each], "encoder" in each, -len(each), each))
    places = {name: prefix + name for name in own if prefix + name in names}
    for name, shared in SHARED.items():
        ends = [each for each in names if each in (shared, f"model.{shared}")]
        if ends and name in own and name not in places:
            places[name] = ends[0]
    return places


def _as_named_today(
    network: PreTrainedModel, state: Mapping[str, Tensor]
) -> tuple[dict[str, tuple[str, ...]], dict[str, Tensor]]:
    """The checkpoint under the names of this release: by new name the old ones, and the tensors.

    The library keeps a list of what it renamed; a few tensors were split or joined as well.
    """
    transforms = get_model_conversion_mapping(network)
    renamings = [each for each in transforms if isinstance(each, WeightRenaming)]
    converters = [each for each in transforms if isinstance(each, WeightConverter)]
    by_pattern = {pattern: each for each in converters for pattern in each.source_patterns}
    names: dict[str, tuple[str, ...]] = {}
    tensors: dict[str, Tensor] = {}
    waiting: dict[str, WeightConverter] = {}
    sources: dict[str, tuple[str, ...]] = {}
    for name, tensor in state.items():
        renamed, pattern = rename_source_key(name, renamings, converters)
        if pattern is None:
            names[renamed], tensors[renamed] = (name,), tensor
            continue
        converter = waiting.setdefault(renamed, deepcopy(by_pattern[pattern]))
        converter.add_tensor(renamed, name, pattern, lambda tensor=tensor: tensor)
        sources[renamed] = (*sources.get(renamed, ()), name)
    for renamed, converter in waiting.items():
        for each, made in converter.convert(renamed, model=network, config=network.config).items():
            names[each], tensors[each] = sources[renamed], made[0] if isinstance(made, list) else made
    return names, tensors
