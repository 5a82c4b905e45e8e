"""Attacks on the way to a provider and back: states, sessions and addresses that are somebody else's."""

import secrets
from typing import Any

import pytest
from flask import Flask

from tests.providers import Browser, Provider, refused, running_provider, use_provider
from tests.workspace import Workspace


def test_a_replayed_state_opens_nothing(browser: Browser, provider: Provider, who: dict[str, Any]) -> None:
    brought = provider.grant_code(browser.leave(), **who)
    assert browser.come_back(brought).status_code == 302
    thief = Browser(browser.flask.application.test_client(), browser.workspace, browser.provider_id)
    refused(thief.come_back(brought), thief)
    again = Browser(browser.flask.application.test_client(), browser.workspace, browser.provider_id)
    again.leave()
    refused(again.come_back(brought), again)


@pytest.mark.parametrize("victim_left", [False, True], ids=["no cookie", "cookie of their own"])
def test_login_csrf_nobody_is_signed_in_with_anothers_state(
    app: Flask, browser: Browser, provider: Provider, who: dict[str, Any], *, victim_left: bool
) -> None:
    attackers = provider.grant_code(browser.leave(), **who)
    victim = Browser(app.test_client(), browser.workspace, browser.provider_id)
    if victim_left:
        victim.leave()
    refused(victim.come_back(attackers), victim)


def test_mix_up_an_answer_of_one_provider_is_not_taken_for_anothers(
    app: Flask, acme: Workspace, browser: Browser, provider: Provider, who: dict[str, Any]
) -> None:
    with running_provider() as evil:
        other = Browser(browser.flask, acme, use_provider(acme, evil.issuer))
        brought = provider.grant_code(other.leave(), **who)
        refused(browser.come_back(brought), browser)
        assert provider.redeemed == []
        assert evil.redeemed == []


@pytest.mark.parametrize("iss", ["https://evil.example.org", None])
def test_mix_up_an_answer_says_whose_it_is(
    browser: Browser, provider: Provider, who: dict[str, Any], iss: str | None
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    brought = provider.grant_code(browser.leave(), **who)
    refused(browser.come_back(brought | ({"iss": iss} if iss else {})), browser)
    assert provider.redeemed == []
    again = provider.grant_code(browser.leave(), **who)
    assert browser.come_back({**again, "iss": provider.issuer}).status_code == 302


def test_a_state_of_the_neighbours_is_none_here(
    browser: Browser, neighbour: Workspace, provider: Provider, who: dict[str, Any]
) -> None:
    theirs = Browser(browser.flask, neighbour, use_provider(neighbour, provider.issuer))
    brought = provider.grant_code(theirs.leave(), **who)
    refused(browser.come_back(brought), browser)
    swapped = Browser(browser.flask, neighbour, browser.provider_id)
    assert swapped.flask.get(swapped.path).status_code == 404


@pytest.mark.parametrize(
    "brought", [{"error": "access_denied"}, {"code": ""}, {"error": "x\r\nSet-Cookie: a=b"}], ids=str
)
def test_a_provider_that_says_no_is_believed(
    browser: Browser, provider: Provider, brought: dict[str, str]
) -> None:
    state = provider.grant_code(browser.leave())["state"]
    refused(browser.come_back({"state": state, **brought}), browser)


def test_parameters_that_come_twice_are_none(
    browser: Browser, provider: Provider, who: dict[str, Any]
) -> None:
    brought = provider.grant_code(browser.leave(), **who)
    twice = [*brought.items(), ("code", "another")]
    refused(browser.flask.get(f"{browser.path}/callback", query_string=twice), browser)


def test_session_fixation_a_session_that_was_slipped_to_the_browser_stays_nobodys(
    app: Flask, acme: Workspace, browser: Browser, provider: Provider, who: dict[str, Any]
) -> None:
    slipped = f"fhs_{acme.home.id.hex}_{secrets.token_urlsafe(32)}"
    browser.flask.set_cookie("freehold_session", slipped)
    browser.sign_in(provider, **who)
    cookie = browser.flask.get_cookie("freehold_session")
    assert cookie is not None
    assert cookie.value != slipped
    thief = app.test_client()
    thief.set_cookie("freehold_session", slipped)
    assert thief.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example.org",
        "/\\evil.example.org",
        "\\\\evil.example.org",
        "https://evil.example.org",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:a=b",
        "/a\r\nLocation: https://evil.example.org",
        "/%5cevil.example.org",
        "/%2f%2fevil.example.org",
        "/%252fevil.example.org",
        "/\tevil.example.org",
        "evil.example.org",
        "@evil.example.org",
        "",
        "/" + "x" * 2000,
    ],
)
def test_open_redirect_a_sign_in_leads_nowhere_else(
    browser: Browser, neighbour: Workspace, target: str
) -> None:
    answer = browser.flask.get(browser.path, query_string={"next": target})
    assert answer.status_code == 422
    assert "Location" not in answer.headers


def test_a_sign_in_leads_back_to_the_path_it_was_begun_for(
    browser: Browser, provider: Provider, who: dict[str, Any]
) -> None:
    brought = provider.grant_code(browser.leave(next="/pages/deals?q=a%20b#top"), **who)
    assert browser.come_back(brought).headers["Location"] == "/pages/deals?q=a%20b#top"


def test_why_a_sign_in_was_refused_is_told_to_the_admin_alone(
    browser: Browser, acme: Workspace, neighbour: Workspace, provider: Provider, who: dict[str, Any]
) -> None:
    provider.claims = {"aud": "another client"}
    answer = browser.sign_in(provider, **who)
    assert "aud" not in answer.get_data(as_text=True)
    events = acme.admin.get(f"/audit-events?record_id={browser.provider_id}").json["data"]
    assert "aud" in str(events[0]["changes"])
    assert neighbour.admin.get(f"/audit-events?record_id={browser.provider_id}").json["data"] == []
