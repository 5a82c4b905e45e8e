"""Passkeys: two factors in one, for this site alone, used by somebody the device has verified."""

from dataclasses import replace as replaced
from typing import Any

import pytest
from flask import Flask

from tenants.identity.signing_in import challenges
from tests.passkeys import Passkey
from tests.persons import Browser, Person, events, wins


@pytest.fixture(autouse=True)
def _named_site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers make passkeys for names only."""
    house = app.extensions["house"]
    settings = house.settings.model_copy(update={"public_url": "http://localhost"})
    monkeypatch.setitem(app.extensions, "house", replaced(house, settings=settings))


def options(browser: Browser) -> dict[str, Any]:
    return browser.post("/sessions/passkey-options").json["options"]


def test_a_passkey_alone_signs_in_and_is_strong(perla: Person, stranger: Person) -> None:
    key = Passkey()
    perla.with_passkey(perla.signed_in(), key)
    browser = perla.browser()
    asked = options(browser)
    assert (asked["userVerification"], asked["allowCredentials"]) == ("required", [])
    answer = browser.post("/sessions/passkey", {"passkey": key.signed(asked)})
    assert answer.status_code == 201, answer.json
    assert browser.get("/me").json["user"]["email"] == perla.email
    (current,) = [each for each in browser.get("/sessions").json if each["current"]]
    assert (current["strong"], current["method"]) == (True, "passkey")
    assert perla.email.encode() not in key.handle
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_passkey_is_the_second_factor_after_a_password(perla: Person, stranger: Person) -> None:
    key = Passkey()
    perla.with_passkey(perla.signed_in(), key)
    browser = perla.browser()
    half = browser.sign_in(perla).json
    assert half["methods"] == ["passkey"]
    said = {"ticket": half["ticket"], "passkey": key.signed(half["passkey"])}
    assert browser.post("/sessions/second-factor", said).status_code == 201
    assert stranger.browser().sign_in(stranger).status_code == 201


def signs_in(person: Person, key: Passkey) -> int:
    browser = person.browser()
    return browser.post("/sessions/passkey", {"passkey": key.signed(options(browser))}).status_code


def _attacks() -> dict[str, dict[str, Any]]:
    return {
        "without user verification": {"verified": False},
        "for a wrong origin": {"origin": "http://localhost.evil.example"},
        "for a wrong origin, another port": {"origin": "http://localhost:8443"},
        "for another site": {"site": "evil.example"},
    }


@pytest.mark.parametrize("attack", _attacks())
def test_a_passkey_used_wrongly_opens_nothing(perla: Person, stranger: Person, attack: str) -> None:
    key = Passkey()
    perla.with_passkey(perla.signed_in(), key)
    browser = perla.browser()
    signed = key.signed(options(browser), **_attacks()[attack])
    assert browser.post("/sessions/passkey", {"passkey": signed}).status_code == 401
    half = browser.sign_in(perla).json
    said = {"ticket": half["ticket"], "passkey": key.signed(half["passkey"], **_attacks()[attack])}
    assert browser.post("/sessions/second-factor", said).status_code == 401
    assert not browser.session
    assert events(perla, "authenticators.refused")
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize("attack", [{"verified": False}, {"origin": "https://evil.example"}])
def test_a_passkey_made_wrongly_is_not_kept(perla: Person, stranger: Person, attack: dict[str, Any]) -> None:
    browser = perla.signed_in()
    made = browser.post("/authenticators", {"kind": "passkey", "name": "Key"}).json
    path = f"/authenticators/{made['id']}/confirmation"
    answer = browser.put(path, {"passkey": Passkey().made(made["options"], **attack)})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["passkey"])
    assert perla.browser().sign_in(perla).status_code == 201
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_replayed_passkey_opens_nothing_though_it_does_not_count(perla: Person, stranger: Person) -> None:
    key = Passkey(counts=False)
    perla.with_passkey(perla.signed_in(), key)
    signed = key.signed(options(perla.browser()))
    for expected in (201, 401):
        assert perla.browser().post("/sessions/passkey", {"passkey": signed}).status_code == expected
    again = key.signed(options(perla.browser()))
    tries = [perla.browser() for _ in range(5)]
    assert wins(lambda n: tries[n].post("/sessions/passkey", {"passkey": again}).status_code == 201) == 1
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_copied_passkey_is_noticed_by_its_count(perla: Person, stranger: Person) -> None:
    key = Passkey()
    perla.with_passkey(perla.signed_in(), key)
    browser = perla.browser()
    for _ in range(2):
        assert browser.post("/sessions/passkey", {"passkey": key.signed(options(browser))}).status_code == 201
    key.count = 0
    copied = browser.post("/sessions/passkey", {"passkey": key.signed(options(browser))})
    assert copied.status_code == 401
    assert [each["changes"]["why"] for each in events(perla, "authenticators.refused")] == ["passkey copied"]
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_passkey_of_another_tenant_or_with_a_forged_handle_opens_nothing(
    perla: Person, stranger: Person
) -> None:
    ours, theirs = Passkey(), Passkey()
    perla.with_passkey(perla.signed_in(), ours)
    stranger.with_passkey(stranger.signed_in(), theirs)
    own = theirs.handle
    for forged in (ours.handle, own[:16] + ours.handle[16:], ours.handle[:16] + own[16:]):
        theirs.handle = forged
        assert signs_in(perla, theirs) == 401
    theirs.handle = own
    assert signs_in(stranger, theirs) == 201


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"response": None},
        {"rawId": 1, "response": {"userHandle": "AA", "clientDataJSON": "e30"}},
        {"rawId": "AA", "response": {"userHandle": "ä", "clientDataJSON": "[]"}},
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {"userHandle": "A" * 43, "clientDataJSON": "W10"},
        },
    ],
)
def test_nonsense_instead_of_a_passkey_is_refused(
    perla: Person, stranger: Person, nonsense: dict[str, Any]
) -> None:
    assert perla.browser().post("/sessions/passkey", {"passkey": nonsense}).status_code == 401
    browser = perla.signed_in()
    made = browser.post("/authenticators", {"kind": "passkey", "name": "Key"}).json
    path = f"/authenticators/{made['id']}/confirmation"
    assert browser.put(path, {"passkey": nonsense or {"a": 1}}).status_code == 422
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_challenge_of_ours_is_good_for_five_minutes_and_nobody_elses_ever(
    app: Flask, perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = app.extensions["nursery"].wrapper
    challenge = challenges.new_challenge(wrapper)
    assert challenges.is_ours(wrapper, challenge)
    assert not challenges.is_ours(wrapper, challenge[:-1] + bytes([challenge[-1] ^ 1]))
    later = challenges.time.time() + challenges.LASTS_SECONDS + 1
    monkeypatch.setattr(challenges.time, "time", lambda: later)
    assert not challenges.is_ours(wrapper, challenge)
    assert stranger.email != perla.email


def test_there_are_no_passkeys_where_the_program_has_no_name(
    app: Flask, perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = app.extensions["house"]
    settings = house.settings.model_copy(update={"public_url": "http://127.0.0.1:8000"})
    monkeypatch.setitem(app.extensions, "house", replaced(house, settings=settings))
    refused = perla.signed_in().post("/authenticators", {"kind": "passkey", "name": "Key"})
    assert (refused.status_code, refused.json["code"]) == (409, "no_passkeys_here")
    assert stranger.browser().sign_in(stranger).status_code == 201
