"""A repository on the Hugging Face Hub, of a model or of data, pinned to a commit; files from its cache."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Literal

from zoo.checkpoint.heard import Heard, hearing
from zoo.checkpoint.network import TRIES, first_line, no_hub, patiently, refusal
from zoo.errors import NetworkError, UsageError
from zoo.files import cache_folder, is_full, json_text, replace_file

COMMIT = re.compile(r"[0-9a-f]{40}")


class NotThere(UsageError):
    """There is no such repository or commit, or none that this token may see, which a Hub does not tell apart."""


class Repository:
    """A repository on the Hub, or where `HF_ENDPOINT` points.

    Args:
        kind: What is in it.
        repo: `owner/name`.
        revision: A commit, branch or tag; the default branch unless said. It is resolved to a commit at first use.
        otherwise: What to do without the Hub, for messages.
    """

    def __init__(self, kind: Literal["model", "dataset"], repo: str, revision: str | None, otherwise: str) -> None:
        self.kind, self.repo, self.revision = kind, repo, revision
        self.remarks: list[str] = []
        """What the user should know: that a commit was taken from the cache, because nobody could be asked."""
        self._otherwise = otherwise
        self._commit: str | None = revision if revision and COMMIT.fullmatch(revision) else None

    def __str__(self) -> str:
        """Its address, with the revision that was asked for."""
        prefix = "datasets/" if self.kind == "dataset" else ""
        return f"`hf://{prefix}{self.repo}{f'@{self.revision}' if self.revision else ''}`"

    @property
    def commit(self) -> str:
        """The commit, in 40 hexadecimal digits.

        Raises:
            UsageError: There is no such repository (`NotThere`) or revision.
            NetworkError: The Hub cannot be reached, and the cache does not know the revision.
        """
        if self._commit is None:
            self._commit = self._resolved()
        return self._commit

    @property
    def asked(self) -> str | None:
        """The commit if it is known already, else the revision that was asked for."""
        return self._commit or self.revision

    @property
    def snapshot(self) -> Path:
        """The folder of the cache where the files of the commit stand that were fetched."""
        return self._cache() / "snapshots" / self.commit

    def cached_snapshot(self) -> Path | None:
        """The same folder as far as it is known without the network."""
        commit = self._commit or self._cached_commit()
        return None if commit is None else self._cache() / "snapshots" / commit

    def path(self, name: str, *, again: bool = False, heard: Heard | None = None) -> Path | None:
        """A file in the Hub's cache, downloaded at the pinned commit if it is not there yet; None if there is none.

        Args:
            name: The file.
            again: Whether it is downloaded even if it is there, because what is there is not what it should be.
            heard: Hears how many bytes more have come, in the place of huggingface_hub's own bar.

        Raises:
            NotThere: There is no such repository or commit, or none that this token may see.
            UsageError: The token may not have it, or there is no room for it.
            NetworkError: It cannot be fetched.
        """
        from huggingface_hub.errors import (
            EntryNotFoundError,
            GatedRepoError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        if not again and self._known_absent(name):
            return None
        try:
            return Path(patiently(lambda: self._download(name, again, heard), f"{self}: `{name}`"))
        except LocalEntryNotFoundError as error:
            reason = no_hub(error) or f"it is not in the cache, and the Hub cannot be reached: {error}"
            raise NetworkError(f"{self}: `{name}`: {reason}") from None
        except EntryNotFoundError:
            return None
        except RevisionNotFoundError:
            raise self.not_there(commit=True) from None
        except GatedRepoError as error:
            raise refusal(error, f"{self}: `{name}`") or error from None
        except RepositoryNotFoundError:
            raise self.not_there() from None
        except failures() as error:
            known = refusal(error, f"{self}: `{name}`") or self._no_room(error, name)
            raise known or NetworkError(f"{self}: `{name}` cannot be fetched: {first_line(error)}") from None
        except RuntimeError as error:  # what xet raises, of a full disk too
            full = self._no_room(error, name)
            raise full or NetworkError(f"{self}: `{name}` cannot be fetched or kept: {first_line(error)}") from None

    def _no_room(self, error: Exception, name: str) -> UsageError | None:
        """What to say where the disk of the cache is full; None where it is something else."""
        from huggingface_hub import constants

        if not is_full(error):
            return None
        place = f"the cache `{constants.HF_HUB_CACHE}` cannot be written: No space left on device"
        return UsageError(f"{self}: `{name}`: {place}; make room there, or set HF_HOME to another disk")

    def cached(self, name: str) -> Path | None:
        """A file in the Hub's cache; None if it is not there yet."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repo, name, revision=self.commit, repo_type=self.kind)
        return Path(found) if isinstance(found, str) else None

    def _known_absent(self, name: str) -> bool:
        """Whether the commit was asked for the file before, and does not have it: that needs no network."""
        from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache

        found = try_to_load_from_cache(self.repo, name, revision=self.commit, repo_type=self.kind)
        return found is _CACHED_NO_EXIST

    def _download(self, name: str, again: bool, heard: Heard | None) -> str:
        from huggingface_hub import hf_hub_download

        try:
            return hf_hub_download(
                self.repo,
                name,
                repo_type=self.kind,
                revision=self.commit,
                library_name="zoo",
                force_download=again,
                tqdm_class=None if heard is None else hearing(heard),
            )
        except ValueError as error:  # what it raises where nobody can be asked for what is to be fetched again
            raise error.__cause__ or error from None

    def names(self) -> list[str]:
        """The names of all files of the commit, sorted. They are asked for once.

        Raises:
            NotThere: There is no such repository or commit.
            NetworkError: The Hub cannot be reached, and they were not asked for before.
        """
        known = cache_folder() / "hub" / self.kind / self.repo / f"{self.commit}.json"
        if known.is_file():
            with suppress(OSError, ValueError):
                return list(map(str, json.loads(known.read_text())))
        found = self._listed()
        with suppress(UsageError):  # a cache that cannot be written is asked again
            replace_file(known, json_text(found))
        return found

    def _listed(self) -> list[str]:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        try:
            api = HfApi(library_name="zoo")
            found = patiently(lambda: api.repo_info(self.repo, repo_type=self.kind, revision=self.commit), f"{self}")
            return sorted(each.rfilename for each in getattr(found, "siblings", None) or ())
        except GatedRepoError as error:
            raise refusal(error, f"{self}") or error from None
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise self.not_there(commit=isinstance(error, RevisionNotFoundError)) from None
        except failures() as error:
            raise NetworkError(f"{self} cannot be reached ({first_line(error)}); {self._otherwise}") from None

    def _resolved(self) -> str:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        known: tuple[type[Exception], ...] = (*failures(), NetworkError)
        cached = self._cached_commit()
        api = HfApi(library_name="zoo")
        try:
            found = patiently(
                lambda: api.repo_info(self.repo, repo_type=self.kind, revision=self.revision),
                f"{self}",
                2 if cached else TRIES,
            ).sha
        except RevisionNotFoundError:
            raise UsageError(f"{self}: the repository has no commit, branch or tag `{self.revision}`") from None
        except RepositoryNotFoundError as error:
            if isinstance(error, GatedRepoError) and (told := refusal(error, str(self))) is not None:
                raise told from None
            raise self.not_there() from None
        except known as error:
            if (told := refusal(error, str(self))) is not None:
                raise told from None
            if cached:
                self.remarks.append(f"{self}: the commit {cached} of the cache is used, because {_reason(error, self)}")
                return cached
            reason = no_hub(error) or first_line(error)
            raise NetworkError(
                f"{self} cannot be reached ({reason}), and no copy is in the cache; {self._otherwise}"
            ) from None
        if found is None or not COMMIT.fullmatch(found):
            raise NetworkError(f"{self}: the server names the commit {str(found)[:80]!r}, which is none")
        with suppress(UsageError):  # whoever fetches a commit leaves no trace of the branch that it was
            replace_file(self._reference(), found)
        return found

    def not_there(self, *, commit: bool = False) -> NotThere:
        """What to say where there is no such repository, or no such commit in it.

        Args:
            commit: Whether the repository is there.
        """
        from huggingface_hub import constants

        if commit:
            return NotThere(f"{self}: the repository has no commit `{self.commit}`, or has it no more")
        hint = "check the name; a private one needs HF_TOKEN"
        return NotThere(f"{self}: there is no such repository on {constants.ENDPOINT} ({hint})")

    def _cached_commit(self) -> str | None:
        """The commit that the cache knows the revision by."""
        reference = self._reference()
        found = reference.read_text(errors="replace").strip() if reference.is_file() else ""
        return found if COMMIT.fullmatch(found) else None

    def _reference(self) -> Path:
        return self._cache() / "refs" / (self.revision or "main")

    def _cache(self) -> Path:
        """Where the Hub's cache keeps this repository."""
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=self.repo, repo_type=self.kind)


def _reason(error: Exception, repository: Repository) -> str:
    """Why nobody could be asked, without the repository's name once more."""
    return no_hub(error) or first_line(error).removeprefix(f"{repository}: ")


def failures() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises where a server cannot be reached or refuses: errors of its own and of its client."""
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]  # the client's

    return HTTPError, OfflineModeIsEnabled, OSError
