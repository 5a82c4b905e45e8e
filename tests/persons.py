"""Somebody with a password and a browser, who signs in as people do."""

import itertools
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.models import Role, User, UserRole
from tenants.identity.signing_in.models import Authenticator, Password, Session
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db, inside
from tenants.provisioning.birth import Nursery
from tests.mails import posted
from tests.passkeys import Passkey
from tests.settled import settle
from tests.workspace import Workspace

PASSWORD = "seven purple herons sing"
#: How many try the same thing at the same moment.
AT_ONCE = 5
_addresses = itertools.count(1)


def new_address() -> str:
    """An address on loopback that no other test asks from: throttles count by address."""
    number = next(_addresses) + secrets.randbelow(2**15) * 2**8
    return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Browser:
    """A browser with cookies; it sends the token against forgery along once it has one."""

    def __init__(self, app: Flask, address: str | None = None) -> None:
        self.flask: FlaskClient = app.test_client()
        self.flask.environ_base["REMOTE_ADDR"] = address or new_address()
        self.token = ""

    @property
    def session(self) -> str:
        cookie = self.flask.get_cookie("freehold_session")
        return cookie.value if cookie else ""

    def ask(self, method: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.token, **options.pop("headers", {})}
        answer = self.flask.open(f"/api/v1{path}", method=method, json=json, headers=headers, **options)
        if answer.status_code in (200, 201) and isinstance(answer.json, dict) and "csrf_token" in answer.json:
            self.token = answer.json["csrf_token"] or self.token
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.ask("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.ask("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.ask("PUT", path, json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.ask("DELETE", path, **options)

    def sign_in(self, person: "Person", password: str = "") -> TestResponse:
        return self.post("/sessions", {"email": person.email, "password": password or person.password})


@dataclass
class Person:
    """A user with an address and a password."""

    app: Flask
    workspace: Workspace
    user_id: UUID
    email: str
    password: str = PASSWORD
    secrets: list[str] = field(default_factory=list)

    def browser(self, address: str | None = None) -> Browser:
        return Browser(self.app, address)

    def signed_in(self) -> Browser:
        """A browser in which they signed in with the password alone."""
        browser = self.browser()
        answer = browser.sign_in(self)
        assert answer.status_code == 201, answer.json
        return browser

    def ticket(self, browser: Browser) -> str:
        answer = browser.sign_in(self)
        assert answer.status_code == 202, answer.json
        return str(answer.json["ticket"])

    def with_app(self, browser: Browser) -> str:
        """Set up an authenticator app in this browser; its secret."""
        made = browser.post("/authenticators", {"kind": "totp", "name": "Phone"}).json
        path = f"/authenticators/{made['id']}/confirmation"
        answer = browser.put(path, {"code": pyotp.TOTP(made["secret"]).now()})
        assert answer.status_code == 200, answer.json
        self.secrets.append(made["secret"])
        self.forget_steps()
        return str(made["secret"])

    def with_passkey(self, browser: Browser, passkey: Passkey) -> str:
        """Set up a passkey in this browser; the id of the authenticator."""
        made = browser.post("/authenticators", {"kind": "passkey", "name": "Key"})
        assert made.status_code == 201, made.json
        path = f"/authenticators/{made.json['id']}/confirmation"
        answer = browser.put(path, {"passkey": passkey.made(made.json["options"])})
        assert answer.status_code == 200, answer.json
        return str(made.json["id"])

    def forget_steps(self) -> None:
        """As if half a minute had gone by: the code of this moment can be used again."""
        with inside(self.workspace.home):
            for each in db().scalars(select(Authenticator).where(Authenticator.user_id == self.user_id)):
                each.last_step = None

    def code(self) -> str:
        """A code of their app that lasts for the rest of the test."""
        if time.time() % 30 > 27:
            time.sleep(3)
        return pyotp.TOTP(self.secrets[-1]).now()

    def change(self, **values: Any) -> None:
        with inside(self.workspace.home):
            act_as(SYSTEM)
            user = db().get_one(User, self.user_id)
            for name, value in values.items():
                setattr(user, name, value)


@lru_cache(1)
def hash_of_password() -> str:
    """Worked out once: a hash of a password costs a twentieth of a second."""
    return hash_of(PASSWORD)


def make_person(
    app: Flask, nursery: Nursery, workspace: Workspace, *, role: str = "sales", email: str = ""
) -> Person:
    """A new user of a workspace who can sign in."""
    address = email or f"p{secrets.token_hex(6)}@example.test"
    with inside(workspace.home):
        act_as(SYSTEM)
        user = User(name="Perla Person", email=address, email_verified_at=now(), source=Source.SYSTEM)
        db().add(user)
        db().flush()
        role_id = db().scalars(select(Role.id).where(Role.name == role)).one()
        db().add_all(
            [UserRole(user_id=user.id, role_id=role_id), Password(user_id=user.id, hash=hash_of_password())]
        )
    nursery.note_email(workspace.home, address)
    return Person(app, workspace, user.id, address)


def wins(attempt: Callable[[int], bool]) -> int:
    """How many of several attempts at the same moment got what one can get."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(attempt, range(AT_ONCE)))


def events(person: Person, action: str) -> list[dict[str, Any]]:
    """What is on record of an action on a person."""
    settle(person.app)
    query = {"action": action, "record_id": str(person.user_id), "limit": 200}
    answer = person.workspace.admin.get("/audit-events", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["data"])


def reset_token(person: Person) -> str:
    """What the mail to somebody who forgot their password holds."""
    asked = person.browser().post("/password-resets", {"email": person.email})
    assert asked.status_code == 202
    settle(person.app)
    return [each for each in posted(person.workspace, person.email) if "#" in each.text][-1].token


def stale(person: Person) -> None:
    """As if the person had confirmed who they are long ago."""
    with inside(person.workspace.home):
        for each in db().scalars(select(Session).where(Session.user_id == person.user_id)):
            each.confirmed_at -= timedelta(hours=1)
