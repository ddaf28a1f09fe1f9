"""Rules that the options of several components have alike."""


def check_heads(dim: int, heads: int) -> None:
    """Refuses a width that the attention heads do not divide.

    Raises:
        ValueError: They do not.
    """
    if dim % heads:
        raise ValueError(f"`heads` ({heads}) must divide `dim` ({dim})")


def check_unique(option: str, names: list[str] | None) -> None:
    """Refuses a list that names something twice.

    Raises:
        ValueError: It does.
    """
    twice = sorted({name for name in names or [] if (names or []).count(name) > 1})
    if twice:
        raise ValueError(f"`{option}` names `{twice[0]}` twice")
