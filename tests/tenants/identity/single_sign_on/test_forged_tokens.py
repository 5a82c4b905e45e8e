"""Tokens that the provider did not sign, or not for this sign-in, or with a key that is none."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.providers import CLIENT, KEY, Browser, Provider, refused

EVIL = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig", "alg": "RS256"}, private=True)


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


Forge = Callable[[dict[str, Any]], str]


def refused_while_forged(browser: Browser, provider: Provider, who: dict[str, Any], forge: Forge) -> None:
    provider.sign = forge
    refused(browser.sign_in(provider, **who), browser)
    provider.sign = None
    assert browser.sign_in(provider, **who).status_code == 302


@pytest.mark.parametrize(
    "forge",
    [unsigned, signed_with_the_public_key, signed_by_an_embedded_key, signed_by_a_key_elsewhere],
    ids=lambda forge: forge.__name__,
)
def test_alg_confusion_a_token_does_not_say_how_it_is_to_be_checked(
    browser: Browser, provider: Provider, who: dict[str, Any], forge: Forge
) -> None:
    refused_while_forged(browser, provider, who, forge)


@pytest.mark.parametrize(
    "forge", [signed_by_another_key_of_that_name, altered, of_no_form], ids=lambda forge: forge.__name__
)
def test_a_token_that_the_provider_did_not_sign_proves_nothing(
    browser: Browser, provider: Provider, who: dict[str, Any], forge: Forge
) -> None:
    refused_while_forged(browser, provider, who, forge)


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


def test_alg_confusion_a_key_that_is_too_weak_or_shared_signs_nothing(
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
