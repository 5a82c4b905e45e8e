"""To archive a tenant and to wake it: asked for in one transaction, done step by step until it rests."""

from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotFound
from tenants.jobs.platform import ask_for_round
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works, take
from tenants.lifecycle.archives.steps import STEPS
from tenants.lifecycle.attempts import take_up
from tenants.lifecycle.changing import Decision, change

ROUND = "archives.go_on"
RESTS = tuple(step.value for step in Step if step.rests)


def ask_to_archive(catalog: Catalog, tenant_id: UUID, decision: Decision) -> UUID:
    """Freeze a tenant and have it put away; the archive's id. Raises NotFound, and Conflict as `change` does."""
    with catalog.transaction() as session:
        tenant = session.get(Tenant, tenant_id, with_for_update=True)
        if tenant is None:
            raise NotFound("There is no such tenant.")
        if tenant.state == State.ARCHIVED:
            raise Conflict("This tenant is archived already.", code="state_conflict")
        made = Archive(tenant_id=tenant_id, state_before=tenant.state, reason=decision.reason)
        change(session, tenant_id, State.FROZEN, decision)
        session.add(made)
        session.flush()
        ask_for_round(session, ROUND)
        archive_id = made.id
    catalog.forget(tenant_id)
    return archive_id


def ask_to_thaw(catalog: Catalog, tenant_id: UUID, decision: Decision) -> UUID:
    """Have an archived tenant come back; its archive's id, also when somebody asked before.

    Raises Conflict for a tenant that is not archived.
    """
    with catalog.transaction() as session:
        return thaw(session, tenant_id, decision)


def thaw(session: Session, tenant_id: UUID, decision: Decision) -> UUID:
    """Likewise, in the catalog's transaction at hand."""
    session.get(Tenant, tenant_id, with_for_update=True)
    mine = select(Archive).where(Archive.tenant_id == tenant_id, Archive.step != Step.RETURNED)
    archive = session.scalars(mine.with_for_update()).one_or_none()
    if archive is None or archive.kept_at is None:
        raise Conflict("This tenant is not archived.", code="not_archived")
    if archive.step == Step.KEPT:
        change(session, tenant_id, State.THAWING, decision)
        archive.step, archive.thaw_asked_at, archive.error = Step.FILLING, now(), None
        ask_for_round(session, ROUND)
    return archive.id


def under_way(catalog: Catalog, tenant_id: UUID) -> UUID | None:
    """The archive of a tenant that was cut short or is being worked on, if there is one."""
    mine = select(Archive.id).where(Archive.tenant_id == tenant_id, Archive.step.not_in(RESTS))
    with catalog.transaction() as session:
        return session.scalar(mine)


def go_on(works: Works, archive_id: UUID) -> None:
    """Take an archive through its steps until it rests. Raises what went wrong, which is on record in its row too."""
    take(works, archive_id).go_through(STEPS)


def go_on_everywhere(works: Works) -> int:
    """Take up every archive that is on its way and that nobody works on; how many there were."""
    return take_up(works.catalog, Archive, RESTS, partial(go_on, works))
