"""All of it stays its owner's: a tenant that may change nothing any more takes every row and every file away."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tenants.catalog.models import CatalogBase, State
from tenants.catalog.states import Mover
from tenants.foundation.tables import DataClass
from tenants.lifecycle.changing import Decision, move
from tenants.portability.comparing import content_of, differences
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.attaching import CONTENT, attached
from tests.jobs import RunJobs
from tests.workspace import Workspace

#: What asking for an export changes by itself: the export, its job, and what is on record of both.
ASKING = {"audit_events", "audit_values", "exports", "jobs"}
#: What the catalog knows of a tenant that is no technical detail, each for a reason. Whoever adds to it says why.
KNOWN = {
    "tenants.slug": "Where it is found.",
    "tenants.name": "For whoever runs the program.",
    "state_changes.reason": "Why it went from one state to another; the tenant may have no schema at the time.",
    "archives.reason": "Likewise.",
    "closings.reason": "Likewise.",
    "moves.reason": "Likewise.",
    "errands.sealed": "Who was asked about by whoever is signed in nowhere; sealed, and gone within a day.",
    "thaw_links.mail": "A mail to somebody whose tenant has no schema; sealed under its key.",
}
#: Tables about ourselves: our own staff, and orders that authorities gave us.
OURS = {"staff", "legal_orders"}


@pytest.mark.soak
@pytest.mark.promise("4-05", "TEN-3", "EXP-1")
@pytest.mark.parametrize("state", [State.SUSPENDED, State.CLOSING])
def test_a_tenant_that_may_change_nothing_exports_every_row_and_every_file(  # noqa: PLR0917 - the parts of its world
    new_workspace: Callable[[], Workspace], neighbour: Workspace, app: Flask, nursery: Nursery, run_jobs: RunJobs,
    tmp_path: Path, state: State,
) -> None:  # fmt: skip
    ours = new_workspace()
    contact = ours.admin.post("/contacts", {"last_name": "Ng", "national_id": "sealed"}).json["id"]
    files = {attached(ours.admin, "contacts", contact, name=f"{each}.txt")["id"] for each in range(3)}
    attached(neighbour.admin, "contacts", neighbour.admin.post("/contacts", {"last_name": "X"}).json["id"])
    mover = Mover.OPERATOR if state is State.SUSPENDED else Mover.PLATFORM
    move(app.extensions["house"].catalog, nursery.owner_urls, ours.home, state, Decision(mover, "Unpaid."))
    before = content_of(ours.home)
    made = ours.admin.post("/exports", {"format": "jsonl"})
    assert made.status_code == 202, made.json
    run_jobs()
    file = tmp_path / "all.zip"
    file.write_bytes(ours.admin.get(f"/exports/{made.json['id']}/download").data)
    report = verify(file)
    assert report.holds, report.findings
    assert set(differences(before, report.content)) <= ASKING
    with zipfile.ZipFile(file) as bundle:
        inner = [each for each in bundle.namelist() if each.startswith("files/")]
        assert {each.split("/")[1] for each in inner} == files
        assert {bundle.read(each) for each in inner} == {CONTENT}
    assert ours.admin.post("/contacts", {"last_name": "Late"}).status_code == 403
    assert neighbour.admin.get(f"/exports/{made.json['id']}/download").status_code == 404


@pytest.mark.promise("4-06", "TEN-3")
def test_the_catalog_knows_nothing_of_what_tenants_keep() -> None:
    """Everything of a tenant is in its own schema; the catalog says where that is, and in which state."""
    known = {
        f"{table.name}.{column.name}"
        for table in CatalogBase.metadata.sorted_tables
        for column in table.columns
        if table.name not in OURS and column.info["data"] not in (DataClass.TECHNICAL, DataClass.CREDENTIAL)
    }
    assert known == KNOWN.keys()
