"""A tenant that moves while a backup is taken comes back where its tables come back, and on no move."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask

from crm.app import owners_of
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import Logins
from tenants.lifecycle.backups.taking import Taken, _Work
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import ask_to_move
from tenants.lifecycle.moves.running import Works
from tenants.lifecycle.moves.running import take as begun
from tenants.lifecycle.moves.steps import STEPS
from tenants.provisioning.birth import Nursery
from tests.elsewhere import Elsewhere
from tests.tenants.lifecycle.moves.world import moved, two_doors
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


def paused(works: Works, tenant: Workspace) -> None:
    """On a move, at the moment in which nobody can write."""
    attempt = begun(works, ask_to_move(works, tenant.home.id, "second", "It is full."))
    while attempt.move.step != Step.LEVELLING:
        STEPS[Step(attempt.move.step)](attempt)
        attempt.again()


def test_what_moved_while_a_backup_was_taken_comes_back_where_its_tables_are(  # noqa: PLR0917 - two installations
    app: Flask,
    nursery: Nursery,
    settings: Settings,
    second: Logins,
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog: Catalog = app.extensions["house"].catalog
    arrived, on_its_way = new_workspace(), new_workspace()
    contacts = {
        each.home.id: UUID(each.admin.post("/contacts", {"last_name": "Bird"}).json["id"])
        for each in (arrived, on_its_way)
    }
    owners = {**owners_of(settings), "second": second.owner}
    works = Works(catalog, owners, nursery.head, Regions({"main": None, "second": None}))
    copy_catalog = _Work._copy_catalog

    def moved_meanwhile(work: _Work) -> set[str]:
        moved(works, arrived, "second")
        paused(works, on_its_way)
        return copy_catalog(work)

    monkeypatch.setattr(_Work, "_copy_catalog", moved_meanwhile)
    with two_doors(catalog, settings, second):
        page = take().page

    place = elsewhere()
    place.restore(page.id)
    for tenant, end in ((arrived, "confirmed"), (on_its_way, "given_up")):
        said = (
            "select t.cell, t.state, m.step from tenants t join moves m on m.tenant_id = t.id where t.id = %s"
        )
        assert place.rows(said, tenant.home.id) == [("main", "active", end)]
        assert place.rows("select state from tenant_profile", schema=tenant.home.role) == [("active",)]
        assert place.rows("select id from contacts", schema=tenant.home.role) == [(contacts[tenant.home.id],)]
    kept = "select count(*) from moves where tenant_id = %s"
    assert place.rows(kept, neighbour.home.id) == [(0,)], "the neighbour was on no move"
