"""The state of the workspace, for those who work in it."""

from typing import Any

from sqlalchemy import select

from tenants.access.permissions import SIGNED_IN
from tenants.catalog.models import State, StateChange, Tenant
from tenants.catalog.states import PERMITS
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.isolation.door import here
from tenants.lifecycle.inactivity.periods import period_days
from tenants.lifecycle.moves.models import Move
from tenants.lifecycle.permissions import READ_LIFECYCLE
from tenants.lifecycle.schemas import MovesSchema, StateChangesSchema, StateSchema

tenant_state = Blueprint("tenant-state", __name__, url_prefix="/tenant-state", purpose=Purpose.ACCOUNT)


@tenant_state.get("", may=SIGNED_IN)
@tenant_state.response(200, StateSchema)
def get_tenant_state() -> dict[str, Any]:
    """Whether the workspace is active, and what goes on in it."""
    home = here().home
    latest = (
        select(StateChange.at)
        .where(StateChange.tenant_id == home.id)
        .order_by(StateChange.id.desc())
        .limit(1)
    )
    house = the_house()
    with house.catalog.transaction() as session:
        tenant = session.get_one(Tenant, home.id)
        state, since = State(tenant.state), session.scalar(latest) or tenant.claimed_at
    return {
        "state": state,
        "since": since,
        "region": tenant.region,
        "archived_after_days": period_days(tenant.inactivity_days, house.settings.inactivity_days),
        "permits": PERMITS[state],
    }


@tenant_state.get("/changes", may=READ_LIFECYCLE)
@tenant_state.response(200, StateChangesSchema)
def list_state_changes() -> dict[str, Any]:
    """Who changed the workspace's state, when and why; newest first."""
    mine = select(StateChange).where(StateChange.tenant_id == here().home.id)
    with the_house().catalog.transaction() as session:
        return {"data": session.scalars(mine.order_by(StateChange.id.desc())).all()}


@tenant_state.get("/moves", may=READ_LIFECYCLE)
@tenant_state.response(200, MovesSchema)
def list_moves() -> dict[str, Any]:
    """Every time that the workspace went to another server, and for how long nothing could be written; newest first."""
    mine = select(Move).where(Move.tenant_id == here().home.id)
    with the_house().catalog.transaction() as session:
        return {"data": session.scalars(mine.order_by(Move.id.desc())).all()}
