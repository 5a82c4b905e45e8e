"""Attaches files to a contact of a tenant, straight into its storage, as quickly as they can be sealed."""

import hashlib
import random
from collections.abc import Iterator

from sqlalchemy import func, select

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.attachments.models import Attachment, file_of
from tenants.catalog.registry import Home
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.isolation.door import db, inside
from tenants.isolation.files import store_sealed

MEBIBYTE = 1 << 20


def attach(home: Home, *, count: int, mebibytes: int) -> None:
    """Have so many files of this size on some contact, those that are there already among them.

    They are one random block again and again, which deflating does not notice: it looks back 32 KiB.
    """
    block = random.Random("files").randbytes(MEBIBYTE)
    sha256 = hashlib.sha256(block * mebibytes).hexdigest()
    for number in range(_there(home), count):
        with inside(home, patience_seconds=600):
            act_as(SYSTEM)
            attachment_id = new_id()
            record_id = db().scalar(select(Contact.id).limit(1))
            store_sealed(file_of(attachment_id), _blocks(block, mebibytes))
            db().add(
                Attachment(
                    id=attachment_id, resource="contacts", record_id=record_id, name=f"file-{number}.bin",
                    media_type="application/octet-stream", size=mebibytes * MEBIBYTE, sha256=sha256, source=Source.SYSTEM,
                )
            )  # fmt: skip
            db().flush()


def _there(home: Home) -> int:
    with inside(home):
        return int(db().scalar(select(func.count(Attachment.id))) or 0)


def _blocks(block: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield block
