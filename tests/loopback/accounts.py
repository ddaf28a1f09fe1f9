"""Who may do what: accounts and their tokens."""

from dataclasses import dataclass, field, replace
from typing import Literal

Role = Literal["read", "write"]

WRITE = "hf_loopback_write"
READ = "hf_loopback_read"
STRANGER = "hf_loopback_stranger"


@dataclass(frozen=True)
class Account:
    """What a token stands for.

    Args:
        name: The user.
        role: What the token is good for.
        organizations: Where the user is a member.
        expired: Whether the token was good once.
    """

    name: str
    role: Role = "write"
    organizations: tuple[str, ...] = ()
    expired: bool = False

    def belongs_to(self, namespace: str) -> bool:
        """Whether what is in a namespace is the user's."""
        return namespace in (self.name, *self.organizations)


@dataclass
class Accounts:
    """All tokens that the Hub knows: `ann` of the organization `acme` with one to write and one to read, and `bob`."""

    known: dict[str, Account] = field(
        default_factory=lambda: {
            WRITE: Account("ann", "write", ("acme",)),
            READ: Account("ann", "read", ("acme",)),
            STRANGER: Account("bob"),
        }
    )

    def expire(self, token: str) -> None:
        """Lets a token run out."""
        self.known[token] = replace(self.known[token], expired=True)
