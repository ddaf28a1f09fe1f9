"""Values out of range, and combinations that no component can be."""

from tests.spec.wrong.case import Wrong, after, changed

CASES = [
    Wrong(
        "zero epochs",
        after("train: {epochs: 0}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not `0`",
    ),
    Wrong(
        "a negative weight",
        changed("zoo/classifier", "{use: zoo/classifier, weight: -0.5}"),
        "5:39: `heads.mood.weight`: expected a number, at least 0, not `-0.5`",
    ),
    Wrong(
        "a rate of one",
        after("balance: {drop: 1.0}\n"),
        "6:17: `balance.drop`: expected a number, at least 0, below 1, not `1.0`",
    ),
    Wrong(
        "one fold",
        after("evaluate: {folds: 1}\n"),
        "6:19: `evaluate.folds`: expected a whole number, at least 2, not `1`",
    ),
    Wrong(
        "a validation share above one",
        after("data: {validation: 1.5}\n"),
        "6:20: `data.validation`: expected a number, a text or null, above 0, below 1, not `1.5`",
    ),
    Wrong(
        "one class",
        changed("zoo/classifier", "{use: zoo/classifier, classes: [good]}"),
        "5:31: `heads.mood`: `classes` names one class; a choice needs two, unless `multi_label` is true",
    ),
    Wrong(
        "a sample rate out of range",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: audio, sample_rate: 8, backbone: torchaudio/wav2vec2_base}",
        ),
        "3:37: `inputs.photo.sample_rate`: expected a whole number in Hz, from 1000 to 192000, not `8`",
    ),
    Wrong(
        "not a number",
        after("train: {learning_rate: .nan}\n"),
        "6:24: `train.learning_rate`: expected a number, above 0, not `.nan`",
    ),
    Wrong(
        "infinite",
        after("train: {learning_rate: .inf}\n"),
        "6:24: `train.learning_rate`: expected a number, above 0, not `.inf`",
    ),
    Wrong(
        "a language of the future",
        changed("zoo: 1", "zoo: 2"),
        "1:6: `zoo`: expected `1`, not `2`",
    ),
    Wrong("true for the language", changed("zoo: 1", "zoo: true"), "1:6: `zoo`: expected `1`, not `true`"),
    Wrong("a fraction for the language", changed("zoo: 1", "zoo: 1.0"), "1:6: `zoo`: expected `1`, not `1.0`"),
    Wrong(
        "a repository without owner",
        after("hub: {repo: model}\n"),
        "6:13: `hub.repo`: the text `model` is not of the right form",
    ),
    Wrong(
        "a name with a blank",
        after("name: my model\n"),
        "6:7: `name`: the text `my model` is not of the right form",
    ),
    Wrong(
        "an input's name with a plus",
        changed("  photo:", "  a+b:"),
        "3:3: `a+b` is no name for one of `inputs`",
    ),
    Wrong(
        "heads that do not divide",
        after("fusion: {use: zoo/token-transformer, dim: 100, heads: 3}\n"),
        "6:48: `fusion`: `heads` (3) must divide `dim` (100)",
    ),
    Wrong(
        "a class twice",
        changed("zoo/classifier", "{use: zoo/classifier, classes: [a, b, a]}"),
        "5:31: `heads.mood`: `classes` names `a` twice",
    ),
    Wrong(
        "column and columns",
        changed("zoo/classifier", "{use: zoo/regressor, column: a, columns: [b, c]}"),
        "5:30: both `column` and `columns` are given; keep one",
    ),
    Wrong(
        "categories that are no columns",
        changed(
            "{type: image, backbone: timm/resnet50}", "{type: vector, columns: [a], categories: [b], backbone: zoo/mlp}"
        ),
        "3:39: `inputs.photo`: `categories` names `b`, which is not among `columns`",
    ),
    Wrong(
        "a policy's number twice",
        after("transfer: {policy: 'last:2', groups: 3}\n"),
        "6:26: `groups` is given twice: as `:2` and as a key",
    ),
    Wrong(
        "a policy's number as a word",
        after("transfer: last:two\n"),
        "6:16: `transfer.groups`: expected a whole number, from 1 to 1000, not the text `two`",
    ),
    Wrong(
        "a number for a policy without",
        after("transfer: frozen:2\n"),
        "6:18: `zoo/frozen` takes no `:2`",
    ),
]
