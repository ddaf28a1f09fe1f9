"""Keys that nobody knows."""

from tests.spec.wrong.case import Wrong, after, changed

CASES = [
    Wrong(
        "top-level key",
        after("triner: {epochs: 99}\n"),
        "6:1: unknown key `triner` -> train",
    ),
    Wrong(
        "key of train at the top",
        after("epochs: 3\n"),
        "6:1: unknown key `epochs`",
    ),
    Wrong(
        "key of train",
        after("train: {epoch: 3}\n"),
        "6:9: unknown key `epoch` in `train` -> epochs",
    ),
    Wrong(
        "key of data",
        after("data: {trian: a.csv}\n"),
        "6:8: unknown key `trian` in `data` -> train",
    ),
    Wrong(
        "key of a table",
        after("data:\n  train:\n    - {path: a.csv, wieght: 2}\n"),
        "8:21: unknown key `wieght` in `data.train[0]` -> weight",
    ),
    Wrong(
        "key of balance",
        after("balance: {dorp: 0.1}\n"),
        "6:11: unknown key `dorp` in `balance` -> drop",
    ),
    Wrong(
        "key of evaluate",
        after("evaluate: {fold: 5}\n"),
        "6:12: unknown key `fold` in `evaluate` -> folds",
    ),
    Wrong(
        "key of hub",
        after("hub: {repository: acme/model}\n"),
        "6:7: unknown key `repository` in `hub` -> repo",
    ),
    Wrong(
        "key of transfer",
        after("transfer: {policy: full, layer_decy: 0.9}\n"),
        "6:26: unknown key `layer_decy` in `transfer` -> layer_decay",
    ),
    Wrong(
        "key of an input",
        changed("type: image,", "type: image, colum: image,"),
        "3:24: unknown key `colum` in `inputs.photo` -> column",
    ),
    Wrong(
        "key of a backbone",
        changed("timm/resnet50}", "{use: timm/resnet50, weigths: none}}"),
        "3:55: unknown key `weigths` in `inputs.photo.backbone` -> weights",
    ),
    Wrong(
        "option of a family",
        changed("timm/resnet50}", "{use: timm/resnet50, drop_pth_rate: 0.1}}"),
        "3:55: unknown key `drop_pth_rate` in `inputs.photo.backbone` -> drop_path_rate",
    ),
    Wrong(
        "option of an input",
        changed("type: image,", "type: image, chanels: 1,"),
        "3:24: unknown key `chanels` in `inputs.photo` -> channels",
    ),
    Wrong(
        "option of a head",
        changed("zoo/classifier", "{use: zoo/classifier, num_classes: 3}"),
        "5:31: unknown key `num_classes` in `heads.mood` -> classes",
    ),
    Wrong(
        "option of a fusion",
        after("fusion: {use: zoo/concat, num_fc_layer: 2}\n"),
        "6:27: unknown key `num_fc_layer` in `fusion`",
    ),
    Wrong(
        "option of another head",
        changed("zoo/classifier", "{use: zoo/regressor, classes: [a, b]}"),
        "5:30: unknown key `classes` in `heads.mood`",
    ),
    Wrong(
        "option of a front end",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: audio, frontend: {use: torchaudio/log-mel, mels: 64}, backbone: timm/resnet50}",
        ),
        "3:60: unknown key `mels` in `inputs.photo.frontend` -> n_mels",
    ),
    Wrong(
        "option of a policy",
        after("transfer: {policy: last, layers: 2}\n"),
        "6:26: unknown key `layers` in `transfer`",
    ),
    Wrong(
        "option of a policy without any",
        after("transfer: {policy: frozen, groups: 2}\n"),
        "6:28: unknown key `groups` in `transfer`",
    ),
    Wrong(
        "key of a trained tokenizer",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: text, backbone: {use: transformers/bert, weights: none, tokenizer: {train: bpe, size: 100}}}",
        ),
        "3:97: unknown key `size` in `inputs.photo.backbone.tokenizer`",
    ),
    Wrong(
        "key beside same_as",
        changed(
            "  photo: {type: image, backbone: timm/resnet50}",
            "  photo: {type: image, backbone: timm/resnet50}\n  other: {type: image, backbone: {same_as: photo, pool: max}}",
        ),
        "4:51: unknown key `pool` in `inputs.other.backbone`",
    ),
    Wrong(
        "key nowhere",
        after("banana: 1\n"),
        "6:1: unknown key `banana`",
    ),
]
