"""Every key of the language and every option of every component: said, it has an effect; wrong, it is refused."""

from dataclasses import is_dataclass
from typing import Any, Literal, get_args, get_origin

import pytest

from tests.spec.wrong.case import GOOD, after, changed
from zoo.component import Kind
from zoo.document.fields import Field, fields_of, leaves, members
from zoo.document.source import Source
from zoo.document.write import write_yaml
from zoo.errors import SpecError
from zoo.registry.registry import Registered, installed
from zoo.spec.load import read_spec
from zoo.spec.render import spec_data
from zoo.spec.sections import (
    Augment,
    Backbone,
    Balance,
    Data,
    Evaluate,
    Frontend,
    Fusion,
    Head,
    Hub,
    Input,
    SharedBackbone,
    Spec,
    Table,
    Train,
    Transfer,
)

TWO = changed("heads:", "  other: {type: image, backbone: timm/resnet18}\nheads:")
SOUND = "{type: audio, frontend: torchaudio/mfcc, backbone: timm/resnet50}"

EXAMPLES: dict[type, dict[str, tuple[str, str, Any]]] = {
    Spec: {
        "zoo": (GOOD, "zoo", 1),
        "name": (after("name: mine\n"), "name", "mine"),
        "requires": (after("requires: {zoo: '>=0.1'}\n"), "requires.zoo", ">=0.1"),
        "inputs": (GOOD, "inputs.photo.type", "zoo/image"),
        "fusion": (after("fusion: zoo/late\n"), "fusion.use", "zoo/late"),
        "heads": (GOOD, "heads.mood.use", "zoo/classifier"),
        "transfer": (after("transfer: frozen\n"), "transfer.policy", "zoo/frozen"),
        "balance": (after("balance: {aux: 1}\n"), "balance.aux", 1.0),
        "data": (after("data: {test: t.csv}\n"), "data.test", "t.csv"),
        "train": (after("train: {epochs: 9}\n"), "train.epochs", 9),
        "evaluate": (after("evaluate: {folds: 9}\n"), "evaluate.folds", 9),
        "hub": (after("hub: {repo: a/b}\n"), "hub.repo", "a/b"),
    },
    Input: {
        "type": (GOOD, "inputs.photo.type", "zoo/image"),
        "backbone": (GOOD, "inputs.photo.backbone.use", "timm/resnet50"),
        "frontend": (
            changed("{type: image, backbone: timm/resnet50}", SOUND),
            "inputs.photo.frontend.use",
            "torchaudio/mfcc",
        ),
        "column": (changed("type: image", "type: image, column: picture"), "inputs.photo.column", "picture"),
        "transfer": (
            changed("type: image", "type: image, transfer: last:3"),
            "inputs.photo.transfer.groups",
            3,
        ),
        "augment": (changed("type: image", "type: image, augment: light"), "inputs.photo.augment", "light"),
    },
    Augment: {},  # its key is the name of an augmentation: see test_augment.py
    Backbone: {
        "use": (changed("timm/resnet50", "{use: timm/resnet18}"), "inputs.photo.backbone.use", "timm/resnet18"),
        "weights": (
            changed("timm/resnet50", "{use: timm/resnet18, weights: none}"),
            "inputs.photo.backbone.weights",
            "none",
        ),
    },
    SharedBackbone: {
        "same_as": (
            TWO.replace("timm/resnet18", "{same_as: photo}"),
            "inputs.other.backbone.same_as",
            "photo",
        )
    },
    Frontend: {
        "use": (
            changed("{type: image, backbone: timm/resnet50}", SOUND.replace("mfcc", "log-mel")),
            "inputs.photo.frontend.use",
            "torchaudio/log-mel",
        )
    },
    Fusion: {"use": (TWO, "fusion.use", "zoo/token-transformer")},
    Head: {
        "use": (changed("zoo/classifier", "{use: zoo/regressor}"), "heads.mood.use", "zoo/regressor"),
        "column": (changed("zoo/classifier", "{use: zoo/regressor, column: y}"), "heads.mood.column", "y"),
        "weight": (changed("zoo/classifier", "{use: zoo/regressor, weight: 2}"), "heads.mood.weight", 2.0),
        "weights": (
            changed("zoo/classifier", "{use: zoo/classifier, weights: runs/x#mood}"),
            "heads.mood.weights",
            "runs/x#mood",
        ),
    },
    Transfer: {
        "policy": (after("transfer: {policy: full}\n"), "transfer.policy", "zoo/full"),
        "freeze": (after("transfer: {freeze: ['*.stem.*']}\n"), "transfer.freeze", ["*.stem.*"]),
        "layer_decay": (after("transfer: {layer_decay: 0.5}\n"), "transfer.layer_decay", 0.5),
        "l2_sp": (after("transfer: {l2_sp: 0.5}\n"), "transfer.l2_sp", 0.5),
    },
    Balance: {
        "drop": (after("balance: {drop: 0.5}\n"), "balance.drop", 0.5),
        "aux": (after("balance: {aux: 0.5}\n"), "balance.aux", 0.5),
    },
    Data: {
        "train": (after("data: {train: a.csv}\n"), "data.train.0.path", "a.csv"),
        "validation": (after("data: {validation: v.csv}\n"), "data.validation", "v.csv"),
        "test": (after("data: {test: t.csv}\n"), "data.test", "t.csv"),
        "on_error": (after("data: {on_error: skip}\n"), "data.on_error", "skip"),
    },
    Table: {
        "path": (after("data: {train: [{path: a.csv}]}\n"), "data.train.0.path", "a.csv"),
        "heads": (after("data: {train: [{path: a.csv, heads: [mood]}]}\n"), "data.train.0.heads", ["mood"]),
        "weight": (after("data: {train: [{path: a.csv, weight: 2}]}\n"), "data.train.0.weight", 2.0),
    },
    Train: {
        "epochs": (after("train: {epochs: 7}\n"), "train.epochs", 7),
        "batch_size": (after("train: {batch_size: 7}\n"), "train.batch_size", 7),
        "learning_rate": (after("train: {learning_rate: 3e-4}\n"), "train.learning_rate", 3e-4),
        "weight_decay": (after("train: {weight_decay: 0}\n"), "train.weight_decay", 0.0),
        "precision": (after("train: {precision: bf16}\n"), "train.precision", "bf16"),
        "seed": (after("train: {seed: 7}\n"), "train.seed", 7),
        "schedule": (after("train: {schedule: linear}\n"), "train.schedule", "linear"),
        "warm_up": (after("train: {warm_up: 0}\n"), "train.warm_up", 0.0),
        "clip": (after("train: {clip: 2}\n"), "train.clip", 2.0),
        "accumulate": (after("train: {accumulate: 2}\n"), "train.accumulate", 2),
        "average": (after("train: {average: 0.9}\n"), "train.average", 0.9),
        "select": (after("train: {select: mood.accuracy}\n"), "train.select", "mood.accuracy"),
        "patience": (after("train: {patience: 3}\n"), "train.patience", 3),
        "recompute": (after("train: {recompute: true}\n"), "train.recompute", True),
        "compile": (after("train: {compile: true}\n"), "train.compile", True),
        "shard": (after("train: {shard: true}\n"), "train.shard", True),
        "track": (after("train: {track: wandb}\n"), "train.track", "wandb"),
        "bucket": (after("train: {bucket: false}\n"), "train.bucket", False),
        "cache": (after("train: {cache: false}\n"), "train.cache", False),
        "save_every": (after("train: {save_every: 5}\n"), "train.save_every", 5.0),
        "mixup": (after("train: {mixup: 0.2}\n"), "train.mixup", 0.2),
        "cutmix": (after("train: {cutmix: 1}\n"), "train.cutmix", 1.0),
    },
    Evaluate: {
        "folds": (after("evaluate: {folds: 7}\n"), "evaluate.folds", 7),
        "groups": (after("evaluate: {groups: customer}\n"), "evaluate.groups", "customer"),
    },
    Hub: {
        "repo": (after("hub: {repo: a/b}\n"), "hub.repo", "a/b"),
        "license": (after("hub: {license: mit}\n"), "hub.license", "mit"),
    },
}
SAID = [
    pytest.param(*example, id=f"{section.__name__}.{key}")
    for section, keys in EXAMPLES.items()
    for key, example in keys.items()
]
OPTIONS = [
    pytest.param(entry, field, id=f"{entry.name} {name}")
    for entry in installed().components()
    for name, field in fields_of(entry.component.options).items()
]
FAMILIES = {
    "timm/*": "timm/resnet50",
    "transformers/*": "transformers/bert",
    "torchaudio/*": "torchaudio/wav2vec2_base",
}
BACKBONE_OF = {
    "image": "timm/resnet50",
    "text": "transformers/google-bert/bert-base-uncased",
    "audio": "torchaudio/conformer",
} | {
    "vector": "zoo/mlp",
    "sequence": "zoo/gru",
}


def value_at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data


def read(text: str) -> dict[str, Any]:
    return spec_data(read_spec(Source(text, "spec.yaml")))


def sections(cls: type) -> set[type]:
    """Every section of the language, found from the root."""
    found = {cls}
    for field in fields_of(cls).values():
        inner = {argument for member in members(field.hint) for argument in (member, *get_args(member))}
        found |= {below for each in inner if isinstance(each, type) and is_dataclass(each) for below in sections(each)}
    return found


def test_every_key_of_the_language_has_an_example() -> None:
    assert set(EXAMPLES) == sections(Spec)
    for section, keys in EXAMPLES.items():
        assert set(keys) == set(fields_of(section)), section


@pytest.mark.parametrize(("text", "path", "value"), SAID)
def test_a_key_that_is_said_is_in_the_spec(text: str, path: str, value: Any) -> None:
    assert value_at(read(text), path) == value


def placed(entry: Registered, options: dict[str, Any]) -> tuple[str, str]:
    """A spec that uses the component with the options, and the path where they stand."""
    name = FAMILIES.get(entry.name, entry.name)
    modality = str(entry.component.modality[0]) if entry.component.modality else "image"
    parts: dict[str, Any] = {"type": modality, "backbone": BACKBONE_OF[modality]}
    spec: dict[str, Any] = {"inputs": {"x": parts}, "heads": {"y": "zoo/classifier"}}
    match entry.kind:
        case Kind.INPUT:
            parts |= options
            return write_yaml(spec), "inputs.x"
        case Kind.FRONTEND:
            parts |= {"frontend": {"use": name, **options}, "backbone": "timm/resnet50"}
            return write_yaml(spec), "inputs.x.frontend"
        case Kind.BACKBONE:
            parts["type"] = {"transformers/*": "text"}.get(entry.name, modality)
            unsized = {"weights": "none"} if entry.name == "transformers/*" and "config" not in options else {}
            parts["backbone"] = {"use": name, **unsized, **options}
            return write_yaml(spec), "inputs.x.backbone"
        case Kind.HEAD:
            spec["heads"]["y"] = {"use": name, **options}
            return write_yaml(spec), "heads.y"
        case Kind.FUSION:
            return write_yaml(spec | {"fusion": {"use": name, **options}}), "fusion"
        case Kind.POLICY:
            return write_yaml(spec | {"transfer": {"policy": name, **options}}), "transfer"


OTHER: dict[str, dict[str, Any]] = {
    "categories": {"columns": ["a", "b"], "categories": ["a"]},
    "heads": {"heads": 2, "dim": 64},
    "dim": {"dim": 64},
    "f_max": {"f_max": 4000.0},
    "n_mfcc": {"n_mfcc": 20},
    "hop_length": {"hop_length": 200},
    "kernel_size": {"kernel_size": 15},
    "tokenizer": {"tokenizer": {"train": "bpe", "vocab_size": 100}},
}


def other_than_default(field: Field) -> dict[str, Any]:
    """Options in which this one is valid and not its default."""
    if field.name in OTHER:
        return OTHER[field.name]
    for member in members(field.hint):
        bounds = dict(field.bounds)
        if member is bool:
            return {field.name: not field.default}
        if member in (int, float):
            low, high = bounds.get("ge", bounds.get("gt", 0)), bounds.get("le", bounds.get("lt", 100))
            between = low + (high - low) / 4
            return {field.name: int(between) + 1 if member is int else between}
        if get_origin(member) is Literal:
            return {field.name: next(word for word in get_args(member) if word != field.default)}
        if get_origin(member) is list:
            return {field.name: [1, 2] if int in get_args(member) else ["a", "b"]}
        if get_origin(member) is dict:
            return {field.name: {"hidden_size": 64}}
    raise AssertionError(field)


@pytest.mark.parametrize(("entry", "field"), OPTIONS)
def test_an_option_that_is_said_is_in_the_spec(entry: Registered, field: Field) -> None:
    options = other_than_default(field)
    assert options[field.name] != field.default
    text, path = placed(entry, options)
    assert value_at(read(text), path)[field.name] == options[field.name]


@pytest.mark.parametrize(("entry", "field"), OPTIONS)
def test_an_option_of_the_wrong_type_is_refused(entry: Registered, field: Field) -> None:
    wrong = [{"no": "thing"}] if leaves(field.hint) else 3.5
    text, path = placed(entry, {field.name: wrong})
    with pytest.raises(SpecError) as caught:
        read(text)
    assert any(problem.path.startswith(f"{path}.{field.name}") for problem in caught.value.problems)


@pytest.mark.parametrize("entry", installed().components(), ids=lambda entry: entry.name)
def test_an_unknown_option_is_refused_by_name(entry: Registered) -> None:
    text, path = placed(entry, {"no_such_option": 1})
    with pytest.raises(SpecError) as caught:
        read(text)
    assert [problem.path for problem in caught.value.problems] == [f"{path}.no_such_option"]


@pytest.mark.parametrize("entry", installed().components(), ids=lambda entry: entry.name)
def test_a_component_alone_has_all_its_defaults(entry: Registered) -> None:
    text, path = placed(entry, {})
    said = value_at(read(text), path)
    for name, field in fields_of(entry.component.options).items():
        assert said[name] == field.default
