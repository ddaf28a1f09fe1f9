"""The store of a reference."""

from zoo.hub.folder_store import FolderStore
from zoo.hub.hub_store import HubStore
from zoo.hub.reference import Reference
from zoo.hub.store import Store


def open_store(reference: Reference, *, private: bool = True) -> Store:
    """The store that a reference means.

    Args:
        reference: What the model is called.
        private: Whether a repository of the Hub that is made for it is private.
    """
    return FolderStore(reference) if reference.folder else HubStore(reference, private)
