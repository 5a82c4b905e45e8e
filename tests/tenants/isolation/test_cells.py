"""A second PostgreSQL server as a cell: its tenants live beside those of the first, and never there."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import update

from tenants.catalog.models import Tenant
from tenants.catalog.regions import Regions
from tenants.foundation.settings import Settings
from tenants.identity.founding import Founder
from tenants.isolation import door
from tenants.isolation.bootstrap import Logins
from tenants.isolation.cells import Cells
from tenants.isolation.conninfo import conninfo
from tenants.isolation.door import open_doors
from tenants.provisioning.birth import Nursery
from tests.cells import give_up_the_second
from tests.workspace import Client, Workspace


@pytest.fixture
def resident(
    app: Flask, settings: Settings, nursery: Nursery, logins: Logins, second: Logins
) -> Iterator[Workspace]:
    """A tenant of the second cell, whose doors are open meanwhile."""
    before = door._cells[0]
    cells = Cells({"main": settings.database_url, "second": second.app})
    open_doors(cells)
    owners = {"main": logins.owner, "second": second.owner}
    regions = Regions({"main": None, "second": None})
    two_cells = Nursery(nursery.catalog, nursery.wrapper, nursery.head, owners, regions)
    founder = Founder("Rita Resident", api_key=True)
    home, founding = two_cells.open(f"resident-{secrets.token_hex(4)}", "Resident", founder, cell="second")
    assert home.cell == "second"
    yield Workspace(home, {"admin": Client(app.test_client(), founding.api_key or "", founding.user_id)})
    give_up_the_second(nursery.catalog)
    open_doors(before)
    cells.dispose()


def test_tenants_of_two_cells_work_side_by_side(acme: Workspace, resident: Workspace) -> None:
    for number in range(5):
        mine = acme.admin.post("/contacts", {"last_name": f"Main {number}"}).json["id"]
        theirs = resident.admin.post("/contacts", {"last_name": f"Second {number}"}).json["id"]
        assert acme.admin.get(f"/contacts/{mine}").status_code == 200
        assert acme.admin.get(f"/contacts/{theirs}").status_code == 404
        assert resident.admin.get(f"/contacts/{theirs}").status_code == 200
        assert resident.admin.get(f"/contacts/{mine}").status_code == 404
    shown = resident.admin.get("/contacts").json["data"]
    assert {each["last_name"] for each in shown} == {f"Second {number}" for number in range(5)}


def test_each_server_holds_its_own_tenants_only(
    acme: Workspace, resident: Workspace, logins: Logins, second: Logins
) -> None:
    there = {name: _schemas(each.owner) for name, each in {"main": logins, "second": second}.items()}
    assert acme.home.role in there["main"] - there["second"]
    assert resident.home.role in there["second"] - there["main"]


def _schemas(url: str) -> set[str]:
    with psycopg.connect(conninfo(url)) as connection:
        return {
            row[0] for row in connection.execute("select nspname from pg_namespace where nspname like 't%'")
        }


def test_a_cell_that_nobody_knows_is_a_503(app: Flask, acme: Workspace, resident: Workspace) -> None:
    catalog = app.extensions["house"].catalog
    _move(catalog, resident, "nowhere")
    for answer in (resident.admin.get("/contacts"), resident.admin.post("/contacts", {"last_name": "A"})):
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert "Retry-After" in answer.headers
    assert acme.admin.get("/contacts").status_code == 200
    _move(catalog, resident, "second")
    assert resident.admin.get("/contacts").status_code == 200


def _move(catalog, workspace: Workspace, cell: str) -> None:
    with catalog.transaction() as session:
        session.execute(update(Tenant).where(Tenant.id == workspace.home.id).values(cell=cell))
    catalog.forget(workspace.home.id)
