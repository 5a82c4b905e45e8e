"""Where apps come without their users: token, revocation, introspection, and what this server says of itself."""

from collections.abc import Callable

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from tenants.access.caller import SYSTEM, act_as
from tenants.access.permissions import registered
from tenants.catalog.registry import Home
from tenants.catalog.states import refusal_of
from tenants.foundation.errors import Refusal, TooManyRequests, Unavailable
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.http.course import House, the_house
from tenants.http.rate_limits import Allowance
from tenants.identity.oauth.grants import WITH_SECRET
from tenants.identity.oauth.parameters import check_form, check_one_credential, named_client
from tenants.identity.oauth.server import Server
from tenants.identity.oauth.tokens import CLIENT_PREFIX
from tenants.isolation.door import inside

PER_ADDRESS = Allowance("oauth-address", 1200)
PER_CLIENT = Allowance("oauth-client", 600)
UNAVAILABLE = (TooManyRequests.status, Unavailable.status)

endpoints = Blueprint("oauth_endpoints", __name__)


def register(app: Flask) -> None:
    """Serve /oauth/token, /oauth/revoke, /oauth/introspect and /.well-known/oauth-authorization-server."""
    app.extensions["oauth"] = Server(app.extensions["house"].settings)
    app.register_blueprint(endpoints)


def server() -> Server:
    found: Server = current_app.extensions["oauth"]
    return found


def grantable() -> dict[str, str]:
    """What an app can be let do, with the words that people read: what only people may is not among it."""
    return {name: each.text for name, each in registered().items() if not each.people_only}


@endpoints.post("/oauth/token")
def token() -> Response:
    """A code, a refresh token, or the client's own secret becomes an access token."""
    return _answer(lambda: server().create_token_response())


@endpoints.post("/oauth/revoke")
def revoke() -> Response:
    """An app gives a token back (RFC 7009)."""
    return _answer(lambda: server().create_endpoint_response("revocation"))


@endpoints.post("/oauth/introspect")
def introspect() -> Response:
    """An app asks what a token of its own is good for (RFC 7662)."""
    return _answer(lambda: server().create_endpoint_response("introspection"))


@endpoints.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """What this authorization server can do (RFC 8414)."""
    issuer = server().issuer
    response = jsonify(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        scopes_supported=list(grantable()),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported=[*WITH_SECRET, "none"],
        revocation_endpoint_auth_methods_supported=[*WITH_SECRET, "none"],
        introspection_endpoint_auth_methods_supported=WITH_SECRET,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@endpoints.errorhandler(Refusal)
def refused(refusal: Refusal) -> Response:
    """What the house refuses, in the form that OAuth libraries read (RFC 6749, 5.2)."""
    g.problem = refusal.stable_code
    error = "temporarily_unavailable" if refusal.status in UNAVAILABLE else "invalid_request"
    response = jsonify(error=error, error_description=refusal.detail or refusal.title)
    response.status_code = refusal.status
    if isinstance(refusal, TooManyRequests):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _answer(make: Callable[[], Response]) -> Response:
    """One transaction in the tenant that the client's name tells.

    It is committed whether the answer is yes or no: that a code came twice has to stay known.
    """
    house = the_house()
    client = token_hash(named_client()).hex()[:32]
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""), (PER_CLIENT, client))
    try:
        check_form()
        check_one_credential()
        home = _home(house)
    except OAuth2Error as error:
        return _noted(server().handle_error_response(None, error))
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr, request_id=g.request_id)
        return _noted(make())


def _home(house: House) -> Home:
    tenant_id = tenant_of_token(named_client(), CLIENT_PREFIX)
    home = house.catalog.home(tenant_id) if tenant_id else None
    if home is None:
        raise InvalidClientError
    if not home.permits.reads:
        raise refusal_of(home.state)
    return home


def _noted(response: Response) -> Response:
    """The error's word is in the log; what was sent is not."""
    if response.status_code >= Refusal.status:
        g.problem = (response.get_json(silent=True) or {}).get("error")
    return response
