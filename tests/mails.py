"""Mails that a tenant wrote and nobody has sent yet, for tests that follow their links."""

import re
from dataclasses import dataclass
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
