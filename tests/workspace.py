"""A tenant as tests use it: its home, and a client for each of its users."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Source
from tenants.identity.founding import Founder, new_api_key
from tenants.identity.models import Role, Team, TeamMember, User, UserRole
from tenants.identity.recognition import SESSION_PREFIX, csrf_token
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tenants.provisioning.birth import Nursery

ROLES = ("admin", "manager", "sales", "read-only")


@dataclass
class Client:
    """Requests of one user, by API key: `client.get("/contacts")` asks for /api/v1/contacts.

    `client.in_person` is the same user signed in with a second factor, who has just confirmed who they are.
    """

    flask: FlaskClient
    key: str
    user_id: UUID
    team_id: UUID | None = None
    session: str = ""

    @property
    def in_person(self) -> "Client":
        return replace(self, key="")

    @property
    def headers(self) -> dict[str, str]:
        """The credential that every request carries."""
        if self.key:
            return {"Authorization": f"Bearer {self.key}"}
        return {"Cookie": f"freehold_session={self.session}", "X-CSRF-Token": csrf_token(self.session)}

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        target = path if path.startswith(("/api/", "/health", "/metrics")) else f"/api/v1{path}"
        return self.flask.open(target, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return (
            self.request("POST", path, json=json, **options)
            if json is not None
            else self.request("POST", path, **options)
        )

    def patch(self, path: str, json: Any, **options: Any) -> TestResponse:
        return self.request("PATCH", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.request("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.request("DELETE", path, **options)


@dataclass
class Workspace:
    """A tenant: an admin, and a manager, a salesperson and a reader who share one team; `sales-elsewhere` has another."""

    home: Home
    clients: dict[str, Client] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Client:
        try:
            return self.clients[name.replace("_", "-")]
        except KeyError:
            raise AttributeError(name) from None


def make_workspace(app: Flask, nursery: Nursery, slug: str) -> Workspace:
    """A new tenant with a user for every built-in role."""
    founder = Founder("Ada Admin", f"ada@{slug}.test", api_key=True)
    home, founding = nursery.open(slug, slug.title(), founder)
    workspace = Workspace(home)
    assert founding.api_key is not None
    with inside(home):
        act_as(SYSTEM)
        session = signed_in(home, founding.user_id)
        workspace.clients["admin"] = Client(
            app.test_client(use_cookies=False), founding.api_key, founding.user_id, session=session
        )
        teams = [Team(name=name, source=Source.SYSTEM) for name in ("North", "South")]
        db().add_all(teams)
        db().flush()
        for name, role, team in (
            ("manager", "manager", teams[0]),
            ("sales", "sales", teams[0]),
            ("read-only", "read-only", teams[0]),
            ("sales-elsewhere", "sales", teams[1]),
        ):
            user = User(name=name.title(), email=f"{name}@{slug}.test", team_id=team.id, source=Source.SYSTEM)
            db().add(user)
            db().flush()
            role_id = db().scalars(select(Role.id).where(Role.name == role)).one()
            db().add_all(
                [TeamMember(team_id=team.id, user_id=user.id), UserRole(user_id=user.id, role_id=role_id)]
            )
            key = new_api_key(home, user, "Test key")
            workspace.clients[name] = Client(
                app.test_client(use_cookies=False), key, user.id, team.id, signed_in(home, user.id)
            )
    return workspace


def signed_in(home: Home, user_id: UUID) -> str:
    """A session of this user, as after a sign-in with a second factor a moment ago; inside their tenant."""
    token = new_token(SESSION_PREFIX, home.id)
    expires = now() + timedelta(days=1)
    db().add(
        Session(
            user_id=user_id, hash=token_hash(token), strong=True, confirmed_at=expires, expires_at=expires
        )
    )
    return token


def in_both(path: str, one: Client, other: Client) -> list[dict[str, Any]]:
    """What a list shows to both of them. Whatever else tests made there, of two tenants it is nothing."""
    theirs = other.get(path).json["data"]
    return [each for each in one.get(path).json["data"] if each in theirs]
