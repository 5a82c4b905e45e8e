"""A provider that is not our code, started from a package: a person signs in there and comes back."""

import re
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask

from tests.providers import Browser, own_domain, use_provider
from tests.workspace import Workspace

DOMAIN = "realprovider.example.org"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(
        "AUTHLIB_INSECURE_TRANSPORT", "1"
    )  # the provider's own check; it speaks plain HTTP here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it signs with a part of Authlib that is on its way out
        import oidc_provider_mock

        claims = {"email": f"ann@{DOMAIN}", "email_verified": True, "name": "Ann Real"}
        people = [
            oidc_provider_mock.User(sub="ann", claims=claims),
            oidc_provider_mock.User(sub="eve", claims={**claims, "email_verified": False}),
        ]
        with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=people) as server:
            yield f"http://localhost:{server.server_port}"


def sign_in_there(location: str, subject: str) -> dict[str, str]:
    """What a person does at the provider: look at its page, choose who they are, and be sent back."""
    page = requests.get(location, timeout=20)
    assert page.status_code == 200
    assert re.search(r"<form", page.text)
    answer = requests.post(location, data={"sub": subject}, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def came_back(browser: Browser, subject: str) -> Any:
    return browser.come_back(sign_in_there(browser.leave(next="/pages/start"), subject))


def test_a_person_signs_in_with_a_real_provider(
    app: Flask, acme: Workspace, neighbour: Workspace, issuer: str
) -> None:
    own_domain(app, acme, DOMAIN)
    browser = Browser(app.test_client(), acme, use_provider(acme, issuer))
    answer = came_back(browser, "ann")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/pages/start"), answer.json
    me = browser.me().json
    assert (me["user"]["name"], me["user"]["email"]) == ("Ann Real", f"ann@{DOMAIN}")
    eve = Browser(app.test_client(), acme, browser.provider_id)
    assert came_back(eve, "eve").status_code == 401
    assert eve.me().status_code == 401
    theirs = Browser(app.test_client(), neighbour, use_provider(neighbour, issuer))
    assert came_back(theirs, "ann").status_code == 401
    denied = browser.leave()
    sent = requests.post(denied, data={"action": "deny"}, allow_redirects=False, timeout=20)
    brought = dict(parse_qsl(urlsplit(sent.headers["Location"]).query))
    assert brought["error"] == "access_denied"
