"""What is answered when something beneath a request is away, gone, or being mended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask import Flask
from sqlalchemy import delete, update

from tenants.catalog.models import State, Tenant, TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
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


@contextmanager
def without_catalog(servers: EmbeddedServers, catalog: Catalog) -> Iterator[None]:
    """As long as nobody gets into the catalog, and nobody remembers what it said."""
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute("alter role freehold_catalog nologin")
        catalog.engine.dispose()
        try:
            yield
        finally:
            admin.execute("alter role freehold_catalog login")


def test_while_the_catalog_is_away_all_are_told_to_try_again(
    app: Flask, servers: EmbeddedServers, acme: Workspace, neighbour: Workspace
) -> None:
    catalog = app.extensions["house"].catalog
    with without_catalog(servers, catalog):
        for each in (acme, neighbour):
            catalog.forget(each.home.id)
            answers = [each.admin.get("/contacts"), each.admin.post("/contacts", {"last_name": "Ng"})]
            answers.append(each.admin.flask.get("/scim/v2/Users", headers=each.admin.headers))
            assert {each.status_code for each in answers} == {503}
    for each in (acme, neighbour):
        assert each.admin.get("/contacts").status_code == 200


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
