"""Signing in with a second factor, and every way around it that is none."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pyotp
import pytest
from sqlalchemy import func, select

from tenants.identity.models import TenantProfile
from tenants.identity.signing_in import totp
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.persons import AT_ONCE, Person, events, reset_token, stale, wins
from tests.workspace import Workspace

thorough = pytest.mark.parametrize(
    "tries", [pytest.param(3, id="some"), pytest.param(50, id="every", marks=pytest.mark.soak)]
)


@pytest.mark.promise("1-27")
def test_a_password_gives_half_of_a_sign_in_and_a_code_the_other_half(
    perla: Person, stranger: Person
) -> None:
    perla.with_app(perla.signed_in())
    browser = perla.browser()
    half = browser.sign_in(perla)
    assert (half.status_code, half.json["methods"]) == (202, ["totp"])
    assert not browser.session
    answer = browser.post("/sessions/second-factor", {"ticket": half.json["ticket"], "code": perla.code()})
    assert answer.status_code == 201
    assert browser.get("/me").json["user"]["email"] == perla.email
    (current,) = [each for each in browser.get("/sessions").json if each["current"]]
    assert (current["strong"], current["method"]) == (True, "password, totp")
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_totp_replay_is_refused(perla: Person, stranger: Person) -> None:
    perla.with_app(perla.signed_in())
    code = perla.code()
    for expected in (201, 401):
        browser = perla.browser()
        said = {"ticket": perla.ticket(browser), "code": code}
        assert browser.post("/sessions/second-factor", said).status_code == expected
    neighbours = stranger.browser().post(
        "/sessions/second-factor", {"ticket": perla.ticket(perla.browser()), "code": code}
    )
    assert neighbours.status_code == 401


def test_a_code_of_the_step_before_is_taken_and_an_older_one_is_not(
    perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = pyotp.TOTP(perla.with_app(perla.signed_in()))
    moment = time.time()
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: moment))
    step = int(moment) // totp.STEP_SECONDS
    for drift, expected in ((-2, 401), (2, 401), (-1, 201)):
        browser = perla.browser()
        said = {"ticket": perla.ticket(browser), "code": app.generate_otp(step + drift)}
        assert browser.post("/sessions/second-factor", said).status_code == expected
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_wrong_codes_count_and_the_fifth_is_the_last(perla: Person, stranger: Person) -> None:
    perla.with_app(perla.signed_in())
    browser = perla.browser()
    ticket = perla.ticket(browser)
    for _ in range(5):
        answer = browser.post("/sessions/second-factor", {"ticket": ticket, "code": "000000"})
        assert answer.status_code == 401
    right = browser.post("/sessions/second-factor", {"ticket": ticket, "code": perla.code()})
    assert (right.status_code, right.json["code"]) == (409, "gone")
    assert len(events(perla, "sessions.refused")) == 5
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_a_ticket_of_a_neighbour_or_of_nobody_opens_nothing(perla: Person, stranger: Person) -> None:
    perla.with_app(perla.signed_in())
    stranger.with_app(stranger.signed_in())
    theirs = stranger.ticket(stranger.browser())
    ours = perla.ticket(perla.browser())
    moved = theirs.replace(stranger.workspace.home.id.hex, perla.workspace.home.id.hex)
    for ticket, status in ((moved, 409), ("fho_x_y", 409), ("nonsense", 409), (theirs, 401)):
        answer = perla.browser().post("/sessions/second-factor", {"ticket": ticket, "code": perla.code()})
        assert answer.status_code == status, ticket
    assert (
        perla.browser().post("/sessions/second-factor", {"ticket": ours, "code": perla.code()}).status_code
        == 201
    )


def test_recovery_codes_open_once_each_and_new_ones_replace_them(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    assert browser.put("/authenticators/recovery-codes").status_code == 409
    perla.with_app(browser)
    codes = browser.put("/authenticators/recovery-codes").json["codes"]
    assert len(set(codes)) == 10
    for expected in (201, 401):
        said = {"ticket": perla.ticket(perla.browser()), "recovery_code": f" {codes[0].upper()} "}
        assert perla.browser().post("/sessions/second-factor", said).status_code == expected
    assert browser.get("/authenticators/recovery-codes").json == {"left": 9}
    assert any("recovery code" in mail.text for mail in posted(perla.workspace, perla.email))
    browser.put("/authenticators/recovery-codes")
    said = {"ticket": perla.ticket(perla.browser()), "recovery_code": codes[1]}
    assert perla.browser().post("/sessions/second-factor", said).status_code == 401
    assert stranger.browser().sign_in(stranger).status_code == 201


@thorough
def test_parallel_redemption_of_one_code_lets_one_in(
    perla: Person, stranger: Person, tries: int, unhurried: None
) -> None:
    perla.with_app(perla.signed_in())
    for _ in range(tries):
        perla.forget_steps()
        tickets = [perla.ticket(perla.browser()) for _ in range(AT_ONCE)]
        code = perla.code()
        assert wins(lambda n: finished(perla, ticket=tickets[n], code=code)) == 1  # noqa: B023 - used at once
    assert stranger.browser().sign_in(stranger).status_code == 201


@thorough
def test_parallel_redemption_of_one_recovery_code_lets_one_in(
    perla: Person, stranger: Person, tries: int, monkeypatch
) -> None:
    browser = perla.signed_in()
    perla.with_app(browser)
    for _ in range(tries):
        code = browser.put("/authenticators/recovery-codes").json["codes"][0]
        tickets = [perla.ticket(perla.browser()) for _ in range(AT_ONCE)]
        assert wins(lambda n: finished(perla, ticket=tickets[n], recovery_code=code)) == 1  # noqa: B023 - likewise
    assert stranger.browser().sign_in(stranger).status_code == 201


@thorough
def test_parallel_redemption_of_one_ticket_lets_one_in(
    perla: Person, stranger: Person, tries: int, unhurried: None
) -> None:
    browser = perla.signed_in()
    perla.with_app(browser)
    for _ in range(tries):
        codes = browser.put("/authenticators/recovery-codes").json["codes"]
        ticket = perla.ticket(perla.browser())
        assert wins(lambda n: finished(perla, ticket=ticket, recovery_code=codes[n])) == 1  # noqa: B023 - likewise
    assert stranger.browser().sign_in(stranger).status_code == 201


def finished(person: Person, **said: str) -> bool:
    answer = person.browser().post("/sessions/second-factor", said)
    assert answer.status_code in (201, 401, 409), answer.json
    return answer.status_code == 201


def test_mfa_bypass_by_asking_for_anything_with_a_half_done_sign_in(perla: Person, stranger: Person) -> None:
    perla.with_app(perla.signed_in())
    browser = perla.browser()
    ticket = perla.ticket(browser)
    thief = perla.browser()
    thief.flask.set_cookie("freehold_session", ticket)
    assert thief.get("/me").status_code == 401
    assert thief.get("/me", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401
    as_reset = thief.post(
        "/password-resets/redemption", {"token": ticket, "password": "another fine long one"}
    )
    assert as_reset.status_code == 409
    with inside(perla.workspace.home):
        count = db().scalar(select(func.count()).where(Session.user_id == perla.user_id))
    assert count == 1
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.promise("IAM-2")
def test_mfa_bypass_by_a_reset_password(perla: Person, stranger: Person) -> None:
    perla.with_app(perla.signed_in())
    token = reset_token(perla)
    browser = perla.browser()
    said = {"token": token, "password": "eleven quiet otters dance"}
    assert browser.post("/password-resets/redemption", said).status_code == 204
    assert not browser.session
    half = browser.sign_in(perla, said["password"])
    assert half.status_code == 202
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_who_has_to_have_a_second_factor_is_limited_until_they_set_one_up(
    new_person: Callable[..., Person], new_workspace: Callable[[], Workspace], stranger: Person
) -> None:
    workspace = new_workspace()
    person = new_person(workspace)
    browser = person.signed_in()
    rules = workspace.admin.in_person.put("/sign-in-rules", {"mfa_required": True})
    assert str(person.user_id) in {each["id"] for each in rules.json["without_second_factor"]}
    refused = browser.get("/contacts")
    assert (refused.status_code, refused.json["code"]) == (403, "mfa_required")
    before = browser.session
    person.with_app(browser)
    assert browser.get("/contacts").status_code == 200
    assert browser.session != before
    rules = workspace.admin.get("/sign-in-rules").json
    assert str(person.user_id) not in {each["id"] for each in rules["without_second_factor"]}
    (own,) = browser.get("/authenticators").json
    kept = browser.delete(f"/authenticators/{own['id']}")
    assert (kept.status_code, kept.json["code"]) == (409, "mfa_required")
    with inside(stranger.workspace.home):
        assert not db().scalars(select(TenantProfile.mfa_required)).one()


def test_a_role_that_asks_for_a_second_factor_limits_who_has_it_and_nobody_else(
    new_person: Callable[..., Person], new_workspace: Callable[[], Workspace], stranger: Person
) -> None:
    workspace = new_workspace()
    person, other = new_person(workspace), new_person(workspace)
    browser, beside = person.signed_in(), other.signed_in()
    admin = workspace.admin.in_person
    said = {"name": "Careful", "permissions": {"contacts:read": "all"}, "mfa_required": True}
    role = admin.post("/roles", said)
    assert role.status_code == 201, role.json
    given = admin.put(f"/users/{person.user_id}/roles", {"role_ids": [role.json["id"]]})
    assert given.status_code == 200, given.json
    refused = browser.get("/contacts")
    assert (refused.status_code, refused.json["code"]) == (403, "mfa_required")
    assert beside.get("/contacts").status_code == 200
    person.with_app(browser)
    assert browser.get("/contacts").status_code == 200
    assert stranger.signed_in().get("/contacts").status_code == 200


def test_an_admin_takes_away_the_second_factors_of_somebody_who_lost_them(
    perla: Person, stranger: Person
) -> None:
    browser = perla.signed_in()
    perla.with_app(browser)
    admin = perla.workspace.admin.in_person
    assert admin.delete(f"/users/{stranger.user_id}/authenticators").status_code == 404
    assert admin.delete(f"/users/{perla.user_id}/authenticators").status_code == 204
    assert browser.get("/me").status_code == 401
    assert perla.browser().sign_in(perla).status_code == 201
    assert any("taken away" in mail.subject for mail in posted(perla.workspace, perla.email))
    assert events(perla, "authenticators.reset")
    sales = perla.workspace.sales.in_person.delete(f"/users/{perla.user_id}/authenticators")
    assert sales.status_code == 403


def test_nobody_sees_or_changes_the_second_factor_of_another(
    perla: Person, stranger: Person, new_person
) -> None:
    colleague = new_person().signed_in()
    theirs = perla.signed_in()
    perla.with_app(theirs)
    (mine,) = theirs.get("/authenticators").json
    for browser in (colleague, stranger.signed_in()):
        assert browser.get("/authenticators").json == []
        for method in ("PATCH", "DELETE"):
            said = {"name": "X"} if method == "PATCH" else None
            assert browser.ask(method, f"/authenticators/{mine['id']}", said).status_code == 404
    renamed = theirs.ask("PATCH", f"/authenticators/{mine['id']}", {"name": "Old phone"})
    assert renamed.json["name"] == "Old phone"
    assert theirs.delete(f"/authenticators/{mine['id']}").status_code == 204
    assert perla.browser().sign_in(perla).status_code == 201


def test_a_second_factor_that_was_not_confirmed_asks_for_nothing(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    made = browser.post("/authenticators", {"kind": "totp", "name": "Phone"}).json
    assert made["uri"].startswith("otpauth://totp/Freehold")
    wrong = browser.put(f"/authenticators/{made['id']}/confirmation", {"code": "000000"})
    assert wrong.status_code == 422
    assert perla.browser().sign_in(perla).status_code == 201
    assert made["secret"] not in browser.get("/authenticators").get_data(as_text=True)
    assert stranger.browser().sign_in(stranger).status_code == 201


def test_setting_up_a_second_factor_takes_a_fresh_confirmation(perla: Person, stranger: Person) -> None:
    browser = perla.signed_in()
    stale(perla)
    refused = browser.post("/authenticators", {"kind": "totp", "name": "Thief's phone"})
    assert (refused.status_code, refused.json["code"]) == (403, "step_up")
    assert stranger.browser().sign_in(stranger).status_code == 201
