"""Signing in elsewhere, as browsers do it: where to, out, and in again."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, request
from sqlalchemy import select

from tenants.access.permissions import ANYONE
from tenants.catalog.registry import Home
from tenants.foundation.errors import NotFound, NotSignedIn
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.http.reading import asks
from tenants.identity.signing_in.cookies import cookie_named, keep, set_cookie
from tenants.identity.single_sign_on.client import Client, client_of
from tenants.identity.single_sign_on.domains import claims_of_house, domain_of
from tenants.identity.single_sign_on.exclusive import in_use
from tenants.identity.single_sign_on.flow import LASTS, REFUSED, arrive, depart
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.identity.single_sign_on.own_paths import own_path
from tenants.identity.single_sign_on.schemas import (
    DepartureQuery,
    SignInMethodsBody,
    SignInMethodsSchema,
)
from tenants.isolation.door import db, inside

PREFIX = "/single-sign-on"
PER_ADDRESS = Allowance("single-sign-on-address", 300)

sign_in_methods = Blueprint(
    "sign-in-methods", __name__, url_prefix="/sign-in-methods", purpose=Purpose.SECURITY
)
single_sign_on = Blueprint("single-sign-on", __name__, url_prefix=PREFIX, purpose=Purpose.SECURITY)


@sign_in_methods.post("", may=ANYONE)
@sign_in_methods.takes(SignInMethodsBody())
@sign_in_methods.response(200, SignInMethodsSchema)
def find_sign_in_methods(said: dict[str, Any]) -> dict[str, Any]:
    """Where people with an address like this sign in. It depends on the domain alone, never on who exists."""
    the_house().limits.hit((PER_ADDRESS, request.remote_addr or ""))
    home = claims_of_house().home_of(domain_of(said["email"]))
    return {"single_sign_on": _methods(home) if home else []}


@single_sign_on.get("/<string:provider>", may=ANYONE)
@single_sign_on.asked(DepartureQuery())
@single_sign_on.response(302, description="To the provider.")
def begin_single_sign_on(asked: dict[str, Any], provider: str) -> Response:
    """Leave for a provider. The browser keeps a secret that the way back needs."""
    next_path = own_path(asked["next"])
    departure = depart(_client(provider), next_path, confirm=asked["confirm"])
    response = _sent_on(departure.url)
    _keep(response, departure.browser)
    return response


@single_sign_on.get("/<string:provider>/callback", may=ANYONE)
@single_sign_on.doc(responses={"401": {}})
@single_sign_on.response(302, description="Signed in; the session is in a cookie.")
@asks
def finish_single_sign_on(provider: str) -> Response:
    """Come back from a provider, with a session when all of it is in order."""
    client = _client(provider)
    browser = request.cookies.get(_cookie(), "")
    if any(len(values) != 1 for _, values in request.args.lists()) or not browser:
        raise NotSignedIn(REFUSED, code="sso_refused")
    arrival = arrive(client, request.args, browser, the_house().settings)
    response = _sent_on(arrival.next)
    set_cookie(the_house(), response, arrival.token)
    _keep(response, None)
    return response


def _client(provider: str) -> Client:
    """The provider that a path names: one path for each, so that no answer is taken for another's (RFC 9700, 4.4)."""
    the_house().limits.hit((PER_ADDRESS, request.remote_addr or ""))
    tenant, _, rest = provider.partition(".")
    try:
        tenant_id, provider_id = UUID(hex=tenant), UUID(hex=rest)
    except ValueError:
        raise NotFound from None
    home = the_house().catalog.home(tenant_id)
    if home is None or provider != _named(home, provider_id):
        raise NotFound
    return client_of(home, provider_id, f"{_url(home, provider_id)}/callback")


def _methods(home: Home) -> list[dict[str, Any]]:
    with inside(home):
        found = db().scalars(select(IdentityProvider).where(*in_use()).order_by(IdentityProvider.name)).all()
        return [{"name": each.name, "url": _url(home, each.id), "exclusive": each.sso_only} for each in found]


def _named(home: Home, provider_id: UUID) -> str:
    return f"{home.id.hex}.{provider_id.hex}"


def _url(home: Home, provider_id: UUID) -> str:
    base = the_house().settings.public_url.rstrip("/")
    return f"{base}/api/v1{PREFIX}/{_named(home, provider_id)}"


def _sent_on(url: str) -> Response:
    """A redirect without the page that usually comes with it."""
    response: Response = make_response("", 302)
    response.headers["Location"] = url
    return response


def _cookie() -> str:
    return cookie_named(the_house(), "single_sign_on")


def _keep(response: Response, browser: str | None) -> None:
    """Only this browser can bring the answer back (login CSRF); Lax, because it comes from the provider's site."""
    keep(the_house(), response, _cookie(), browser, int(LASTS.total_seconds()))
