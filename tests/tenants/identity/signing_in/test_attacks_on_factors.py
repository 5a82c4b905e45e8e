"""Somebody who got hold of half of what opens an account tries to become the one who has all of it."""

import base64

import pyotp
import pytest
from flask import Flask

from tenants.provisioning.birth import Nursery
from tests.persons import Browser, Person, make_person
from tests.workspace import Workspace


@pytest.fixture
def owner(app: Flask, nursery: Nursery, acme: Workspace) -> Person:
    return make_person(app, nursery, acme)


@pytest.fixture
def thief(owner: Person) -> Browser:
    """A browser where the password alone was shown, before its owner set up a second factor elsewhere."""
    stolen = owner.signed_in()
    owner.with_app(owner.signed_in())
    return stolen


def test_a_session_without_the_second_factor_makes_itself_no_factor_of_its_own(
    owner: Person, thief: Browser
) -> None:
    refused = thief.post("/authenticators", {"kind": "totp", "name": "Mine now"})
    assert (refused.status_code, refused.json["code"]) == (403, "second_factor")
    assert {each["name"] for each in thief.get("/authenticators").json} == {"Phone"}


def test_a_factor_that_was_begun_before_the_owners_is_not_confirmed_after_it(owner: Person) -> None:
    thief = owner.signed_in()
    begun = thief.post("/authenticators", {"kind": "totp", "name": "Mine now"}).json
    owner.with_app(owner.signed_in())

    code = pyotp.TOTP(begun["secret"]).now()
    refused = thief.put(f"/authenticators/{begun['id']}/confirmation", {"code": code})

    assert (refused.status_code, refused.json["code"]) == (403, "second_factor")
    assert [each["strong"] for each in thief.get("/sessions").json if each["current"]] == [False]


def test_a_session_without_the_second_factor_gets_no_recovery_codes_and_takes_nothing_away(
    owner: Person, thief: Browser
) -> None:
    path = f"/authenticators/{thief.get('/authenticators').json[0]['id']}"
    for answer in (
        thief.put("/authenticators/recovery-codes"),
        thief.ask("PATCH", path, {"name": "Mine now"}),
        thief.delete(path),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "second_factor")
    assert owner.browser().sign_in(owner).status_code == 202


def test_the_owner_shows_the_factor_in_that_session_and_it_is_a_strong_one(
    owner: Person, thief: Browser, neighbour: Workspace
) -> None:
    shown = thief.post("/sessions/current/confirmation", {"code": owner.code()})
    assert shown.status_code == 200, shown.json
    assert len(thief.put("/authenticators/recovery-codes").json["codes"]) == 10
    assert str(owner.user_id) not in neighbour.admin.get("/audit-events").get_data(as_text=True)


def test_the_password_alone_makes_no_session_strong(owner: Person, thief: Browser) -> None:
    assert thief.post("/sessions/current/confirmation", {"password": owner.password}).status_code == 200
    assert thief.put("/authenticators/recovery-codes").status_code == 403


def handed_in(owner: Person, said: bytes) -> dict[str, object]:
    """A passkey of this user, whose browser said this."""
    handle = (
        base64.urlsafe_b64encode(owner.workspace.home.id.bytes + owner.user_id.bytes).decode().rstrip("=")
    )
    text = base64.urlsafe_b64encode(said).decode().rstrip("=")
    response = {"clientDataJSON": text, "userHandle": handle, "authenticatorData": "YQ", "signature": "YQ"}
    return {"id": "a", "rawId": "YQ", "type": "public-key", "response": response}


def test_nonsense_in_the_place_of_a_factor_is_wrong_and_breaks_nothing(owner: Person) -> None:
    deep = b'{"challenge":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    owner.with_app(owner.signed_in())
    thief = owner.browser()
    ticket = owner.ticket(thief)
    wide = "\uff11\uff12\uff13\uff14\uff15\uff16"
    for shown in ({"code": wide}, {"code": "12345\u00e9"}, {"passkey": handed_in(owner, deep)}):
        answer = thief.post("/sessions/second-factor", {"ticket": ticket, **shown})
        assert answer.status_code == 401, shown
    assert thief.post("/sessions/passkey", {"passkey": handed_in(owner, deep)}).status_code == 401
