"""Accepts work: the job's row is written in the transaction that asks for it, its tenant announced after the commit."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db, here
from tenants.jobs.carrier import carrier
from tenants.jobs.models import UNFINISHED, Job

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Order:
    """What is to be done, on whose behalf, and not before when."""

    kind: str
    arguments: dict[str, Any]
    heavy: bool
    max_attempts: int
    actor_kind: str
    unique_key: str | None = None
    run_at: datetime | None = None
    owner_id: UUID | None = None
    team_id: UUID | None = None
    credential_id: UUID | None = None
    request_id: str = ""
    id: UUID = field(default_factory=new_id)


def accept(order: Order) -> UUID:
    """Write the job's row. Of a unique key there is one unfinished job at a time, and that one's id is given."""
    values = asdict(order) | {"run_at": order.run_at or func.now()}
    wanted = insert(Job).values(values)
    if order.unique_key:
        wanted = wanted.on_conflict_do_nothing(index_elements=["unique_key"], index_where=UNFINISHED)
    same = select(Job.id).where(Job.unique_key == order.unique_key, UNFINISHED)
    made = None
    while made is None:
        # The job in our way may end between the two statements; then the next insert succeeds.
        made = db().scalar(wanted.returning(Job.id)) or db().scalar(same)
    announce_after_commit(order.run_at)
    return made


def announce_after_commit(run_at: datetime | None = None) -> None:
    """Tell the dispatchers, once the transaction at hand has committed, that its tenant has work; once is enough."""
    tenancy = here()
    when = run_at or now()
    if known := tenancy.notes.get("announced"):
        known.append(when)
        return
    moments = tenancy.notes["announced"] = [when]
    tenancy.after_commit.append(lambda: announce(tenancy.home.id, min(moments)))


def announce(tenant_id: UUID, when: datetime) -> None:
    """Put the tenant among those that are due. Without Redis the sweeper finds it, so nothing is raised."""
    try:
        carrier().announce(tenant_id, when)
    except (RedisError, OSError) as error:
        log.warning("not_announced", tenant=str(tenant_id), error=type(error).__name__)
