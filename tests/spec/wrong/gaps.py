"""Keys that are missing, and values of the wrong type."""

from tests.spec.wrong.case import Wrong, after, changed

CASES = [
    Wrong(
        "no inputs",
        "zoo: 1\nheads:\n  mood: zoo/classifier\n",
        "1:1: the spec needs the key `inputs`",
    ),
    Wrong(
        "no heads",
        "zoo: 1\ninputs:\n  photo: {type: image, backbone: timm/resnet50}\n",
        "1:1: the spec needs the key `heads`",
    ),
    Wrong(
        "empty inputs",
        "inputs: {}\nheads:\n  mood: zoo/classifier\n",
        "1:9: `inputs` is empty",
    ),
    Wrong(
        "an input without type",
        changed("type: image, ", ""),
        "3:3: `inputs.photo` needs the key `type`",
    ),
    Wrong(
        "an input without backbone",
        changed(", backbone: timm/resnet50", ""),
        "3:3: `inputs.photo` needs the key `backbone`",
    ),
    Wrong(
        "a backbone without use",
        changed("timm/resnet50}", "{weights: none}}"),
        "3:24: `inputs.photo.backbone` needs the key `use`",
    ),
    Wrong(
        "a head without use",
        changed("zoo/classifier", "{column: label}"),
        "5:3: `heads.mood` needs the key `use`",
    ),
    Wrong(
        "a table without path",
        after("data: {train: [{weight: 2}]}\n"),
        "6:16: `data.train[0]` needs the key `path`",
    ),
    Wrong(
        "an empty file",
        "",
        "1:1: expected a spec, not nothing",
    ),
    Wrong(
        "only comments",
        "# nothing\n",
        "1:1: expected a spec, not nothing",
    ),
    Wrong(
        "a list for the spec",
        "- inputs\n- heads\n",
        "1:1: expected a spec, not a list of 2",
    ),
    Wrong(
        "a text for the spec",
        "resnet50\n",
        "1:1: expected a spec, not the text `resnet50`",
    ),
    Wrong(
        "a list for inputs",
        "inputs: [photo]\nheads:\n  mood: zoo/classifier\n",
        "1:9: `inputs`: expected a mapping, not a list of 1",
    ),
    Wrong(
        "a text for an input",
        changed("{type: image, backbone: timm/resnet50}", "timm/resnet50"),
        "3:10: `inputs.photo`: expected a mapping, not the text `timm/resnet50`",
    ),
    Wrong(
        "nothing for a head",
        changed(" zoo/classifier", ""),
        "5:8: `heads.mood`: expected the value of `use` or a mapping, not nothing",
    ),
    Wrong(
        "a number for a backbone",
        changed("timm/resnet50}", "50}"),
        "3:34: `50` is no full name: a backbone is written `namespace/name`",
    ),
    Wrong(
        "a list for a backbone",
        changed("timm/resnet50}", "[timm/resnet50]}"),
        "3:34: `inputs.photo.backbone`: expected the value of `use` or a mapping, not a list of 1",
    ),
    Wrong(
        "a text for epochs",
        after("train: {epochs: many}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not the text `many`",
    ),
    Wrong(
        "a fraction for epochs",
        after("train: {epochs: 2.5}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not `2.5`",
    ),
    Wrong(
        "a quoted number",
        after("train: {epochs: '5'}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not the text `5`",
    ),
    Wrong(
        "a boolean for a number",
        after("train: {batch_size: true}\n"),
        "6:21: `train.batch_size`: expected a whole number or `auto`, at least 1, not `true`",
    ),
    Wrong(
        "a mapping for a name",
        after("name: {first: x}\n"),
        "6:7: `name`: expected a text, not a mapping",
    ),
    Wrong(
        "a number for a mapping",
        after("balance: 3\n"),
        "6:10: `balance`: expected a mapping, not `3`",
    ),
    Wrong(
        "null for a number",
        after("train: {seed: null}\n"),
        "6:15: `train.seed`: expected a whole number, at least 0, below 9223372036854775808, not `null` (nothing)",
    ),
    Wrong(
        "one class as a text",
        changed("zoo/classifier", "{use: zoo/classifier, classes: good}"),
        "5:40: `heads.mood.classes`: expected a list of texts or null, not the text `good`",
    ),
    Wrong(
        "a list inside a list of texts",
        changed("zoo/classifier", "{use: zoo/classifier, classes: [a, [b]]}"),
        "5:44: `heads.mood.classes[1]`: expected a text, not a list of 1",
    ),
    Wrong(
        "nothing inside a list of texts",
        changed("zoo/classifier", "{use: zoo/classifier, classes: [a, ~]}"),
        "5:44: `heads.mood.classes[1]`: expected a text, not `~` (nothing)",
    ),
    Wrong(
        "a test table that the model learns from",
        after("data: {train: [a.csv, {path: ./a.csv}], test: ./a.csv}\n"),
        "6:47: `data.test`: the model learns from `./a.csv`; what is measured on it says nothing",
    ),
    Wrong(
        "a head that is called like the number of the row",
        changed("mood:", "row:"),
        "5:3: `row` is the column with the number of the row in tables of predictions",
    ),
    Wrong(
        "validation rows that the model learns from",
        after("data: {train: a.csv, validation: a.csv}\n"),
        "6:34: `data.validation`: the model learns from `a.csv`; what is measured on it says nothing",
    ),
    Wrong(
        "patience without validation rows",
        after("data: {train: a.csv, validation: null}\ntrain: {patience: 3}\n"),
        "7:19: `train.patience` chooses by validation rows, and `data.validation` is null",
    ),
    Wrong(
        "a metric to choose by without validation rows",
        after("data: {train: a.csv, validation: ~}\ntrain: {select: mood.accuracy}\n"),
        "7:17: `train.select` chooses by validation rows, and `data.validation` is null",
    ),
    Wrong(
        "a head to choose by that is not there",
        after("train: {select: mod.accuracy}\n"),
        "6:17: there is no head `mod` -> mood",
    ),
    Wrong(
        "a wrong word",
        after("train: {precision: float16}\n"),
        "6:20: `train.precision`: expected `auto`, `fp32`, `bf16` or `fp16`, not the text `float16`",
    ),
]
