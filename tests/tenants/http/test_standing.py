"""Rights that change hold from the next request on, also for the answer that was guessed a moment before."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.http import course
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, User, UserRole
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace


@contextmanager
def as_system(home: Home) -> Iterator[None]:
    with inside(home):
        act_as(SYSTEM)
        yield


@pytest.fixture
def worker(app: Flask, acme: Workspace) -> Client:
    """A user of their own, so that taking their rights away disturbs nobody: in the sales team, as admin."""
    with as_system(acme.home):
        user = User(name="Wanda", team_id=acme.sales.team_id, source="system")
        db().add(user)
        db().flush()
        db().add(UserRole(user_id=user.id, role_id=_role("admin")))
        return Client(app.test_client(), new_api_key(acme.home, user, "Wanda's"), user.id, acme.sales.team_id)


def _role(name: str) -> UUID:
    return db().scalars(select(Role.id).where(Role.name == name)).one()


def revoke(workspace: Workspace, client: Client) -> None:
    """As an admin does it, in a context of their own: it may happen in the middle of somebody's request."""
    with inside(workspace.home):
        key = db().scalars(select(ApiKey.id).where(ApiKey.hash == token_hash(client.key))).one()
    admin = workspace.admin.in_person
    answer = contextvars.Context().run(lambda: admin.delete(f"/api-keys/{key}"))
    assert answer.status_code == 204, answer.json


def give_role(workspace: Workspace, client: Client, name: str) -> None:
    with as_system(workspace.home):
        db().execute(delete(UserRole).where(UserRole.user_id == client.user_id))
        db().add(UserRole(user_id=client.user_id, role_id=_role(name)))


def take_all_roles(workspace: Workspace, client: Client) -> None:
    with as_system(workspace.home):
        db().execute(delete(UserRole).where(UserRole.user_id == client.user_id))


def send_away(workspace: Workspace, client: Client) -> None:
    with as_system(workspace.home):
        db().get_one(User, client.user_id).state = "inactive"


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None], int], list[int]]:
    """Have something happen between the guess and its answer, so many times; the list counts how often it did."""

    def arrange(happening: Callable[[], None], times: int = 1) -> list[int]:
        happened: list[int] = []
        real = course.read

        def read(home, *questions):
            if len(questions) > 1 and len(happened) < times:
                happened.append(1)
                happening()
            return real(home, *questions)

        monkeypatch.setattr(course, "read", read)
        return happened

    return arrange


def test_a_key_revoked_after_the_guess_gets_no_answer(
    acme: Workspace, neighbour: Workspace, worker: Client, between
) -> None:
    assert worker.get("/contacts").status_code == 200
    happened = between(lambda: revoke(acme, worker))
    assert worker.get("/contacts").status_code == 401
    assert happened
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_user_sent_away_after_the_guess_gets_no_answer(acme: Workspace, worker: Client, between) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Guessed"}).json["id"]
    assert worker.get(f"/contacts/{record}").status_code == 200
    between(lambda: send_away(acme, worker))
    assert worker.get(f"/contacts/{record}").status_code == 401


def test_a_right_taken_after_the_guess_is_lacking(acme: Workspace, worker: Client, between) -> None:
    assert worker.get("/contacts").status_code == 200
    between(lambda: take_all_roles(acme, worker))
    answer = worker.get("/contacts")
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_a_reach_narrowed_after_the_guess_narrows_the_answer(
    acme: Workspace, worker: Client, between
) -> None:
    elsewhere = acme.sales_elsewhere.post("/contacts", {"last_name": "Elsewhere"}).json["id"]
    mine = worker.post("/contacts", {"last_name": "Mine"}).json["id"]
    path = f"/contacts?id[in]={elsewhere},{mine}"
    assert len(worker.get(path).json["data"]) == 2
    between(lambda: give_role(acme, worker, "sales"))
    assert [each["id"] for each in worker.get(path).json["data"]] == [mine]
    assert worker.get(f"/contacts/{elsewhere}").status_code == 404


def test_a_reach_widened_after_the_guess_widens_the_answer(acme: Workspace, worker: Client, between) -> None:
    elsewhere = acme.sales_elsewhere.post("/contacts", {"last_name": "Elsewhere"}).json["id"]
    give_role(acme, worker, "sales")
    assert worker.get(f"/contacts/{elsewhere}").status_code == 404
    between(lambda: give_role(acme, worker, "admin"))
    assert worker.get(f"/contacts/{elsewhere}").status_code == 200


def test_a_refusal_too_waits_for_the_guard(acme: Workspace, worker: Client) -> None:
    assert worker.get("/contacts").status_code == 200
    assert worker.get("/contacts?nonsense=1").status_code == 422
    assert worker.get("/contacts?revenue=1e999999").status_code == 422
    revoke(acme, worker)
    for query in ("nonsense=1", "cursor=x", "limit=0", "created_at[gte]=9999999-01-01"):
        assert worker.get(f"/contacts?{query}").status_code == 401, query


def test_rights_that_never_come_to_rest_are_a_503(acme: Workspace, worker: Client, between) -> None:
    roles = iter(["sales", "manager", "sales", "manager", "sales", "manager", "sales", "manager"])
    assert worker.get("/contacts").status_code == 200
    between(lambda: give_role(acme, worker, next(roles)), times=course.TRIES)
    answer = worker.get("/contacts")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert worker.get("/contacts").status_code == 200


CHANGES = {
    "a revoked key": (revoke, 401),
    "a user sent away": (send_away, 401),
    "no role left": (take_all_roles, 403),
}


@pytest.mark.parametrize(("change", "status"), CHANGES.values(), ids=CHANGES.keys())
def test_what_changes_under_load_holds_for_whoever_asks_next(
    app: Flask, acme: Workspace, neighbour: Workspace, worker: Client, change, status: int
) -> None:
    record = worker.post("/contacts", {"last_name": "Busy"}).json["id"]
    changed, begun = threading.Event(), threading.Barrier(7)

    def ask(number: int) -> list[tuple[bool, int]]:
        client = Client(app.test_client(), worker.key, worker.user_id)
        begun.wait()
        seen = []
        after = 0
        while after < 3:
            late = changed.is_set()
            after += late
            made = (
                client.get("/contacts?limit=1") if number % 3 == 0
                else client.get(f"/contacts/{record}") if number % 3 == 1
                else client.patch(f"/contacts/{record}", {"city": str(len(seen))})
            )  # fmt: skip
            seen.append((late, made.status_code))
        return seen

    with ThreadPoolExecutor(6) as crew:
        asked = [crew.submit(ask, number) for number in range(6)]
        begun.wait()
        change(acme, worker)
        changed.set()
        seen = [pair for each in asked for pair in each.result()]
    assert {code for late, code in seen if late} == {status}
    assert {code for _, code in seen} <= {200, 412, 503, status}
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_session_that_ends_under_load_is_over_for_whoever_asks_next(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    token = new_token("fhs", acme.home.id)
    with as_system(acme.home):
        session = Session(
            user_id=acme.admin.user_id, hash=token_hash(token), expires_at=now() + timedelta(hours=1)
        )
        db().add(session)
        db().flush()
        session_id = session.id
    cookie = {"Cookie": f"freehold_session={token}"}
    ended, begun = threading.Event(), threading.Barrier(4)

    def ask() -> list[tuple[bool, int]]:
        flask, seen, after = app.test_client(use_cookies=False), [], 0
        begun.wait()
        while after < 3:
            late = ended.is_set()
            after += late
            seen.append((late, flask.get("/api/v1/contacts?limit=1", headers=cookie).status_code))
        return seen

    with ThreadPoolExecutor(3) as crew:
        asked = [crew.submit(ask) for _ in range(3)]
        begun.wait()
        with as_system(acme.home):
            db().execute(update(Session).where(Session.id == session_id).values(ended_at=now()))
        ended.set()
        seen = [pair for each in asked for pair in each.result()]
    assert {code for late, code in seen if late} == {401}
    assert {code for _, code in seen} <= {200, 401}
    assert neighbour.admin.get("/contacts").status_code == 200
