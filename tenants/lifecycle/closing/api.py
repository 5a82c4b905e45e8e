"""The exit of a workspace over HTTP: asked for, seen, extended, cancelled."""

from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import NotFound
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.isolation.door import here
from tenants.lifecycle.changing import Decision, settle
from tenants.lifecycle.closing.exiting import ask_to_close, cancel, open_closing
from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.closing.permissions import CREATE_CLOSING, EDIT_CLOSING, READ_CLOSING
from tenants.lifecycle.closing.schemas import ClosingBody, ClosingSchema, ExtensionBody

closing = Blueprint("closing", __name__, url_prefix="/closing", purpose=Purpose.PORTABILITY)


@closing.get("", may=READ_CLOSING)
@closing.doc(responses={"404": {}})
@closing.response(200, ClosingSchema)
def get_closing() -> dict[str, Any]:
    """The latest exit of this workspace, and where it stands."""
    latest = select(Closing).where(Closing.tenant_id == here().home.id).order_by(Closing.id.desc()).limit(1)
    with the_house().catalog.transaction() as session:
        found = session.scalars(latest).one_or_none()
        if found is None:
            raise NotFound("Nobody has asked that this workspace be closed.")
        return _shown(found)


@closing.post("", may=CREATE_CLOSING)
@closing.takes(ClosingBody())
@closing.response(202, ClosingSchema)
def create_closing(said: dict[str, Any]) -> dict[str, Any]:
    """Ask that the workspace be closed: all its admins are told, and it can be cancelled until the end."""
    decision = Decision(Mover.ADMIN, said.pop("reason"), acting().caller.user_id)
    days = {name.removesuffix("_days"): value for name, value in said.items()}
    return _shown(ask_to_close(the_house().catalog, here().home, decision, **days))


@closing.patch("", may=EDIT_CLOSING)
@closing.takes(ExtensionBody())
@closing.doc(responses={"404": {}})
@closing.response(200, ClosingSchema)
def extend_closing(said: dict[str, Any]) -> dict[str, Any]:
    """Extend the transition, once; what follows it moves along."""
    with the_house().catalog.transaction() as session:
        found = open_closing(session, here().home.id)
        found.extend(said["extension_days"], now())
        return _shown(found)


@closing.delete("", may=EDIT_CLOSING)
@closing.doc(responses={"404": {}})
@closing.response(204)
def cancel_closing() -> None:
    """Cancel the exit: the workspace is what it was before."""
    catalog, home = the_house().catalog, here().home
    decision = Decision(Mover.ADMIN, "An admin cancelled the exit.", acting().caller.user_id)
    if cancel(catalog, home.id, decision):
        here().after_commit.append(partial(settle, catalog, {}, home.id))


def _shown(found: Closing) -> dict[str, Any]:
    columns = {each.key: getattr(found, each.key) for each in Closing.__table__.columns}
    rules = [
        {**each, "effective_from": date.fromisoformat(each["effective_from"])} for each in columns["periods"]
    ]
    said = {"phase": found.phase(now()), "destruction_due": found.destruction_due, "charges": "none"}
    return columns | said | {"periods": rules}
