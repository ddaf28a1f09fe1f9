"""Components that are not there, and parts that do not fit."""

from tests.spec.wrong.case import Wrong, after, changed

CASES = [
    Wrong(
        "unknown input",
        changed("type: image", "type: imge"),
        "3:17: unknown input `zoo/imge` -> image",
    ),
    Wrong(
        "unknown backbone",
        changed("resnet50", "resnet5O"),
        "3:34: unknown backbone `timm/resnet5O` -> timm/resnet50",
    ),
    Wrong(
        "unknown fusion",
        after("fusion: zoo/concatenate\n"),
        "6:9: unknown fusion `zoo/concatenate` -> zoo/concat",
    ),
    Wrong(
        "unknown head",
        changed("zoo/classifier", "zoo/clasifier"),
        "5:9: unknown head `zoo/clasifier` -> zoo/classifier",
    ),
    Wrong(
        "unknown policy",
        after("transfer: frozne\n"),
        "6:11: unknown policy `zoo/frozne` -> frozen",
    ),
    Wrong(
        "unknown front end",
        changed("type: image,", "type: audio, frontend: torchaudio/logmel,"),
        "3:34: unknown frontend `torchaudio/logmel` -> torchaudio/log-mel",
    ),
    Wrong(
        "a head where a backbone belongs",
        changed("timm/resnet50", "zoo/classifier"),
        "3:34: the head `zoo/classifier` stands where a backbone belongs",
    ),
    Wrong(
        "a name without namespace",
        changed("timm/resnet50", "resnet50"),
        "3:34: `resnet50` is no full name: a backbone is written `namespace/name` -> timm/resnet50",
    ),
    Wrong(
        "a dotted path",
        changed("timm/resnet50", "os.system"),
        "3:34: `os.system` is no full name: a backbone is written `namespace/name`",
    ),
    Wrong(
        "an unknown namespace",
        changed("timm/resnet50", "tim/resnet50"),
        "3:34: unknown backbone `tim/resnet50`: no installed plugin has components in `tim/` (timm, torchaudio, transformers, zoo) -> timm/resnet50",
    ),
    Wrong(
        "a namespace nobody has",
        changed("timm/resnet50", "acme/spectral"),
        "3:34: unknown backbone `acme/spectral`: no installed plugin has components in `acme/` (timm, torchaudio, transformers, zoo)",
        exit_code=3,
    ),
    Wrong(
        "a torchvision name",
        changed("timm/resnet50", "torchvision/resnet50"),
        "3:34: unknown backbone `torchvision/resnet50`: no installed plugin has components in `torchvision/` (timm, torchaudio, transformers, zoo) -> timm/resnet50",
    ),
    Wrong(
        "weights that are misspelt hub reference",
        changed("timm/resnet50}", "{use: timm/resnet50, weights: 'hf:/acme/model'}}"),
        "3:64: `hf:/acme/model` is no Hub reference",
    ),
    Wrong(
        "pretrained weights of what has none",
        changed(
            "{type: image, backbone: timm/resnet50}", "{type: vector, backbone: {use: zoo/mlp, weights: pretrained}}"
        ),
        "3:59: `zoo/mlp` has no pretrained weights",
    ),
    Wrong(
        "a text for an image backbone",
        changed("type: image", "type: text"),
        "3:33: `timm/resnet50` takes image, but the input `photo` gives text",
    ),
    Wrong(
        "a sound for an image backbone",
        changed("type: image", "type: audio"),
        "3:34: `timm/resnet50` takes image, but the input `photo` gives audio",
    ),
    Wrong(
        "a picture for a text backbone",
        changed("timm/resnet50", "{use: transformers/bert, weights: none}"),
        "3:40: `transformers/bert` takes text, but the input `photo` gives image",
    ),
    Wrong(
        "a front end for a picture",
        changed("type: image,", "type: image, frontend: torchaudio/log-mel,"),
        "3:34: `torchaudio/log-mel` takes audio, but the input `photo` gives image",
    ),
    Wrong(
        "a front end into a sound backbone",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: audio, frontend: torchaudio/mfcc, backbone: torchaudio/wav2vec2_base}",
        ),
        "3:61: `torchaudio/wav2vec2_base` takes audio, but the input `photo` gives image",
    ),
    Wrong(
        "an input named like what torch's modules have of their own",
        changed("  photo:", "  values:"),
        "3:3: `values` is a name that torch's modules have for something of their own",
    ),
    Wrong(
        "a share with nobody",
        changed("timm/resnet50}", "{same_as: phto}}"),
        "3:44: there is no input `phto` to share a backbone with",
    ),
    Wrong(
        "a share with itself",
        changed("timm/resnet50}", "{same_as: photo}}"),
        "3:44: the input `photo` cannot share its own backbone",
    ),
    Wrong(
        "two transfers for one backbone",
        changed(
            "heads:",
            "  other: {type: image, backbone: {same_as: photo}, transfer: last:2}\nheads:",
        ),
        "4:62: the input `other` shares the backbone of `photo`, and its transfer with it",
    ),
    Wrong(
        "a share of another modality",
        changed(
            "  photo: {type: image, backbone: timm/resnet50}",
            "  photo: {type: image, backbone: timm/resnet50}\n  sound: {type: audio, backbone: {same_as: photo}}",
        ),
        "4:44: `timm/resnet50` takes image, but the input `sound` gives audio",
    ),
    Wrong(
        "a table for an unknown head",
        after("data: {train: [{path: a.csv, heads: [moood]}]}\n"),
        "6:38: `data.train[0].heads[0]`: there is no head `moood` -> mood",
    ),
    Wrong(
        "a missing distribution",
        after("requires: {zoo-acme: '>=2'}\n"),
        "6:12: the distribution `zoo-acme` is not installed",
        exit_code=3,
    ),
    Wrong(
        "a version range that is none",
        after("requires: {zoo: 'newest'}\n"),
        "6:17: `newest` is no version range: Invalid specifier: 'newest'",
    ),
    Wrong(
        "sizes beside pretrained weights",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: text, backbone: {use: transformers/google-bert/bert-base-uncased, config: {hidden_size: 128}}}",
        ),
        "3:83: `config` shapes a part that starts at random, but these weights (`pretrained`) have their shape",
    ),
    Wrong(
        "an input's option at its backbone",
        changed(
            "{type: image, backbone: timm/resnet50}",
            "{type: text, backbone: {use: transformers/bert, weights: none, max_length: 64}}",
        ),
        "3:73: unknown key `max_length` in `inputs.photo.backbone`",
    ),
    Wrong(
        "a backbone's key at its input",
        changed("type: image,", "type: image, weights: none,"),
        "3:24: unknown key `weights` in `inputs.photo`",
    ),
    Wrong(
        "an architecture that was never pretrained",
        changed("timm/resnet50", "timm/cspresnet50d"),
        "3:34: `timm/cspresnet50d` has no pretrained weights",
    ),
    Wrong(
        "a wrong option inside an override",
        changed("type: image,", "type: image, transfer: {policy: full, l2sp: 1},"),
        "3:49: unknown key `l2sp` in `inputs.photo.transfer` -> l2_sp",
    ),
    Wrong(
        "a text where a fraction belongs",
        changed("zoo/classifier", "{use: zoo/classifier, label_smoothing: some}"),
        "5:48: `heads.mood.label_smoothing`: expected a number, at least 0, below 1, not the text `some`",
    ),
]
