"""Signing up, in and out; keys; and what a cookie alone can't do."""

import secrets

import pytest
from flask import Flask

from tenants.identity.signing_in import places
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace

PASSWORD = "correct horse battery"


@pytest.fixture
def signed_up(app: Flask, nursery: Nursery) -> dict[str, str]:
    nursery.stock(1)
    slug = f"s{secrets.token_hex(5)}"
    said = {
        "company": "Hooli",
        "slug": slug,
        "name": "Gavin",
        "email": f"gavin@{slug}.example.org",
        "password": PASSWORD,
    }
    answer = app.test_client().post("/api/v1/signup", json=said)
    assert answer.status_code == 201, answer.json
    return said


def test_a_signed_up_admin_works_with_a_cookie_and_a_token_against_forgery(
    app: Flask, signed_up: dict[str, str], acme: Workspace
) -> None:
    browser = app.test_client()
    answer = browser.post("/api/v1/sessions", json={"email": signed_up["email"], "password": PASSWORD})
    assert answer.status_code == 201
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    me = browser.get("/api/v1/me").json
    assert (me["user"]["name"], me["tenant"]["slug"]) == ("Gavin", signed_up["slug"])
    assert browser.post("/api/v1/companies", json={"name": "X"}).json["code"] == "csrf"
    token = {"X-CSRF-Token": me["csrf_token"]}
    assert browser.post("/api/v1/companies", json={"name": "X"}, headers=token).status_code == 201
    crossing = {**token, "Sec-Fetch-Site": "cross-site"}
    assert (
        browser.post("/api/v1/companies", json={"name": "X"}, headers=crossing).json["code"] == "cross_site"
    )
    assert browser.get("/api/v1/companies").json["data"][0]["source"] == "entered"
    assert "Hooli" not in acme.admin.get("/companies").get_data(as_text=True)


def test_signing_out_ends_the_session_at_once(app: Flask, signed_up: dict[str, str]) -> None:
    browser = app.test_client()
    token = browser.post("/api/v1/sessions", json={"email": signed_up["email"], "password": PASSWORD}).json[
        "csrf_token"
    ]
    cookie = browser.get_cookie("freehold_session")
    assert cookie is not None
    assert browser.get("/api/v1/me").status_code == 200
    assert browser.delete("/api/v1/sessions/current", headers={"X-CSRF-Token": token}).status_code == 204
    thief = app.test_client()
    thief.set_cookie("freehold_session", cookie.value)
    assert thief.get("/api/v1/me").status_code == 401
    assert thief.get("/api/v1/contacts").status_code == 401


def test_a_wrong_password_and_an_unknown_address_get_the_same_words(
    app: Flask, signed_up: dict[str, str]
) -> None:
    tries = [
        {"email": signed_up["email"], "password": "wrong one here"},
        {"email": "no@one.test", "password": PASSWORD},
    ]
    answers = [app.test_client().post("/api/v1/sessions", json=each) for each in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json["detail"] == answers[1].json["detail"]


@pytest.mark.promise("1-32")
def test_a_key_is_made_by_a_person_shown_once_and_revoked(
    app: Flask, signed_up: dict[str, str], acme: Workspace
) -> None:
    browser = app.test_client()
    token = browser.post("/api/v1/sessions", json={"email": signed_up["email"], "password": PASSWORD}).json[
        "csrf_token"
    ]
    csrf = {"X-CSRF-Token": token, "Idempotency-Key": "make-key"}
    made = browser.post(
        "/api/v1/api-keys", json={"name": "Robot", "scopes": ["contacts:read"]}, headers=csrf
    ).json
    robot = {"Authorization": f"Bearer {made['secret']}"}
    program = app.test_client()
    assert program.get("/api/v1/contacts", headers=robot).status_code == 200
    assert program.post("/api/v1/contacts", headers=robot, json={"last_name": "A"}).status_code == 403
    assert made["secret"] not in browser.get("/api/v1/api-keys").get_data(as_text=True)
    gone = browser.delete(f"/api/v1/api-keys/{made['id']}", headers={"X-CSRF-Token": token})
    assert gone.status_code == 204
    assert program.get("/api/v1/contacts", headers=robot).status_code == 401
    refused = acme.admin.post("/api-keys", {"name": "Successor"})
    assert (refused.status_code, refused.json["code"]) == (403, "needs_session")


def test_a_taken_name_is_refused_and_nothing_is_left(
    app: Flask, signed_up: dict[str, str], nursery: Nursery
) -> None:
    nursery.stock(1)
    again = app.test_client().post("/api/v1/signup", json={**signed_up, "email": "other@there.example.org"})
    assert (again.status_code, again.json["code"]) == (409, "already_exists")


def test_tenants_that_strangers_opened_in_my_name_do_not_keep_me_out(
    app: Flask, nursery: Nursery, signed_up: dict[str, str], acme: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_TENANTS", 1)
    nursery.note_email(acme.home, signed_up["email"])  # older than mine, so it comes first
    mine = {"email": signed_up["email"], "password": PASSWORD, "tenant": signed_up["slug"]}
    assert app.test_client().post("/api/v1/sessions", json=mine).status_code == 201


def test_a_key_can_not_end_the_sessions_of_its_user(
    app: Flask, signed_up: dict[str, str], acme: Workspace
) -> None:
    browser = app.test_client()
    mine = {"email": signed_up["email"], "password": PASSWORD}
    token = {"X-CSRF-Token": browser.post("/api/v1/sessions", json=mine).json["csrf_token"]}
    made = browser.post("/api/v1/api-keys", json={"name": "Leaked", "scopes": []}, headers=token)
    leaked = {"Authorization": f"Bearer {made.json['secret']}"}
    session = browser.get("/api/v1/sessions").json[0]["id"]
    answer = app.test_client().delete(f"/api/v1/sessions/{session}", headers=leaked)
    assert (answer.status_code, answer.json["code"]) == (403, "needs_session")
    assert browser.get("/api/v1/me").status_code == 200
    assert acme.admin.delete(f"/sessions/{session}").status_code == 403
