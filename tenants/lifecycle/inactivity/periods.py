"""After how many days without use a tenant is archived: as the installation says, unless it has a period of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import WRITABLE, Mover
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.settings import INACTIVITY_DAYS
from tenants.foundation.tables import Source
from tenants.isolation.door import inside

ACTION = "tenant.inactivity_period"


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one tenant: how long it may be without use, and since when it is here."""

    period: timedelta
    here_since: datetime


def period_days(own: int | None, usual: int | None) -> int | None:
    """Days without use after which a tenant with this period of its own is archived; None is never."""
    return (usual if own is None else own) or None


def terms_of_active(catalog: Catalog, usual: int | None) -> dict[UUID, Terms]:
    """The terms of every active tenant that can be archived for want of use."""
    query = select(Tenant.id, Tenant.inactivity_days, Tenant.claimed_at, Tenant.created_at)
    with catalog.transaction() as session:
        rows = session.execute(query.where(Tenant.state == State.ACTIVE)).all()
    found = ((row, period_days(row.inactivity_days, usual)) for row in rows)
    return {
        row.id: Terms(timedelta(days=days), row.claimed_at or row.created_at)
        for row, days in found
        if days is not None
    }


def set_period(catalog: Catalog, home: Home, days: int | None, reason: str) -> None:
    """Give a tenant a period of its own in days, `NEVER`, or None for the installation's; on its record with the reason.

    The record is written first: who is killed between the two has it said and not done, never the reverse. Raises
    Invalid, NotFound, and Conflict when it is so already or nothing can be put on record in it.
    """
    least, most = INACTIVITY_DAYS
    if days and not least <= days <= most:
        raise Invalid(f"A period is {least} to {most} days.")
    with catalog.transaction() as session:
        tenant = session.get(Tenant, home.id, with_for_update=True)
        if tenant is None:
            raise NotFound("There is no such tenant.")
        if tenant.state not in WRITABLE:
            raise Conflict(f"This tenant is {tenant.state}: nothing can be put on its record now.")
        before = tenant.inactivity_days
        if before == days:
            raise Conflict("This tenant has that period already.", code="same_period")
        with inside(home):
            act_as(SYSTEM, request_id="inactivity-period", source=Source.SYSTEM)
            said = {"inactivity_days": [before, days], "mover": [None, Mover.OPERATOR.value]}
            record_event(ACTION, "tenant", home.id, said, {"reason": [None, reason]})
        tenant.inactivity_days = days
