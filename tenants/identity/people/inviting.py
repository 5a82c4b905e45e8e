"""Invitations: a link in a mail, good for a week and for one person, after which they sign in by themselves."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.identity.models import TenantProfile, User
from tenants.identity.one_time import GONE, give, take, withdraw
from tenants.identity.people.addresses import free_address, note_address
from tenants.identity.people.membership import join
from tenants.identity.people.models import Invitation
from tenants.identity.people.taking_over import must_hold_everything_of, must_hold_still
from tenants.identity.rights.assigning import give_to_user
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.opening import act_as_user
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db
from tenants.mail.messages import one_line
from tenants.mail.posting import link, post

KIND = "invitation"
LASTS = timedelta(days=7)
TEXT = """Good day {name},

{inviter} invites you to work in {tenant} on Freehold. Follow this link to choose a password:

{link}

The link works once, until {until}. If you did not expect this, leave it: nothing happens.
"""


def invite(said: Mapping[str, Any]) -> Invitation:
    """Make a user who can't do anything yet, with these roles and teams, and mail them a link.

    Raises Conflict when somebody has the address, NotAllowed when a role holds more than the caller has.
    """
    teams: Sequence[UUID] = said.get("team_ids", ())
    user = User(
        name=said["name"],
        email=free_address(said["email"]),
        job_title=said.get("job_title"),
        locale=said.get("locale", "en"),
        state="invited",
        source=acting().record_source,
    )
    db().add(user)
    db().flush()
    give_to_user(user.id, said.get("role_ids", ()))
    join(user, teams)
    user.team_id = teams[0] if teams else None
    return _offer(user, made_user=True)


def invite_known(user: User, email: str | None) -> Invitation:
    """Mail a link to a user who is here and can't sign in, as those that an import brought.

    Raises Conflict for somebody who can sign in or was deactivated, NotAllowed when their roles hold more than the
    caller has: whoever reads the mail gets them all.
    """
    if user.state == "inactive" or user.email_verified_at or db().get(Password, user.id):
        raise Conflict("Only somebody who can't sign in yet is invited.", code="not_to_be_invited")
    must_hold_everything_of(user)
    made_user = _withdraw_pending(user)
    if email is not None and email.lower() != (user.email or "").lower():
        user.email = free_address(email)
    if user.email is None:
        raise Conflict("They have no e-mail address: name one in 'email'.", code="no_address")
    user.state = "invited"
    return _offer(user, made_user=made_user)


def send_again(invitation: Invitation) -> Invitation:
    """Mail a fresh link; the one before opens nothing any more, and the invitation is the caller's from now on.

    Raises NotAllowed when the roles of whoever was invited hold more than the caller has.
    """
    invitation.must_be_open()
    user = db().get_one(User, invitation.user_id)
    must_hold_everything_of(user)
    invitation.invited_by_id = acting().caller.user_id
    invitation.expires_at = _send(user, invitation)
    db().flush()
    return invitation


def withdraw_invitation(invitation: Invitation) -> None:
    """Take an invitation back. Who was made for it is inactive then, and the address is free for another user."""
    invitation.must_be_open()
    user = db().get_one(User, invitation.user_id, with_for_update=True)
    _withdraw_pending(user)
    user.email, user.state = None, "active"
    if invitation.made_user:
        user.state, user.deactivated_at = "inactive", now()
    db().flush()


def accept(token: str, password: str, name: str | None) -> User:
    """Follow the link: of any number who do at once, one becomes the user, who acts from here on.

    Raises Conflict for a link that was used, withdrawn or is too old, or whose sender could not send it any more;
    Invalid for a weak password.
    """
    taken = take(KIND, token)
    user = db().get(User, taken.user_id, with_for_update=True)
    invitation = db().get(Invitation, UUID(taken.details["invitation"]), with_for_update=True)
    if user is None or invitation is None or (user.state, invitation.state) != ("invited", "pending"):
        raise Conflict(GONE, code="gone")
    must_hold_still(invitation.invited_by_id, user)
    act_as_user(user)
    db().add(Password(user_id=user.id, hash=hash_of(password, user.email, user.name, name)))
    note_address(invitation.email)
    user.name, user.state = name or user.name, "active"
    user.email, user.email_verified_at = invitation.email, now()
    invitation.state = "accepted"
    db().flush()
    return user


def _offer(user: User, *, made_user: bool) -> Invitation:
    email = user.email
    assert email is not None  # noqa: S101 - both ways here see to it
    invitation = Invitation(
        user_id=user.id,
        email=email,
        made_user=made_user,
        invited_by_id=acting().caller.user_id,
        expires_at=now() + LASTS,
    )
    save(invitation)
    _send(user, invitation)
    return invitation


def _send(user: User, invitation: Invitation) -> Any:
    withdraw(KIND, user.id)
    token = give(KIND, lasts=LASTS, user_id=user.id, invitation=str(invitation.id))
    until = now() + LASTS
    tenant = one_line(db().scalars(select(TenantProfile.name)).one(), 80)
    inviter = one_line(acting().caller.name, 80)
    post(
        to=invitation.email,
        subject=f"{inviter} invites you to {tenant}",
        text=TEXT.format(
            name=one_line(user.name, 80), inviter=inviter, tenant=tenant,
            link=link("invitation", token), until=f"{until:%d %B %Y, %H:%M} UTC",
        ),
    )  # fmt: skip
    return until


def _withdraw_pending(user: User) -> bool:
    """Take back what was offered to a user; whether they were made for it."""
    withdraw(KIND, user.id)
    pending = select(Invitation).where(Invitation.user_id == user.id, Invitation.state == "pending")
    found = db().scalars(pending.with_for_update()).one_or_none()
    if found is None:
        return False
    found.state = "withdrawn"
    db().flush()
    return found.made_user
