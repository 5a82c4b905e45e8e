"""A tenant's exit goes on by its dates: everything as before, then read and export, then the last notice, then nothing.

What destroys is not this module's: `Exits.destroy` is handed in. Without it an exit whose time has come waits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tenants.catalog.models import State, StateChange, Tenant
from tenants.catalog.registry import Catalog, Home, home_of
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotFound, Refusal
from tenants.isolation.door import inside
from tenants.isolation.owner import OwnerError
from tenants.lifecycle.admins import CLOSING, Sent, sent, tell_admins_once
from tenants.lifecycle.archives.keeping import thaw
from tenants.lifecycle.changing import Decision, Owners, change, settle
from tenants.lifecycle.closing import letters
from tenants.lifecycle.closing.models import Closing, Phase
from tenants.lifecycle.closing.periods import applied, dates_from
from tenants.lifecycle.letters import Letter
from tenants.lifecycle.once import is_on_record
from tenants.lifecycle.telling.waiting import tell_soon

log = structlog.get_logger(__name__)
ROUND = "closings.go_on"
OPEN = (Closing.cancelled_at.is_(None), Closing.destroyed_at.is_(None))
AGAIN = "final_again"
BEFORE = (State.ACTIVE, State.SUSPENDED)


@dataclass(frozen=True)
class Exits:
    """What exits are carried out with.

    `destroy` gets the slug and the reason. It moves the tenant to `destroyed` before anything else, so that nobody
    cancels what is under way; it can be repeated, and refuses (Conflict) while a legal hold forbids it.
    """

    catalog: Catalog
    owners: Owners
    destroy: Callable[[str, str], object] | None = None


def ask_to_close(
    catalog: Catalog, home: Home, decision: Decision, *, notice: int, transition: int, retrieval: int
) -> Closing:
    """Begin a tenant's exit; its parts are in days. Nothing in it changes before notice and transition are over.

    One that is archived is woken for it: its people are told, and can take everything away or go back on it.
    Raises Invalid for a part that the law does not allow, Conflict when there is an exit already or it can't begin.
    """
    asked_at = now()
    dates = dates_from(asked_at, notice, transition, retrieval)
    with catalog.transaction() as session:
        tenant = session.get(Tenant, home.id, with_for_update=True)
        if tenant is None or tenant.state not in (*BEFORE, State.ARCHIVED):
            raise Conflict(
                "Only a workspace that is active or suspended can be closed, or one that is archived, which wakes it.",
                code="state_conflict",
            )
        if session.scalar(select(Closing.id).where(Closing.tenant_id == home.id, *OPEN)):
            raise Conflict("This workspace is being closed already.", code="already_closing")
        made = Closing(
            tenant_id=home.id, asked_at=asked_at, mover=decision.mover, actor_id=decision.actor_id,
            reason=decision.reason, periods=applied(), notice_until=dates.notice_until,
            transition_until=dates.transition_until, retrieval_until=dates.retrieval_until,
        )  # fmt: skip
        session.add(made)
        if tenant.state == State.ARCHIVED:
            thaw(session, home.id, decision)
    catalog.forget(home.id)
    return made


def open_closing(session: Session, tenant_id: UUID) -> Closing:
    """The exit that a tenant is in, its row locked. Raises NotFound."""
    mine = select(Closing).where(Closing.tenant_id == tenant_id, *OPEN).with_for_update()
    found = session.scalars(mine).one_or_none()
    if found is None:
        raise NotFound("This workspace is not being closed.")
    return found


def leaving(catalog: Catalog) -> set[UUID]:
    """The tenants that are in an exit."""
    with catalog.transaction() as session:
        return set(session.scalars(select(Closing.tenant_id).where(*OPEN)))


def cancel(catalog: Catalog, tenant_id: UUID, decision: Decision) -> bool:
    """Go back on an exit; whether the tenant's schema has to be told (`settle`). Raises NotFound, Conflict."""
    with catalog.transaction() as session:
        tenant = session.get_one(Tenant, tenant_id, with_for_update=True)
        if tenant.state == State.DESTROYED:
            raise Conflict("There is no exit to cancel any more.", code="closing_over")
        open_closing(session, tenant_id).cancel(now())
        tell_soon(session)
        if tenant.state == State.CLOSING:
            begun = select(StateChange.before).where(
                StateChange.tenant_id == tenant_id, StateChange.after == State.CLOSING
            )
            before = session.scalars(begun.order_by(StateChange.id.desc()).limit(1)).one()
            change(session, tenant_id, State(before), decision)
            return True
    return False


def go_on_with_exits(exits: Exits, at: datetime | None = None) -> int:
    """Do what is due of every exit; how many exits there are."""
    moment = at or now()
    with exits.catalog.transaction() as session:
        found = list(session.scalars(select(Closing.id).where(*OPEN).order_by(Closing.id)))
    for each in found:
        try:
            _go_on(exits, each, moment)
        except (Refusal, OwnerError, SQLAlchemyError, OSError) as error:
            log.warning("closing_waits", closing=str(each), reason=str(error).partition("\n")[0])
    return len(found)


def _go_on(exits: Exits, closing_id: UUID, at: datetime) -> None:
    with exits.catalog.transaction() as session:
        closing = session.get_one(Closing, closing_id)
        home = home_of(session.get_one(Tenant, closing.tenant_id))
    if home.state is State.DESTROYED:
        _destroy(exits, closing, at)  # it was cut short
        return
    if home.state not in (*BEFORE, State.CLOSING):
        return  # archived, frozen or moving: it is to be asked again when it is back
    _tell(home, closing, "asked", letters.asked(closing))
    if closing.phase(at) in (Phase.NOTICE, Phase.TRANSITION):
        return
    if home.state is not State.CLOSING:
        with exits.catalog.transaction() as session:
            closing = open_closing(session, home.id)
            closing.begin_retrieval(at)
            change(session, home.id, State.CLOSING, Decision(Mover.PLATFORM, closing.reason))
    settle(exits.catalog, exits.owners, home.id)
    _tell(home, closing, "retrieval", letters.retrieval(closing))
    if at >= closing.final_notice_due and closing.final_notice_at is None:
        _tell(home, closing, "final", letters.final(closing, at))
        with exits.catalog.transaction() as session:
            open_closing(session, home.id).final_notice_at = at
    elif closing.phase(at) is Phase.DUE and not _told_again(exits, home, closing, at):
        _destroy(exits, closing, at)


def _told_again(exits: Exits, home: Home, closing: Closing, at: datetime) -> bool:
    """Give a last notice that did not leave the house once more; whether it did. The end counts from that one."""
    with inside(home):
        unheard = sent(home, _key(closing, "final")) is Sent.NONE and not is_on_record(
            home.id, _key(closing, AGAIN)
        )
    if unheard:
        with exits.catalog.transaction() as session:
            open_closing(session, home.id).final_notice_at = at
        _tell(home, closing, AGAIN, letters.final(closing, at))
    return unheard


def _destroy(exits: Exits, closing: Closing, at: datetime) -> None:
    if exits.destroy is None:
        log.warning("closing_due", closing=str(closing.id))
        return
    with exits.catalog.transaction() as session:
        slug = session.get_one(Tenant, closing.tenant_id).slug
    if slug is not None:  # one that is destroyed to the end has no name any more
        exits.destroy(slug, closing.reason)
    with exits.catalog.transaction() as session:
        open_closing(session, closing.tenant_id).destroyed_at = at
    exits.catalog.forget(closing.tenant_id)


def _tell(home: Home, closing: Closing, what: str, letter: Letter) -> bool:
    kind = CLOSING[what.removesuffix("_again")]
    return tell_admins_once(home, _key(closing, what), f"tenant.closing_{what}", kind, letter)


def _key(closing: Closing, what: str) -> str:
    return f"closing-{what}-{closing.id}"
