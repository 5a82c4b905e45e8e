"""Requests of our own people that nobody thought of, made from their document, as everybody: no answer is unforeseen."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from flask import Flask

from tenants.foundation.settings import Settings
from tenants.http.rate_limits import Allowance
from tenants.provisioning.birth import Nursery
from tenants.support_access.staff import recognition
from tenants.support_access.staff.api import records
from tests.fuzzing import MANY, send
from tests.staff import Bureau, Person
from tests.workspace import Workspace, in_both

#: It would end what everything else is asked with.
LEFT_OUT = ("DELETE", "/staff/v1/sessions/current")
ROLES = ("support", "security", "legal", "platform")
EVERYBODY = (*ROLES, "nobody", "reading visit", "writing visit")


@pytest.fixture(scope="module")
def operations(app: Flask) -> list[Any]:
    described = schemathesis.openapi.from_wsgi("/staff/v1/openapi.json", app)
    found = [each.ok() for each in described.get_all_operations()]
    return [each for each in found if (each.method.upper(), each.path) != LEFT_OUT]


@pytest.fixture(scope="module")
def bureau(app: Flask, nursery: Nursery, settings: Settings) -> Bureau:
    return Bureau(app, app.extensions["house"].catalog, nursery, settings)


@pytest.mark.soak
@pytest.mark.parametrize("who", EVERYBODY)
def test_what_staff_send_gets_an_answer_that_their_document_foresees(
    operations: list[Any],
    bureau: Bureau,
    passing: Callable[[], Workspace],
    subtests: pytest.Subtests,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
) -> None:
    for module in (recognition, records):
        monkeypatch.setattr(module, "PER_ADDRESS", Allowance("staff-fuzzed", 10**6))
    tenant, neighbour = passing(), passing()
    made = {name: tenant.admin.post(f"/{name}", said).json["id"] for name, said in MADE.items()}
    grant = bureau.granted(tenant, access="write", masked=False)
    waiting = bureau.asked(tenant)
    visit = bureau.visit(grant, **({"access": "write", "intent": "Mend."} if who == "writing visit" else {}))
    known = {"grant_id": waiting["id"], "visit_id": visit.id, "order_id": waiting["id"]}
    for operation, ids in _about(operations, known, made):
        with subtests.test(operation=operation.label):
            send(operation, _headers(who, bureau, visit.token), ids, MANY)
    assert in_both("/access-log", tenant.admin, neighbour.admin) == []


@pytest.mark.parametrize("name", ["contacts", "companies"])
def test_who_asks_is_known_before_what_they_send_is_read(
    app: Flask, acme: Workspace, neighbour: Workspace, name: str
) -> None:
    made = acme.admin.post(f"/{name}", MADE[name]).json["id"]
    for said in ({"custom": {"a": 1}}, {"nonsense": 1}, [], None):
        answer = app.test_client().patch(f"/staff/v1/visits/current/{name}/{made}", json=said)
        assert answer.status_code == 401, said
    assert neighbour.admin.get(f"/{name}/{made}").status_code == 404


MADE: dict[str, dict[str, Any]] = {"contacts": {"last_name": "Seen"}, "companies": {"name": "Seen"}}


def _about(
    operations: list[Any], known: Mapping[str, str], records: Mapping[str, str]
) -> Iterator[tuple[Any, dict[str, str]]]:
    """Each operation, and what it is about: something that is there, as far as there is something."""
    for operation in operations:
        resource = operation.path.removeprefix("/staff/v1/visits/current/").partition("/")[0]
        there = {**known, "record_id": records.get(resource, known["grant_id"])}
        yield operation, {name: there[name] for name in there if f"{{{name}}}" in operation.path}


def _headers(who: str, bureau: Bureau, token: str) -> dict[str, str]:
    if who == "nobody":
        return {}
    if who in ROLES:
        person: Person = bureau.boss if who == "support" else bureau.hire(who)
        token = person.session
    return {"Authorization": f"Bearer {token}"}
