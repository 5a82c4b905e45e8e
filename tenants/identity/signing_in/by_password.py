"""A password becomes a session, or half of one: slowly enough for guessers, and the same for everybody."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.catalog.throttles import Counted, give_back, spend
from tenants.foundation.errors import Conflict, NotSignedIn, TooManyRequests
from tenants.http.course import House
from tenants.identity.models import User
from tenants.identity.one_time import give
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.cookies import shown_device
from tenants.identity.signing_in.devices import Device, known_device, new_device
from tenants.identity.signing_in.factors import methods_of
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.notes import REFUSED, plant_inside
from tenants.identity.signing_in.opening import act_as_user, begin_session
from tenants.identity.signing_in.passkeys import Site, sign_in_options
from tenants.identity.signing_in.passwords import fits, renewed
from tenants.identity.signing_in.places import Places, has_address, hashed_address, named, places_of
from tenants.identity.single_sign_on.exclusive import signs_in_here
from tenants.isolation.door import db, inside
from tenants.isolation.keys import KeyWrapper

TICKET = "sign-in"
TICKET_LASTS = timedelta(minutes=5)
WRONG = "The e-mail address or the password is not right."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session's secret, and what the browser remembers of having signed in here."""

    token: str
    device: str
    email_verified: bool


@dataclass(frozen=True, slots=True)
class HalfDone:
    """The password was right and a second factor is missing; `ticket` is good for five minutes and five tries."""

    ticket: str
    methods: list[str]
    passkey: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in."""

    house: House
    wrapper: KeyWrapper
    email: str
    password: str
    slug: str | None

    @property
    def hashed(self) -> bytes:
        return hashed_address(self.wrapper, self.email)


def sign_in(attempt: Attempt) -> SignedIn | HalfDone:
    """The one workspace where this address and password are right.

    Raises NotSignedIn with the same words and after the same work whatever was wrong, Conflict when several
    workspaces fit and none is named, TooManyRequests when this was tried too often.
    """
    device = _admitted(attempt)
    places = _places(attempt, device)
    tried = [(home, *_checked(home, attempt)) for home in places.homes]
    if not places.homes and places.decoy:
        _checked(places.decoy, attempt)
    right = [(home, user_id) for home, user_id, fitting in tried if fitting and user_id]
    if len(right) > 1:
        raise Conflict("This address opens several workspaces: name one in 'tenant'.", code="several_tenants")
    if not right:
        _refuse(attempt, tried)
    made = _begun(*right[0], attempt)
    give_back(attempt.house.catalog, *_counted(attempt)[:2], forget=(_counted(attempt)[2],))
    return made


def _admitted(attempt: Attempt) -> Device | None:
    """Count the try. When there are none left, a device of before has its own, in its own workspace."""
    catalog = attempt.house.catalog
    try:
        spend(catalog, *_counted(attempt))
    except TooManyRequests:
        device = known_device(attempt.wrapper, shown_device(attempt.house), attempt.hashed)
        if device is None:
            raise
        spend(catalog, budgets.counted(attempt.wrapper, budgets.DEVICE, device.nonce))
        return device
    return None


def _counted(attempt: Attempt) -> tuple[Counted, Counted, Counted]:
    wrapper, address, account = attempt.wrapper, request.remote_addr or "", attempt.hashed.hex()
    return (
        budgets.counted(wrapper, budgets.ADDRESS, address),
        budgets.counted(wrapper, budgets.ACCOUNT, account),
        budgets.counted(wrapper, budgets.PAIR, account, address),
    )


def _places(attempt: Attempt, device: Device | None) -> Places:
    # Anybody may sign up with an address that isn't theirs: its owner gets past any number of those with a slug.
    places = places_of(attempt.house.catalog, attempt.hashed)
    if attempt.slug is not None:
        places = named(attempt.house.catalog, places, attempt.hashed, attempt.slug)
    if device is not None:
        return Places([each for each in places.homes if each.id == device.tenant_id], places.decoy)
    return places


def _checked(home: Home, attempt: Attempt) -> tuple[UUID | None, bool]:
    """The user with this address in a workspace, and whether it is their password."""
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        query = (
            select(User.id, Password.hash)
            .outerjoin(Password, Password.user_id == User.id)
            .where(has_address(attempt.email), User.state == "active", signs_in_here())
        )
        found = db().execute(query).one_or_none()
    right = fits(attempt.password, found.hash if found else None)
    return (found.id if found else None), right


def _refuse(attempt: Attempt, tried: list[tuple[Home, UUID | None, bool]]) -> None:
    found = [(home, {"user": str(user_id), "why": "wrong password"}) for home, user_id, _ in tried if user_id]
    plant_inside(attempt.house.catalog, attempt.wrapper, REFUSED, found)
    raise NotSignedIn(WRONG)


def _begun(home: Home, user_id: UUID, attempt: Attempt) -> SignedIn | HalfDone:
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        user = db().get(User, user_id)
        if user is None or user.state != "active":
            raise NotSignedIn(WRONG)
        kept = db().get_one(Password, user_id)
        kept.hash = renewed(attempt.password, kept.hash) or kept.hash
        if methods := methods_of(user_id):
            return _half_done(user, methods, attempt)
        token = begin_session(attempt.house.settings, user, method="password")
        verified = user.email_verified_at is not None
    return SignedIn(token, new_device(attempt.wrapper, home.id, attempt.hashed), verified)


def _half_done(user: User, methods: list[str], attempt: Attempt) -> HalfDone:
    site = Site.of(attempt.house.settings.public_url, attempt.wrapper)
    act_as_user(user)
    record_event("sessions.half_done", "users", user.id, {"methods": methods})
    return HalfDone(
        give(TICKET, lasts=TICKET_LASTS, user_id=user.id),
        methods,
        sign_in_options(site, user.id) if "passkey" in methods else None,
    )
