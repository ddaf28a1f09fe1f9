"""A store on the Hugging Face Hub, or where `HF_ENDPOINT` points: one commit for a push, all pinned and bounded."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from zoo.checkpoint.heard import Heard
from zoo.checkpoint.network import first_line, no_hub, patiently, refusal
from zoo.checkpoint.repository import Repository, failures
from zoo.errors import ConflictError, NetworkError, UsageError, ZooError
from zoo.files import cache_folder, json_text, replace_file
from zoo.hub.names import KNOWN, MOST
from zoo.hub.reference import Reference
from zoo.hub.store import Blob, Preview, Pushed, Store, matches

Found = TypeVar("Found")


class HubStore(Store):
    """A model repository of the Hub.

    Args:
        reference: What it is called.
        private: Whether a repository that is made for it is private.
    """

    def __init__(self, reference: Reference, private: bool = True) -> None:
        super().__init__(reference)
        self._private = private
        self._repository = Repository("model", reference.place, reference.revision, "name a folder with file:///")

    @property
    def remarks(self) -> tuple[str, ...]:
        """That the cache was believed, because the Hub could not be asked."""
        return tuple(self._repository.remarks)

    def tip(self) -> str | None:
        """The newest commit of `main`."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            found: str | None = self._asked(lambda: self._api().repo_info(self.reference.place).sha)
        except RepositoryNotFoundError:
            return None
        return found

    def resolve(self) -> str:
        """The commit, asked for once; what is pinned already is not asked for."""
        return self._repository.commit

    def tree(self, commit: str) -> Mapping[str, Blob]:
        """What the Hub lists, which the cache keeps: a commit is the same for ever."""
        known = cache_folder() / "hub" / "trees" / self.reference.place / f"{commit}.json"
        with suppress(OSError, ValueError, TypeError, AttributeError):
            return {str(name): Blob(*each) for name, each in json.loads(known.read_text(encoding="utf-8")).items()}
        found = self._listed(commit)
        with suppress(UsageError):  # a cache that cannot be written is asked again
            replace_file(known, json_text({name: [each.size, each.sha256, each.sha1] for name, each in found.items()}))
        return found

    def fetch(self, commit: str, name: str, *, again: bool = False, heard: Heard | None = None) -> Path:
        """The file in the Hub's cache."""
        found = Repository("model", self.reference.place, commit, "").path(name, again=again, heard=heard)
        if found is None:
            raise NetworkError(f"`{self.reference.at(commit)}` lists `{name}` and does not have it")
        return found

    def commit(self, files: Mapping[str, Path], parent: str | None, message: str) -> Pushed:
        """One `create_commit` with its parent; whatever goes wrong, what landed is told from the tree."""
        made = parent is None
        if parent is None:
            parent = self._created()
        there = self._ours(parent)
        if made and there:
            raise ConflictError(f"`{self.reference}` is at {parent}: somebody pushed meanwhile")
        changed, gone = self._changes(files, there)
        if parent is not None and not changed and not gone:
            return Pushed(parent, parent, 0, new=False)
        commit = self._sent(files, changed, gone, parent, message)
        return Pushed(commit, parent, sum(path.stat().st_size for path in changed.values()), new=True)

    def preview(self, files: Mapping[str, Path]) -> Preview:
        """Files that the newest commit has not, and who may see the repository."""
        tip = self.tip()
        changed, gone = self._changes(files, self._ours(tip))
        private = (
            self._private if tip is None else self._asked(lambda: self._api().repo_info(self.reference.place)).private
        )
        made = "a new repository, " if tip is None else ""
        audience = f"{made}{'private' if private else 'public'}"
        return Preview({name: path.stat().st_size for name, path in changed.items()}, tuple(gone), audience)

    def _changes(self, files: Mapping[str, Path], there: Mapping[str, Blob]) -> tuple[dict[str, Path], list[str]]:
        """The files that are not there, and those that are there and not among these.

        Raises:
            ConflictError: What is there is no run.
        """
        if there.keys() - {"README.md"} and "zoo.lock" not in there:
            raise ConflictError(f"`{self.reference}` holds a model that is none of zoo's; name another repository")
        changed = {name: path for name, path in files.items() if not matches(path, there.get(name))}
        return changed, sorted(there.keys() - files.keys())

    def _sent(
        self, files: Mapping[str, Path], changed: Mapping[str, Path], gone: list[str], parent: str | None, message: str
    ) -> str:
        """The commit that has the files, sent again where it did not land; a reply may be lost though it did."""

        def attempt() -> str:
            try:
                return self._created_commit(changed, gone, parent, message)
            except Exception as error:
                if (landed := self._landed(files, parent)) is not None:
                    return landed
                if isinstance(error, json.JSONDecodeError):  # a busy Hub: it has just told its newest commit
                    raise RuntimeError("a reply that cannot be read") from error
                raise

        try:
            return patiently(attempt, f"`{self.reference}`")
        except Exception as error:
            raise self._refused(error) from None

    def _landed(self, files: Mapping[str, Path], parent: str | None) -> str | None:
        """The newest commit, if it has these files; None where it is still the parent.

        Raises:
            ConflictError: It is neither.
        """
        tip = self.tip()
        if tip is None or tip == parent:
            return None
        if self._is(tip, files):
            return tip
        raise ConflictError(f"`{self.reference}` is at {tip} and no longer at {parent}: somebody pushed meanwhile")

    def _created_commit(self, changed: Mapping[str, Path], gone: list[str], parent: str | None, message: str) -> str:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations = [CommitOperationAdd(name, str(path)) for name, path in sorted(changed.items())]
        deleted = [CommitOperationDelete(name) for name in gone]
        made = self._api().create_commit(
            self.reference.place, [*operations, *deleted], commit_message=message, parent_commit=parent
        )
        return str(made.oid)

    def _created(self) -> str | None:
        """Makes the repository, if need be; its first commit."""
        self._asked(lambda: self._api().create_repo(self.reference.place, private=self._private, exist_ok=True))
        return self.tip()

    def _is(self, commit: str, files: Mapping[str, Path]) -> bool:
        """Whether a commit has these files of a run and no others."""
        there = self._ours(commit)
        return there.keys() == files.keys() and all(matches(path, there[name]) for name, path in files.items())

    def _ours(self, commit: str | None) -> dict[str, Blob]:
        """The files of a commit that a run may have; others, such as a LICENSE, are left as they are."""
        listed = self._listed(commit) if commit is not None else {}
        return {name: each for name, each in listed.items() if KNOWN.fullmatch(name)}

    def _listed(self, commit: str) -> dict[str, Blob]:
        from huggingface_hub import RepoFile
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        def ask() -> list[Any]:
            listed = self._api().list_repo_tree(self.reference.place, recursive=True, revision=commit)
            return list(islice(listed, 2 * MOST))

        try:
            found = self._asked(ask)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            repository = Repository("model", self.reference.place, commit, "")
            raise repository.not_there(commit=isinstance(error, RevisionNotFoundError)) from None
        return {
            each.path: Blob(each.size, each.lfs.sha256) if each.lfs else Blob(each.size, None, each.blob_id)
            for each in found
            if isinstance(each, RepoFile)
        }

    def _asked(self, call: Callable[[], Found]) -> Found:
        """What a call gives, tried again as `patiently` does; what is refused is told in words.

        Raises:
            RepositoryNotFoundError: There is no such repository, or none that this token may see.
            RevisionNotFoundError: There is no such revision.
        """
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        try:
            return patiently(call, f"`{self.reference}`")
        except GatedRepoError as error:
            raise self._refused(error) from None
        except (RepositoryNotFoundError, RevisionNotFoundError):
            raise
        except failures() as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> ZooError:
        """An error in words: who may not, or what cannot be reached."""
        what = f"`{self.reference}`"
        if isinstance(error, ZooError):
            return error
        return refusal(error, what) or NetworkError(f"{what} cannot be reached: {no_hub(error) or first_line(error)}")

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        from zoo import __version__

        return HfApi(library_name="zoo", library_version=__version__)
