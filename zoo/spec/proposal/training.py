"""How a proposed model is joined, trained and measured, by how many rows there are."""

import math
from typing import TYPE_CHECKING, Any

from zoo.spec.guess import Guess
from zoo.spec.proposal.columns import Choice
from zoo.spec.proposal.parts import MANY_ROWS, Circumstances, Reasons

if TYPE_CHECKING:
    from zoo.spec.proposal.propose import Proposal

EPOCHS = ((1000, 20), (10_000, 10), (100_000, 5), (math.inf, 3))
"""Epochs for fewer rows than so many."""

ENOUGH_FOR_ATTENTION = 2000
"""Rows from which inputs are joined token by token."""


def fusion(proposal: "Proposal", chosen: Choice, at: Circumstances) -> None:
    """How several inputs are joined, and that both of a pair are needed."""
    if len(chosen.inputs) < 2:
        return
    if at.rows < ENOUGH_FOR_ATTENTION:
        proposal.add(("fusion",), "zoo/concat", {(): at.tell("few parameters to learn")})
    else:
        proposal.add(("fusion",), "zoo/token-transformer", {(): at.tell("inputs look at each other, token by token")})


def augment(proposal: "Proposal", chosen: Choice) -> None:
    """Light changes of pictures that are trained on, where no text beside them could tell what is changed."""
    texts = any(each.kind is Guess.TEXT for each in chosen.inputs.values())
    heads = [head if isinstance(head, str) else head["use"] for head in proposal.spec["heads"].values()]
    if texts or "zoo/regressor" in heads:
        return
    for name, each in chosen.inputs.items():
        if each.kind is Guess.IMAGE and each.section.get("transfer") != "frozen":
            told = "crops, mirrors and colours, without those that the names of classes speak against"
            backbone = each.section.pop("backbone")
            proposal.add(("inputs", name, "augment"), "light", {(): told})
            each.section["backbone"] = backbone


def transfer(proposal: "Proposal", chosen: Choice, at: Circumstances) -> None:
    """Pretrained backbones that learn as a whole move least where they begin."""
    augment(proposal, chosen)
    if at.weights == "pretrained" and _fine_tuned(chosen):
        decay = 0.75 if Guess.IMAGE in _fine_tuned(chosen) else 0.9
        why: Reasons = {("layer_decay",): "early layers, which know what is most general, move least"}
        proposal.add(("transfer",), {"policy": "full", "layer_decay": decay}, why)
    if chosen.shared:
        proposal.add(
            ("balance",), {"drop": 0.1}, {("drop",): "inputs that belong together are seldom left out in training"}
        )


def _fine_tuned(chosen: Choice) -> set[Guess]:
    """Kinds of the inputs whose pretrained backbones are trained as a whole."""
    kinds = {each.kind for each in chosen.inputs.values() if "transfer" not in each.section}
    frozen = {each.kind for each in chosen.inputs.values() if "transfer" in each.section}
    return (kinds - frozen) & {Guess.IMAGE, Guess.TEXT}


def training(proposal: "Proposal", chosen: Choice, at: Circumstances) -> None:
    """As many epochs as so many rows need, and steps of a size that gives enough of them."""
    epochs = next(number for rows, number in EPOCHS if at.rows < rows)
    section: dict[str, Any] = {"epochs": epochs}
    why: Reasons = {("epochs",): at.tell("more rows need fewer epochs")}
    frozen = [each for each in chosen.inputs.values() if each.section.get("transfer") == "frozen"]
    if at.weights == "none":
        section["epochs"] *= 2
        why[("epochs",)] = at.tell("parts that start at random need more epochs")
    elif frozen and not _fine_tuned(chosen):
        section["epochs"] = 30
        why[("epochs",)] = "what is frozen is computed once and kept, so that epochs cost little"
    light = all(each.kind in (Guess.NUMBER, Guess.VECTOR, Guess.SEQUENCE) for each in chosen.inputs.values())
    section["batch_size"] = 8 if at.rows < 500 else 32
    why[("batch_size",)] = "small, so that few rows make many steps" if at.rows < 500 else "fits most devices"
    if at.rows >= MANY_ROWS and (light or at.weights == "none"):
        section["batch_size"] = 256 if light else 64
        why[("batch_size",)] = "large, so that many rows go by quickly"
    if at.weights == "pretrained" and _fine_tuned(chosen) == {Guess.TEXT}:
        section["learning_rate"] = 0.0005
        why[("learning_rate",)] = "the pretrained network learns at a tenth of it"
    proposal.add(("train",), section, why)


def evaluation(proposal: "Proposal", chosen: Choice) -> None:
    """Rows of one group stay on one side of a split."""
    if chosen.group:
        number = chosen.groups[chosen.group]
        told = "rows of one on both sides of a split would flatter"
        proposal.add(("evaluate",), {"groups": chosen.group}, {("groups",): f"{number:,} different ones: {told}"})
        return
    for name, number in list(chosen.groups.items())[:1]:
        told = f"`{name}` has only {number} different values, and rows of each stand on both sides of the split"
        folds = f"`zoo cv` with `evaluate: {{groups: {name}, folds: {number}}}` tells how it does on new ones"
        proposal.above[("data",)] = (*proposal.above.get(("data",), ()), f"{told}, which flatters; {folds}")
