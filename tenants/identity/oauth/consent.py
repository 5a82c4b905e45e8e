"""Where people say what an app may do for them: one page, and the way back to the app."""

from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Flask, Response, g, request
from jinja2 import Environment, PackageLoader

from tenants.access.caller import acting
from tenants.foundation.errors import NotSignedIn, Refusal
from tenants.http.course import answer_writing, the_house
from tenants.http.security_headers import let_forms_lead_to
from tenants.identity.models import TenantProfile
from tenants.identity.oauth.endpoints import grantable, server
from tenants.identity.oauth.parameters import check_form, check_query
from tenants.identity.oauth.permissions import CONNECT
from tenants.identity.oauth.redirects import source_of
from tenants.isolation.door import db, here

CARRIED_ON = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
)
DECISIONS = ("allow", "deny")
pages = Environment(loader=PackageLoader(__package__, "pages"), autoescape=True)
styles = PackageLoader(__package__, "pages").get_source(pages, "consent.css")[0]

consent = Blueprint("oauth_consent", __name__)


def register(app: Flask) -> None:
    """Serve /oauth/authorize and the style of its page."""
    app.register_blueprint(consent)


@consent.get("/oauth/authorize")
def ask() -> Response:
    """Show somebody who is signed in what an app asks for."""
    return answer_writing(the_house(), _show, CONNECT, None)


@consent.post("/oauth/authorize")
def decide() -> Response:
    """Send them back to the app, with a code or with their no."""
    return answer_writing(the_house(), _decide, CONNECT, None)


@consent.get("/pages/consent.css")
def style() -> Response:
    response = Response(styles, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@consent.errorhandler(Refusal)
def refused(refusal: Refusal) -> Response:
    """What the house refuses, as a page for people. It leads nowhere but to the same question again."""
    g.problem = refusal.stable_code
    again = isinstance(refusal, NotSignedIn) and request.method == "GET"
    said = {"title": refusal.title, "detail": refusal.detail}
    return _page("refused.html", refusal.status, **said, again=request.full_path if again else None)


def _show() -> Response:
    try:
        check_query()
        grant = server().get_consent_grant(end_user=acting().caller)
        asked_for = _asked_for(grant)
    except OAuth2Error as error:
        return _no(error)
    let_forms_lead_to(source_of(grant.redirect_uri))
    carried = {name: request.args.get(name) for name in CARRIED_ON if request.args.get(name)}
    return _page(
        "consent.html",
        app=grant.client.name,
        workspace=db().get_one(TenantProfile, here().home.id).name,
        person=acting().caller.name,
        texts=list(asked_for.values()),
        days=the_house().settings.connected_app_days,
        leads_to=source_of(grant.redirect_uri),
        fields={**carried, "scope": " ".join(asked_for), "csrf_token": the_house().guard.credential().csrf},
    )


def _decide() -> Response:
    try:
        check_form()
        grant = server().get_consent_grant(end_user=acting().caller)
        _asked_for(grant)
    except OAuth2Error as error:
        return _no(error)
    decision = request.form.get("decision")
    if decision not in DECISIONS:
        raise Refusal("Choose one of the two buttons.")
    who = acting().caller if decision == "allow" else None
    response: Response = server().create_authorization_response(grant=grant, grant_user=who)
    response.status_code = 303  # the form's fields stay here (RFC 9700, 4.12)
    return response


def _asked_for(grant: Any) -> dict[str, str]:
    """What the app asks for and its user may do themselves, each with its words. Raises InvalidScopeError for nothing."""
    words, rights = grantable(), acting().caller.rights
    found = {name: words[name] for name in grant.request.scope.split() if name in words and name in rights}
    if not found:
        raise nothing_left(grant.redirect_uri)
    return found


def nothing_left(redirect_uri: str) -> OAuth2Error:
    return OAuth2Error(
        "Nothing of it is allowed to this user.", error="invalid_scope", redirect_uri=redirect_uri
    )


def _no(error: OAuth2Error) -> Response:
    """Back to the app only where its address was found to be registered; else a page, and no way on."""
    g.problem = error.error
    if not error.redirect_uri:
        detail = error.get_error_description() or "The app's request can't be read."
        return _page("refused.html", 400, title="This app can't be connected like that", detail=detail)
    error.state = request.values.get("state")
    response: Response = server().handle_error_response(None, error)
    server().issuing.add_issuer_parameter(server(), response)
    return response


def _page(name: str, status: int = 200, **said: Any) -> Response:
    return Response(pages.get_template(name).render(**said), status, content_type="text/html; charset=utf-8")
