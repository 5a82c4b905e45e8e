"""Links by mail: a new password, a verified address, and which workspaces an address has.

What is asked for with an address is answered at once and done elsewhere: neither answer nor time tell who exists, nor
the time of the answers that follow. A link lets nobody in: whoever has a second factor shows it all the same.
"""

from datetime import timedelta
from uuid import UUID

from flask import request
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.throttles import Throttle, spend
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, TooManyRequests
from tenants.foundation.tables import Purpose
from tenants.http.course import House
from tenants.identity.models import TenantProfile, User
from tenants.identity.one_time import GONE, give, take, withdraw
from tenants.identity.shut_doors import note_password
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.by_password import TICKET
from tenants.identity.signing_in.devices import new_device
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.notes import in_its_tenant, plant_inside, tell
from tenants.identity.signing_in.opening import act_as_user, end_sessions
from tenants.identity.signing_in.passwords import hash_of
from tenants.identity.signing_in.places import has_address, hashed_address, normal, places_of
from tenants.identity.signing_in.second_factor import home_of
from tenants.isolation.door import db, inside
from tenants.isolation.keys import KeyWrapper
from tenants.jobs.errands import Asked, errand
from tenants.mail.models import Mail
from tenants.mail.posting import link, post

RESET, VERIFICATION, REMINDER = "password-reset", "email-verification", "workspace-reminder"
RESET_LASTS, VERIFICATION_LASTS = timedelta(minutes=30), timedelta(days=7)


def ask_for_reset(house: House, wrapper: KeyWrapper, email: str) -> None:
    """Mail a link for a new password to every workspace's user of this address. Raises TooManyRequests by address."""
    if _admitted(house, wrapper, budgets.RESET, email):
        _ask_each(house, wrapper, RESET, email)


def redeem_reset(house: House, wrapper: KeyWrapper, token: str, password: str) -> str:
    """Set the password that a link was asked for: once. It ends all sessions and lets nobody in by itself.

    What it gives makes the device a known one: whoever read the mail gets past those who guess from elsewhere.

    Raises Conflict for a link that was used or is too old, Invalid for a weak password, which doesn't use it up.
    """
    spend(house.catalog, budgets.counted(wrapper, budgets.REDEMPTION, request.remote_addr))
    home = home_of(house, token)
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        user = _follow(RESET, token)
        set_password(user, password)
        record_event("passwords.reset", "users", user.id, {})
        if user.email_verified_at is None:
            user.email_verified_at = now()
    return new_device(wrapper, home.id, hashed_address(wrapper, user.email or ""))


def set_password(user: User, password: str, *, session_id: UUID | None = None) -> None:
    """Give a user a new password: their sessions, but the one at hand, end, and so do links and half-done sign-ins.

    Raises Invalid for a weak one. Inside their tenant.
    """
    company = db().scalars(select(TenantProfile.name)).one()
    hashed = hash_of(password, user.name, user.email, company)
    note_password(db().get(Password, user.id))
    db().merge(Password(user_id=user.id, hash=hashed, changed_at=now()))
    end_sessions(user.id, but=session_id)
    for kind in (RESET, TICKET):
        withdraw(kind, user.id)
    tell(user, "Your password was changed", f"Your password for {company} was changed just now.")


def _follow(kind: str, token: str) -> User:
    """Use a link up and act as whose it is. Raises Conflict when it is gone, they are, or their address changed."""
    taken = take(kind, token)
    user = db().get_one(User, taken.user_id)
    if user.state != "active" or taken.details.get("email") != user.email:
        raise Conflict(GONE, code="gone")
    act_as_user(user)
    return user


def mail_verification(user: User) -> None:
    """Mail a user a link that shows that their address is theirs. Inside their tenant."""
    withdraw(VERIFICATION, user.id)
    token = give(VERIFICATION, lasts=VERIFICATION_LASTS, user_id=user.id, email=user.email)
    company = db().scalars(select(TenantProfile.name)).one()
    post(
        to=user.email or "",
        subject="Is this your e-mail address?",
        text=f"You work in {company} with this address. Confirm that it is yours, within seven days:\n\n"
        f"{link('email-verification', token)}\n\nIf you don't know why you got this, do nothing.\n",
    )


def redeem_verification(house: House, wrapper: KeyWrapper, token: str) -> None:
    """Note that an address is its user's. Raises Conflict for a link that was used, or of an address of before."""
    spend(house.catalog, budgets.counted(wrapper, budgets.REDEMPTION, request.remote_addr))
    with inside(home_of(house, token)):
        act_as(SYSTEM, address=request.remote_addr)
        user = _follow(VERIFICATION, token)
        user.email_verified_at = now()


def remind_of_workspaces(house: House, wrapper: KeyWrapper, email: str) -> None:
    """Mail an address which workspaces it has, one mail for each: no workspace learns of another."""
    if _admitted(house, wrapper, budgets.REMINDER, email):
        _ask_each(house, wrapper, REMINDER, email)


def _admitted(house: House, wrapper: KeyWrapper, throttle: Throttle, email: str) -> bool:
    """Whether to write to this address now: nobody's mailbox is filled. Raises TooManyRequests for who asks too often."""
    spend(house.catalog, budgets.counted(wrapper, budgets.RESET_ADDRESS, request.remote_addr))
    try:
        spend(house.catalog, budgets.counted(wrapper, throttle, normal(email)))
    except TooManyRequests:
        return False
    return True


def _ask_each(house: House, wrapper: KeyWrapper, kind: str, email: str) -> None:
    """Have each workspace of an address write to it; as much is written down here for nobody's."""
    homes = places_of(house.catalog, hashed_address(wrapper, email)).homes
    plant_inside(house.catalog, wrapper, kind, [(home, {"email": email}) for home in homes])


def _user_of(email: str) -> User | None:
    return db().scalars(select(User).where(has_address(email), User.state == "active")).one_or_none()


def _addressee(asked: Asked) -> User | None:
    """Who gets the mail of an errand. Nobody where it was written before: an errand may be done twice."""
    return None if db().get(Mail, asked.id) else _user_of(asked.said["email"])


@errand(RESET, purpose=Purpose.SECURITY)
@in_its_tenant
def _mail_reset(asked: Asked) -> None:
    user = _addressee(asked)
    if user is None or user.email is None:
        return
    withdraw(RESET, user.id)
    token = give(RESET, lasts=RESET_LASTS, user_id=user.id, email=user.email)
    company = db().scalars(select(TenantProfile.name)).one()
    record_event("passwords.reset_asked", "users", user.id, {})
    post(
        to=user.email,
        subject="A new password",
        text=f"Somebody, probably you, asked for a new password for {company}. Within half an hour:\n\n"
        f"{link('password-reset', token)}\n\nIf it wasn't you, do nothing: your password stays what it is.\n",
        mail_id=asked.id,
    )


@errand(REMINDER, purpose=Purpose.ACCOUNT)
@in_its_tenant
def _mail_reminder(asked: Asked) -> None:
    user = _addressee(asked)
    if user is None or user.email is None:
        return
    profile = db().scalars(select(TenantProfile)).one()
    post(
        to=user.email,
        subject="Your workspace",
        text=f"You have an account in {profile.name}. Its name for signing in is: {profile.slug}\n\n"
        f"You got one such mail for each workspace that you have an account in.\n",
        mail_id=asked.id,
    )
    record_event("users.reminded", "users", user.id, {})
