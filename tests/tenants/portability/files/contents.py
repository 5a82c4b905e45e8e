"""Files of awkward names and bytes, and what a tenant has of them."""

from tenants.attachments.models import Attachment
from tenants.catalog.registry import Home
from tenants.isolation.door import db, inside
from tenants.isolation.files import opened_file

CONTENTS = {
    "terms.txt": b"Zilpzalp: what we agreed on.\n",
    "größe 尺寸 👩‍👩‍👧.bin": bytes(range(256)) * 5000,
    "x" * 251 + ".pdf": b"%PDF-1.7\n",
    "-- &'()+,;=@[]^`{}~$!#.txt": b'\\N,"\r\n',
}


def contents(home: Home) -> dict[str, bytes]:
    """The opened files of a tenant by the names of their attachments."""
    with inside(home):
        found = db().query(Attachment).all()
        return {each.name: opened(each.file) for each in found}


def opened(name: str) -> bytes:
    with opened_file(name) as chunks:
        return b"".join(chunks)


def names() -> dict[str, bytes]:
    """As they are kept: the family of an emoji loses the marks that join it."""
    return {name.replace("\u200d", ""): content for name, content in CONTENTS.items()}
