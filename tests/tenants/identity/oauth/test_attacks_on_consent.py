"""The consent page under attack: nothing leads anywhere that wasn't registered, and nobody says yes by accident."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import Role, TenantProfile, User, UserRole
from tenants.isolation.door import db, inside
from tests.apps import App, fields_of, parameters, register
from tests.tenants.identity.oauth.refusals import EVIL, held_back
from tests.workspace import Client, Workspace, signed_in


@pytest.mark.parametrize(
    "weakened",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": None},
        {"code_challenge": "x" * 42},
        {"code_challenge": "x" * 129},
    ],
    ids=str,
)
@pytest.mark.parametrize("confidential", [True, False])
def test_no_request_gets_by_with_less_of_pkce(
    acme: Workspace, neighbour: Workspace, weakened, confidential
) -> None:
    for workspace in (acme, neighbour):
        app = register(workspace, "contacts:read", confidential=confidential)
        said = parameters(app.page(workspace.sales, **weakened))
        assert (said["error"], said["state"]) == ("invalid_request", "as it was")


def test_mix_up_every_way_back_names_the_issuer(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    ways = [
        app_of_acme.decided(acme.sales),
        app_of_acme.decided(acme.sales, "deny"),
        app_of_acme.page(acme.sales, scope="nonsense"),
        app_of_acme.page(acme.sales, code_challenge=None),
        app_of_acme.page(acme.sales, response_type="token"),
    ]
    issuer = app_of_acme.flask.get("/.well-known/oauth-authorization-server").json["issuer"]
    assert [parameters(each)["iss"] for each in ways] == [issuer] * len(ways)
    assert [parameters(each).get("error") for each in ways] == [
        None,
        "access_denied",
        "invalid_scope",
        "invalid_request",
        "unsupported_response_type",
    ]
    assert held_back(app_of_acme.page(neighbour.sales))


def test_another_site_can_not_say_yes_for_somebody(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    form = fields_of(app_of_acme.page(acme.sales)) | {"decision": "allow"}
    others = fields_of(app_of_acme.page(acme.manager))["csrf_token"]
    cookie = {"Cookie": acme.sales.in_person.headers["Cookie"]}
    forged = (
        (form | {"csrf_token": ""}, {}),
        ({name: value for name, value in form.items() if name != "csrf_token"}, {}),
        (form | {"csrf_token": others}, {}),
        (form | {"csrf_token": neighbour.sales.in_person.headers["X-CSRF-Token"]}, {}),
        (form, {"Sec-Fetch-Site": "cross-site"}),
        (form, {"Sec-Fetch-Site": "same-site"}),
    )
    for said, headers in forged:
        answer = app_of_acme.flask.post("/oauth/authorize", data=said, headers=cookie | headers)
        assert (answer.status_code, "Location" in answer.headers) == (403, False)
    asked = app_of_acme.flask.get("/oauth/authorize", query_string=form, headers=cookie)
    assert "code=" not in asked.headers.get("Location", "")
    assert "code" in parameters(app_of_acme.sent(acme.sales, form))


def test_nobody_consents_but_a_person_who_is_signed_in(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    asked = app_of_acme.asks()
    stranger = app_of_acme.flask.get("/oauth/authorize", query_string=asked)
    assert (stranger.status_code, stranger.content_type) == (401, "text/html; charset=utf-8")
    for key in (acme.admin.key, neighbour.admin.key, app_of_acme.connected(acme.sales)["access_token"]):
        program = {"Authorization": f"Bearer {key}"}
        for answer in (
            app_of_acme.flask.get("/oauth/authorize", query_string=asked, headers=program),
            app_of_acme.flask.post("/oauth/authorize", data={**asked, "decision": "allow"}, headers=program),
        ):
            assert answer.status_code == 403
            assert "Location" not in answer.headers


def test_a_user_who_lacks_the_second_factor_lends_nobody_what_they_may_not_do(
    app: Flask, new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    made = register(workspace, "contacts:read")
    with inside(workspace.home):
        act_as(SYSTEM)
        db().execute(update(TenantProfile).values(mfa_required=True))
        token = signed_in(workspace.home, workspace.sales.user_id)
        from tenants.foundation.identifiers import token_hash
        from tenants.identity.signing_in.models import Session

        db().execute(update(Session).where(Session.hash == token_hash(token)).values(strong=False))
    weak = Client(workspace.sales.flask, "", workspace.sales.user_id, session=token)
    assert made.page(weak).status_code == 403
    assert made.page(workspace.sales).status_code == 200
    assert held_back(made.page(neighbour.sales))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "code_challenge", "x"])
def test_a_parameter_that_comes_twice_is_refused(
    app_of_acme: App, acme: Workspace, neighbour: Workspace, name: str
) -> None:
    asked = [*app_of_acme.asks(x="1").items(), (name, "other")]
    for user in (acme.sales, neighbour.sales):
        headers = user.in_person.headers
        answer = app_of_acme.flask.get("/oauth/authorize", query_string=asked, headers=headers)
        assert held_back(answer)
        form = {**app_of_acme.asks(), "csrf_token": headers["X-CSRF-Token"], "decision": "allow"}
        both = app_of_acme.flask.post(f"/oauth/authorize?{name}=other", data=form, headers=headers)
        assert held_back(both)


def test_no_character_breaks_out_of_what_is_said_about_it(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    for name in ("response_type", "client_id", "redirect_uri", "scope", "code_challenge", "state"):
        for hostile in ("\r\nSet-Cookie: a=b", "é", "\0", "\ud7ff", "x" * 5000):
            assert held_back(app_of_acme.page(acme.sales, **{name: hostile}))
    for name in ("response_type", "client_id", "scope"):
        assert held_back(app_of_acme.page(neighbour.sales, **{name: '"\\'}))
    state = "a b&c=d#<script>\"'%0d"
    assert parameters(app_of_acme.decided(acme.sales, state=state))["state"] == state


def test_an_apps_name_can_not_write_into_the_page(acme: Workspace, neighbour: Workspace) -> None:
    name = "<script>alert(1)</script>\"'{{7*7}}"
    for workspace in (acme, neighbour):
        said = register(workspace, "contacts:read", name=name).page(workspace.sales).get_data(as_text=True)
        assert "<script" not in said
        assert "{{7*7}}" in said
        assert "style=" not in said


def test_no_scope_goes_beyond_the_apps(app_of_acme: App, acme: Workspace, neighbour: Workspace) -> None:
    for wanted in ("contacts:read contacts:delete", "users:read", "everything", "*"):
        assert parameters(app_of_acme.page(acme.admin, scope=wanted))["error"] == "invalid_scope"
        assert held_back(app_of_acme.page(neighbour.admin, scope=wanted))


def test_no_scope_goes_beyond_the_users_rights(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read", "contacts:delete", "users:read")
    tokens = app.connected(acme.read_only)
    assert tokens["scope"] == "contacts:read users:read"
    nothing = register(acme, "contacts:delete")
    assert parameters(nothing.page(acme.read_only))["error"] == "invalid_scope"
    forged = fields_of(app.page(acme.read_only)) | {"decision": "allow"}
    code = parameters(app.sent(acme.read_only, forged | {"scope": "contacts:delete contacts:read"}))["code"]
    assert app.exchange(code).json["scope"] == "contacts:read"
    assert held_back(app.page(neighbour.read_only))


def test_a_right_that_comes_after_the_consent_is_not_lent(new_workspace, neighbour: Workspace) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read", "contacts:delete")
    tokens = app.connected(workspace.read_only)
    with inside(workspace.home):
        act_as(SYSTEM)
        admin = db().query(Role.id).filter(Role.name == "admin").scalar()
        db().add(UserRole(user_id=workspace.read_only.user_id, role_id=admin))
    made = workspace.admin.post("/contacts", {"last_name": "Weber"}).json["id"]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert app.flask.delete(f"/api/v1/contacts/{made}", headers=headers).status_code == 403
    assert app.get(f"/contacts/{made}", tokens["access_token"]).status_code == 200
    assert neighbour.admin.get(f"/contacts/{made}").status_code == 404


def test_an_app_can_not_be_let_do_what_its_registrar_may_not(new_workspace, neighbour: Workspace) -> None:
    workspace = new_workspace()
    registrar = workspace.sales
    with inside(workspace.home):
        act_as(SYSTEM)
        rights = {f"oauth-clients:{each}": "all" for each in ("read", "create", "edit", "delete")}
        role = Role(name="registrar", permissions={**rights, "contacts:read": "team"}, source="system")
        db().add(role)
        db().flush()
        db().add(UserRole(user_id=registrar.user_id, role_id=role.id))
        owner = db().get_one(User, workspace.admin.user_id).id
    powerful = register(workspace, "deals:read", redirect_uris=[], user_id=str(owner))
    body = {"name": "Mine", "redirect_uris": ["https://app.example.test/back"], "scopes": ["roles:create"]}
    person = registrar.in_person
    for refused in (
        person.post("/oauth-clients", body),
        person.post("/oauth-clients", body | {"scopes": ["roles:read"]}),
        person.post("/oauth-clients", body | {"scopes": ["contacts:read"], "user_id": str(owner)}),
        person.post("/oauth-clients", body | {"scopes": ["nonsense"]}),
        person.post("/oauth-clients", body | {"scopes": ["oauth-clients:create"]}),
        person.patch(f"/oauth-clients/{powerful.id}", {"redirect_uris": [EVIL]}),
    ):
        assert refused.status_code == 422, refused.json
        assert list(refused.json["errors"]) == ["scopes"]
    theirs = str(neighbour.admin.user_id)
    admin = workspace.admin.in_person
    answer = admin.post("/oauth-clients", body | {"scopes": ["contacts:read"], "user_id": theirs})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["user_id"])


def test_the_page_can_be_framed_by_nobody_and_sends_its_form_to_the_app_alone(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    page = app_of_acme.page(acme.sales)
    (policy,) = page.headers.getlist("Content-Security-Policy")
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(app_of_acme.back))
    assert rules["form-action"] == f"'self' {origin}"
    assert (rules["frame-ancestors"], rules["default-src"]) == ("'none'", "'none'")
    assert page.headers["Cache-Control"] == "no-store"
    refused = app_of_acme.page(neighbour.sales)
    assert "form-action 'self';" in refused.headers["Content-Security-Policy"]
