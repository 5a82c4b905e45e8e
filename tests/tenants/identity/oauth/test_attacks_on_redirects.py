"""Consent leads back to a registered address and nowhere else, whatever an address looks like."""

import pytest

from tests.apps import App, register
from tests.tenants.identity.oauth.refusals import EVIL, held_back
from tests.workspace import Workspace


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"response_type": "token"},
        {"response_type": None},
        {"scope": "nonsense"},
        {"scope": "users:read"},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"state": None},
        {"client_id": None},
        {"client_id": "nobody"},
    ],
    ids=str,
)
def test_open_redirect_no_error_leads_to_an_address_that_was_not_registered(
    app_of_acme: App, acme: Workspace, neighbour: Workspace, broken
) -> None:
    for user in (acme.sales, neighbour.sales):
        assert held_back(app_of_acme.page(user, redirect_uri=EVIL, **broken))
        form = {**app_of_acme.asks(redirect_uri=EVIL, **broken), "decision": "allow"}
        form["csrf_token"] = user.in_person.headers["X-CSRF-Token"]
        assert held_back(app_of_acme.sent(user, form))
        assert held_back(app_of_acme.sent(user, form | {"decision": "deny"}))


@pytest.mark.parametrize(
    "trick",
    [
        "https://app.example.test/back/",
        "https://app.example.test/Back",
        "https://app.example.test/back?x=1",
        "https://app.example.test/back#x",
        "https://app.example.test/back/../evil",
        "https://app.example.test:443/back",
        "https://app.example.test.evil.test/back",
        "https://app.example.test@evil.test/back",
        "https://evil.test/?https://app.example.test/back",
        "https://evil.test\\@app.example.test/back",
        "http://app.example.test/back",
        "HTTPS://app.example.test/back",
        "//app.example.test/back",
        "https://app.example.test/back\r\nLocation: https://evil.test",
        "https://app.example.test/back\0",
        "https://app.example.test/back%0d%0aX: y",
        "https://\u0430pp.example.test/back",
        "javascript:alert(1)//https://app.example.test/back",
        "data:text/html,https://app.example.test/back",
        " https://app.example.test/back",
        "",
        None,
    ],
)
def test_open_redirect_an_address_that_only_looks_like_the_registered_one_is_another(
    app_of_acme: App, acme: Workspace, neighbour: Workspace, trick: str | None
) -> None:
    assert held_back(app_of_acme.page(acme.sales, redirect_uri=trick))
    assert held_back(app_of_acme.page(neighbour.sales, redirect_uri=trick))


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.test/back",
        "http://localhost/back",
        "https://app.example.test/back#part",
        "https://user@app.example.test/back",
        "https://app.example.test\\@evil.test/",
        "https://*.example.test/back",
        "https://app.example.test/back?code=mine",
        "https://APP.example.test/back",
        "javascript:alert(1)",
        "data:text/html,x",
        "/back",
        "https:///back",
        "https://app.example.test/back'; script-src *",
    ],
)
def test_open_redirect_a_hostile_address_can_not_be_registered(
    acme: Workspace, neighbour: Workspace, uri: str
) -> None:
    for workspace in (acme, neighbour):
        for confidential in (True, False):
            said = {"redirect_uris": [uri], "scopes": ["contacts:read"], "confidential": confidential}
            answer = workspace.admin.in_person.post("/oauth-clients", {"name": "Evil", **said})
            assert (answer.status_code, list(answer.json["errors"])) == (422, ["redirect_uris"])


def test_open_redirect_a_native_app_comes_back_to_any_port_and_to_no_other_place(
    acme: Workspace, neighbour: Workspace
) -> None:
    native = register(
        acme,
        "contacts:read",
        confidential=False,
        redirect_uris=["http://127.0.0.1/back", "com.example.app:/back"],
    )
    good = ("http://127.0.0.1:53123/back", "http://127.0.0.1/back", "com.example.app:/back")
    bad = (
        "http://127.0.0.1:53123/other",
        "http://127.0.0.2:53123/back",
        "http://[::1]:53123/back",
        "http://localhost:53123/back",
        "http://127.0.0.1:53123@evil.test/back",
        "http://127.0.0.1:1.evil.test/back",
        "http://127.0.0.1.evil.test/back",
        "https://127.0.0.1:53123/back",
        "com.example.app:/other",
    )
    assert {native.page(acme.sales, redirect_uri=each).status_code for each in good} == {200}
    assert all(held_back(native.page(acme.sales, redirect_uri=each)) for each in bad)
    assert held_back(native.page(neighbour.sales, redirect_uri=good[0]))
    web = register(acme, "contacts:read", redirect_uris=["https://app.example.test/back"])
    assert held_back(web.page(acme.sales, redirect_uri="https://app.example.test:1/back"))
