"""Texts: they stay texts, because the tokenizer belongs to the backbone."""

from pathlib import Path
from typing import Any

from zoo.component import Modality
from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Text
from zoo_core.inputs.cells import shown


def build(options: Text, context: InputContext) -> "TextInput":
    """The input of texts."""
    return TextInput(options)


class TextInput(InputType):
    """Passes texts on. An empty text is a text; only null is missing."""

    def __init__(self, options: Text) -> None:
        self.lowercase = options.lowercase
        self.value = ValueSpec(modality=Modality.TEXT, max_length=options.max_length)

    def decode(self, cell: Any, folder: Path) -> str:
        """The text of a cell.

        Raises:
            ValueError: It is no text. Numbers are not guessed to be texts: `007` and `1.50` would come out changed.
        """
        if not isinstance(cell, str):
            raise ValueError(f"{shown(cell)} is no text; store the column as text")
        return cell.lower() if self.lowercase else cell
