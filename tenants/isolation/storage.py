"""Where files go: one small interface, seen from inside one tenant, over a local folder or a bucket."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from tenants.foundation.clock import now
from tenants.foundation.errors import Unavailable

NAME = re.compile(r"(?=.{1,400}\Z)[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*\Z")


class StorageFailed(Unavailable):
    """A file could not be written or read; the message is a sentence for the operator, the detail one for callers.

    Of a failed write nothing is left.
    """

    def __init__(self, message: str) -> None:
        super().__init__("Files can't be stored or read at the moment. Try again later.")
        self.args = (message,)


class NotStored(StorageFailed):
    """There is no file of this name."""

    status = 410
    code = "gone"
    title = "This is gone for good"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.detail = "This file is no longer there."


class CannotLock(StorageFailed):
    """Files are kept where nothing can be locked."""


class StillLocked(StorageFailed):
    """Nobody can remove this file before its time, and we don't try to."""

    status = 409
    code = "still_locked"
    title = "This can't be done as things stand"

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.detail = f"This file is locked until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC."


class LockMode(StrEnum):
    """Whom a lock binds: everybody, or all but those to whom the bucket's owner gave a right of its own."""

    COMPLIANCE = "COMPLIANCE"
    GOVERNANCE = "GOVERNANCE"


@dataclass(frozen=True, slots=True)
class Lock:
    """Until when a file can neither be removed nor replaced by others (S3 Object Lock)."""

    mode: LockMode
    until: datetime

    def __post_init__(self) -> None:
        if self.until <= now():
            raise ValueError("A lock ends in the future.")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file turned out to be once all of it was written."""

    size: int


class Place(Protocol):
    """Keeps files by key for all tenants. A file appears whole or not at all, and replaces one of its key."""

    def write(self, key: str, chunks: Iterable[bytes], lock: Lock | None = None) -> None: ...

    def open_stream(self, key: str) -> AbstractContextManager[Iterator[bytes]]: ...

    def rewrite(self, key: str, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> bool: ...

    def delete(self, key: str) -> None: ...

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str) -> Iterator[str]: ...

    def sweep_unfinished(self, older_than: timedelta) -> int: ...

    def keeps_locks(self) -> bool: ...


class TenantStorage:
    """The files of one tenant; no name leads out of them."""

    def __init__(self, place: Place, tenant_id: UUID) -> None:
        self._place, self._prefix = place, f"t_{tenant_id.hex}/"

    def write(self, name: str, chunks: Iterable[bytes]) -> Stored:
        """Store the chunks as they come. What goes wrong in `chunks` itself is raised as it is.

        Nothing here is locked: it goes when the tenant goes, or wishes it gone.
        """
        measured = _Measured(chunks)
        self._place.write(self._key(name), measured)
        return measured.stored()

    def open_stream(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        """The file in chunks; `NotStored` when there is none."""
        return self._place.open_stream(self._key(name))

    def rewrite(self, name: str, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> bool:
        """Put what `change` makes of a file in its place, unless it was removed or replaced meanwhile; whether it was.

        What goes wrong in `change` is raised as it is, and the file stays as it was.
        """
        return self._place.rewrite(self._key(name), change)

    def delete(self, name: str) -> None:
        """Make sure that there is no such file, nor a former version of it. Raises StillLocked."""
        self._place.delete(self._key(name))

    def exists(self, name: str) -> bool:
        return self._place.exists(self._key(name))

    def list(self, folder: str = "") -> Iterator[str]:
        """The names of all files, or of those in a folder (`exports/`), in the order of their characters."""
        for key in self._place.list(self._prefix + folder):
            yield key.removeprefix(self._prefix)

    def _key(self, name: str) -> str:
        if not NAME.match(name):
            raise ValueError(f"{name!r} can't be the name of a stored file.")
        return self._prefix + name


@dataclass(frozen=True)
class Lasting:
    """What lasts longer than the tenants that it is of: beside their files, never among them."""

    place: Place

    def names(self, folder: str) -> set[str]:
        """The names of all files in a folder (`certificates/`)."""
        return set(self.place.list(folder))

    def keep(self, name: str, content: bytes, until: datetime) -> None:
        """Store a file, locked until then where locks are kept; against everybody who has no right of their own.

        It must hold nothing that a tenant entered: that could be erased by no key. Raises StorageFailed.
        """
        locks = until > now() and self.place.keeps_locks()
        self.place.write(name, [content], Lock(LockMode.GOVERNANCE, until) if locks else None)


class Storage:
    """All files; the only way to one is through its tenant."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def for_tenant(self, tenant_id: UUID) -> TenantStorage:
        return TenantStorage(self._place, tenant_id)

    def lasting_of(self, _tenant_id: UUID, /) -> Lasting:
        """What is kept where this tenant's files are, and stays when it is no more."""
        return Lasting(self._place)

    def sweep_unfinished(self, older_than: timedelta) -> int:
        """Remove what writers that were killed left unfinished, and say how many that were.

        No write may take longer than `older_than`, or it is taken for one that was killed.
        """
        return self._place.sweep_unfinished(older_than)


def storage_from(url: str, kms_key: str | None = None) -> Storage:
    """The storage at `file:///folder` or `s3://bucket/prefix`; a bucket encrypts with the KMS key, when one is named."""
    return Storage(place_at(url, kms_key))


def place_at(url: str, kms_key: str | None = None) -> Place:
    """The same place for files that are no tenant's: backups, and the keys that are kept apart from them."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        from tenants.isolation.folder import Folder

        return Folder(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from tenants.isolation.bucket import Bucket

        return Bucket(parts.netloc, unquote(parts.path).strip("/"), kms_key)
    raise ValueError(f"{url!r} should look like file:///path or s3://bucket/prefix.")


class _Measured:
    """Passes chunks on, counting their bytes on the way."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._size = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._size += len(chunk)
            yield chunk

    def stored(self) -> Stored:
        return Stored(self._size)
