"""What holds for attention wherever it stands."""


def check_heads(dim: int, heads: int) -> None:
    """Refuses a width that the attention heads do not divide.

    Raises:
        ValueError: They do not.
    """
    if dim % heads:
        raise ValueError(f"`heads` ({heads}) must divide `dim` ({dim})")
