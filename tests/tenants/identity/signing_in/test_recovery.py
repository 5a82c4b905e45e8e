"""Links by mail: for a forgotten password, an address to verify, a workspace's name; nobody learns who exists."""

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.identity.models import OneTimeToken, User
from tenants.identity.signing_in import budgets
from tenants.isolation.door import db, inside
from tenants.provisioning.birth import Nursery
from tests.mails import posted
from tests.persons import Browser, Person, events, reset_token, wins
from tests.settled import settle
from tests.workspace import Workspace

NEW = "eleven quiet otters dance"


def redeem(person: Person, token: str, password: str = NEW) -> int:
    browser = person.browser()
    answer = browser.post("/password-resets/redemption", {"token": token, "password": password})
    return answer.status_code


def test_a_reset_link_sets_a_password_once_and_ends_every_session(perla: Person, stranger: Person) -> None:
    before, token = perla.signed_in(), reset_token(perla)
    assert redeem(perla, token) == 204
    assert before.get("/me").status_code == 401
    assert redeem(perla, token) == 409
    assert perla.browser().sign_in(perla).status_code == 401
    assert perla.browser().sign_in(perla, NEW).status_code == 201
    assert [each["action"] for each in events(perla, "passwords.reset")] == ["passwords.reset"]
    assert any("changed" in mail.subject for mail in posted(perla.workspace, perla.email))
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_weak_password_does_not_use_up_the_link(perla: Person, stranger: Person) -> None:
    token = reset_token(perla)
    for weak in ("password1", "perla person", "aaaaaaaaaaaa"):
        assert redeem(perla, token, weak) == 422
    assert redeem(perla, token) == 204
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize(
    "why", ["old", "a newer one", "a changed address", "deactivated", "moved", "nonsense"]
)
def test_a_link_that_is_not_good_any_more_changes_nothing(perla: Person, stranger: Person, why: str) -> None:
    token = reset_token(perla)
    if why == "old":
        with inside(perla.workspace.home):
            for each in db().scalars(select(OneTimeToken).where(OneTimeToken.user_id == perla.user_id)):
                each.expires_at = now() - timedelta(seconds=1)
    elif why == "a newer one":
        reset_token(perla)
    elif why == "a changed address":
        perla.change(email=f"new{perla.email}")
    elif why == "deactivated":
        perla.change(state="inactive")
    elif why == "moved":
        token = token.replace(perla.workspace.home.id.hex, stranger.workspace.home.id.hex)
    else:
        token = "fho_nonsense"
    assert redeem(perla, token) == 409
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize(
    "tries", [pytest.param(3, id="some"), pytest.param(50, id="every", marks=pytest.mark.soak)]
)
def test_parallel_redemption_of_one_reset_link_lets_one_in(
    perla: Person, stranger: Person, tries: int, unhurried: None
) -> None:
    for number in range(tries):
        token = reset_token(perla)
        words = [f"{NEW} {number} {each}" for each in range(5)]
        assert wins(lambda n: redeem(perla, token, words[n]) == 204) == 1  # noqa: B023 - used at once
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize("path", ["/password-resets", "/workspace-reminders"])
def test_enumeration_by_asking_for_a_mail(perla: Person, stranger: Person, path: str) -> None:
    nobody = f"nobody{secrets.token_hex(4)}@example.test"
    answers = [perla.browser().post(path, {"email": each}) for each in (perla.email, nobody, "no address")]
    assert {(each.status_code, each.get_data()) for each in answers} == {(202, b"")}
    assert len({tuple(sorted(each.headers.keys())) for each in answers}) == 1
    settle(perla.app)
    assert len(posted(perla.workspace, perla.email)) == 1
    for workspace in (perla.workspace, stranger.workspace):
        assert posted(workspace, nobody) == []
    assert posted(stranger.workspace, perla.email) == []


def test_nobodys_mailbox_is_filled(perla: Person, stranger: Person) -> None:
    for _ in range(8):
        assert perla.browser().post("/password-resets", {"email": perla.email}).status_code == 202
    settle(perla.app)
    assert len(posted(perla.workspace, perla.email)) == budgets.RESET.free + 1
    assert posted(stranger.workspace, perla.email) == []


def test_each_workspace_of_an_address_reminds_of_itself_alone(
    perla: Person, new_person: Callable[..., Person], neighbour: Workspace
) -> None:
    there = new_person(neighbour, email=perla.email)
    assert perla.browser().post("/workspace-reminders", {"email": perla.email.upper()}).status_code == 202
    settle(perla.app)
    (ours,), (theirs,) = posted(perla.workspace, perla.email), posted(there.workspace, perla.email)
    assert "acme" in ours.text
    assert "neighbour" not in ours.text
    assert "neighbour" in theirs.text


def test_a_new_customer_verifies_their_address(app: Flask, nursery: Nursery, stranger: Person) -> None:
    nursery.stock(1)
    browser, slug = Browser(app), f"v{secrets.token_hex(5)}"
    said = {
        "company": "Hooli",
        "slug": slug,
        "name": "Gavin",
        "email": f"gavin@{slug}.example.org",
        "password": NEW,
    }
    signed_up = browser.post("/signup", said)
    assert (signed_up.status_code, signed_up.json["email_verified"]) == (201, False)
    home = app.extensions["house"].catalog.by_slug(slug)
    person = Person(app, Workspace(home), signed_up.json["user"]["id"], said["email"], NEW)
    assert browser.get("/contacts").status_code == 200
    assert person.browser().sign_in(person).json["email_verified"] is False
    token = posted(person.workspace, said["email"])[-1].token
    assert (
        stranger.browser().post("/email-verifications/redemption", {"token": f"{token}x"}).status_code == 409
    )
    for expected in (204, 409):
        answer = person.browser().post("/email-verifications/redemption", {"token": token})
        assert answer.status_code == expected
    assert person.browser().sign_in(person).json["email_verified"] is True
    assert browser.put("/me/email-verification").status_code == 409


def test_a_verification_is_of_the_address_it_was_sent_to(perla: Person, stranger: Person) -> None:
    perla.change(email_verified_at=None)
    browser = perla.signed_in()
    assert browser.put("/me/email-verification").status_code == 202
    token = posted(perla.workspace, perla.email)[-1].token
    perla.change(email=f"new{perla.email}")
    answer = perla.browser().post("/email-verifications/redemption", {"token": token})
    assert answer.status_code == 409
    with inside(perla.workspace.home):
        assert db().get_one(User, perla.user_id).email_verified_at is None
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize("weak", ["password", "password1234", "qwertyuiop", "hooli gavin", "x" * 20])
def test_a_weak_password_opens_no_tenant(app: Flask, stranger: Person, weak: str) -> None:
    said = {"company": "Hooli", "slug": "weak-one", "name": "Gavin", "email": "gavin@hooli.example.org"}
    answer = Browser(app).post("/signup", {**said, "password": weak})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])
    assert app.extensions["house"].catalog.by_slug("weak-one") is None
    assert stranger.browser().sign_in(stranger).status_code == 201
