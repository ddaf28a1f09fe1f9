"""What a card tells to type: how to get the model, and how to predict a sample, as lines that work as they stand."""

import json
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from zoo.component import Modality
from zoo.data.columns import part_columns
from zoo.spec.sections import Input, Spec

BEGIN, END = "<!-- zoo:use -->", "<!-- /zoo:use -->"
"""Around the section in a card: what is between them is made by zoo, the rest is the user's to mend."""

FILES = {Modality.IMAGE: "photo.png", Modality.AUDIO: "sound.wav"}
"""Names of files for inputs that read files."""


def use_section(
    spec: Spec,
    fitted: Mapping[str, Any],
    plugins: Mapping[str, Any],
    reference: str | None,
    name: str,
    proof: str = "",
) -> str:
    """The section of a card, in Markdown, with its marks.

    Args:
        spec: The model's spec.
        fitted: What its parts learnt from data before they were built, as `preprocessing.json` has it.
        plugins: Versions by distribution, of those that its parts came from.
        reference: What the shared model is called; None where it is not shared.
        name: Folder of the model, in the working folder.
        proof: A sentence on what a pull compares; none unless given.
    """
    cells = sample_cells(spec, fitted)
    words = " ".join(f"{quote(key)}={quote(value)}" for key, value in _words(spec, cells))
    packages = [f"{each}=={version}" for each, version in plugins.items() if each not in ("zoo", "unpackaged")]
    lines = [" ".join(["pip install zoo", *map(quote, packages)])]
    lines += [f"zoo pull {quote(reference)} -o {quote(name)}"] if reference else []
    lines.append(f"zoo predict {quote(name)} {words}")
    code = ["import zoo", ""]
    code += [f"zoo.pull({_literal(reference)}, {_literal(name)})"] if reference else []
    code += ["sample = {", *(f"    {_literal(key)}: {_literal(cell)}," for key, cell in cells.items()), "}"]
    code.append(f"print(zoo.predict({_literal(name)}, [sample]))")
    parts = ["## Use", _fenced("sh", lines), _fenced("python", code), _told_files(spec), proof]
    return "\n\n".join([BEGIN, *filter(None, parts), END])


def sample_cells(spec: Spec, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """A cell for every input: numbers near the mean of the training rows, a category, a text, the name of a file.

    Args:
        spec: The model's spec.
        fitted: What its parts learnt from data before they were built.
    """
    inputs = fitted.get("inputs", {})
    return {name: _cell(section, inputs.get(name, {})) for name, section in spec.inputs.items()}


def _cell(section: Input, learnt: Mapping[str, Any]) -> Any:
    modality, columns = _modality(section), part_columns(section)
    if modality == Modality.VECTOR:
        return _vector(columns, learnt)
    if modality == Modality.SEQUENCE:
        return [_numbers(learnt, 1)] * 2
    cell = FILES.get(Modality(modality), "some text") if modality in list(Modality) else "..."
    return dict.fromkeys(columns, cell) if len(columns) > 1 else cell


def _vector(columns: Sequence[str], learnt: Mapping[str, Any]) -> Any:
    numbers, categories = _numbers(learnt, len(columns)), learnt.get("categories", {})
    if len(columns) == 1:
        names = categories.get(columns[0], None)
        if names is not None:
            return next(iter(names), "")
        return numbers[0] if len(numbers) == 1 else numbers
    return {
        column: next(iter(categories[column]), "") if column in categories else number
        for column, number in zip(columns, numbers, strict=False)
    }


def _numbers(learnt: Mapping[str, Any], width: int) -> list[float]:
    """The means of the training rows, in three digits."""
    return [float(f"{each:.3g}") for each in learnt.get("means") or [0.5] * width]


def _words(spec: Spec, cells: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values as a command line has them: of an input of several columns each by itself."""
    pairs: list[tuple[str, Any]] = []
    for name, cell in cells.items():
        pairs += cell.items() if isinstance(cell, dict) else [(name, cell)]
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in pairs]


def _told_files(spec: Spec) -> str:
    modalities = {_modality(section) for section in spec.inputs.values()}
    named = [f"`{file}`" for modality, file in FILES.items() if modality in modalities]
    return f"{' and '.join(named)} stand{'s' * (len(named) == 1)} for a file of yours." if named else ""


def _modality(section: Input) -> str:
    return str(section.registered.component.modality[0])


def _fenced(language: str, lines: Sequence[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _literal(value: Any) -> str:
    """Texts, numbers, lists and mappings as both Python and JSON write them."""
    return json.dumps(value, ensure_ascii=False)
