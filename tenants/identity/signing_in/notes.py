"""What is put on record after the answer, so that writing it tells nobody by its time whether there is such a user."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import g, request

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.afterwards import afterwards
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.mail.posting import post


def note_later(home: Home, action: str, user_id: UUID | None, why: str) -> None:
    """Record that something about a user was refused; for nobody (`user_id` is None) as much work and no record."""
    afterwards.do(partial(_note, home, action, user_id, why, request.remote_addr, g.request_id))


def inside_later(home: Home, work: Callable[[], None]) -> None:
    """Do something in a tenant after the answer, as the house itself."""
    afterwards.do(partial(_inside, home, work, request.remote_addr, g.request_id))


def tell(user: User, subject: str, text: str) -> None:
    """Mail a user what happened to how they sign in, if they have an address."""
    if user.email:
        post(
            to=user.email,
            subject=subject,
            text=f"{text}\n\nIf this was not you, ask an admin of your workspace at once.\n",
        )


def _inside(home: Home, work: Callable[[], None], address: str | None, request_id: str) -> None:
    with inside(home):
        act_as(SYSTEM, address=address, request_id=request_id)
        work()


def _note(
    home: Home, action: str, user_id: UUID | None, why: str, address: str | None, request_id: str
) -> None:
    def write() -> None:
        there = db().get(User, user_id) if user_id else None
        if there is not None:
            record_event(action, "users", there.id, {"why": why})

    _inside(home, write, address, request_id)
