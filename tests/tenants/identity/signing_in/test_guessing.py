"""Guessing passwords: slow, the same for everybody, and no way to keep the owner out."""

import secrets

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text

from tenants.catalog import throttles
from tenants.catalog.registry import Catalog
from tenants.catalog.throttles import Throttle, give_back, spend
from tenants.foundation.errors import TooManyRequests
from tenants.foundation.settings import Settings
from tenants.identity.signing_in import budgets, by_password
from tenants.identity.signing_in.devices import known_device, new_device
from tenants.identity.signing_in.places import hashed_address, places_of
from tests.persons import Person, reset_token, wins
from tests.timing import fair, took_longer
from tests.workspace import Workspace

WRONG = "wrong one here"
FIVE = Throttle("of tests", free=5, forgets=3600, longest=900)


def some_try(throttle: Throttle = FIVE) -> throttles.Counted:
    return throttles.Counted(throttle, secrets.token_bytes(16))


def refused(catalog: Catalog, *counted: throttles.Counted) -> int:
    """The seconds to wait; 0 when it was let through."""
    try:
        spend(catalog, *counted)
    except TooManyRequests as refusal:
        return refusal.retry_after
    return 0


def test_some_tries_are_free_and_then_each_waits_longer(
    catalog: Catalog, acme: Workspace, neighbour: Workspace
) -> None:
    tried, other = some_try(), some_try()
    assert [refused(catalog, tried) for _ in range(6)] == [0] * 6
    waits = []
    for _ in range(4):
        waits.append(refused(catalog, tried))
        pass_by(catalog, tried)
        assert refused(catalog, tried) == 0
    assert waits == [2, 4, 8, 16]
    assert refused(catalog, other) == 0
    give_back(catalog, forget=(tried,))
    assert [refused(catalog, tried) for _ in range(6)] == [0] * 6


def pass_by(catalog: Catalog, tried: throttles.Counted) -> None:
    """Let the wait of a throttle be over."""
    with catalog.transaction() as session:
        session.execute(
            text("update catalog.throttles set closed_until = clock_timestamp() where key = :key"),
            {"key": tried.key},
        )


def test_tries_at_the_same_moment_all_count(catalog: Catalog, acme: Workspace, neighbour: Workspace) -> None:
    for _ in range(5):
        tried = some_try(Throttle("of tests", free=2, forgets=3600, longest=900))
        assert wins(lambda _: refused(catalog, tried) == 0) == 3  # noqa: B023 - used at once


def test_what_has_to_wait_counts_for_nobody_else(
    catalog: Catalog, acme: Workspace, neighbour: Workspace
) -> None:
    full, fresh = some_try(Throttle("of tests", free=0, forgets=3600, longest=900)), some_try()
    assert refused(catalog, full) == 0
    for _ in range(20):
        assert refused(catalog, fresh, full) > 0
    assert refused(catalog, fresh) == 0


def test_guessing_from_one_address_slows_down_and_a_flushed_cache_changes_nothing(
    perla: Person, stranger: Person, settings: Settings
) -> None:
    guesser = perla.browser()
    answers = [guesser.sign_in(perla, WRONG) for _ in range(7)]
    assert [each.status_code for each in answers] == [401] * 6 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    Redis.from_url(settings.redis_url).flushall()
    assert guesser.sign_in(perla).status_code == 429
    assert perla.browser().sign_in(perla).status_code == 201, "the owner, from elsewhere"
    assert guesser.sign_in(stranger).status_code == 201, "another account, from the same address"


def test_enumeration_by_how_soon_one_has_to_wait(perla: Person, stranger: Person) -> None:
    nobody = Person(perla.app, perla.workspace, perla.user_id, f"no{secrets.token_hex(5)}@example.test")
    seen = []
    for person in (perla, nobody):
        browser = person.browser()
        answers = [browser.sign_in(person, WRONG) for _ in range(8)]
        seen.append([(each.status_code, each.json["code"], each.json.get("detail")) for each in answers])
    assert seen[0] == seen[1]
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_an_owner_on_a_known_device_gets_in_while_many_guess(
    perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = perla.signed_in()
    monkeypatch.setattr(budgets, "ACCOUNT", Throttle("sign-in-account", free=3, forgets=3600, longest=3600))
    statuses = [perla.browser().sign_in(perla, WRONG).status_code for _ in range(6)]
    assert statuses[-1] == 429
    assert perla.browser().sign_in(perla).status_code == 429, "from a new device, right as it is"
    assert owner.sign_in(perla).status_code == 201
    copied = stranger.browser()
    copied.flask.set_cookie(
        "freehold_device", owner.flask.get_cookie("freehold_device").value.replace("a", "b")
    )
    assert copied.sign_in(perla).status_code == 429
    assert 429 in [owner.sign_in(perla, WRONG).status_code for _ in range(16)], (
        "it has tries, not a free pass"
    )


def test_an_owner_on_a_new_device_gets_in_by_mail_while_many_guess(
    perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "ACCOUNT", Throttle("sign-in-account", free=0, forgets=3600, longest=3600))
    assert [perla.browser().sign_in(perla, WRONG).status_code for _ in range(2)] == [401, 429]
    owner = perla.browser()
    said = {"token": reset_token(perla), "password": "eleven quiet otters dance"}
    assert owner.post("/password-resets/redemption", said).status_code == 204
    assert owner.sign_in(perla, said["password"]).status_code == 201
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_device_of_one_account_is_none_of_another(perla: Person, stranger: Person, app: Flask) -> None:
    wrapper = app.extensions["nursery"].wrapper
    device = new_device(wrapper, perla.workspace.home.id, b"perla")
    assert known_device(wrapper, device, b"perla") is not None
    elsewhere = device.replace(perla.workspace.home.id.hex, stranger.workspace.home.id.hex)
    for shown in (None, "", "x.y.z", device[:-1], elsewhere):
        assert known_device(wrapper, shown, b"perla") is None
    assert known_device(wrapper, device, b"stranger") is None


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_enumeration_by_time(
    perla: Person, stranger: Person, unhurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign test over interleaved pairs: in how many the known address took longer than the unknown one.

    With equal work that is a fair coin. Without it, it is not: the same test has to notice.
    """
    assert known_took_longer(perla) in fair()
    real = by_password.fits
    monkeypatch.setattr(by_password, "fits", lambda said, hashed: bool(hashed) and real(said, hashed))
    assert known_took_longer(perla) not in fair()
    assert stranger.browser().sign_in(stranger).status_code == 201


def known_took_longer(person: Person) -> int:
    """In how many pairs the known address took longer than an unknown one, tried as often: each has its row of tries."""
    browser, nobody = person.browser(), f"no{secrets.token_hex(6)}@example.test"

    def refused_as(email: str) -> None:
        assert browser.post("/sessions", {"email": email, "password": WRONG}).status_code == 401

    return took_longer(lambda: refused_as(person.email), lambda: refused_as(nobody))


def test_whose_hash_comes_after_the_last_is_looked_for_as_everybody_is(
    app: Flask, catalog: Catalog, perla: Person, stranger: Person
) -> None:
    """Where few have an address, many unknown ones come after all of them."""
    wrapper = app.extensions["nursery"].wrapper
    known = [hashed_address(wrapper, each.email) for each in (perla, stranger)]
    for hashed in (b"\xff" * 32, b"\x00" * 32, *(each[:-1] + bytes([each[-1] ^ 1]) for each in known)):
        places = places_of(catalog, hashed)
        assert (places.homes, places.decoy is None) == ([], False)
    for hashed, person in zip(known, (perla, stranger), strict=True):
        assert places_of(catalog, hashed).homes == [person.workspace.home]
