"""`zoo.push`: a run becomes one commit of a store, and is proven the same by pulling it back."""

from dataclasses import dataclass
from pathlib import Path

from zoo.checkpoint.folder import passing_folder
from zoo.errors import UsageError, ZooError
from zoo.hub.open import open_store
from zoo.hub.pull import pull
from zoo.hub.reference import Reference, read_reference
from zoo.hub.stage import stage
from zoo.hub.watch import Unwatched, Watch


@dataclass(frozen=True)
class Push:
    """What a push did, or would do.

    Args:
        reference: The model, at the commit that has it; without a revision where nothing was pushed yet.
        files: Bytes by name.
        sent: Bytes of the files that were not there yet.
        new: Whether there is a new commit.
        delta: The bases that must stay where they are, because the weights are a delta; empty where they are whole.
        weights: Bytes of the weights, whole.
        difference: The largest difference of golden outputs after it was pulled back; None where there are none.
        remarks: What the user should know.
    """

    reference: Reference
    files: dict[str, int]
    sent: int
    new: bool
    delta: tuple[str, ...]
    weights: int
    difference: float | None = None
    remarks: tuple[str, ...] = ()


def push(
    run: str | Path,
    reference: str | Reference,
    *,
    full: bool = False,
    dry_run: bool = False,
    private: bool = True,
    allow_nonfinite: bool = False,
    message: str | None = None,
    watch: Watch | None = None,
) -> Push:
    """Shares a run.

    It is looked over, made one commit on top of the newest one, pulled back, and read in a fresh process, which must
    say what the run says. Weights whose base is pinned at a commit of the Hub are sent as what differs from it.

    Args:
        run: The run's folder; nothing in it is changed.
        reference: `org/name`, or `file:///folder`.
        full: Send the weights whole.
        private: Whether a repository of the Hub that is made for it is private.
        dry_run: Change nothing, and tell what would be sent.
        allow_nonfinite: Whether weights may hold NaN and infinities.
        message: Of the commit.
        watch: Hears how far it is.

    Raises:
        UsageError: It is no run, or cannot be shared.
        CorruptError: It is not whole.
        DigestError: A file is not the one that was written, or it says something else after it was pulled back.
        NetworkError: The store, or a base, cannot be reached.
        ConflictError: Somebody pushed meanwhile.
    """
    asked = read_reference(reference) if isinstance(reference, str) else reference
    if asked.revision is not None:
        raise UsageError(f"`{asked}`: a push makes a new commit; leave `@{asked.revision}` out")
    folder = Path(run)
    told_to = watch or Unwatched()
    with passing_folder("zoo-push") as beside:
        told_to.step(f"looking over {folder}")
        heard = None if watch is None else watch.more
        staged = stage(folder, beside, asked, full=full, allow_nonfinite=allow_nonfinite, heard=heard)
        told = {name: path.stat().st_size for name, path in staged.files.items()}
        remarks = staged.remarks
        bases = tuple(map(str, staged.bases))
        store = open_store(asked, private=private)
        if dry_run:
            preview = store.preview(staged.files)
            gone = [f"{name} would not be there any more" for name in preview.gone]
            remarks = (*remarks, *gone, f"who could read it: {preview.audience}")
            return Push(asked, told, sum(preview.sent.values()), False, bases, staged.weights, remarks=remarks)
        parent = store.tip()
        told_to.aside(f"sending {len(staged.files)} files, {staged.size:,} bytes, as far as they are not there yet")
        pushed = store.commit(staged.files, parent, message or f"Push {folder.resolve().name}")
        at = asked.at(pushed.commit)
        try:
            back = pull(at, beside / "back", allow_nonfinite=allow_nonfinite, watch=watch)
        except ZooError as error:
            error.args = (f"`{at}` is there, but it could not be proven that it is right: {error}",)
            raise
    sent = staged.size if pushed.sent is None else pushed.sent
    return Push(at, told, sent, pushed.new, bases, staged.weights, back.difference, remarks)
