"""Whether a tenant may be destroyed now: it is ending, its time is over, and nothing of it is under a legal hold."""

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db, inside
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.closing.exiting import OPEN
from tenants.lifecycle.closing.models import Closing, Phase
from tenants.lifecycle.closing.periods import longest_wait
from tenants.retention.holds import is_anything_held

#: The states from which there is a way to destruction, and who goes it.
ENDINGS = {State.CLOSING: Mover.PLATFORM, State.THAWING: Mover.OPERATOR}


def archive_of(home: Home) -> Select[Archive]:
    """The archive that a tenant is in, or is just coming back from."""
    return select(Archive).where(Archive.tenant_id == home.id, Archive.step != Step.RETURNED)


def must_be_ending(home: Home) -> None:
    """Raises Conflict for a tenant from whose state there is no way to destruction."""
    if home.state is State.ARCHIVED:
        raise Conflict(
            "This tenant is archived, and nobody there was told of an end: `freehold tenant close` wakes it into its"
            " exit.",
            code="not_announced",
        )
    if home.state not in ENDINGS:
        raise Conflict(
            f"A tenant that is {home.state.value} is not destroyed: it has to be closing.",
            code="state_conflict",
        )


def must_not_be_held(catalog: Catalog, home: Home) -> None:
    """Raises Conflict when a hold is in force at this moment; one may be placed right after it was asked."""
    if home.state is State.CLOSING:
        with inside(home):
            _refuse_what_is_held(held=is_anything_held())
    else:
        with catalog.transaction() as session:
            _must_not_have_been_held(session, home)


def end_unless_held(session: Session, home: Home) -> None:
    """Have a tenant's schema say that it is destroyed, as the last thing before the catalog's transaction commits.

    Whoever places a hold was answered before, and is found here, or waits until the schema has said it, and is refused.
    Raises Conflict; then the catalog says nothing either. Killed between the two commits, the tenant is closing still,
    takes no hold any more, and the same is done again.
    """
    if home.state is not State.CLOSING:
        _must_not_have_been_held(session, home)
        return
    with inside(home):
        _refuse_what_is_held(held=is_anything_held())
        db().execute(update(TenantProfile).values(state=State.DESTROYED.value))


def must_not_be_early(session: Session, home: Home) -> None:
    """Nobody shortens the time in which a tenant takes everything away and can come back. Raises Conflict."""
    under_way = select(Closing).where(Closing.tenant_id == home.id, *OPEN)
    closing = session.scalars(under_way).one_or_none()
    if home.state is State.THAWING:
        _must_be_past_waking(session, home, closing)
    elif closing is not None and closing.phase(now()) is not Phase.DUE:
        raise Conflict(
            "This tenant is in its exit: it can take everything away and come back until"
            f" {closing.retrieval_until.date()}, and until its last notice is over.",
            code="not_due",
        )


def _must_be_past_waking(session: Session, home: Home, closing: Closing | None) -> None:
    """Raises Conflict unless it was to be woken for its exit, and could not be for as long as retrieval would last."""
    archive = session.scalars(archive_of(home)).one_or_none()
    asked_at = archive.thaw_asked_at if archive else None
    due = asked_at + longest_wait() if closing is not None and asked_at is not None else None
    if due is None or now() < due:
        raise Conflict(
            "This tenant is coming back from its archive."
            + (f" If it can't, it can be destroyed after {due.date()}." if due else ""),
            code="not_due",
        )


def _must_not_have_been_held(session: Session, home: Home) -> None:
    archive = session.scalars(archive_of(home)).one_or_none()
    _refuse_what_is_held(held=archive is not None and archive.held_at(now()))


def _refuse_what_is_held(*, held: bool) -> None:
    if held:
        raise Conflict("This tenant is under a legal hold, and nothing of it is destroyed.", code="held")
