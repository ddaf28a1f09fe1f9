"""Every key of the language that belongs to zoo itself. A component's own options stand beside these keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from zoo.component import Augmentation, Kind, option
from zoo.document import nodes
from zoo.document.fields import internal
from zoo.registry.registry import Registered

NAME = r"[A-Za-z][A-Za-z0-9_-]*"
"""Names of inputs and heads: they stand in file names, in `--absent voice` and in subsets such as `photo+voice`."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A place in the spec that names a component: `selector` is the key that names it, `kind` what it must be.

    `registered` is the component found, `options` an instance of its options class (None when it has none).
    """

    kind: ClassVar[Kind]
    selector: ClassVar[str] = "use"

    registered: Registered = internal()
    options: Any = field(metadata={"internal": True})


@dataclass(frozen=True, kw_only=True)
class Frontend(Part):
    """Turns an input's modality into another before the backbone."""

    kind = Kind.FRONTEND
    use: str = option(doc="Front end, such as `torchaudio/log-mel`: sound becomes a picture.", shorthand=True)


@dataclass(frozen=True, kw_only=True)
class Backbone(Part):
    """Turns samples of one modality into features."""

    kind = Kind.BACKBONE
    use: str = option(doc="Backbone, such as `timm/resnet50` or `transformers/bert`.", shorthand=True)
    weights: str = option(
        "pretrained",
        "Start of the weights: `pretrained`, `none` (random), `hf://org/repo@commit`, a local file or folder, or a "
        "part of an earlier run such as `runs/simclr#photo`.",
        min_length=1,
    )


@dataclass(frozen=True, kw_only=True)
class SharedBackbone:
    """The backbone of another input, with the same weights."""

    same_as: str = option(doc="Name of the input whose backbone this input shares.")


@dataclass(frozen=True, kw_only=True)
class Transfer(Part):
    """Which tensors move in training, and toward what."""

    kind = Kind.POLICY
    selector = "policy"
    policy: str = option(
        "zoo/full", "Policy that says which tensors are trained: `full`, `frozen`, `last:2`.", shorthand=True
    )
    freeze: list[str] = option(
        [],
        "Shell-style patterns (`*`, `?`, `[...]`) of parameter names that stay frozen whatever the policy says; one "
        "that matches nothing is an error.",
    )
    layer_decay: float = option(
        1.0,
        "Factor on the learning rate from each layer group to the one below it (BEiT, Bao et al. 2021); 1 is none.",
        gt=0,
        le=1,
    )
    l2_sp: float = option(
        0.0, "Pull of pretrained weights toward their start (L2-SP, Li et al. 2018); 0 is none.", ge=0
    )


@dataclass(frozen=True, kw_only=True)
class Augment:
    """One augmentation of an input: its name alone, or `{NAME: {OPTION: VALUE}}`; inputs and front ends have them."""

    name: str = field(metadata={"internal": True})
    declared: Augmentation = internal()
    options: Any = field(metadata={"internal": True})


@dataclass(frozen=True, kw_only=True)
class Input(Part):
    """One modality of a sample: where it stands in the table and which backbone reads it."""

    kind = Kind.INPUT
    selector = "type"
    type: str = option(doc="What it is: `image`, `text`, `audio`, `vector`, `sequence`, or a plugin's own.")
    backbone: Backbone | SharedBackbone = option(doc="Backbone that reads it, or `{same_as: NAME}` to share another's.")
    frontend: Frontend | None = option(None, "Front end between the input and its backbone.")
    column: str | None = option(None, "Column of the table; the input's name unless said.", columns=True)
    transfer: Transfer | None = option(None, "Transfer of this backbone alone, in place of the whole's.")
    augment: Literal["none", "light", "strong"] | list[Augment] = option(
        "none",
        "What is changed at random in training: a preset of the input and its front end, which leaves out what labels "
        "would not survive, or a list of augmentations, `[crop, {rotate: {degrees: 10}}]`.",
    )


@dataclass(frozen=True, kw_only=True)
class BackbonePart(Backbone):
    """A backbone inside a head, such as a captioner's language model; a head's options name it by this type."""

    transfer: Transfer | None = option(None, "Transfer of this part alone, in place of the whole's.")


def named_parts(options: Any) -> dict[str, Backbone]:
    """The backbones that a head's options name, by the option."""
    if not is_dataclass(options):
        return {}
    values = {each.name: getattr(options, each.name) for each in fields(options)}
    return {name: value for name, value in values.items() if isinstance(value, Backbone)}


@dataclass(frozen=True, kw_only=True)
class Fusion(Part):
    """Joins the features of several inputs into one."""

    kind = Kind.FUSION
    use: str = option("zoo/token-transformer", "Fusion, such as `zoo/concat`.", shorthand=True)


@dataclass(frozen=True, kw_only=True)
class Head(Part):
    """One thing to predict."""

    kind = Kind.HEAD
    use: str = option(doc="Head, such as `zoo/classifier` or `zoo/regressor`.", shorthand=True)
    column: str | None = option(None, "Column of the labels; the head's name unless said.", columns=True)
    weight: float = option(1.0, "Weight of this head's loss in the sum of all.", ge=0)
    weights: str = option(
        "none",
        "Start of the head: `none` (random), or a head of an earlier run such as `runs/moods#mood`, of which what fits "
        "is kept; of a classifier, the classes of the same name.",
        min_length=1,
        pattern=r"none|.+#[A-Za-z][A-Za-z0-9_-]*",
    )


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Keeps every modality learning."""

    drop: float = option(
        0.2, "Probability that a sample's modality is left out in training (never all of them).", ge=0, lt=1
    )
    aux: float = option(0.0, "Weight of the auxiliary loss of a head on each modality alone; 0 is none.", ge=0)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of training data."""

    path: str = option(
        doc="File (Parquet, CSV, JSON lines, COCO's JSON), glob or folder, relative to the spec; or "
        "`hf://datasets/owner/name@revision#split`.",
        shorthand=True,
        min_length=1,
    )
    heads: list[str] | None = option(None, "Heads that learn from it; all of them unless said.", min_length=1)
    weight: float = option(1.0, "How often it is drawn from, relative to the other tables.", gt=0)


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where samples and labels come from."""

    train: list[Table] = option([], "A path, or a list of tables `{path, heads, weight}`.")
    validation: float | str | None = option(
        0.1, "Share of the training rows set aside to choose the best epoch, or a path.", gt=0, lt=1, min_length=1
    )
    test: str | None = option(None, "Path of rows that are looked at once, at the end.", min_length=1)
    on_error: Literal["fail", "skip"] = option(
        "fail",
        "What becomes of a row that cannot be used (a damaged or missing file, a wrong label, no input at all): `fail` "
        "stops and tells its place; `skip` tries every row first, leaves it out and lists it in `skipped.csv`.",
    )


@dataclass(frozen=True, kw_only=True)
class Train:
    """How the model is optimised."""

    epochs: int = option(5, "Passes over the training data.", ge=1)
    batch_size: int | Literal["auto"] = option(
        32,
        "Samples per step, over all devices; `auto` takes what fits into memory, fewer where rows are few.",
        ge=1,
    )
    learning_rate: float = option(1e-3, "Peak learning rate of new parts; pretrained parts get a tenth of it.", gt=0)
    weight_decay: float = option(
        0.05, "Weight decay of AdamW (Loshchilov and Hutter 2019); none on norms and biases.", ge=0
    )
    schedule: Literal["cosine", "one-cycle", "linear", "constant"] = option(
        "cosine",
        "How the learning rate goes on after the warm-up: down along half a cosine, in one cycle with the momentum "
        "against it (Smith and Topin 2019), down a line, or as it is.",
    )
    warm_up: float = option(0.1, "Share of the steps in which the learning rate rises.", ge=0, lt=1)
    clip: float | None = option(1.0, "Largest norm of the gradient, which is cut down to it; null cuts nothing.", gt=0)
    accumulate: int = option(
        1, "Parts in which the samples of a step are run one after the other, where they do not fit together.", ge=1
    )
    average: float = option(
        0.0,
        "Decay of a moving average of the weights, which is then what is measured and kept (Polyak and Juditsky 1992): "
        "0.999; 0 is none.",
        ge=0,
        lt=1,
    )
    select: str = option(
        "loss",
        "What chooses the best epoch on the validation rows: `loss`, or a head's metric, `mood.accuracy`.",
        pattern=r"loss|[A-Za-z][A-Za-z0-9_-]*\.[a-z0-9_]+",
    )
    patience: int | None = option(
        None, "Epochs without a better one after which training stops; null makes all of them.", ge=1
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = option(
        "auto", "Arithmetic of the forward pass; `auto` takes bf16 where the device is fast at it."
    )
    bucket: bool = option(
        True,
        "Put texts, sounds and sequences of about the same length into one batch: little of it is padding.",
    )
    cache: bool = option(
        True, "Compute what frozen backbones give once, and keep it in `$ZOO_CACHE` for later epochs and trainings."
    )
    recompute: bool = option(
        False,
        "Recompute the layers of backbones in the backward pass instead of keeping what they gave (Chen et al. 2016): "
        "less memory, a third more time.",
    )
    compile: bool = option(False, "Compile backbones with `torch.compile`; it needs a C++ compiler.")
    shard: bool = option(
        False,
        "Hold weights, gradients and the optimizer's state in shares over the processes, each on a GPU (FSDP, Zhao et "
        "al. 2023): less memory for more communication.",
    )
    track: Literal["tensorboard", "trackio", "wandb"] | None = option(
        None,
        "Tracker that hears of the training, beside `history.jsonl`; TensorBoard's files are in the run's `logs`.",
    )
    save_every: float = option(
        10.0, "Minutes after which the state of the training is saved, beside after every epoch.", gt=0
    )
    seed: int = option(0, "Seed of everything random.", ge=0, lt=2**63)
    mixup: float = option(
        0.0,
        "Mixes each sample and its labels with another of its batch (mixup, Zhang et al. 2018), by a share from the "
        "Beta distribution with this parameter; 0.2 is common, 0 is none.",
        ge=0,
        le=100,
    )
    cutmix: float = option(
        0.0,
        "Like `mixup`, but a rectangle of the other's picture replaces its own (CutMix, Yun et al. 2019); 1 is common. "
        "With both, each batch is mixed one way or the other.",
        ge=0,
        le=100,
    )

    @property
    def rows(self) -> int:
        """Samples per step; of `auto`, what is taken where no training finds it out."""
        return 32 if self.batch_size == "auto" else self.batch_size


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """How quality is measured."""

    folds: int = option(5, "Folds of `zoo cv`.", ge=2)
    groups: str | None = option(
        None, "Column whose rows never stand on both sides of a split: a customer, a speaker.", columns=True
    )


@dataclass(frozen=True, kw_only=True)
class Hub:
    """Where the model is shared."""

    repo: str | None = option(
        None, "Repository on the Hugging Face Hub, `owner/name`.", pattern=r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
    )
    license: str | None = option(None, "Licence of the model, as the Hub names it: `apache-2.0`.", min_length=1)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A whole specification of a model, its data and its training.

    `folder` is where its relative paths start. `tables` are those in memory, by the name behind `memory:`. `pins` are
    what a lock tells of the weights of each part, if the spec is to be built as that lock tells. `origins` tells for
    the path of each value, such as `("train", "epochs")`, where it came from: `spec.yaml:12`, `--set`, `default`, or
    `default of zoo/concat`.
    """

    zoo: Literal[1] = option(1, "Version of the language.")
    name: str = option(
        "model",
        "Name of the model, and of its run folder: letters, digits, `.`, `-`, `_`; the file's name unless said.",
        pattern=r"[A-Za-z0-9][\w.-]*",
    )
    requires: dict[str, str] = option({}, "Plugin distributions and versions: `{zoo-acme: '>=2'}`.")
    inputs: dict[str, Input] = option(
        doc="The modalities of a sample, each under a name of your choice: a letter, then letters, digits, `-`, `_`.",
        min_length=1,
        pattern=NAME,
    )
    fusion: Fusion | None = option(None, "How several inputs are joined; one input needs none.")
    heads: dict[str, Head] = option(
        doc="What is predicted, each under a name of your choice: a letter, then letters, digits, `-`, `_`.",
        min_length=1,
        pattern=NAME,
    )
    transfer: Transfer = option(None, "Which tensors are trained, and toward what.")
    balance: Balance = option(Balance(), "Modality dropout and auxiliary losses.")
    data: Data = option(Data(), "Tables of samples and labels.")
    train: Train = option(Train(), "Optimisation.")
    evaluate: Evaluate = option(Evaluate(), "Folds and groups of cross-validation.")
    hub: Hub = option(Hub(), "Where the model is shared.")
    folder: Path = internal(Path())
    tables: Mapping[str, Any] | None = internal(None)
    pins: Mapping[str, Mapping[str, Any]] | None = internal(None)
    origins: dict[nodes.Path, str] = internal(None)

    @property
    def augmented(self) -> frozenset[str]:
        """The inputs whose prepared values may differ from epoch to epoch in training, so that they cannot be kept."""
        if self.train.mixup or self.train.cutmix:
            return frozenset(self.inputs)
        return frozenset(name for name, section in self.inputs.items() if section.augment not in ("none", []))
