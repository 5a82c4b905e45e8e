"""A refresh token is good once, and a family of them ends with its connection or its first theft."""

from datetime import timedelta

from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.foundation.identifiers import token_hash
from tenants.isolation.door import db, inside
from tests.apps import App, register
from tests.tenants.identity.oauth.refusals import APPS, TOKENS, change_app, change_token, refusal
from tests.workspace import Workspace


def test_a_lost_answer_can_be_asked_for_again_within_seconds(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    answers = [app_of_acme.refresh(first).json for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert app_of_acme.get("/contacts", answers[2]["access_token"]).status_code == 200
    assert neighbour.admin.get("/connected-apps?limit=1").status_code == 200


def test_a_refresh_token_that_comes_again_later_ends_the_family(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    second = app_of_acme.refresh(first).json
    change_token(acme.home, first, used_at=now() - timedelta(seconds=21))
    assert refusal(app_of_acme.refresh(first)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", second["access_token"]).status_code == 401
    assert refusal(app_of_acme.refresh(second["refresh_token"])) == (400, "invalid_grant")
    (shown,) = acme.sales.get("/connected-apps?sort=-created_at&limit=1").json["data"]
    assert shown["revoked_because"] == "token_reused"
    assert shown["id"] not in neighbour.admin.get("/connected-apps?limit=200").get_data(as_text=True)


def test_a_thief_who_comes_after_the_next_refresh_ends_the_family_even_within_seconds(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    second = app_of_acme.refresh(first).json["refresh_token"]
    third = app_of_acme.refresh(second).json
    assert refusal(app_of_acme.refresh(first)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", third["access_token"]).status_code == 401
    assert register(neighbour, "contacts:read").connected(neighbour.sales)


def test_a_family_ends_however_often_it_was_refreshed(app_of_acme: App, acme: Workspace, neighbour) -> None:
    tokens = app_of_acme.connected(acme.sales)
    for _ in range(2):
        tokens = app_of_acme.refresh(tokens["refresh_token"]).json
    with inside(acme.home):
        ends = select(TOKENS.c.expires_at, APPS.c.expires_at, APPS.c.created_at).join(
            APPS, APPS.c.id == TOKENS.c.connected_app_id
        )
        last, end, began = (
            db().execute(ends.where(TOKENS.c.hash == token_hash(tokens["refresh_token"]))).one()
        )
    assert last == end
    assert timedelta(days=29) < end - began <= timedelta(days=30, seconds=5)
    change_app(acme.home, tokens["refresh_token"], expires_at=now())
    assert refusal(app_of_acme.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", tokens["access_token"]).status_code == 401
    assert register(neighbour, "contacts:read").connected(neighbour.sales)


def test_a_refresh_can_not_widen_what_was_granted(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        app = register(workspace, "contacts:read", "deals:read")
        tokens = app.connected(workspace.sales, scope="contacts:read")
        assert tokens["scope"] == "contacts:read"
        widened = app.refresh(tokens["refresh_token"], scope="contacts:read deals:read")
        assert refusal(widened) == (400, "invalid_scope")
        assert app.refresh(tokens["refresh_token"]).json["scope"] == "contacts:read"
        assert app.get("/deals", tokens["access_token"]).status_code == 403


def test_a_repeated_request_is_one_even_with_the_next_token(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    tokens = app_of_acme.connected(acme.sales)
    key = {"Idempotency-Key": "one and the same"}
    first = app_of_acme.post("/contacts", tokens["access_token"], {"last_name": "Once"}, **key)
    renewed = app_of_acme.refresh(tokens["refresh_token"]).json["access_token"]
    again = app_of_acme.post("/contacts", renewed, {"last_name": "Once"}, **key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json["id"] == first.json["id"]
    other = register(acme, "contacts:read", "contacts:create").connected(acme.sales)["access_token"]
    fresh = app_of_acme.post("/contacts", other, {"last_name": "Once"}, **key)
    assert fresh.json["id"] != first.json["id"]
    assert neighbour.admin.get(f"/contacts/{first.json['id']}").status_code == 404
