"""Where copies are kept: our storage, sealed, or the tenant's own bucket."""

from typing import Protocol

import structlog

from tenants.foundation.errors import Conflict, Unavailable
from tenants.foundation.exchange import OutboundFailed
from tenants.foundation.outbound import OutboundRefused
from tenants.isolation.door import db
from tenants.isolation.files import files
from tenants.isolation.own_bucket import BucketAddress, BucketFailed, OwnBucket
from tenants.isolation.own_uploads import Upload
from tenants.isolation.sealing import opened
from tenants.portability.models import Export, ExportSchedule
from tenants.portability.parcels import attempt_of, file_of

log = structlog.get_logger(__name__)


class Keeping(Protocol):
    """A place for copies by name."""

    def delete(self, name: str) -> None: ...


def keeping_of(schedule: ExportSchedule) -> Keeping:
    """Where the copies of a schedule go. Raises Conflict when the keys of its bucket are not here."""
    return files() if schedule.bucket is None else bucket_of(schedule)


def bucket_of(schedule: ExportSchedule) -> OwnBucket:
    """The bucket of a schedule, opened with its keys. Raises Conflict when they are not here."""
    at = schedule.bucket or {}
    secret = opened(schedule, "secret")
    if not schedule.access_key_id or not secret:
        raise Conflict(
            "The keys of the bucket stayed behind when this tenant came here. Give them again.",
            code="no_keys",
        )
    return OwnBucket(
        BucketAddress(at["name"], at["region"], at.get("endpoint"), at.get("account_id")),
        schedule.access_key_id,
        secret,
    )


def name_of_copy(schedule: ExportSchedule, export_id: object, attempt: int, *, encrypted: bool) -> str:
    """What a copy is called where it is kept, by a name of this attempt's own."""
    if schedule.bucket is None:
        return file_of(export_id, attempt)
    return f"{schedule.bucket.get('prefix') or ''}freehold-{export_id}-{attempt}.zip{'.age' if encrypted else ''}"


def upload_of(schedule: ExportSchedule, export: Export) -> Upload | None:
    """The unfinished upload of a copy, if one was begun. Raises Conflict as `bucket_of` does."""
    if export.upload_id is None:
        return None
    return Upload(bucket_of(schedule), key_of_copy(schedule, export), export.upload_id)


def key_of_copy(schedule: ExportSchedule, export: Export) -> str:
    """What a copy that is made and lies with us is to be called in the bucket."""
    made = attempt_of(export.awaits_upload[-1])
    return name_of_copy(schedule, export.id, made, encrypted=bool(export.encrypt_to))


def end_upload(export: Export) -> bool:
    """Have the bucket forget what has arrived of a copy that nobody finishes; whether nothing is left to be forgotten.

    A bucket that does not answer, or whose keys are no good any more, keeps it: that is logged, and holds nothing up.
    """
    schedule = export.upload_id and db().get(ExportSchedule, export.schedule_id)
    try:
        upload = upload_of(schedule, export) if schedule else None
    except (Conflict, Unavailable) as error:
        log.warning("upload_left_in_a_bucket", export_id=str(export.id), reason=error.detail)
        return False
    if upload and not let_go(upload):
        return False
    export.upload_id = None
    return True


def let_go(upload: Upload) -> bool:
    """End an upload; whether the bucket did. One that did not is logged."""
    try:
        upload.end()
    except (BucketFailed, OutboundFailed, OutboundRefused) as error:
        log.warning("upload_left_in_a_bucket", key=upload.key, reason=error.detail)
        return False
    return True
