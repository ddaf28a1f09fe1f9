"""What a plugin declares. Standard library only: every verb imports this, and it must cost nothing.

A plugin is a module with one hook, `zoo_components`, that returns `Component`s. A component says in words and names
what it is, and in `target` where the code is; that code is imported when a model is built and not before.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from enum import StrEnum
from typing import Any

PLUGIN_API = 1
"""Version of the plugin door. A plugin may state the one it was written for as `ZOO_PLUGIN_API` in its module."""


class Kind(StrEnum):
    """The places in a spec that a component can fill."""

    INPUT = "input"
    FRONTEND = "frontend"
    BACKBONE = "backbone"
    FUSION = "fusion"
    HEAD = "head"
    POLICY = "policy"

    @property
    def plural(self) -> str:
        """The kind as it is said of several: `policies`."""
        return self.value[:-1] + "ies" if self.value.endswith("y") else self.value + "s"


class Modality(StrEnum):
    """The modalities that come with zoo. The set is open: a plugin may declare `"video"`, a plain string."""

    IMAGE = "image"
    TEXT = "text"
    AUDIO = "audio"
    VECTOR = "vector"
    SEQUENCE = "sequence"


RESERVED: Mapping[Kind, frozenset[str]] = {
    Kind.INPUT: frozenset({"type", "backbone", "frontend", "column", "transfer", "augment"}),
    Kind.FRONTEND: frozenset({"use"}),
    Kind.BACKBONE: frozenset({"use", "weights", "same_as", "transfer"}),
    Kind.FUSION: frozenset({"use"}),
    Kind.HEAD: frozenset({"use", "column", "weight", "weights"}),
    Kind.POLICY: frozenset({"policy", "freeze", "layer_decay", "l2_sp"}),
}
"""Keys the language keeps for itself beside a component's own options; no option may take their names."""


@dataclass(frozen=True, slots=True)
class Family:
    """Many components under one declaration: any `timm/<name>` whose name is in an index.

    The index ships as data, so that listing 1,300 models needs no library; it names the library version it was made
    from. Where another version is installed, `zoo plugins refresh` makes a new one with `refresh`.

    Args:
        library: Distribution whose models these are, such as `timm`.
        index: The shipped index, `package:file.json`: a JSON object with `library`, `version` and `models`
            (name to record). A record may hold `modality` (`image`, or `image+text`), `parameters`, `dim`, `input`,
            `data` and `license` of the pretrained weights, `weights` (where they are), `summary`.
        refresh: `module:function` that imports the library and returns such an object. It may take a callback
            `progress(done, total)`.
        beyond: Regular expression of names that no index can hold: Hub repositories, which bring weights.
    """

    library: str
    index: str
    refresh: str
    beyond: str | None = None


ALTERS = frozenset({"places", "sides", "colours", "amounts"})
"""What a label may tell of a sample, and an augmentation may change."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """A change of values at random, in training alone, declared by the input or front end whose values it changes.

    Args:
        name: As a spec names it: `augment: [crop]`.
        target: `module:attribute` of the factory `build(options, context)`, imported when it is asked for. It gives a
            function from a value to a new value of the same kind; see `zoo.contract.AugmentContext`.
        options: Dataclass of what a spec may say to it, without required ones; make its fields with `option`.
        alters: What it changes that a label may tell: `places` (where in a sample something is), `sides` (left and
            right), `colours`, `amounts` (how many things there are). Heads whose labels tell places are refused beside
            it; presets leave it out where labels may tell what it alters.
        light: Its options in the preset `light`; None leaves it out.
        strong: Its options in the preset `strong`; None leaves it out. Presets keep the order of declaration.
        summary: One sentence for tables and docs.
        source: Paper (authors, year) that it comes from.
    """

    name: str
    target: str
    options: type
    alters: frozenset[str] = frozenset()
    light: Any = None
    strong: Any = None
    summary: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One part that a spec can name, declared without importing torch.

    Args:
        kind: The place it fills.
        name: Bare name; zoo prefixes the plugin's namespace: `resnet50` of plugin `timm` is `timm/resnet50`. A family's
            name is `*`.
        target: `module:attribute` of the factory `build(options, context)`, imported at the first build; `zoo.contract`
            tells what it makes of each kind.
        options: Dataclass of what a spec may say to it; make its fields with `option`. None: it takes no options.
        modality: What it takes. An input: what it gives. A frontend: what it takes and what it gives.
        provides: Capabilities it has: `tokens`, `pooled`, `maps`, `stages`, `encode`, `generate`, `export`, or others.
            A backbone with `pretrained` comes with weights; of a family, those members whose record tells where. A head
            with `unlabelled` learns without labels, and has no column. Labels of one with `whole` are of samples as
            wholes: they stay true when a picture is cropped or turned. The loss of one with `mixes` may be taken of two
            labels of a row with a share (mixup); an input or front end with it gives values that can be averaged.
        needs: Capabilities that whatever feeds it must provide. `zoo check` compares them without torch.
        summary: One sentence for tables and docs.
        source: Paper (authors, year) or library that the method comes from.
        family: Set when it answers many names.
        requires: Distributions that its target needs and zoo does not bring, as pip takes them: `faiss-cpu>=1.11`.
            `zoo check` tells which are missing.
        fit: `module:attribute` of a function `fit(options, context, cells)` that learns from the training rows what the
            part needs before it is built (means, class names, a vocabulary) and returns it as JSON data. "": nothing.
        weights: Where the pretrained weights of a backbone are that is no family: `hf://owner/name@commit`, or an https
            address of a `.pth`.
        augmentations: What can be done at random, in training, to the values that an input or a front end gives.
    """

    kind: Kind
    name: str
    target: str
    options: type | None = None
    modality: tuple[str, ...] = ()
    provides: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    summary: str = ""
    source: str = ""
    family: Family | None = None
    requires: tuple[str, ...] = ()
    fit: str = ""
    weights: str = ""
    augmentations: tuple[Augmentation, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Shapes of what a backbone or a fusion gives, known before any weight exists.

    Args:
        dim: Width of `tokens`, `(batch, tokens, dim)`.
        pooled_dim: Width of `pooled`, `(batch, pooled_dim)`; not always `dim` (mobilenetv3: 288 and 1024).
        tokens: Number of tokens, or None when it depends on the sample.
        maps: `(channels, stride)` of each pyramid map, finest first; strides in input pixels.
    """

    dim: int
    pooled_dim: int
    tokens: int | None = None
    maps: tuple[tuple[int, int], ...] = ()


def option(
    default: Any = MISSING,
    doc: str = "",
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
    pattern: str | None = None,
    unit: str = "",
    shorthand: bool = False,
    columns: bool = False,
    only_random: bool = False,
) -> Any:
    """A dataclass field that a spec may set: its default, one sentence about it, and its bounds.

    Args:
        default: Value when the spec is silent; left out, the spec must say it. A list or dict is copied per use.
        doc: One sentence for `zoo show`, the schema and the docs.
        ge: Smallest allowed number.
        gt: Number that the value must exceed.
        le: Largest allowed number.
        lt: Number that the value must stay below.
        min_length: Fewest elements of a list, or characters of a text.
        pattern: Regular expression that a text, or every name in a mapping, must match from start to end.
        unit: Unit of a number, such as `seconds`, `Hz` or `pixels`.
        shorthand: The value that a short form gives: with it on `groups`, `last:2` means `{policy: last, groups: 2}`.
        columns: The value names columns of the data table.
        only_random: The value shapes a part that starts from random weights; beside other weights it is an error.
    """
    bounds = {"ge": ge, "gt": gt, "le": le, "lt": lt, "min_length": min_length, "pattern": pattern}
    metadata = {
        "doc": doc,
        "unit": unit,
        "shorthand": shorthand,
        "columns": columns,
        "only_random": only_random,
        "bounds": {name: bound for name, bound in bounds.items() if bound is not None},
    }
    if isinstance(default, (list, dict)):
        copy: Callable[[], Any] = default.copy
        return field(default_factory=copy, metadata=metadata)
    return field(default=default, metadata=metadata)
