"""Numbers and categories."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Options of `zoo/vector`."""

    columns: list[str] | None = option(
        None, "Columns that make up the vector, in place of `column`.", min_length=1, columns=True
    )
    categories: list[str] = option([], "Those of the columns that hold categories and not numbers.")
    standardize: bool = option(True, "Give every number the mean 0 and deviation 1 of the training rows.")

    def __post_init__(self) -> None:
        """Refuses categories that are no columns."""
        strangers = sorted(set(self.categories) - set(self.columns or self.categories))
        if strangers:
            raise ValueError(f"`categories` names `{strangers[0]}`, which is not among `columns`")


COMPONENT = Component(
    kind=Kind.INPUT,
    name="vector",
    target="zoo_core.inputs.vector:build",
    options=Vector,
    modality=(Modality.VECTOR,),
    summary="Numbers and categories from one or more columns, or one column of fixed-length lists.",
    source="Gorishniy et al. 2021 (standardised numbers, embedded categories)",
)
