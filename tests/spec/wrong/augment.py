"""Augmentations that there are not, or that heads and inputs cannot take."""

from tests.spec.wrong.case import Wrong, after, changed


def augmented(said: str) -> str:
    return changed("type: image", f"type: image, augment: {said}")


SOUND = "{type: audio, backbone: torchaudio/wav2vec2_base}"

CASES = [
    Wrong(
        "a misspelt preset",
        augmented("lihgt"),
        "3:33: `inputs.photo.augment`: expected `none`, `light` or `strong`, not the text `lihgt` -> light",
    ),
    Wrong(
        "a misspelt augmentation",
        augmented("[crup]"),
        "3:34: unknown augmentation `crup` of `zoo/image` -> crop",
    ),
    Wrong(
        "an augmentation of another modality",
        augmented("[gain]"),
        "3:34: unknown augmentation `gain` of `zoo/image`",
    ),
    Wrong(
        "an unknown option of an augmentation",
        augmented("[{flip: {vertcal: 1}}]"),
        "3:42: unknown key `vertcal` in `inputs.photo.augment[0].flip` -> vertical",
    ),
    Wrong(
        "an option of an augmentation out of range",
        augmented("[crop, {rotate: 500}]"),
        "3:49: `inputs.photo.augment[1].rotate.degrees`: expected a number in degrees, above 0, at most 180, not `500`",
    ),
    Wrong(
        "two augmentations in one",
        augmented("[{crop: {}, flip: {}}]"),
        "3:34: `inputs.photo.augment[0]`: expected a name or a mapping with one name, not a mapping",
    ),
    Wrong(
        "options of an augmentation that refuse each other",
        changed("{type: image, backbone: timm/resnet50}", SOUND.replace("}", ", augment: [{noise: 50}]}")),
        "3:78: `inputs.photo.augment[0].noise`: `loudest` (50 dB) is fainter than `quietest` (40 dB)",
    ),
    Wrong(
        "a mixture of sounds",
        changed("{type: image, backbone: timm/resnet50}", SOUND) + "train: {mixup: 0.2}\n",
        "6:16: `mixup` averages samples, and what `zoo/audio` gives to the input `photo` has no average",
    ),
    Wrong(
        "a cut mixture without pictures",
        changed("{type: image, backbone: timm/resnet50}", "{type: vector, backbone: zoo/mlp}") + "train: {cutmix: 1}\n",
        "6:17: `cutmix` cuts pictures, and no input gives any",
    ),
    Wrong(
        "a mixture by less than nothing",
        after("train: {mixup: -1}\n"),
        "6:16: `train.mixup`: expected a number, from 0 to 100, not `-1`",
    ),
]
