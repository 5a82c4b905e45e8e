"""Mails that a tenant wrote and nobody has sent yet, for tests that follow their links; and those that went out."""

import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote

from sqlalchemy import select

from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.mail.models import Mail
from tests.workspace import Workspace


@dataclass(frozen=True)
class Posted:
    """A mail, opened."""

    to: str
    subject: str
    text: str

    @property
    def token(self) -> str:
        """What follows `#` in the mail's first link."""
        found = re.search(r"https?://\S+#(\S+)", self.text)
        assert found, self.text
        return unquote(found[1])


def posted(workspace: Workspace, to: str) -> list[Posted]:
    """The unsent mails to an address, oldest first."""
    with inside(workspace.home):
        waiting = db().scalars(select(Mail).where(Mail.sent_at.is_(None)).order_by(Mail.id)).all()
        mails = [
            Posted(*(opened(each, name) or "" for name in ("address", "subject", "text"))) for each in waiting
        ]
    return [each for each in mails if each.to == to]


@dataclass
class Letterbox:
    """Takes what workers send, in the place of a mail server."""

    taken: list[EmailMessage] = field(default_factory=list)

    def deliver(self, message: EmailMessage) -> None:
        self.taken.append(message)

    def texts(self, to: str, subject: str) -> list[str]:
        """What was sent to an address under a subject, oldest first."""
        mine = [each for each in self.taken if (each["To"], each["Subject"]) == (to, subject)]
        return [each.get_content() for each in mine]
