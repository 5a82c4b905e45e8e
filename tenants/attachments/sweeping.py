"""Removes files that no row knows: left by a process that was killed, or by storage that was away."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import select

from tenants.attachments.ending import BUNDLING, let_go
from tenants.attachments.models import FOLDER, Attachment, file_of
from tenants.foundation.clock import now
from tenants.foundation.identifiers import made_at
from tenants.isolation.door import db
from tenants.isolation.files import files
from tenants.isolation.turns import is_held_open
from tenants.jobs.progress import step

AT_ONCE = 1000
NAMED_BY_ID = re.compile(rf"{FOLDER}[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
#: A request that adds a file takes minutes at most: what is older and has no row will never have one.
LEFT_BEHIND_AFTER = timedelta(days=1)


def sweep_files() -> int:
    """Remove what was left behind, and say how many files that were. Killed and run again, it goes on."""
    with step():
        storage = files()
    swept, old = 0, _old_ones(storage.list(FOLDER))
    while some := list(islice(old, AT_ONCE)):
        with step():
            unknown = _unknown(some)
        for attachment_id in unknown:
            let_go(storage, file_of(attachment_id))
        swept += len(unknown)
    return swept


def _old_ones(names: Iterator[str]) -> Iterator[UUID]:
    """The ids of files that no request is writing any more: each says when it was made."""
    latest = now() - LEFT_BEHIND_AFTER
    for name in names:
        if NAMED_BY_ID.fullmatch(name) and made_at(found := UUID(name.removeprefix(FOLDER))) < latest:
            yield found


def _unknown(some: list[UUID]) -> list[UUID]:
    """Those without a row; none while a bundle is made of a moment at which they may have had one."""
    if is_held_open(BUNDLING):
        return []
    known = set(db().scalars(select(Attachment.id).where(Attachment.id.in_(some))))
    return [each for each in some if each not in known]
