"""Attacks on signing in elsewhere, each by a provider, a browser or an answer that is not what it says."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tenants.identity.single_sign_on import discovery
from tests.providers import CLIENT, KEY, Browser, Provider, own_domain, running_provider, use_provider
from tests.strangers import replying, talking
from tests.workspace import Workspace

EVIL = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig", "alg": "RS256"}, private=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def domain(app: Flask, acme: Workspace) -> str:
    name = f"d{secrets.token_hex(5)}.example.org"
    own_domain(app, acme, name)
    return name


@pytest.fixture
def browser(app: Flask, acme: Workspace, neighbour: Workspace, provider: Provider) -> Browser:
    return Browser(app.test_client(), acme, use_provider(acme, provider.issuer))


@pytest.fixture
def who(domain: str) -> dict[str, Any]:
    name = secrets.token_hex(6)
    return {"sub": name, "email": f"{name}@{domain}", "email_verified": True}


def refused(answer: Any, browser: Browser) -> None:
    assert (answer.status_code, answer.json["code"]) == (401, "sso_refused"), answer.json
    assert browser.me().status_code == 401


def part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """HS256, whose secret is what everybody can read (algorithm confusion)."""
    public = KEY.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey.import_key(public))


def signed_by_an_embedded_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "jwk": EVIL.as_dict(private=False)}, claims, EVIL)


def signed_by_a_key_elsewhere(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first", "jku": "http://127.0.0.1:9/keys"}, claims, EVIL)


def signed_by_another_key_of_that_name(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, EVIL)


def altered(claims: dict[str, Any]) -> str:
    head, _, signature = jwt.encode({"alg": "RS256", "kid": "first"}, claims, KEY).split(".")
    return f"{head}.{part({**claims, 'sub': 'somebody else'})}.{signature}"


def of_no_form(_claims: dict[str, Any]) -> str:
    return "a.b.c"


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key,
        signed_by_an_embedded_key,
        signed_by_a_key_elsewhere,
        signed_by_another_key_of_that_name,
        altered,
        of_no_form,
    ],
    ids=lambda forge: forge.__name__,
)
def test_a_token_that_the_provider_did_not_sign_proves_nothing(
    browser: Browser, provider: Provider, who: dict[str, Any], forge: Callable[[dict[str, Any]], str]
) -> None:
    provider.sign = forge
    refused(browser.sign_in(provider, **who), browser)
    provider.sign = None
    assert browser.sign_in(provider, **who).status_code == 302


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"aud": None},
        {"aud": []},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"iss": "https://login.example.org"},
        {"iss": None},
        {"nonce": "another sign-in's"},
        {"nonce": None},
        {"nonce": ["x"]},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "never"},
        {"iat": NOW + 7200},
        {"iat": None},
        {"nbf": NOW + 7200},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": 7},
    ],
    ids=lambda wrong: (
        str(wrong).replace(str(NOW - 3600), "an hour ago").replace(str(NOW + 7200), "in two hours")
    ),
)
def test_a_token_that_is_not_for_this_sign_in_proves_nothing(
    browser: Browser, provider: Provider, who: dict[str, Any], claims: dict[str, Any]
) -> None:
    provider.claims = claims
    refused(browser.sign_in(provider, **who), browser)


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


# ─── providers that answer badly ─────────────────────────────────────────────────────────────


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


def test_a_key_that_is_too_weak_or_shared_signs_nothing(
    browser: Browser, provider: Provider, who: dict[str, Any]
) -> None:
    shared = OctKey.generate_key(256, parameters={"kid": "shared"}, private=True)
    provider.published = [
        shared.as_dict(),
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"},
        {"kty": 7},
    ]
    provider.sign = lambda claims: jwt.encode({"alg": "HS256", "kid": "shared"}, claims, shared)
    refused(browser.sign_in(provider, **who), browser)


def test_why_a_sign_in_was_refused_is_told_to_the_admin_alone(
    browser: Browser, acme: Workspace, neighbour: Workspace, provider: Provider, who: dict[str, Any]
) -> None:
    provider.claims = {"aud": "another client"}
    answer = browser.sign_in(provider, **who)
    assert "aud" not in answer.get_data(as_text=True)
    events = acme.admin.get(f"/audit-events?record_id={browser.provider_id}").json["data"]
    assert "aud" in str(events[0]["changes"])
    assert neighbour.admin.get(f"/audit-events?record_id={browser.provider_id}").json["data"] == []
