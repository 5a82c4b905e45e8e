"""Where copies are kept: our storage, sealed, or the tenant's own bucket. Both write, read back and remove."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from tenants.foundation.errors import Conflict
from tenants.isolation.files import files, opened_file, store_sealed
from tenants.isolation.own_bucket import BucketAddress, OwnBucket
from tenants.isolation.sealing import opened
from tenants.portability.models import ExportSchedule
from tenants.portability.parcels import file_of


class Keeping(Protocol):
    """A place for copies by name."""

    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...

    def read(self, name: str, size: int) -> Iterator[bytes]:
        """What was written, of which there should be so many bytes in all."""

    def delete(self, name: str) -> None: ...


class OurStorage:
    """The tenant's files with us, sealed under its data key."""

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        store_sealed(name, pieces)

    def read(self, name: str, size: int) -> Iterator[bytes]:  # noqa: ARG002 - what is sealed ends where it ended
        with opened_file(name) as chunks:
            yield from chunks

    def delete(self, name: str) -> None:
        files().delete(name)


def keeping_of(schedule: ExportSchedule) -> Keeping:
    """Where the copies of a schedule go. Raises Conflict when the keys of its bucket are not here."""
    return OurStorage() if schedule.bucket is None else bucket_of(schedule)


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
