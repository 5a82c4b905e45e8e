"""Whoever gives a way into an account holds all that it holds: else it would be theirs for more than they have."""

from uuid import UUID

from tenants.foundation.errors import Conflict
from tenants.identity.holding import roles_of
from tenants.identity.models import User
from tenants.identity.one_time import GONE
from tenants.identity.rights.granting import holds, must_hold
from tenants.identity.standings import standing_of
from tenants.isolation.door import db


def must_hold_everything_of(user: User) -> None:
    """Raises NotAllowed when a user's roles hold more than the caller has."""
    must_hold(db().scalars(roles_of(user.id)))


def must_hold_still(giver_id: UUID | None, user: User) -> None:
    """The same of whoever had a link mailed, when it is followed: with what both have by then.

    Raises Conflict, in the words of a link that was used, also when the giver was deactivated meanwhile. One's own
    link, and the system's, stay good.
    """
    if giver_id is None or giver_id == user.id:
        return
    giver = standing_of(giver_id, "session", None)
    if giver is None or not holds(giver, db().scalars(roles_of(user.id))):
        raise Conflict(GONE, code="gone")
