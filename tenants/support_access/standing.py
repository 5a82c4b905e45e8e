"""What a tenant's own rows say of a visit at this moment, and a transaction of it by the staff's login."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tenants.access.caller import Caller
from tenants.catalog.registry import Home
from tenants.foundation import clock
from tenants.foundation.errors import NotAllowed, NotSignedIn, Unavailable
from tenants.foundation.identifiers import token_hash
from tenants.http.representation import Resource
from tenants.isolation.door import Shut, Tenancy, Visit, inside
from tenants.support_access.scope import Scope
from tenants.support_access.visitable import Visitable, visitable

#: The visit's row is held by those who log, so that it can't be signed off between the log and its receipt.
STANDING = """
select v.id, v.grant_id, v.staff_id, v.staff_name, v.access, g.reason, g.ticket, g.resources, g.record_ids,
  g.only_fields, g.masked, g.hours, greatest(g.visible_from, v.visible_from) as visible_from,
  v.ended_at is null and v.expires_at > %(now)s and g.state = 'approved' and g.ends_at > %(now)s as live
from access_visits v join access_grants g on g.id = v.grant_id
where v.hash = %(hash)s
"""
HELD = STANDING + "for share of v"
ONE_VIEW = "isolation level repeatable read read only"


class Standing(NamedTuple):
    """What the tenant's own rows say of a visit at this moment."""

    id: UUID
    grant_id: UUID
    staff_id: UUID
    staff_name: str
    access: str
    reason: str
    ticket: str | None
    resources: list[str]
    record_ids: list[UUID] | None
    only_fields: dict[str, list[str]] | None
    masked: bool
    hours: int
    visible_from: datetime
    live: bool

    @property
    def scope(self) -> Scope:
        return Scope(self.resources, self.record_ids, self.only_fields, self.access, self.masked, self.hours)


@dataclass(frozen=True)
class Circumstances:
    """Which request it is: its route, its number, where it came from, and the visit's token."""

    home: Home
    token: str
    route: str
    request_id: str
    address: str | None
    is_active: Callable[[UUID], bool]
    """Whether a staff id is that of somebody who works here."""


@contextmanager
def at_work(
    at: Circumstances, question: str, *, isolation: str = "", visit: Visit = "read"
) -> Iterator[tuple[Tenancy, Standing]]:
    """One transaction of a visit, by the staff's login, with its standing.

    Raises NotSignedIn for a token that is none, NotAllowed when the visit is over, Unavailable while it is opened.
    """
    first = (question, {"hash": token_hash(at.token), "now": clock.now()})
    try:
        with inside(at.home, first=first, isolation=isolation, visit=visit) as tenancy:
            if not tenancy.first_answer:
                raise NotSignedIn
            standing = Standing(*tenancy.first_answer[0])
            if not _is_live(at, standing):
                raise NotAllowed("This visit is over.", code="visit_not_open")
            yield tenancy, standing
    except Shut as shut:
        if _awaits_opening(at):
            said = "This visit is just being opened, which takes some seconds. Try again in a moment."
            raise Unavailable(said, code="visit_opening") from shut
        raise


def _is_live(at: Circumstances, standing: Standing) -> bool:
    return standing.live and at.is_active(standing.staff_id)


def _awaits_opening(at: Circumstances) -> bool:
    """Whether the tenant's own rows call the visit live. The door is shut to it until the platform's round has come."""
    with inside(at.home, first=(STANDING, {"hash": token_hash(at.token), "now": clock.now()})) as tenancy:
        return any(_is_live(at, Standing(*row)) for row in tenancy.first_answer)


def in_scope(standing: Standing, name: str) -> Visitable:
    """Raises NotAllowed for a resource that the grant doesn't name, or that no grant can."""
    found = visitable(name)
    if found is None or name not in standing.resources:
        raise NotAllowed(f"'{name}' is not in the scope of this visit.", code="out_of_scope")
    return found


def visitor(at: Circumstances, standing: Standing, resource: Resource) -> Caller:
    """Who the holder of a visit is for the house's rules."""
    return standing.scope.visitor(at.home.id, standing.staff_id, standing.staff_name, resource)
