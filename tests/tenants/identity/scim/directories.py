"""A company's directory, as it comes to `/scim/v2`."""

import secrets
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.founding import new_api_key
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tests.workspace import Workspace

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def directory_key(workspace: Workspace, scopes: list[str] | None = None) -> str:
    """A key of the admin that may provision, and nothing else unless it is said."""
    with inside(workspace.home):
        act_as(SYSTEM)
        admin = db().get_one(User, workspace.admin.user_id)
        key = new_api_key(
            workspace.home, admin, "Directory", ["scim:provision"] if scopes is None else scopes
        )
        db().flush()
        return key


@dataclass
class Directory:
    """Requests with one key."""

    flask: FlaskClient
    key: str

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        return self.flask.open(f"/scim/v2{path}", method=method, json=body, headers=headers, **options)

    def add_user(self, **fields: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/Users", new_user(**fields))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json(force=True)

    def add_group(self, **fields: Any) -> dict[str, Any]:
        said = {"schemas": [GROUP], "displayName": f"G{secrets.token_hex(6)}", **fields}
        answer = self.ask("POST", "/Groups", said)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json(force=True)

    def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> TestResponse:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **options)


def new_user(**fields: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": f"u{secrets.token_hex(6)}@example.org", **fields}


def said(answer: Any) -> Any:
    assert answer.content_type == "application/scim+json"
    return answer.get_json(force=True)


def listed(directory: Directory, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = directory.ask("GET", path, query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return said(answer).get("Resources", [])
