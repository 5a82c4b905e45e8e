"""Sessions: listed, ended, over when nobody uses them, renewed when somebody shows who they are."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.foundation.afterwards import afterwards
from tenants.foundation.clock import now
from tenants.identity import last_seen
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.devices import described
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.persons import Person, stale

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
DEVICES = {
    FIREFOX: "Firefox on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605": "Safari on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140 Mobile Safari/604": "Chrome on iPhone",
    "Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537": "Chrome on Android",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140": "Edge on Windows",
    "curl/8.5.0": "curl",
    "": None,
    "<script>": None,
}


@pytest.mark.parametrize("said", DEVICES)
def test_a_device_is_named_by_what_it_says_of_itself(said: str) -> None:
    assert described(said) == DEVICES[said]


def test_sessions_show_device_and_place_and_end_one_by_one_or_all(perla: Person, stranger: Person) -> None:
    here, there, elsewhere = (perla.browser() for _ in range(3))
    for each in (here, there, elsewhere):
        said = {"email": perla.email, "password": perla.password}
        assert each.post("/sessions", said, headers={"User-Agent": FIREFOX}).status_code == 201
    outsider = stranger.signed_in()
    listed = here.get("/sessions").json
    assert len(listed) == 3
    assert {each["device"] for each in listed} == {"Firefox on Windows"}
    assert {each["address"] for each in listed} == {
        each.flask.environ_base["REMOTE_ADDR"] for each in (here, there, elsewhere)
    }
    assert [each["current"] for each in listed] == [False, False, True]
    assert outsider.delete(f"/sessions/{listed[0]['id']}").status_code == 404
    assert here.delete(f"/sessions/{listed[0]['id']}").status_code == 204
    assert [each.get("/me").status_code for each in (here, there, elsewhere)] == [200, 200, 401]
    assert here.delete("/sessions").status_code == 204
    assert [each.get("/me").status_code for each in (here, there, outsider)] == [200, 401, 200]


def test_session_fixation_by_a_cookie_that_was_slipped_in(perla: Person, stranger: Person) -> None:
    attackers = stranger.signed_in()
    victim = perla.browser()
    victim.flask.set_cookie("freehold_session", attackers.session)
    assert victim.sign_in(perla).status_code == 201
    assert victim.session != attackers.session
    assert attackers.get("/me").json["user"]["email"] == stranger.email
    assert victim.get("/me").json["user"]["email"] == perla.email


def test_session_fixation_by_a_confirmation(perla: Person, stranger: Person) -> None:
    browser, thief = perla.signed_in(), perla.browser()
    thief.flask.set_cookie("freehold_session", browser.session)
    assert thief.get("/me").status_code == 200
    stale(perla)
    assert browser.put("/me/password", {"password": "nine silver foxes march"}).json["code"] == "step_up"
    wrong = browser.post("/sessions/current/confirmation", {"password": "wrong one here"})
    assert (wrong.status_code, wrong.json["code"]) == (403, "not_confirmed")
    assert browser.post("/sessions/current/confirmation", {"password": perla.password}).status_code == 200
    assert thief.get("/me").status_code == 401
    assert browser.put("/me/password", {"password": "nine silver foxes march"}).status_code == 204
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_confirmation_by_code_uses_the_code_up(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    perla.with_app(browser)
    code = perla.code()
    for expected in (200, 403):
        assert browser.post("/sessions/current/confirmation", {"code": code}).status_code == expected
    assert browser.post("/sessions/current/confirmation", {"recovery_code": "x" * 16}).status_code == 422
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_csrf_on_the_routes_that_hand_out_cookies(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    said = {"password": perla.password}
    crossing = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post("/sessions/current/confirmation", said, headers=crossing).json["code"] == "cross_site"
    token, browser.token = browser.token, ""
    assert browser.post("/sessions/current/confirmation", said).json["code"] == "csrf"
    assert browser.delete("/sessions").json["code"] == "csrf"
    browser.token = token
    sign_in = {"email": stranger.email, "password": stranger.password}
    assert browser.post("/sessions", sign_in, headers=crossing).json["code"] == "cross_site"
    form = browser.flask.post("/api/v1/sessions", data=sign_in)
    assert form.status_code == 415
    assert browser.get("/me").json["user"]["email"] == perla.email


def test_a_session_that_nobody_used_is_over(perla: Person, stranger: Person) -> None:
    browser, other = perla.signed_in(), stranger.signed_in()
    with inside(perla.workspace.home):
        session = db().scalars(select(Session).where(Session.user_id == perla.user_id)).one()
        session.last_seen_at = now() - timedelta(hours=25)
    assert browser.get("/me").status_code == 401
    assert browser.get("/contacts").status_code == 401
    assert perla.signed_in().get("/sessions").json[0]["current"]
    assert other.get("/me").status_code == 200


def test_use_is_noted_once_in_a_while(
    perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = last_seen._write
    monkeypatch.setattr(last_seen, "_write", lambda *given: (written.append(given[1]), write(*given)))
    browser = perla.signed_in()
    long_ago = now() - timedelta(hours=2)
    with inside(perla.workspace.home):
        session = db().scalars(select(Session).where(Session.user_id == perla.user_id)).one()
        session.last_seen_at = long_ago
    for path in ("/contacts", "/me", "/contacts"):
        assert browser.get(path).status_code == 200
    afterwards.settle()
    assert len(written) == 1
    with inside(perla.workspace.home):
        seen = db().scalars(select(Session.last_seen_at).where(Session.user_id == perla.user_id)).one()
    assert seen > long_ago + timedelta(hours=1)
    assert stranger.signed_in().get("/me").status_code == 200


def test_a_key_shows_when_it_was_last_used(new_workspace, stranger: Person) -> None:
    workspace = new_workspace()
    assert workspace.sales.get("/contacts").status_code == 200
    afterwards.settle()
    with inside(workspace.home):
        used = {each.user_id: each.last_used_address for each in db().scalars(select(ApiKey))}
    assert used[workspace.sales.user_id] == "127.0.0.1"
    assert used[workspace.manager.user_id] is None
    assert stranger.signed_in().get("/me").status_code == 200


@pytest.mark.promise("IAM-3")
def test_a_changed_password_ends_every_other_session(perla: Person, stranger: Person) -> None:
    here, there = perla.signed_in(), perla.signed_in()
    assert here.put("/me/password", {"password": "nine silver foxes march"}).status_code == 204
    assert [each.get("/me").status_code for each in (here, there)] == [200, 401]
    assert perla.browser().sign_in(perla).status_code == 401
    assert perla.browser().sign_in(perla, "nine silver foxes march").status_code == 201
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_user_who_was_deactivated_is_out_at_once(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    perla.change(state="inactive")
    assert browser.get("/me").status_code == 401
    assert perla.browser().sign_in(perla).status_code == 401
    assert stranger.signed_in().get("/me").status_code == 200
