"""Inviting somebody, and what they do with the link."""

import secrets
from typing import Any

from flask import Flask

from tests.workspace import Workspace

PASSWORD = "blue kettle under seven stairs"


def somebody() -> str:
    return f"{secrets.token_hex(6)}@people.test"


def role(workspace: Workspace, name: str) -> str:
    found = workspace.admin.get(f"/roles?name={name}").json["data"]
    return str(found[0]["id"])


def invite(workspace: Workspace, **said: Any) -> Any:
    body = {"email": somebody(), "name": "Nora New", **said}
    return workspace.admin.in_person.post("/invitations", body)


def accept(app: Flask, token: str, **said: Any) -> Any:
    body = {"token": token, "password": PASSWORD, **said}
    # As from anywhere: how often one address may try is another matter.
    somewhere = {"REMOTE_ADDR": f"198.51.100.{secrets.randbelow(250) + 1}"}
    return app.test_client().post("/api/v1/invitations/acceptance", json=body, environ_overrides=somewhere)


def sign_in(app: Flask, email: str, password: str = PASSWORD) -> Any:
    return app.test_client().post("/api/v1/sessions", json={"email": email, "password": password})
