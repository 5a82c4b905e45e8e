"""Chromium with a virtual authenticator makes a passkey and signs in with it: no code of ours on that side."""

from typing import Any

import pytest
from flask import Flask

from tests.browsers import chromium, served
from tests.persons import Person

#: What a page does, in the words of the web platform alone.
ASK = """
async ([method, path, said, token]) => {
  const answer = await fetch('/api/v1' + path, {
    method, credentials: 'same-origin', body: said && JSON.stringify(said),
    headers: {'Content-Type': 'application/json', 'X-CSRF-Token': token || ''}});
  const text = await answer.text();
  return {status: answer.status, json: text ? JSON.parse(text) : null};
}
"""
MAKE = """
async (options) => (await navigator.credentials.create(
  {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()
"""
USE = """
async (options) => (await navigator.credentials.get(
  {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()
"""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.soak
def test_chromium_signs_in_with_a_passkey(
    app: Flask, perla: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(app, monkeypatch) as url, chromium() as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.goto(f"{url}/")
        token = signed_in_with_a_passkey_made(page, perla)
        gone = ask(page, "DELETE", "/sessions/current", None, token)
        assert gone["status"] == 204
        assert ask(page, "GET", "/me")["status"] == 401

        options = ask(page, "POST", "/sessions/passkey-options")["json"]["options"]
        signed = page.evaluate(USE, options)
        answer = ask(page, "POST", "/sessions/passkey", {"passkey": signed})
        assert answer["status"] == 201
        assert ask(page, "GET", "/me")["json"]["user"]["email"] == perla.email
        (cookie,) = [each for each in page.context.cookies() if each["name"] == "freehold_session"]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert ask(page, "POST", "/sessions/passkey", {"passkey": signed})["status"] == 401, "a replay"

        devtools.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": device["authenticatorId"], "isUserVerified": False},
        )
        lax = ask(page, "POST", "/sessions/passkey-options")["json"]["options"] | {
            "userVerification": "discouraged"
        }
        unverified = page.evaluate(USE, lax)
        assert ask(page, "POST", "/sessions/passkey", {"passkey": unverified})["status"] == 401
    assert stranger.browser().sign_in(stranger).status_code == 201


def ask(page: Any, method: str, path: str, said: Any = None, token: str = "") -> Any:
    return page.evaluate(ASK, [method, path, said, token])


def signed_in_with_a_passkey_made(page: Any, person: Person) -> str:
    signed_in = ask(page, "POST", "/sessions", {"email": person.email, "password": person.password})
    assert signed_in["status"] == 201
    token = signed_in["json"]["csrf_token"]
    made = ask(page, "POST", "/authenticators", {"kind": "passkey", "name": "Chromium"}, token)
    assert made["status"] == 201, made
    passkey = page.evaluate(MAKE, made["json"]["options"])
    path = f"/authenticators/{made['json']['id']}/confirmation"
    confirmed = ask(page, "PUT", path, {"passkey": passkey}, token)
    assert confirmed["status"] == 200, confirmed
    return str(confirmed["json"]["csrf_token"])
