"""Exports of chosen resources: the filters of their lists, why and for whom on record, never taken for a whole tenant."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import frictionless
import pytest

from tenants.portability.arriving import bring_in
from tenants.portability.fitting import BundleDoesNotFit
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.workspace import Workspace


def _made(tenant: Workspace, run_jobs: RunJobs, said: dict, file: Path) -> dict:
    """The export that this body makes, its zip in `file`."""
    asked = tenant.admin.post("/exports", said)
    assert asked.status_code == 202, asked.json
    run_jobs()
    made = tenant.admin.get(f"/exports/{asked.json['id']}").json
    assert made["status"] == "succeeded", made
    file.write_bytes(tenant.admin.get(f"/exports/{made['id']}/download").data)
    return made


def _rows(file: Path, table: str) -> list[dict]:
    with zipfile.ZipFile(file) as archive:
        return [json.loads(line) for line in archive.read(f"data/{table}.jsonl").splitlines()]


@pytest.mark.promise("EXP-1", "4-05")
def test_chosen_resources_hold_the_records_that_their_lists_show(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    tenant = new_workspace()
    for name, tags in (("O'Hara; drop table contacts", ["a"]), ("Ahab", ["b"]), ("Moore", ["a"])):
        tenant.admin.post("/contacts", {"last_name": name, "tags": tags, "national_id": f"sealed {name}"})
    company = tenant.admin.post("/companies", {"name": "Not chosen"}).json["id"]
    neighbour.admin.post("/contacts", {"last_name": "O'Hara; drop table contacts"})
    file = tmp_path / "some.zip"
    chosen = [
        {"resource": "contacts", "filters": {"last_name[in]": "O'Hara; drop table contacts,Moore"}},
        {"resource": "pipelines"},
    ]
    made = _made(tenant, run_jobs, {"format": "jsonl", "resources": chosen}, file)
    listed = tenant.admin.get("/contacts?last_name[in]=O'Hara; drop table contacts,Moore").json["data"]
    assert {each["id"] for each in _rows(file, "contacts")} == {each["id"] for each in listed}
    assert {each["national_id"] for each in _rows(file, "contacts")} == {
        "sealed O'Hara; drop table contacts",
        "sealed Moore",
    }
    assert made["counts"]["contacts"] == 2
    assert made["counts"].keys() == {"contacts", "pipelines"}
    assert company not in file.read_bytes().decode("latin-1")
    assert tenant.admin.get("/contacts").json["data"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"created_at[gte]": "2020-01-01T00:00:00Z", "lifecycle": "customer"}, {"Customer"}),
        ({"company_id[is_null]": "true", "last_name[contains]": "lea"}, {"Lead"}),
        ({"q": "custom"}, {"Customer"}),
        ({"do_not_contact": "true"}, set()),
    ],
)
def test_every_kind_of_filter_can_be_used(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path,
    filters: dict[str, str], expected: set[str],
) -> None:  # fmt: skip
    company = acme.admin.post("/companies", {"name": "Of one of them"}).json["id"]
    for name, lifecycle in (("Customer", "customer"), ("Lead", "lead")):
        said = {"last_name": name, "lifecycle": lifecycle}
        acme.admin.post("/contacts", said | ({"company_id": company} if name == "Customer" else {}))
        neighbour.admin.post("/contacts", {**said, "last_name": "Theirs"})
    chosen = [{"resource": "contacts", "filters": filters}]
    _made(acme, run_jobs, {"format": "jsonl", "resources": chosen}, tmp_path / "some.zip")
    assert {each["last_name"] for each in _rows(tmp_path / "some.zip", "contacts")} == expected


def test_what_a_record_is_made_of_comes_along(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    tenant = new_workspace()
    drafts = []
    for description in ("Chosen", "Left"):
        company = tenant.admin.post("/companies", {"name": description}).json["id"]
        line = {
            "description": description,
            "quantity": "1",
            "unit_price": {"amount": "5.00", "currency": "EUR"},
            "tax_rate": "20",
        }
        drafts.append(
            tenant.admin.post("/invoices", {"company_id": company, "currency": "EUR", "lines": [line]}).json
        )
    chosen = [{"resource": "invoices", "filters": {"id": drafts[0]["id"]}}]
    made = _made(tenant, run_jobs, {"format": "jsonl", "resources": chosen}, tmp_path / "some.zip")
    assert made["counts"] == {"invoices": 1, "invoice_lines": 1}
    (line,) = _rows(tmp_path / "some.zip", "invoice_lines")
    assert line["description"] == "Chosen"
    assert neighbour.admin.get(f"/exports/{made['id']}").status_code == 404


def test_a_partial_bundle_holds_and_says_that_it_is_no_tenant(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    nursery: Nursery,
    run_jobs: RunJobs,
    tmp_path: Path,
) -> None:
    tenant, file = new_workspace(), tmp_path / "some.zip"
    company = tenant.admin.post("/companies", {"name": "Referred to and not there"}).json["id"]
    tenant.admin.post("/contacts", {"last_name": "Bound", "company_id": company})
    _made(tenant, run_jobs, {"resources": [{"resource": "contacts"}]}, file)
    report = verify(file)
    assert report.holds, report.findings
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("datapackage.json"))["freehold"]
        assert "This is not everything." in archive.read("README.md").decode()
        archive.extractall(tmp_path / "out")
    assert (said["restorable"], said["partial"]["chosen"][0]["resource"]) == (False, "contacts")
    checked = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert checked.valid, checked.flatten(["name", "rowNumber", "type", "note"])
    with pytest.raises(BundleDoesNotFit, match="not of a whole tenant"):
        bring_in(nursery, file, "from-a-part")
    assert nursery.catalog.by_slug("from-a-part") is None
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ([{"resource": "contacts", "filters": {"shoe_size": "43"}}], "resources.0.shoe_size"),
        ([{"resource": "contacts", "filters": {"created_at[gte]": "soon"}}], "resources.0.created_at[gte]"),
        ([{"resource": "contacts"}, {"resource": "ships"}], "resources.1.resource"),
        ([{"resource": "sessions"}], "resources.0.resource"),
        ([{"resource": "contacts"}, {"resource": "contacts"}], "resources.1.resource"),
    ],
)
def test_what_cannot_be_chosen_is_named(
    acme: Workspace, neighbour: Workspace, chosen: list[dict], field: str
) -> None:
    before = len(acme.admin.get("/exports?limit=200").json["data"])
    refused = acme.admin.post("/exports", {"resources": chosen})
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])
    assert len(acme.admin.get("/exports?limit=200").json["data"]) == before
    assert neighbour.admin.post("/exports", {"resources": []}).status_code == 422


@pytest.mark.promise("1-34", "EXP-5")
def test_why_and_for_whom_is_asked_and_put_on_record(acme: Workspace, neighbour: Workspace) -> None:
    for purpose in ("sharing", "switching", "authority"):
        refused = acme.admin.post("/exports", {"purpose": purpose})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["recipient"])
    assert acme.admin.post("/exports", {"purpose": "marketing"}).status_code == 422
    said = {"purpose": "sharing", "recipient": "Auditors & Sons", "note": "Yearly audit"}
    made = acme.admin.post("/exports", said).json
    assert {name: made[name] for name in said} == said
    (event,) = acme.admin.get(f"/audit-events?record_id={made['id']}&include=personal").json["data"]
    assert event["changes"]["purpose"] == [None, "sharing"]
    assert {"note", "recipient"} <= set(event["personal_fields"])
    kept = event["personal"]["values"]
    assert (kept["recipient"], kept["note"]) == ([None, "Auditors & Sons"], [None, "Yearly audit"])
    assert neighbour.admin.get(f"/audit-events?record_id={made['id']}").json["data"] == []


def test_who_does_not_see_everything_chooses_nothing_either(acme: Workspace, neighbour: Workspace) -> None:
    for client in (acme.manager, acme.sales, neighbour.read_only):
        assert client.post("/exports", {"resources": [{"resource": "contacts"}]}).status_code == 403
