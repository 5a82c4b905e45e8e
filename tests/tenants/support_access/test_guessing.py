"""Guessing how our own people sign in: slow, the same for accounts that aren't there, and nobody is kept out."""

import secrets

import pyotp
import pytest
from redis import Redis
from sqlalchemy import update
from werkzeug.test import TestResponse

from tenants.catalog.throttles import Throttle
from tenants.foundation.settings import Settings
from tenants.support_access.staff import signing_in
from tenants.support_access.staff.models import StaffCredential
from tests.persons import new_address
from tests.staff import Bureau, Person
from tests.tenants.support_access.test_accounts_and_receipts import PASSWORD, code_of
from tests.workspace import Workspace

WRONG = "wrong one here"


def try_as(person: Person, address: str, *, email: str = "", password: str = PASSWORD) -> TestResponse:
    client = person.app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    said = {"email": email or person.made.staff.email, "password": password, "code": code_of(person)}
    return client.post("/staff/v1/sessions", json=said)


@pytest.fixture
def person(bureau: Bureau) -> Person:
    return bureau.hire("support", password=PASSWORD)


def test_guessing_slows_down_and_a_flushed_cache_changes_nothing(
    person: Person, acme: Workspace, neighbour: Workspace, settings: Settings
) -> None:
    address = new_address()
    answers = [try_as(person, address, password=WRONG) for _ in range(7)]
    assert [each.status_code for each in answers] == [401] * 6 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    Redis.from_url(settings.redis_url).flushall()
    assert try_as(person, address).status_code == 429, "right as it is"
    assert try_as(person, new_address()).status_code == 201, "the owner, from elsewhere"


def test_an_account_that_is_not_there_makes_one_wait_as_soon(
    person: Person, acme: Workspace, neighbour: Workspace
) -> None:
    seen = []
    for email in (person.made.staff.email, f"no{secrets.token_hex(5)}@freehold.test"):
        address = new_address()
        answers = [try_as(person, address, email=email, password=WRONG) for _ in range(8)]
        seen.append([(each.status_code, each.json["code"], each.json.get("detail")) for each in answers])
    assert seen[0] == seen[1]


def test_whoever_guesses_from_many_addresses_has_to_wait_too(
    person: Person, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Throttle("staff-sign-in-account", free=3, forgets=3600, longest=60)
    monkeypatch.setattr(signing_in, "ACCOUNT", slow)
    assert [try_as(person, new_address(), password=WRONG).status_code for _ in range(6)][-1] == 429


def test_what_was_right_counts_for_nothing(person: Person, acme: Workspace, neighbour: Workspace) -> None:
    address = new_address()
    for _ in range(2):
        assert [try_as(person, address, password=WRONG).status_code for _ in range(5)] == [401] * 5
        assert try_as(person, address).status_code == 201
        _forget_step(person)


def _forget_step(person: Person) -> None:
    """As if half a minute had gone by: the code of this moment can be used again."""
    with person.app.extensions["house"].catalog.transaction() as session:
        mine = update(StaffCredential).where(StaffCredential.staff_id == person.made.staff.id)
        session.execute(mine.values(last_step=None))


@pytest.mark.parametrize("wrong", ["password", "code", "address"])
def test_the_same_work_is_done_whatever_was_wrong(
    person: Person, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    done: list[str] = []
    wrapper = person.app.extensions["nursery"].wrapper
    real_fits, real_unwrap = signing_in.fits, type(wrapper).unwrap

    def fits(*said: object) -> bool:
        done.append("hash")
        return real_fits(*said)

    def unwrap(self: object, *said: object) -> bytes:
        done.append("unwrap")
        return real_unwrap(self, *said)

    monkeypatch.setattr(signing_in, "fits", fits)
    monkeypatch.setattr(type(wrapper), "unwrap", unwrap)
    said = {"password": {"password": WRONG}, "address": {"email": "nobody@freehold.test"}, "code": {}}[wrong]
    if wrong == "code":
        monkeypatch.setattr(pyotp.TOTP, "now", lambda _self: "000000")
    assert try_as(person, new_address(), **said).status_code == 401
    assert done == ["hash", "unwrap"]
