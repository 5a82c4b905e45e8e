"""The second half of a sign-in, and the sign-in that a passkey does alone."""

from collections.abc import Mapping
from typing import Any

from flask import request

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.catalog.throttles import give_back, spend
from tenants.foundation.errors import Conflict, NotSignedIn
from tenants.foundation.identifiers import tenant_of_token
from tenants.http.course import House
from tenants.identity.models import User
from tenants.identity.one_time import GONE, PREFIX, take, try_with
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.by_password import TICKET, SignedIn
from tenants.identity.signing_in.devices import new_device
from tenants.identity.signing_in.factors import passkey_shown, second_factor_shown
from tenants.identity.signing_in.notes import REFUSED, note_later
from tenants.identity.signing_in.opening import begin_session
from tenants.identity.signing_in.passkeys import PasskeyRefused, Site, of_handle
from tenants.identity.signing_in.places import hashed_address
from tenants.isolation.door import db, inside
from tenants.isolation.keys import KeyWrapper

WRONG = "This is not right, or it was used before."


def finish_sign_in(house: House, wrapper: KeyWrapper, ticket: str, said: Mapping[str, Any]) -> SignedIn:
    """The session of a sign-in that its password began.

    Raises Conflict for a ticket that is used, too old or tried too often, NotSignedIn for a wrong second factor,
    TooManyRequests when this account was tried too often. A wrong one counts, whatever becomes of the request.
    """
    home = home_of(house, ticket)
    spend(house.catalog, budgets.counted(wrapper, budgets.PASSKEY, request.remote_addr))
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        tried = try_with(TICKET, ticket)
        user = db().get_one(User, tried.user_id)
        counted = budgets.counted(wrapper, budgets.SECOND_FACTOR, user.id)
        spend(house.catalog, counted)
        site = Site.of(house.settings.public_url, wrapper)
        kind = second_factor_shown(site, user, said) if user.state == "active" else None
        if kind:
            take(TICKET, ticket)
            made = _signed_in(house, wrapper, home, user, f"password, {kind}")
    if kind is None:
        note_later(home, REFUSED, user.id, "wrong second factor")
        raise NotSignedIn(WRONG)
    give_back(house.catalog, forget=(counted,))
    return made


def sign_in_by_passkey(house: House, wrapper: KeyWrapper, credential: dict[str, Any]) -> SignedIn:
    """The session of whoever a passkey remembers. Raises NotSignedIn, in the same words whatever was wrong."""
    spend(house.catalog, budgets.counted(wrapper, budgets.PASSKEY, request.remote_addr))
    try:
        tenant_id, user_id = of_handle(credential)
    except PasskeyRefused:
        raise NotSignedIn(WRONG) from None
    home = house.catalog.home(tenant_id)
    if home is None:
        raise NotSignedIn(WRONG)
    made = None
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        user = db().get(User, user_id)
        site = Site.of(house.settings.public_url, wrapper)
        if user and user.state == "active" and passkey_shown(site, user.id, credential):
            made = _signed_in(house, wrapper, home, user, "passkey")
    if made is None:
        raise NotSignedIn(WRONG)
    return made


def home_of(house: House, token: str) -> Home:
    """The home that a secret names. Raises Conflict in the words of a secret that is used up."""
    tenant_id = tenant_of_token(token, PREFIX)
    home = house.catalog.home(tenant_id) if tenant_id else None
    if home is None:
        raise Conflict(GONE, code="gone")
    return home


def _signed_in(house: House, wrapper: KeyWrapper, home: Home, user: User, method: str) -> SignedIn:
    token = begin_session(house.settings, user, method=method, strong=True)
    hashed = hashed_address(wrapper, user.email or "")
    return SignedIn(token, new_device(wrapper, home.id, hashed), user.email_verified_at is not None)
