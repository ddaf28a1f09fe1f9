"""Traps of YAML 1.1, and what a spec never needs: anchors, tags, duplicates, broken syntax."""

from tests.spec.wrong.case import GOOD, Wrong, after, changed

CASES = [
    Wrong(
        "no for a boolean",
        changed("zoo/classifier", "{use: zoo/classifier, multi_label: no}"),
        "5:44: `heads.mood.multi_label`: expected true or false, not the text `no`",
    ),
    Wrong(
        "on for a boolean",
        changed("zoo/classifier", "{use: zoo/classifier, multi_label: on}"),
        "5:44: `heads.mood.multi_label`: expected true or false, not the text `on`",
    ),
    Wrong(
        "3e-4 for a whole number",
        after("train: {seed: 3e-4}\n"),
        "6:15: `train.seed`: expected a whole number, at least 0, below 9223372036854775808, not `3e-4`",
    ),
    Wrong(
        "12:30 for a number",
        after("train: {epochs: 12:30}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not the text `12:30`",
    ),
    Wrong(
        "an octal of old for a whole number",
        after("evaluate: {folds: 0b11}\n"),
        "6:19: `evaluate.folds`: expected a whole number, at least 2, not the text `0b11`",
    ),
    Wrong(
        "1_000 for a number",
        after("train: {epochs: 1_000}\n"),
        "6:17: `train.epochs`: expected a whole number, at least 1, not the text `1_000`",
    ),
    Wrong(
        "010 out of range",
        after("balance: {drop: 010}\n"),
        "6:17: `balance.drop`: expected a number, at least 0, below 1, not `010`",
    ),
    Wrong(
        "an anchor",
        changed("{type: image, backbone: timm/resnet50}", "&p {type: image, backbone: timm/resnet50}"),
        "3:10: the anchor `&p` is not allowed: write the value out",
    ),
    Wrong(
        "an alias",
        changed(
            "  photo: {type: image, backbone: timm/resnet50}",
            "  photo: &p {type: image, backbone: timm/resnet50}\n  other: *p",
        ),
        "3:10: the anchor `&p` is not allowed: write the value out",
        "4:10: the alias `*p` is not allowed: write the value out",
    ),
    Wrong(
        "a merge key",
        changed("type: image", "<<: {type: image}"),
        "3:11: the merge key `<<` is not allowed: write the keys out",
    ),
    Wrong(
        "a python tag",
        changed("timm/resnet50", "!!python/name:os.system timm/resnet50"),
        "3:34: the tag `!!python/name:os.system` is not allowed: values are plain data",
    ),
    Wrong(
        "a local tag",
        changed("timm/resnet50", "!env RESNET"),
        "3:34: the tag `!env` is not allowed: values are plain data",
    ),
    Wrong(
        "a tag of a core type",
        after("name: !!str 3\n"),
        "6:7: the tag `!!str` is not allowed: values are plain data",
    ),
    Wrong(
        "a directive",
        "%YAML 1.1\n---\n" + GOOD,
        "1:1: directives (%YAML, %TAG) are not allowed",
    ),
    Wrong(
        "a duplicate key",
        after("zoo: 1\n"),
        "6:1: the key `zoo` is already at line 1",
    ),
    Wrong(
        "a duplicate input",
        changed("heads:", "  photo: {type: text, backbone: transformers/bert}\nheads:"),
        "4:3: the key `photo` is already at line 3",
    ),
    Wrong(
        "a key that is a list",
        after("? [a, b]\n: 1\n"),
        "6:3: a key must be a text, not a list or a mapping",
    ),
    Wrong(
        "two documents",
        after("---\nzoo: 1\n"),
        "6:1: a second document; one file holds one",
    ),
    Wrong(
        "a number of 500 digits",
        after("train: {seed: " + "9" * 500 + "}\n"),
        "6:15: a number of 500 characters is not a value",
    ),
    Wrong(
        "a tab for indentation",
        changed("  photo", "\tphoto"),
        "3:1: not valid YAML: found character that cannot start any token while scanning for the next token",
    ),
    Wrong("an open brace at the end", after("train: {"), "6:8: not valid YAML: this is never closed"),
    Wrong("an open bracket at the end", "inputs: [", "1:9: not valid YAML: this is never closed"),
    Wrong(
        "a version range without quotes",
        after("requires: {zoo: >=2}\n"),
        "6:17: not valid YAML: found character that cannot start any token while scanning for the next token",
    ),
    Wrong(
        "no space after a colon",
        changed("type: image", "type:image"),
        "3:11: a space is missing after the colon of `type:image`",
    ),
    Wrong(
        "an open bracket",
        after("train: {epochs: 3\n"),
        "6:8: not valid YAML: this is never closed",
    ),
    Wrong(
        "a colon too many",
        after("name: a: b\n"),
        "6:8: not valid YAML: mapping values are not allowed in this context",
    ),
]
