"""Time series."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Options of `zoo/sequence`."""

    max_length: int = option(512, "Longest sequence; what follows is cut off.", ge=1, le=1_000_000, unit="steps")
    standardize: bool = option(True, "Give every feature the mean 0 and deviation 1 of the training rows.")


COMPONENT = Component(
    kind=Kind.INPUT,
    name="sequence",
    target="zoo_core.inputs.sequence:build",
    options=Sequence,
    modality=(Modality.SEQUENCE,),
    summary="An array of time steps by features per row: sensor readings, poses, measured audio or visual features.",
    source="zoo",
)
