"""What the catalogue's cards add to the check of a spec: modalities of Hub repositories, and their full names."""

from dataclasses import replace

from zoo.errors import UsageError, nearest
from zoo.registry.catalogue import ModelCard, catalogue
from zoo.registry.registry import Registered


def with_card(entry: Registered) -> Registered:
    """The component, narrowed to the modality that its card tells, where no index knows it."""
    card = _models().get(entry.name) if "/" in entry.component.name else None
    if card is None:
        return entry
    return replace(entry, component=replace(entry.component, modality=tuple(card.modality)))


def well_known(name: str, otherwise: str | None) -> str | None:
    """The card that a name was probably meant to be.

    Args:
        name: What was written: `bert-base-uncased` is `transformers/google-bert/bert-base-uncased`.
        otherwise: What to suggest when no card ends like the name; None takes the card whose end is nearest.
    """
    tails = {known.rpartition("/")[2]: known for known in _models()}
    tail = name.rpartition("/")[2]
    if otherwise is None:
        tail = nearest(tail, tails) or ""
    return tails.get(tail, otherwise)


def _models() -> dict[str, ModelCard]:
    """The cards; none where a user's own catalogue is wrong, which is for the verbs that list it to tell."""
    try:
        return catalogue().models
    except UsageError:
        return {}
