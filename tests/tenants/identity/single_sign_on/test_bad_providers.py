"""Providers that answer badly, never, or with keys they did not have before."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey

from tenants.identity.single_sign_on import discovery
from tests.providers import Browser, Provider, refused, use_provider
from tests.strangers import replying, talking
from tests.workspace import Workspace


def huge(handler: Any) -> None:
    replying(200, b'{"id_token": "' + b"x" * 300_000 + b'"}')(handler)


def redirecting(handler: Any) -> None:
    replying(307, b"", Location="http://127.0.0.1:9/token")(handler)


def broken(handler: Any) -> None:
    replying(500, b"<html>Traceback</html>")(handler)


def no_json(handler: Any) -> None:
    replying(200, b"hello")(handler)


def a_list(handler: Any) -> None:
    replying(200, b"[1]")(handler)


@pytest.mark.parametrize(
    "answer", [huge, redirecting, broken, no_json, a_list], ids=lambda each: each.__name__
)
@pytest.mark.parametrize("path", ["/token", "/keys"])
def test_a_provider_that_answers_badly_lets_nobody_in(
    browser: Browser, provider: Provider, who: dict[str, Any], path: str, answer: Callable[[Any], None]
) -> None:
    location = browser.leave()
    provider.answer = lambda asked: answer if asked == path else None
    refused(browser.come_back(provider.grant_code(location, **who)), browser)


@pytest.mark.soak
def test_a_provider_that_never_finishes_is_left(
    app: Flask, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(connection: Any) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.2)

    with talking(drip) as port:
        slow = Browser(app.test_client(), acme, use_provider(acme, f"http://127.0.0.1:{port}"))
        answer = slow.flask.get(slow.path)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")


def test_keys_are_asked_for_again_at_most_once_a_minute(
    browser: Browser, provider: Provider, who: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.sign_in(provider, **who).status_code == 302
    fresh = RSAKey.generate_key(2048, parameters={"kid": "second"}, private=True)
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "second"}, claims, fresh)
    provider.published = [fresh.as_dict(private=False)]
    other = Browser(browser.flask.application.test_client(), browser.workspace, browser.provider_id)
    for _ in range(3):
        refused(other.sign_in(provider, **who), other)
    assert provider.asked.count("/keys") == 1
    later = time.monotonic() + discovery.ASKED_AGAIN_SECONDS + 1
    monkeypatch.setattr(discovery, "monotonic", lambda: later)
    assert other.sign_in(provider, **who).status_code == 302
    assert provider.asked.count("/keys") == 2
