"""Posting a mail: written in the transaction at hand, sent once that has committed; or handed over without being kept."""

from urllib.parse import quote
from uuid import UUID

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db, here
from tenants.mail.jobs import send_mail
from tenants.mail.messages import message, usable_address, usable_subject
from tenants.mail.models import Mail
from tenants.mail.postmen import post_office


def post(*, to: str, subject: str, text: str, mail_id: UUID | None = None) -> UUID:
    """Have a mail sent, unless the transaction comes to nothing; the id of the mail. Runs inside a tenant.

    `mail_id` is for work that may be done twice: it looks first whether there is such a mail.

    Raises Invalid for an address that is none, and for a subject of several lines.
    """
    mail = Mail(
        id=mail_id or new_id(), address=usable_address(to), subject=usable_subject(subject), text=text
    )
    db().add(mail)
    db().flush()
    whoever = here().caller
    # The house sends it: a mail goes out even if whoever caused it may do nothing any more by then.
    act_as(SYSTEM, request_id=whoever.request_id if whoever else "")
    try:
        send_mail.later(mail_id=mail.id)
    finally:
        here().caller = whoever
    return mail.id


def hand_over(mail_id: UUID, *, to: str, subject: str, text: str) -> None:
    """Send a mail at once, for whom nothing can be kept at this moment; however often, it is one message to readers.

    Raises Unavailable when it may be tried again, Conflict when there is no use.
    """
    office = post_office()
    office.postman.deliver(message(mail_id, office.sender, to, subject, text))


def link(page: str, token: str) -> str:
    """Where a mail leads: a page of this installation. What follows `#` stays in the reader's browser and out of logs."""
    return f"{post_office().public_url}/pages/{page}#{quote(token, safe='')}"
