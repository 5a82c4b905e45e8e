"""Signing in with a provider: who gets in, as whom, and who does not."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.identity.signing_in.models import Session
from tenants.identity.single_sign_on import recognising
from tenants.isolation.door import db, inside
from tests.providers import Browser, Provider, use_provider
from tests.workspace import Workspace


def somebody(domain: str) -> dict[str, Any]:
    """Claims of somebody who was never here."""
    name = secrets.token_hex(6)
    return {"sub": name, "email": f"{name}@{domain}", "email_verified": True, "name": "Nina New"}


def user_at(workspace: Workspace, email: str, **fields: Any) -> str:
    with inside(workspace.home):
        act_as(SYSTEM)
        made = User(name="Old Hand", email=email, source="system", **fields)
        db().add(made)
        db().flush()
        return str(made.id)


def session_of(workspace: Workspace, user_id: str) -> Session:
    with inside(workspace.home):
        return db().scalars(
            select(Session).where(Session.user_id == user_id).order_by(Session.created_at.desc()).limit(1)
        ).one()  # fmt: skip


def test_somebody_new_from_a_proven_domain_gets_in_with_the_default_role(
    browser: Browser, provider: Provider, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    answer = browser.sign_in(provider, **who)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    me = browser.me().json
    assert (me["user"]["name"], me["user"]["email"]) == ("Nina New", who["email"])
    assert me["permissions"]["contacts:read"] == "team"
    assert "api-keys:create" not in me["permissions"]
    assert browser.sign_in(provider, **who).status_code == 302
    assert browser.me().json["user"]["id"] == me["user"]["id"]
    assert me["user"]["id"] not in neighbour.admin.get("/users?limit=200").get_data(as_text=True)


def test_the_same_person_is_known_by_the_subject_whatever_their_address_is_now(
    browser: Browser, provider: Provider, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    browser.sign_in(provider, **who)
    first = browser.me().json["user"]["id"]
    assert browser.sign_in(provider, **{**who, "email": "married@elsewhere.example.org"}).status_code == 302
    assert browser.me().json["user"]["id"] == first
    elsewhere = Browser(browser.flask, neighbour, use_provider(neighbour, provider.issuer))
    assert elsewhere.sign_in(provider, **who).status_code == 401


def test_who_was_here_before_is_linked_by_a_verified_address(
    browser: Browser, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    old = user_at(acme, who["email"].upper())
    assert browser.sign_in(provider, **who).status_code == 302
    assert browser.me().json["user"]["id"] == old
    assert neighbour.admin.get(f"/users/{old}").status_code == 404


@pytest.mark.parametrize(
    "lie",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "no"},
        {"email": "ada@acme.test"},
        {"email": "ada@acme.test@{domain}.evil.example.org"},
        {"email": None},
        {"email": ["ada@acme.test"]},
    ],
    ids=str,
)
def test_an_account_is_not_taken_over_by_an_address_that_proves_nothing(
    browser: Browser,
    provider: Provider,
    acme: Workspace,
    domain: str,
    neighbour: Workspace,
    lie: dict[str, Any],
) -> None:
    who = somebody(domain)
    user_at(acme, who["email"])
    answer = browser.sign_in(provider, **{**who, **lie})
    assert (answer.status_code, answer.json["code"]) == (401, "sso_refused")
    assert browser.me().status_code == 401


def test_an_address_that_went_to_somebody_else_over_there_opens_nothing_here(
    browser: Browser, provider: Provider, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    browser.sign_in(provider, **who)
    successor = Browser(browser.flask.application.test_client(), browser.workspace, browser.provider_id)
    assert successor.sign_in(provider, **{**who, "sub": "successor"}).status_code == 401
    assert successor.me().status_code == 401


def test_who_was_deactivated_stays_out(
    browser: Browser, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    browser.sign_in(provider, **who)
    with inside(acme.home):
        db().execute(
            update(User.__table__).where(User.__table__.c.email == who["email"]).values(state="inactive")
        )
    assert browser.me().status_code == 401
    assert browser.sign_in(provider, **who).status_code == 401
    invited = somebody(domain)
    user_at(acme, invited["email"], state="invited")
    assert browser.sign_in(provider, **invited).status_code == 302


def test_nobody_is_added_without_a_default_role(
    app: Flask, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace
) -> None:
    browser = Browser(app.test_client(), acme, use_provider(acme, provider.issuer, role=None))
    who = somebody(domain)
    assert browser.sign_in(provider, **who).status_code == 401
    user_at(acme, who["email"])
    assert browser.sign_in(provider, **who).status_code == 302


@pytest.mark.parametrize(
    ("said", "strong"),
    [
        ({}, False),
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "gold"}, True),
        ({"acr": "mfa"}, False),
    ],
    ids=str,
)
def test_a_session_is_strong_when_the_provider_says_so(
    app: Flask,
    provider: Provider,
    acme: Workspace,
    domain: str,
    neighbour: Workspace,
    said: dict[str, Any],
    *,
    strong: bool,
) -> None:
    browser = Browser(app.test_client(), acme, use_provider(acme, provider.issuer, strong_acr="gold"))
    browser.sign_in(provider, **somebody(domain), **said)
    session = session_of(acme, browser.me().json["user"]["id"])
    assert (session.method, session.strong) == ("sso", strong)


def test_only_the_moment_when_somebody_was_there_confirms_who_they_are(
    browser: Browser, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    browser.sign_in(provider, **who)
    user = browser.me().json["user"]["id"]
    assert session_of(acme, user).confirmed_at < now() - timedelta(hours=1)
    location = browser.leave(confirm="true")
    assert "prompt=login" in location
    assert "max_age=0" in location
    browser.come_back(provider.grant_code(location, **who, auth_time=int(now().timestamp())))
    assert session_of(acme, user).confirmed_at > now() - timedelta(minutes=5)


def test_two_first_sign_ins_of_one_person_at_once_are_one_user(
    app: Flask, browser: Browser, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace
) -> None:
    who = somebody(domain)
    browsers = [Browser(app.test_client(), acme, browser.provider_id) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: each.sign_in(provider, **who), browsers))
    assert [each.status_code for each in answers] == [302] * 4
    assert len({each.me().json["user"]["id"] for each in browsers}) == 1


def test_who_comes_in_by_another_window_meanwhile_is_the_same_user(
    browser: Browser, provider: Provider, acme: Workspace, domain: str, neighbour: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    who, windows = (
        somebody(domain),
        [Browser(acme.admin.flask.application.test_client(), acme, browser.provider_id)],
    )
    by_address, answers = recognising._by_address, []

    def after_the_other_window(*said: Any) -> Any:
        if windows:
            with ThreadPoolExecutor(1) as pool:
                answers.append(pool.submit(windows.pop().sign_in, provider, **who).result().status_code)
        return by_address(*said)

    monkeypatch.setattr(recognising, "_by_address", after_the_other_window)
    assert (browser.sign_in(provider, **who).status_code, answers) == (302, [302])
    assert neighbour.admin.get(f"/users/{browser.me().json['user']['id']}").status_code == 404


def test_the_code_is_redeemed_with_the_verifier_of_the_challenge_and_our_secret(
    browser: Browser, provider: Provider, domain: str, neighbour: Workspace
) -> None:
    location = browser.leave()
    assert "code_challenge_method=S256" in location
    brought = provider.grant_code(location, **somebody(domain))
    browser.come_back(brought)
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    sent = provider.redeemed[-1]
    assert sent["code"] == brought["code"]
    assert create_s256_code_challenge(sent["code_verifier"]) == provider.codes[brought["code"]]["challenge"]
