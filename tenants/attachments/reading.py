"""The bytes of an attachment, unsealed on the way to whoever may read its record."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from tenants.access.policy import find
from tenants.attachments.attachable import readable_record
from tenants.attachments.models import Attachment
from tenants.audit.recording import record_event
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.isolation.files import opened_file


@dataclass(frozen=True)
class Opened:
    """A file whose first bytes were read and found to be true; `close` has to be called in the end."""

    attachment: Attachment
    chunks: Iterator[bytes]
    close: Callable[[], None]


def altered(attachment_id: UUID) -> Conflict:
    """The refusal to hand out what somebody changed where it is stored."""
    return Conflict(
        f"The file of attachment {attachment_id} was altered where it is stored. Restore it or remove the attachment.",
        code="file_altered",
    )


def opened(attachment_id: UUID) -> Opened:
    """The file, to be sent after the transaction at hand. That somebody took it is put on record.

    Raises NotFound when its record is out of reach, NotStored when storage lost it, Conflict when it was altered, and
    KeyUnopened when nobody can tell, because the key of keys is another one.
    """
    attachment = find(Attachment, attachment_id)
    readable_record(attachment.resource, attachment.record_id)
    with ExitStack() as stack:
        try:
            chunks = stack.enter_context(opened_file(attachment.file))
        except Unreadable as error:
            raise altered(attachment.id) from error
        same = {"sha256": [attachment.sha256, attachment.sha256]}
        record_event("attachments.downloaded", "attachments", attachment.id, same)
        return Opened(attachment, chunks, stack.pop_all().close)
