"""Strategies of valid specs, as plain data: every kind of input, short and full forms, options there or not."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.document.data import texts

Data = dict[str, Any]
unhurried = settings(deadline=None, max_examples=50)

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,6}", fullmatch=True)
columns = st.lists(texts, min_size=1, max_size=3, unique=True)
rates = st.sampled_from([0, 0.0, 0.1, 0.5, 0.999]) | st.floats(0, 1, exclude_max=True)
activations = st.sampled_from(["gelu", "relu", "silu", "tanh"])
free = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers() | texts | st.lists(texts, max_size=2), max_size=2
)
hub = st.sampled_from(["hf://acme/model", "hf://acme/model@0123456789abcdef", "hf://acme/model@main#photo", "runs/a#b"])


def some(required: Data | None = None, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    """A mapping with the required keys and any of the optional ones."""
    return st.fixed_dictionaries({key: st.just(value) for key, value in (required or {}).items()}, optional=optional)


def either(name: str, key: str = "use", **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A component by its name alone, or in full."""
    return st.just(name) | some({key: name}, **optional)


timm = st.sampled_from(["timm/resnet50", "timm/resnet50.a1_in1k", "timm/vit_base_patch16_224"]).flatmap(
    lambda name: either(
        name,
        weights=st.sampled_from(["pretrained", "none"]) | hub,
        pool=st.sampled_from(["auto", "avg", "token"]),
        depth=st.none() | st.integers(1, 12),
        resolution=st.none() | st.integers(8, 4096),
        drop_path_rate=rates,
        model=free,
    )
)
bert = some(
    {"use": "transformers/bert", "weights": "none"},
    config=st.none() | free,
    tokenizer=st.none() | texts | some({"train": "wordpiece"}, vocab_size=st.integers(16, 9000)),
    dropout=st.none() | rates,
) | either("transformers/google-bert/bert-base-uncased", weights=hub, pool=st.sampled_from(["mean", "last"]))
speech = either("torchaudio/wav2vec2_base", dropout=st.none() | rates) | either(
    "torchaudio/conformer", dim=st.just(64), heads=st.sampled_from([1, 2, 8]), kernel_size=st.sampled_from([1, 31])
)
picture = either("torchaudio/log-mel", n_mels=st.integers(8, 512), f_max=st.none() | st.floats(1, 8000)) | either(
    "torchaudio/mfcc", n_mfcc=st.integers(4, 64)
)
policies = (
    st.sampled_from(["full", "frozen", "zoo/full", "last", "last:3", "zoo/last:12"])
    | some({"policy": "last"}, groups=st.integers(1, 1000))
    | some(
        layer_decay=st.floats(0, 1, exclude_min=True) | st.just(1),
        l2_sp=st.floats(0, 10),
        freeze=st.lists(texts, max_size=2),
        policy=st.sampled_from(["full", "frozen", "last:2"]),
    )
)


presets = st.sampled_from(["none", "light", "strong"])
changes = presets | st.lists(
    st.sampled_from(["crop", "colour", {"flip": 0.3}, {"flip": {"vertical": 0.5}}, {"rotate": {}}, "trivialaugment"]),
    max_size=3,
)
"""Of pictures. A name alone, a short form and a full one."""


def entrance(
    kind: str, backbone: st.SearchStrategy[Any], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[Data]:
    """An input of a kind with a backbone that takes it."""
    spelt = st.sampled_from([kind, f"zoo/{kind}"])
    required = {"type": spelt, "backbone": backbone}
    return st.fixed_dictionaries(required, optional={"transfer": policies, "augment": presets} | optional)


image = entrance("image", timm, column=texts, augment=changes, channels=st.integers(1, 64))
inputs = st.one_of(
    image,
    entrance("text", bert, column=texts, max_length=st.integers(1, 512), lowercase=st.booleans()),
    entrance("audio", speech, sample_rate=st.integers(1000, 192000), max_seconds=st.floats(0.5, 7200) | st.just(3)),
    st.builds(lambda part, front: part | {"frontend": front}, entrance("audio", timm), picture),
    entrance("vector", either("zoo/mlp", width=st.integers(1, 99), activation=activations), columns=columns),
    entrance("sequence", either("zoo/gru", bidirectional=st.booleans()), max_length=st.integers(1, 99)),
)
fusions = st.sampled_from(["zoo/token-transformer", "zoo/concat", "zoo/gated", "zoo/late"]) | some(
    dim=st.sampled_from([64, 256]), heads=st.sampled_from([1, 4]), reads=st.sampled_from(["tokens", "pooled"])
)
classifier = either(
    "zoo/classifier",
    column=texts,
    classes=st.none() | st.lists(texts, min_size=2, max_size=4, unique=True),
    multi_label=st.booleans(),
    weight=st.floats(0, 9) | st.integers(0, 9),
)
regressor = either("zoo/regressor", columns=st.none() | columns, loss=st.sampled_from(["squared", "huber"]))
rest = some(
    zoo=st.just(1),
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,9}", fullmatch=True),
    requires=st.dictionaries(st.just("zoo"), st.sampled_from(["*", ">=0", "<99"])),
    transfer=policies,
    balance=some(drop=rates, aux=st.floats(0, 9)),
    train=some(
        epochs=st.integers(1, 10**30),
        learning_rate=st.floats(0, 9, exclude_min=True),
        precision=st.sampled_from(["auto", "bf16"]),
        seed=st.integers(0, 2**63 - 1),
    ),
    evaluate=some(folds=st.integers(2, 9), groups=st.none() | texts),
    hub=some(repo=st.none() | st.just("acme/model"), license=st.none() | st.just("mit")),
)
paths = texts.filter(bool)
"""Of tables to learn from."""

others = st.integers(0, 9).map("other/{}.csv".format)
"""Of tables to measure on, which are none of those."""


@st.composite
def specs(draw: st.DrawFn) -> Data:
    """A valid spec."""
    spec: Data = draw(rest)
    spec["inputs"] = draw(st.dictionaries(names, inputs, min_size=1, max_size=3))
    pictures = [name for name, part in spec["inputs"].items() if part["type"].endswith("image")]
    coin = st.booleans()
    if draw(coin) and pictures:
        twin = draw(entrance("image", st.just({"same_as": pictures[0]})))
        spec["inputs"]["twin"] = {key: value for key, value in twin.items() if key != "transfer"}
    spec["heads"] = draw(st.dictionaries(names, classifier | regressor, min_size=1, max_size=3))
    if draw(coin):
        spec["fusion"] = draw(fusions | st.none() if len(spec["inputs"]) == 1 else fusions)
    heads = st.lists(st.sampled_from(sorted(spec["heads"])), min_size=1, max_size=2)
    table = paths | st.fixed_dictionaries({"path": paths}, optional={"heads": heads, "weight": st.floats(0.1, 9)})
    train = table | st.lists(table, max_size=3)
    validation = st.none() | st.floats(0.01, 0.99) | others
    spec["data"] = draw(some(train=train, validation=validation, test=st.none() | st.just("test.csv")))
    return {key: spec[key] for key in draw(st.permutations(sorted(spec)))}
