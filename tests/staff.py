"""Our own people as tests use them: an account of each role, and the way to an open visit."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.provisioning.birth import Nursery
from tenants.support_access.memberships import settle_visits
from tenants.support_access.staff.accounts import Made, NewStaff, make_staff, new_credential
from tenants.support_access.staff.signing_in import SESSION_LASTS
from tests.workspace import Workspace


@dataclass
class Person:
    """Requests of one of our people: `person.get("/tenants")` asks for /staff/v1/tenants.

    They look with their key, and do whatever else in person.
    """

    app: Flask
    made: Made
    token: str = ""

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        own = self.made.api_key if method == "GET" else self.session
        token = options.pop("token", None) or self.token or own
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        client = self.app.test_client(use_cookies=False)
        return client.open(f"/staff/v1{path}", method=method, headers=headers, **options)

    @property
    def session(self) -> str:
        """A new one, as signing in makes it."""
        with self.app.extensions["house"].catalog.transaction() as session:
            return new_credential(session, self.made.staff.id, "session", SESSION_LASTS)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.request("POST", path, json=json or {}, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.request("PUT", path, json=json or {}, **options)


@dataclass
class Bureau:
    """Everybody of ours, and the platform's round that opens and ends visits."""

    app: Flask
    catalog: Catalog
    nursery: Nursery
    settings: Settings
    boss: Person = field(init=False)
    ann: Person = field(init=False)

    def __post_init__(self) -> None:
        self.boss = self.hire("support")
        self.ann = self.hire("support", manager=self.boss)

    def hire(self, role: str, manager: Person | None = None, password: str | None = None) -> Person:
        email = f"{role}-{secrets.token_hex(4)}@freehold.test"
        said = NewStaff(
            email, role, role.title(), manager.made.staff.email if manager else None, password, api_key=True
        )
        return Person(self.app, make_staff(self.catalog, self.nursery.wrapper, said))

    def settle(self) -> int:
        """The platform's round, as the scheduler makes it."""
        return settle_visits(self.catalog, {"main": self.settings.owner_database_url})

    def asked(self, workspace: Workspace, **scope: Any) -> dict[str, Any]:
        """An ask of Ann's that waits for her manager."""
        answer = self.ann.post("/access-grants", ASK | {"tenant": slug_of(workspace)} | scope)
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def granted(self, workspace: Workspace, approval: Any = None, **scope: Any) -> dict[str, Any]:
        """A grant of Ann's that manager and tenant approved."""
        asked = self.asked(workspace, **scope)
        assert self.boss.put(f"/access-grants/{asked['id']}/approval").status_code == 200
        path = f"/access-grants/{asked['id']}/approval"
        approved = workspace.admin.in_person.put(path, approval or {})
        assert approved.status_code == 200, approved.json
        return dict(approved.json)

    def visit(self, grant: dict[str, Any], person: Person | None = None, **said: Any) -> "Visit":
        """An open visit under a grant."""
        person = person or self.ann
        answer = person.post("/visits", {"grant_id": grant["id"], **said})
        assert answer.status_code == 202, answer.json
        self.settle()
        return Visit(person, answer.json["id"], answer.json["token"])


@dataclass
class Visit:
    """Requests of an open visit: `visit.get("/contacts")`."""

    person: Person
    id: str
    token: str

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.person.request("GET", f"/visits/current{path}", token=self.token, **options)

    def patch(self, path: str, json: Any) -> TestResponse:
        return self.person.request("PATCH", f"/visits/current{path}", token=self.token, json=json)

    def end(self) -> TestResponse:
        return self.person.request("DELETE", f"/visits/{self.id}")


ASK = {
    "resources": ["contacts", "companies"],
    "hours": 2,
    "reason": "fault",
    "explanation": "The list of contacts is empty for them.",
    "ticket": "T-1",
}


def slug_of(workspace: Workspace) -> str:
    """The tenant's name in addresses."""
    return str(workspace.admin.get("/me").json["tenant"]["slug"])
