"""Mails are sent by workers, after the transaction that wrote them, and tried again for hours."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from tenants.foundation.clock import now
from tenants.foundation.errors import NotFound
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db
from tenants.isolation.sealing import opened
from tenants.jobs.progress import conclude, step
from tenants.jobs.registry import job
from tenants.mail.messages import message
from tenants.mail.models import Mail
from tenants.mail.postmen import post_office

#: Servers that know nobody yet ask to come back in a quarter of an hour; this many tries take more than four hours.
TRIES = 24
KEPT = timedelta(days=3)
KEPT_UNSENT = timedelta(days=14)


@job("mail.send", purpose=Purpose.ACCOUNT, steps=True, always=True, attempts=TRIES, minutes=5)
def send_mail(mail_id: UUID) -> None:
    """Hand one mail to whoever carries mails. Between sending and noting it, a crash sends it twice, as one message."""
    with step():
        mail = db().get(Mail, mail_id)
        if mail is None:
            raise NotFound("This mail waited too long and was forgotten.")
        if mail.sent_at is not None:
            conclude()
            return
        address, subject, text = (opened(mail, name) or "" for name in ("address", "subject", "text"))
    office = post_office()
    office.postman.deliver(message(mail_id, office.sender, address, subject, text))
    with step():
        mail = db().get_one(Mail, mail_id)
        mail.sent_at, mail.text = now(), None
        conclude()


@job("mail.tidy", purpose=Purpose.ACCOUNT, every="41 3 * * *", always=True)
def tidy_mails() -> None:
    """Forget what was sent days ago, and what could not be sent in two weeks."""
    db().execute(delete(Mail).where(Mail.sent_at < now() - KEPT))
    db().execute(delete(Mail).where(Mail.created_at < now() - KEPT_UNSENT))
