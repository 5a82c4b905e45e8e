"""Addresses of users: where sign-in finds them, and the way from an old one to a new one."""

from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.identity.models import OneTimeToken, User
from tenants.identity.one_time import GONE, give, take, withdraw
from tenants.identity.people.taking_over import must_hold_still
from tenants.identity.signing_in.models import Password, Session
from tenants.isolation.door import db, here
from tenants.mail.messages import usable_address
from tenants.mail.posting import link, post

log = structlog.get_logger(__name__)
KIND = "email_change"
LASTS = timedelta(hours=24)


class AddressBook(Protocol):
    """Knows, by keyed hashes alone, in which tenants an address signs in."""

    def note_email(self, home: Home, email: str) -> None: ...

    def forget_email(self, home: Home, email: str) -> None: ...


_book: list[AddressBook] = []


def use_address_book(book: AddressBook) -> None:
    """Say once, at start-up, where sign-in looks addresses up."""
    _book[:] = [book]


def note_address(email: str) -> None:
    """Let sign-in find the tenant at hand by this address.

    It is noted before the transaction ends: an address too many leads to nobody, one too few keeps somebody out.
    """
    _book[0].note_email(here().home, email)


def forget_address(email: str) -> None:
    """Let sign-in no longer look here for this address, once the transaction has committed."""
    tenancy = here()
    tenancy.after_commit.append(lambda: _forget(tenancy.home, email))


def _forget(home: Home, email: str) -> None:
    try:
        _book[0].forget_email(home, email)
    except SQLAlchemyError as error:
        log.warning("address_not_forgotten", error=type(error).__name__)


def free_address(email: str) -> str:
    """The address as we keep it. Raises Invalid when it is none, Conflict when a user has it."""
    usable = usable_address(email)
    if db().scalar(select(User.id).where(func.lower(User.email) == usable.lower())):
        raise Conflict("There is a user with this address already.", code="already_exists")
    return usable


def can_sign_in(user: Any) -> ColumnElement[bool]:
    """Whether somebody signs in with their address, was invited to, or did before they left; of a row of users."""
    return or_(
        user.state != "active",
        user.email_verified_at.is_not(None),
        exists().where(Password.user_id == user.id),
        exists().where(Session.user_id == user.id),
    )


def ask_for_change(user: User, email: str) -> None:
    """Mail a link to the new address; nothing changes until somebody who reads mail there has followed it.

    Raises Invalid and Conflict as `free_address` does.
    """
    usable = free_address(email)
    withdraw(KIND, user.id)
    token = give(KIND, lasts=LASTS, user_id=user.id, email=usable, asked_by=str(acting().caller.user_id))
    post(
        to=usable,
        subject="Confirm your new e-mail address",
        text=f"Good day,\n\nsomebody asked that you sign in to Freehold with this address from now on. "
        f"If that is right, follow this link within a day:\n\n{link('address', token)}\n\n"
        "If you know nothing of it, leave it: nothing changes.\n",
    )
    record_event("users.address_change_asked", "users", user.id, {}, {"email": [user.email, usable]})


def change_address(token: str) -> User:
    """Follow the link: the address changes, and what was mailed to the old one opens nothing any more.

    Raises Conflict for a link that was used or is too old, or whose sender could not send it any more, and when
    somebody else got the address meanwhile.
    """
    taken = take(KIND, token)
    user = db().get(User, taken.user_id, with_for_update=True)
    if user is None or user.state != "active":
        raise Conflict(GONE, code="gone")
    must_hold_still(UUID(taken.details["asked_by"]), user)
    before, after = user.email, free_address(taken.details["email"])
    note_address(after)
    user.email, user.email_verified_at = after, now()
    withdraw_every_link(user.id)
    db().flush()
    if before:
        forget_address(before)
        post(
            to=before,
            subject="Your e-mail address was changed",
            text="Good day,\n\nfrom now on you sign in to Freehold with another address. "
            "If this was not you, ask an admin of your workspace at once.\n",
        )
    return user


def withdraw_every_link(user_id: UUID) -> None:
    """Forget all unused links and codes of a user, whatever they were for."""
    mine = delete(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
    db().execute(mine)
