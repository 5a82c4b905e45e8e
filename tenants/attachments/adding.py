"""Attaches an uploaded file to a record: stored and sealed as it comes, then said in the row, or nothing of it stays."""

import hashlib
import re
from collections.abc import Iterator
from typing import IO
from uuid import UUID

from werkzeug.datastructures import FileStorage

from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.attachments.attachable import editable_record
from tenants.attachments.ending import let_go, note_on_record
from tenants.attachments.models import Attachment
from tenants.attachments.naming import clean_name
from tenants.attachments.sniffing import sniffed
from tenants.foundation.errors import Invalid, TooLarge
from tenants.isolation.files import files, store_sealed

CHUNK_BYTES = 1024 * 1024
MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,63}/[a-z0-9!#$&^_.+-]{1,63}\Z")


def attach(resource: str, record_id: UUID, upload: FileStorage, largest: int) -> Attachment:
    """Store the file and put it on the record; `largest` is the most bytes that it may have.

    Raises Invalid for an empty file or a resource that takes none, TooLarge, NotFound and NotAllowed as
    `editable_record` does, and StorageFailed.
    """
    editable_record(resource, record_id)
    arriving = Arriving(upload.stream, largest)
    made = Attachment(
        resource=resource,
        record_id=record_id,
        name=clean_name(upload.filename or ""),
        claimed_type=_claimed(upload),
        added_by_id=acting().caller.user_id,
    )
    store_sealed(made.file, arriving.chunks())
    try:
        made.size, made.sha256, made.media_type = arriving.size, arriving.sha256, sniffed(arriving.start)
        return _attached(made)
    except BaseException:
        let_go(files(), made.file)
        raise


def _attached(made: Attachment) -> Attachment:
    """To store a large file takes its time: the record may be gone by now, or out of reach, and stays from here on."""
    editable_record(made.resource, made.record_id, lock=True)
    save(made)
    note_on_record(made, None, str(made.id))
    return made


class Arriving:
    """An uploaded file, passed on in chunks; what it is, is known once the last one went through."""

    def __init__(self, stream: IO[bytes], largest: int) -> None:
        self._stream, self._largest = stream, largest
        self._hash = hashlib.sha256()
        self.size, self.start = 0, b""

    def chunks(self) -> Iterator[bytes]:
        """Raises TooLarge at the first byte too many, Invalid when there is none at all."""
        while chunk := self._stream.read(CHUNK_BYTES):
            self.start = self.start or chunk
            self.size += len(chunk)
            if self.size > self._largest:
                raise TooLarge(f"A file on a record has at most {self._largest} bytes.")
            self._hash.update(chunk)
            yield chunk
        if not self.size:
            raise Invalid(errors={"file": ["The file is empty."]})

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _claimed(upload: FileStorage) -> str | None:
    said = (upload.mimetype or "").lower()
    return said if MEDIA_TYPE.match(said) else None
