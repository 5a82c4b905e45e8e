"""The life of an export: asked for, made, downloaded, expired. Each step is on record in the audit log."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import Caller
from tenants.access.permissions import Reach, registered
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotAllowed, NotFound
from tenants.isolation.door import db, here
from tenants.isolation.files import files, opened_file, sealed_file
from tenants.isolation.storage import NotStored
from tenants.jobs.models import Job, JobState
from tenants.portability.alerting import tell_of_large
from tenants.portability.bundling import Bundling
from tenants.portability.keeping import end_upload
from tenants.portability.models import Export
from tenants.portability.parcels import FOLDER


def must_see_everything(caller: Caller) -> None:
    """A bundle holds every field of every record. Raises NotAllowed for whoever doesn't see all of that."""
    if caller.everything:
        return
    short = [name for name in registered() if name.endswith(":read") and caller.reach(name) is not Reach.ALL]
    if short:
        raise NotAllowed(
            f"A bundle holds everything, and you don't see everything: {', '.join(short)} would have to reach all.",
            code="not_everything",
        )
    if closed := sorted(
        name for rules in (caller.hidden, caller.masked) for name, each in rules.items() if each
    ):
        raise NotAllowed(
            f"A bundle holds everything, and fields are closed to you in: {', '.join(closed)}.",
            code="not_everything",
        )


def still_wanted(export_id: UUID) -> Export:
    """The export that a job is to make. Raises NotFound when it was deleted meanwhile."""
    export = db().get(Export, export_id)
    if export is None:
        raise NotFound("The export was deleted before it was made.")
    return export


def finish(export_id: UUID, file: str, made: Bundling, days: int) -> dict[str, Any]:
    """Say that the bundle is there, and until when; if it is large, to admins. What the job has to show."""
    export = still_wanted(export_id)
    said = note(export, file, made)
    export.expires_at = now() + timedelta(days=days)
    tell_of_large(export)
    return said


def note(export: Export, file: str, made: Bundling) -> dict[str, Any]:
    """Write down what was made of it, and have removed what earlier attempts left; what a job has to show for itself."""
    describe(export, made)
    export.file, export.finished_at = file, now()
    if made.parcels:
        export.parcels = made.parcels.names
        remove_after_commit(made.parcels.others())
    return {"export_id": str(export.id), "sha256": made.sha256}


def describe(export: Export, made: Bundling) -> None:
    """Write down what there is of a bundle, wherever it is kept."""
    export.size, export.sha256 = made.size, made.sha256
    export.counts, export.snapshot_at = made.counts(), made.about.snapshot_at


def download(export: Export) -> Iterator[bytes]:
    """The zip, unsealed on the way. Runs on after the transaction that asked for it. Raises Conflict."""
    first, *others = export.downloadable()
    with ExitStack() as stack:
        try:
            chunks = stack.enter_context(opened_file(first))
        except NotStored:
            raise Conflict(
                "This export is no longer kept. Ask for a new one.", code="export_expired"
            ) from None
        export.take_one()
        record_event("exports.downloaded", "exports", export.id, {"sha256": [export.sha256, export.sha256]})
        return _one_after_another(stack.pop_all(), chunks, here().home.id, others)


def looked_at(export: Export) -> Iterator[bytes]:
    """Nothing of it, for whoever only asks what there is: no download is used up. Raises Conflict."""
    export.downloadable()
    return iter(())


def delete(export: Export) -> None:
    """Remove an export, its file, and the work on it."""
    # A worker that notes what it has begun in a bucket has done so, or finds nothing to note it at.
    db().refresh(export, with_for_update=True)
    end_upload(export)
    job = db().get(Job, export.job_id, with_for_update=True) if export.job_id else None
    if job is not None and not JobState(job.state).finished:
        job.cancel()
    # What is in their own bucket is theirs.
    remove_after_commit(export.awaits_upload if export.in_bucket else export.stored)
    db().delete(export)
    db().flush()


def expire_exports() -> int:
    """Let go of every file whose time has come, and of files that no export knows; how many there were."""
    due = select(Export).where(Export.expires_at <= now(), Export.file.is_not(None)).with_for_update()
    over = [each for each in db().scalars(due).all() if each.can_go(now())]
    gone = {name for export in over for name in export.expire()}
    db().flush()
    gone.update(_left_behind())
    remove_after_commit(gone)
    return len(gone)


def remove_after_commit(names: Iterable[str]) -> None:
    """A file goes only when the row that named it is known not to any more."""
    storage = files()
    for name in names:
        here().after_commit.append(partial(storage.delete, name))


def _left_behind() -> list[str]:
    """What attempts have stored that were overtaken or killed before it was said, unless another may still use it.

    Looked at in this order: what was stored before and is neither worked on nor known now will never be.
    """
    found = [name for name in files().list() if name.startswith(FOLDER)]
    worked_on = select(Export.id).join(Job, Job.id == Export.job_id).where(Job.finished_at.is_(None))
    at_work = {str(each) for each in db().scalars(worked_on)}
    known = {
        name for each in db().scalars(select(Export).where(Export.file.is_not(None))) for name in each.stored
    }
    return [
        name
        for name in found
        if name not in known and not any(name.startswith(f"{FOLDER}{each}") for each in at_work)
    ]


def _one_after_another(
    stack: ExitStack, chunks: Iterator[bytes], tenant_id: UUID, others: Sequence[str]
) -> Iterator[bytes]:
    with stack:
        yield from chunks
    yield from pieces_of(tenant_id, others)


def pieces_of(tenant_id: UUID, names: Iterable[str]) -> Generator[bytes, None, None]:
    """What these files of a tenant hold, unsealed, one after another. Nobody need be in the tenant.

    Raises as `sealed_file` does.
    """
    for name in names:
        with sealed_file(tenant_id, name) as chunks:
            yield from chunks
