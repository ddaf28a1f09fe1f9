"""What a check sees in a value: what it is made of, how long it is, and what it is like. One modality per file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from zoo.component import Modality
from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look
from zoo.data.check.looks.numbers import look_at_numbers
from zoo.data.check.looks.other import look_at_other
from zoo.data.check.looks.pictures import look_at_picture
from zoo.data.check.looks.sounds import look_at_sound
from zoo.data.check.looks.texts import look_at_text

LookAt: TypeAlias = Callable[[Any, Any, Path, ValueSpec], Look]
"""From a value, its cell, the folder where paths start, and what the input says of its values."""

LOOKS: dict[str, LookAt] = {
    Modality.IMAGE: look_at_picture,
    Modality.AUDIO: look_at_sound,
    Modality.TEXT: look_at_text,
    Modality.VECTOR: look_at_numbers,
    Modality.SEQUENCE: look_at_numbers,
}


def looker(spec: ValueSpec) -> LookAt:
    """What looks at values of a modality; of a plugin's own, only whether two are the same is seen."""
    return LOOKS.get(spec.modality, look_at_other)
