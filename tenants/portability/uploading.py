"""Brings a copy that lies with us to the tenant's own bucket, by as many attempts as that takes.

What lies with us no longer changes: a part that has arrived is the one that would be sent again.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.foundation.clock import now
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Unavailable
from tenants.isolation.door import db, here
from tenants.isolation.own_bucket import OwnBucket
from tenants.isolation.own_uploads import Arrived, Upload, UploadLost, begin_upload, end_uploads_of
from tenants.isolation.storage import NotStored
from tenants.jobs.models import Job
from tenants.jobs.progress import progress, step
from tenants.portability.bundling import Bundling
from tenants.portability.copying import must_be_whole, scheduled
from tenants.portability.exporting import (
    delete,
    describe,
    must_see_everything,
    pieces_of,
    remove_after_commit,
    still_wanted,
)
from tenants.portability.keeping import bucket_of, end_upload, key_of_copy, let_go, name_of_copy, upload_of
from tenants.portability.models import Export, ExportSchedule
from tenants.portability.parcels import attempt_of

log = structlog.get_logger(__name__)
#: What progress shows while a copy is on its way.
PHASE = "upload"
#: So long are buckets asked each hour to forget an upload.
TRIED = timedelta(days=7)


@dataclass(frozen=True)
class Way:
    """A copy that is made, and where it goes: `upload` is what an earlier attempt began."""

    tenant_id: UUID
    schedule_id: UUID
    export_id: UUID
    bucket: OwnBucket
    key: str
    earlier: list[str]
    names: list[str]
    size: int
    sha256: str
    upload: Upload | None

    def pieces(self) -> Generator[bytes, None, None]:
        """The copy as it lies with us."""
        return pieces_of(self.tenant_id, self.names)

    def read_back(self) -> None:
        """Raises Unavailable when the bucket has something else than lies with us, or nothing."""
        must_be_whole(self.bucket.read(self.key, self.size), self.sha256, self.size)


def await_upload(export_id: UUID, file: str, made: Bundling) -> None:
    """Say that the copy is made and lies with us: no attempt reads rows or encrypts for it any more."""
    export = still_wanted(export_id)
    describe(export, made)
    export.parcels = [*(made.parcels.names if made.parcels else ()), file]
    if made.parcels:
        remove_after_commit(made.parcels.others())


def bring_copy(schedule_id: UUID, export_id: UUID) -> None:
    """Bring the copy to its bucket, read it back there, and say so. Takes steps of its own.

    Raises BucketFailed, after which the next attempt goes on where this one was, and Unavailable when what was made is
    no longer as it was: the next attempt makes it anew.
    """
    with step():
        must_see_everything(acting().caller)
        way = _way_of(scheduled(schedule_id), still_wanted(export_id))
    try:
        _bring(way)
    except (NotStored, Unreadable) as error:
        with step():
            _make_anew(way)
        raise Unavailable("The copy is no longer as it was stored with us. It is made anew.") from error
    for name in way.earlier:
        way.bucket.delete(name)
    with step():
        _say_so(way)


def end_what_nobody_finishes() -> int:
    """End the uploads of copies whose job is over; how many there were."""
    at_work = select(Job.id).where(Job.finished_at.is_(None), Job.id == Export.job_id).exists()
    left = select(Export).where(Export.upload_id.is_not(None), ~at_work).with_for_update()
    found = db().scalars(left).all()
    for export in found:
        if not end_upload(export) and export.created_at < now() - TRIED:
            export.upload_id = None
    db().flush()
    return len(found)


def end_all() -> None:
    """End every upload of a tenant that is about to be no more: nobody can open the keys of its buckets afterwards.

    Whoever is about to begin another one finds that it is not wanted any more. What a bucket would not forget is
    logged, and holds nothing up.
    """
    for export in db().scalars(select(Export).where(Export.in_bucket, Export.finished_at.is_(None))).all():
        delete(export)


def _way_of(schedule: ExportSchedule, export: Export) -> Way:
    made = export.awaits_upload
    if not made or export.size is None or export.sha256 is None:
        raise RuntimeError("A copy is made before it goes to a bucket.")
    encrypted = bool(export.encrypt_to)
    return Way(
        here().home.id,
        schedule.id,
        export.id,
        bucket_of(schedule),
        key_of_copy(schedule, export),
        [
            name_of_copy(schedule, export.id, earlier, encrypted=encrypted)
            for earlier in range(1, attempt_of(made[-1]))
        ],
        made,
        export.size,
        export.sha256,
        upload_of(schedule, export),
    )


def _bring(way: Way) -> None:
    upload, arrived = way.upload, dict[int, Arrived]()
    if upload is not None:
        try:
            arrived = upload.arrived()
        except UploadLost as lost:
            if _came_through(way):
                return
            log.warning("upload_begun_anew", key=upload.key, reason=lost.detail)
            let_go(upload)
            upload = None
    if upload is None:
        upload = _begun(way)
    with closing(way.pieces()) as pieces:
        upload.fill(pieces, arrived, partial(progress, phase=PHASE))
    way.read_back()


def _came_through(way: Way) -> bool:
    """Whether an attempt completed it and was killed before it could say so."""
    try:
        way.read_back()
    except Unavailable as error:
        log.info("copy_is_not_there", export_id=str(way.export_id), reason=error.detail)
        return False
    return True


def _begun(way: Way) -> Upload:
    """A new upload, which is noted before anything is sent."""
    end_uploads_of(way.bucket, way.key)
    upload = begin_upload(way.bucket, way.key)
    try:
        with step():
            still_wanted(way.export_id).upload_id = upload.id
    except BaseException:
        let_go(upload)
        raise
    return upload


def _make_anew(way: Way) -> None:
    export = still_wanted(way.export_id)
    end_upload(export)
    remove_after_commit(export.awaits_upload)
    export.parcels = export.upload_id = None


def _say_so(way: Way) -> None:
    export = still_wanted(way.export_id)
    remove_after_commit(export.awaits_upload)
    export.file, export.parcels, export.upload_id, export.finished_at = way.key, None, None, now()
    scheduled(way.schedule_id).succeeded()
