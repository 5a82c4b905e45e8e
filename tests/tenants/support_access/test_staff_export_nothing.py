"""No route by which a tenant takes its data away opens to our own people, be a visit open or not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.isolation.door import db, inside
from tenants.portability.models import Export, ExportSchedule
from tests.attaching import attached
from tests.jobs import RunJobs
from tests.staff import ASK, Bureau, slug_of
from tests.workspace import Workspace

#: Of an address by which data leaves as a file, whatever comes to be there.
LEAVES = re.compile(r"export|schedule|archive|bundle|backup|download")
KNOWN = {
    "exports.create_export",
    "exports.download_export",
    "exports.decide_export",
    "export-schedules.create_export_schedule",
    "export-rules.change_export_rules",
    "archives.create_archive",
    "attachments.download_attachment",
}
BODIES: dict[str, dict[str, Any]] = {
    "export-schedules.create_export_schedule": {"name": "Ours", "cron": "0 2 29 2 *"},
    "export-rules.change_export_rules": {"second_approver": False},
    "exports.decide_export": {"approved": True},
    "archives.create_thaw": {"token": "fht_0"},
    "archives.create_thaw_link": {"workspace": "somebody", "email": "staff@freehold.test"},
}
OPEN_TO_ALL = {"archives.create_thaw", "archives.create_thaw_link", "export-structure.get_export_structure"}


def ways_out(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, address and name of every route by which data could leave, out of the running program."""
    for rule in app.url_map.iter_rules():
        if LEAVES.search(rule.rule) and rule.rule.startswith("/api/"):
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                yield method, rule.rule, rule.endpoint


def taken_out(workspace: Workspace, run_jobs: RunJobs) -> dict[str, str]:
    """An export that is there, one that waits for a copy, and a file: the ids by the names that addresses have."""
    contact = workspace.admin.post("/contacts", {"last_name": "Secretname"}).json["id"]
    export = workspace.admin.post("/exports", {}).json["id"]
    said = {"name": "Copies", "cron": "0 2 29 2 *"}
    schedule = workspace.admin.in_person.post("/export-schedules", said).json["id"]
    run_jobs()
    assert workspace.admin.get(f"/exports/{export}/download").status_code == 200
    file = attached(workspace.admin, "contacts", contact)["id"]
    return {"export_id": export, "schedule_id": schedule, "attachment_id": file}


def standing(workspace: Workspace) -> tuple[list[Any], list[Any], int]:
    """What there is of exports and schedules, and what is on record of them."""
    with inside(workspace.home):
        exports = db().execute(select(Export.id, Export.version, Export.file)).all()
        schedules = db().execute(select(ExportSchedule.id, ExportSchedule.version)).all()
    events = workspace.admin.get("/audit-events?resource=exports&limit=200").json["data"]
    return sorted(exports), sorted(schedules), len(events)


@pytest.mark.soak
@pytest.mark.promise("EXP-5")
def test_no_way_out_opens_to_staff(
    app: Flask, bureau: Bureau, tenant: Workspace, other: Workspace, run_jobs: RunJobs,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    ids = {each.home.id: taken_out(each, run_jobs) for each in (tenant, other)}
    before = [standing(each) for each in (tenant, other)]
    visit = bureau.visit(bureau.granted(tenant))
    credentials = {"key": bureau.ann.made.api_key, "session": bureau.ann.session, "visit": visit.token}
    assert visit.get("/contacts").status_code == 200, "the visit is open"
    found = list(ways_out(app))
    assert {name for _, _, name in found} >= KNOWN
    client = app.test_client(use_cookies=False)
    for whose in (tenant, other):
        for method, rule, name in found:
            path = re.sub(r"<uuid:(\w+)>", lambda match: ids[whose.home.id][match[1]], rule)  # noqa: B023
            for kind, token in credentials.items():
                headers = {"Authorization": f"Bearer {token}", "X-Tenant": str(whose.home.id)}
                body = None if method in ("GET", "HEAD", "DELETE") else BODIES.get(name, {})
                with subtests.test(route=f"{method} {rule}", credential=kind, tenant=slug_of(whose)):
                    answer = client.open(path, method=method, headers=headers, json=body)
                    if name in OPEN_TO_ALL:
                        assert b"Secretname" not in answer.data
                    else:
                        assert (answer.status_code, answer.content_length < 2000) == (401, True)
    assert [standing(each) for each in (tenant, other)] == before
    visit.end()


@pytest.mark.promise("EXP-5")
def test_no_grant_names_a_way_out_and_no_route_of_a_visit_leads_to_one(
    app: Flask, bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    names = sorted({name.partition(".")[0] for _, _, name in ways_out(app)})
    assert {"exports", "export-schedules", "archives", "attachments"} <= set(names)
    for name in names:
        refused = bureau.ann.post("/access-grants", ASK | {"tenant": slug_of(tenant), "resources": [name]})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["resources"]), name
    assert [each.rule for each in app.url_map.iter_rules() if _is_staffs(each.rule)] == []
    visit = bureau.visit(bureau.granted(tenant))
    for name in names:
        for path in (f"/{name}", f"/{name}/{tenant.home.id}/download", f"/{name}/{other.home.id}/download"):
            assert visit.get(path).status_code == 404
    visit.end()


def _is_staffs(rule: str) -> bool:
    return rule.startswith("/staff/") and bool(LEAVES.search(rule))
