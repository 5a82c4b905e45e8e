"""What is answered when something beneath a request is away, gone, or being mended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import delete, update

from tenants.catalog.models import State, Tenant, TenantKey
from tenants.catalog.registry import Catalog
from tenants.isolation.sealing import keys
from tests.workspace import Workspace


@contextmanager
def fenced(catalog: Catalog, workspace: Workspace) -> Iterator[None]:
    for state in (State.FENCED, State.ACTIVE):
        with catalog.transaction() as session:
            session.execute(update(Tenant).where(Tenant.id == workspace.home.id).values(state=state))
        catalog.forget(workspace.home.id)
        if state is State.FENCED:
            yield


def test_a_fenced_tenant_waits_and_its_neighbour_does_not(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    with fenced(app.extensions["house"].catalog, ours):
        answers = [ours.admin.get("/contacts"), ours.admin.post("/contacts", {"last_name": "Ng"})]
        assert {(each.status_code, each.json["code"]) for each in answers} == {(503, "unavailable")}
        assert "mending" in answers[0].json["detail"]
        assert neighbour.admin.get("/contacts").status_code == 200
    assert ours.admin.get("/contacts").status_code == 200


@pytest.mark.promise("1-47")
def test_a_record_sealed_with_a_destroyed_key_is_gone_and_says_so(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours, body = new_workspace(), {"last_name": "Ng", "national_id": "AB 12"}
    mine, theirs = (
        each.admin.post("/contacts", body, query_string={}).json["id"] for each in (ours, neighbour)
    )
    with app.extensions["house"].catalog.transaction() as session:
        session.execute(delete(TenantKey).where(TenantKey.tenant_id == ours.home.id))
    keys().forget(ours.home.id)
    answer = ours.admin.get(f"/contacts/{mine}")
    assert (answer.status_code, answer.json["code"]) == (410, "key_destroyed")
    assert neighbour.admin.get(f"/contacts/{theirs}").json["national_id"] == "AB 12"
