"""A user who leaves: their next request is refused, what they own finds somebody else, and nothing is deleted."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.policy import find
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid, NotSignedIn
from tenants.identity.models import Team, User
from tenants.identity.oauth.models import ConnectedApp
from tenants.identity.people.addresses import withdraw_every_link
from tenants.identity.people.handing_over import count_owned
from tenants.identity.people.jobs import hand_over
from tenants.identity.people.membership import must_hold_roles_of
from tenants.identity.people.models import Invitation
from tenants.identity.people.taking_over import must_hold_everything_of
from tenants.identity.programs.models import ApiKey
from tenants.identity.rights.assigning import must_leave_an_admin
from tenants.identity.rights.reaching_teams import must_reach_as_they_would
from tenants.identity.signing_in.opening import end_sessions
from tenants.identity.single_sign_on.exclusive import must_leave_a_way_in
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time
from tenants.webhooks.delivering import disable_those_of


@dataclass(frozen=True)
class Deactivation:
    """What became of a user, and of the records they own; `job_id` hands these over."""

    user: User
    records: int
    job_id: UUID | None


def deactivate(user_id: UUID, heir_id: UUID | None) -> Deactivation:
    """Let a user do nothing any more, and have their records handed over when there is an heir.

    Asked again for somebody who is inactive, it hands over what they still own. Raises Conflict for oneself, for
    the last admin and for whoever gets in when single sign-on fails, Invalid for an heir who is not an active user.
    """
    if user_id == acting().caller.user_id:
        raise Conflict("Nobody deactivates themselves: ask another admin.", code="own_account")
    one_at_a_time("roles")
    one_at_a_time("teams")
    _must_still_be_active(acting().caller.user_id)
    user = find(User, user_id, lock=True)
    _must_be_an_heir(user, heir_id)
    if user.state != "inactive":
        user.state, user.deactivated_at = "inactive", now()
        db().flush()
        must_leave_an_admin()
        must_leave_a_way_in(user.id)
        _end_credentials(user.id)
        _leave_teams_to(user, heir_id)
    records = count_owned(user.id)
    job_id = None
    if heir_id is not None and records:
        job_id = hand_over.once(str(user.id)).later(user_id=user.id, heir_id=heir_id, records=records)
    db().flush()
    return Deactivation(user, records, job_id)


def reactivate(user_id: UUID) -> User:
    """Let a user in again, with the roles they had; sessions and keys stay ended.

    Raises Conflict for somebody who is not inactive, NotAllowed when their roles hold more than the caller has.
    """
    one_at_a_time("roles")
    user = find(User, user_id, lock=True)
    if user.state != "inactive":
        raise Conflict("This user is not inactive.", code="not_inactive")
    must_hold_everything_of(user)
    user.state, user.deactivated_at = "active", None
    db().flush()
    return user


def _must_still_be_active(caller_id: UUID | None) -> None:
    """Whoever was deactivated while they waited for their turn deactivates nobody. Raises NotSignedIn."""
    if caller_id and db().scalar(select(User.state).where(User.id == caller_id)) != "active":
        raise NotSignedIn


def _must_be_an_heir(user: User, heir_id: UUID | None) -> None:
    if heir_id is None:
        return
    heir = db().get(User, heir_id, with_for_update={"key_share": True, "read": True})
    if heir is None or heir.state != "active" or heir.id == user.id:
        raise Invalid(errors={"hand_over_to": ["There is no other active user with this id."]})


def _end_credentials(user_id: UUID) -> None:
    end_sessions(user_id)
    keys = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    for key in db().scalars(keys):
        key.revoked_at = now()
    apps = select(ConnectedApp).where(ConnectedApp.owner_id == user_id, ConnectedApp.revoked_at.is_(None))
    for app in db().scalars(apps):
        app.revoke("user_deactivated")
    pending = select(Invitation).where(Invitation.user_id == user_id, Invitation.state == "pending")
    for invitation in db().scalars(pending):
        invitation.state = "withdrawn"
    withdraw_every_link(user_id)
    disable_those_of(user_id)
    db().flush()


def _leave_teams_to(user: User, heir_id: UUID | None) -> None:
    """The teams they managed get the heir as manager, or none."""
    managed = list(db().scalars(select(Team).where(Team.manager_id == user.id).with_for_update()))
    if heir_id is not None:
        must_hold_roles_of(each.id for each in managed)
        must_reach_as_they_would(heir_id, [each.id for each in managed])
    for team in managed:
        team.manager_id = heir_id
