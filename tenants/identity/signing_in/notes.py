"""What is done after the answer, so that neither it nor whatever is answered next tells whether there is such a user.

Where the caller knows already who the user is, a thread of this process does it. Where an address was typed, it is an
errand: the same work here for everybody, and the rest in a process that answers nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from flask import g, request

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.afterwards import afterwards
from tenants.foundation.tables import Purpose
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.isolation.keys import KeyWrapper
from tenants.jobs.errands import Asked, Errands, errand
from tenants.mail.posting import post

REFUSED = "sessions.refused"


def note_later(home: Home, action: str, user_id: UUID, why: str) -> None:
    """Record that something was refused to a user who had shown before who they are."""
    afterwards.do(partial(_note, home, action, user_id, why, request.remote_addr, g.request_id))


def plant_inside(
    catalog: Catalog, wrapper: KeyWrapper, kind: str, homes: Iterable[tuple[Home, Mapping[str, Any]]]
) -> None:
    """Have an errand done in each of these tenants, with what is said there; in none, as much is written down."""
    asked = {"address": request.remote_addr, "request_id": g.request_id}
    Errands(catalog, wrapper).plant(
        kind, *({**said, **asked, "tenant": str(home.id)} for home, said in homes)
    )


def in_its_tenant(work: Callable[[Asked], None]) -> Callable[[Asked], None]:
    """An errand of `plant_inside`, done in its tenant as the house itself. A tenant that is gone has nothing to do."""

    def run(asked: Asked) -> None:
        home = asked.catalog.home(UUID(asked.said["tenant"]))
        if home is not None:
            _inside(home, partial(work, asked), asked.said["address"], asked.said["request_id"])

    return run


def tell(user: User, subject: str, text: str) -> None:
    """Mail a user what happened to how they sign in, if they have an address."""
    if user.email:
        post(
            to=user.email,
            subject=subject,
            text=f"{text}\n\nIf this was not you, ask an admin of your workspace at once.\n",
        )


@errand(REFUSED, purpose=Purpose.SECURITY)
@in_its_tenant
def _note_refused(asked: Asked) -> None:
    _record(REFUSED, UUID(asked.said["user"]), asked.said["why"])


def _note(home: Home, action: str, user_id: UUID, why: str, address: str | None, request_id: str) -> None:
    _inside(home, partial(_record, action, user_id, why), address, request_id)


def _record(action: str, user_id: UUID, why: str) -> None:
    if db().get(User, user_id) is not None:
        record_event(action, "users", user_id, {"why": why})


def _inside(home: Home, work: Callable[[], None], address: str | None, request_id: str) -> None:
    with inside(home):
        act_as(SYSTEM, address=address, request_id=request_id)
        work()
