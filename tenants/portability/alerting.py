"""Tells the admins that a lot of their data was put into a file, so that one of them is surprised in time."""

from tenants.identity.models import User
from tenants.isolation.door import db
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.portability.models import Export

LARGE_MADE = notice_kind("exports.large_made", "A large export was made")
#: Everything is large, however little there is. A part is with more rows than this: five of the largest pages that lists
#: give, which is more than somebody looks through, and less than anything worth stealing.
MANY_ROWS = 1000
SUBJECT = "A large export of your workspace was made"
TEXT = """An export of your workspace was made that {name} asked for: {what}, {rows} rows.

Purpose: {purpose}. It goes to: {recipient}. Note: {note}.

If that surprises you, remove it (DELETE /api/v1/exports/{id}) and end the sessions and keys of who asked. The audit log
says what was done with which, and whether it was downloaded.
"""


def tell_of_large(export: Export) -> bool:
    """Tell all admins of an export that somebody asked for, if it is large; whether they are told now."""
    rows = sum((export.counts or {}).values())
    if export.resources is not None and rows <= MANY_ROWS:
        return False
    owner = db().get(User, export.owner_id) if export.owner_id else None
    chosen = ", ".join(str(each["resource"]) for each in export.resources or ())
    text = TEXT.format(
        name=owner.name if owner else "somebody who is gone", what=chosen or "everything", rows=rows,
        purpose=export.purpose, recipient=export.recipient or "your workspace itself", note=export.note or "none",
        id=export.id,
    )  # fmt: skip
    return tell(LARGE_MADE, SUBJECT, text, key=f"large-export-{export.id}") is not None
