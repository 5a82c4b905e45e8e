"""What changes of roles, field rules and shares holds from the next request on, also for one that is under way."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tenants.http import course
from tests.jobs import RunJobs
from tests.tenants.identity.rights.people import Person, person
from tests.uploads import upload
from tests.workspace import Client, Workspace

ALL = {f"contacts:{each}": "all" for each in ("read", "create", "edit")} | {
    "imports:create": "all",
    "imports:read": "all",
}


@pytest.fixture
def role(acme: Workspace) -> str:
    answer = acme.admin.in_person.post("/roles", {"name": f"Role {uuid4().hex[:8]}", "permissions": ALL})
    return str(answer.json["id"])


@pytest.fixture
def mina(acme: Workspace, role: str) -> Person:
    """Somebody with a role of their own."""
    user = person(acme, "Mina")
    answer = acme.admin.in_person.put(f"/users/{user.user_id}/roles", {"role_ids": [role]})
    assert answer.status_code == 200
    return user


def patched(workspace: Workspace, role: str, **said: Any) -> None:
    answer = workspace.admin.in_person.patch(f"/roles/{role}", said)
    assert answer.status_code == 200, answer.json


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], list[int]]:
    """Have something happen once, between the guess of a reading request and its answer."""

    def arrange(happening: Callable[[], None]) -> list[int]:
        happened: list[int] = []
        real = course.read

        def read(home: Any, *questions: Any) -> Any:
            if len(questions) > 1 and not happened:
                happened.append(1)
                happening()
            return real(home, *questions)

        monkeypatch.setattr(course, "read", read)
        return happened

    return arrange


def test_a_permission_taken_from_a_role_is_gone_for_a_request_under_way(
    acme: Workspace, neighbour: Workspace, role: str, mina: Person, meanwhile: Any
) -> None:
    assert mina.get("/contacts?limit=1").status_code == 200
    happened = meanwhile(lambda: patched(acme, role, permissions={"contacts:read": None}))
    assert mina.get("/contacts?limit=1").status_code == 403
    assert happened
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


def test_a_field_closed_while_a_request_is_under_way_is_not_in_its_answer(
    acme: Workspace, neighbour: Workspace, role: str, mina: Person, meanwhile: Any
) -> None:
    contact = acme.admin.post("/contacts", {"last_name": "Open", "phone": "+39 06 1"}).json["id"]
    assert mina.get(f"/contacts/{contact}").json["phone"] == "+39 06 1"
    happened = meanwhile(lambda: patched(acme, role, field_rules={"contacts": {"phone": "none"}}))
    assert "phone" not in mina.get(f"/contacts/{contact}").json
    assert happened
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_a_share_taken_back_while_a_request_is_under_way_gives_nothing(
    acme: Workspace, neighbour: Workspace, meanwhile: Any
) -> None:
    contact = acme.sales.post("/contacts", {"last_name": "Lent"}).json["id"]
    said = {"resource": "contacts", "record_id": contact, "user_id": str(acme.sales_elsewhere.user_id)}
    share = acme.sales.post("/record-shares", said).json["id"]
    assert acme.sales_elsewhere.get(f"/contacts/{contact}").status_code == 200
    happened = meanwhile(lambda: acme.sales.delete(f"/record-shares/{share}") and None)
    assert acme.sales_elsewhere.get(f"/contacts/{contact}").status_code == 404
    assert happened
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_a_role_that_shrinks_under_load_is_smaller_for_whoever_asks_next(
    app: Flask, acme: Workspace, neighbour: Workspace, role: str, mina: Person
) -> None:
    contact = mina.post("/contacts", {"last_name": "Busy"}).json["id"]
    changed, begun = threading.Event(), threading.Barrier(5)

    def ask(number: int) -> list[tuple[bool, int]]:
        client, seen, after = Client(app.test_client(), mina.key, mina.user_id), [], 0
        begun.wait()
        while after < 3:
            late = changed.is_set()
            after += late
            made = client.get(f"/contacts/{contact}") if number % 2 else client.get("/contacts?limit=1")
            seen.append((late, made.status_code))
        return seen

    with ThreadPoolExecutor(4) as crew:
        asked = [crew.submit(ask, number) for number in range(4)]
        begun.wait()
        patched(acme, role, permissions={"contacts:read": None})
        changed.set()
        seen = [pair for each in asked for pair in each.result()]
    assert {code for late, code in seen if late} == {403}
    assert {code for _, code in seen} <= {200, 403, 503}
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"permissions": {"contacts:create": None}}, "contacts:create"),
        ({"field_rules": {"contacts": {"phone": "none"}}}, "phone"),
        ({"field_rules": {"contacts": {"phone": "read"}}}, "phone"),
    ],
)
def test_a_job_has_the_rights_of_when_it_runs(  # noqa: PLR0917 - fixtures
    acme: Workspace,
    neighbour: Workspace,
    role: str,
    mina: Person,
    run_jobs: RunJobs,
    said: Any,
    sentence: str,
) -> None:
    name = f"Late {uuid4().hex}"
    made = upload(mina, f"last_name,phone\n{name},+39 06 2\n", "contacts")
    assert made.status_code == 202, made.json
    theirs = upload(neighbour.admin, f"last_name,phone\n{name},+39 06 2\n", "contacts")
    patched(acme, role, **said)
    run_jobs()
    done = acme.admin.get(f"/imports/{made.json['id']}").json
    assert done["status"] == "failed", done
    assert sentence in done["problem"]
    assert acme.admin.get("/contacts", query_string={"last_name": name}).json["data"] == []
    assert neighbour.admin.get(f"/imports/{theirs.json['id']}").json["status"] == "succeeded"


@pytest.mark.parametrize("level", ["read", "none"])
def test_an_import_sets_no_closed_field(
    acme: Workspace, neighbour: Workspace, role: str, mina: Person, level: str
) -> None:
    patched(
        acme,
        role,
        field_rules={"contacts": {"phone": level, "company_id": level}, "companies": {"name": "none"}},
    )
    text = "Surname,Phone,Company\nRossi,+39 06 3,Acme\n"
    for column, field in (("Phone", "phone"), ("Company", "company.name")):
        answer = upload(mina, text, "contacts", mapping={"Surname": "last_name", column: field})
        assert (answer.status_code, answer.json["code"]) == (403, "closed_field"), answer.json
        assert field in answer.json["detail"]
    answer = upload(mina, text, "contacts")
    assert answer.json["mapping"] == {"Surname": "last_name", "Phone": None, "Company": None}
    assert upload(neighbour.admin, text, "contacts").json["mapping"]["Phone"] == "phone"
