"""Mails to the admins of the tenant at hand about what leaves it."""

from uuid import UUID

from sqlalchemy import select

from tenants.identity.models import User
from tenants.identity.people.overview import IS_ADMIN
from tenants.isolation.door import db
from tenants.mail.posting import post

MOST_TOLD = 20


def tell_admins(subject: str, text: str, *, but: UUID | None = None) -> int:
    """Write to the admins who can sign in, at most twenty of them; how many there were."""
    told = select(User.email).where(
        User.state == "active", User.email.is_not(None), IS_ADMIN, User.id.is_distinct_from(but)
    )
    found = db().scalars(told.order_by(User.id).limit(MOST_TOLD)).all()
    for email in found:
        post(to=str(email), subject=subject, text=text)
    return len(found)
