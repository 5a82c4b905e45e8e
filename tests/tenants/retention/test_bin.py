"""What a user deletes goes to the bin: it comes back as it was, for those who may delete it, until it is purged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, text

from crm.contacts.models import Contact
from crm.sales.models import DealChange, StageChange
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Base
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.portability.arriving import bring_in
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tenants.retention.binning import restore as restore_entry
from tenants.retention.models import BinEntry
from tests.tenants.identity.rights.people import person
from tests.tenants.retention.world import (
    contact,
    delete,
    in_bin,
    restore,
)
from tests.workspace import Workspace


def rows(workspace: Workspace, table: str, column: str, value: str) -> list[dict[str, Any]]:
    """Whole rows."""
    there = Base.metadata.tables[table]
    with inside(workspace.home):
        found = db().execute(select(there).where(there.c[column] == UUID(value)).order_by(there.c.id))
        return [dict(each._mapping) for each in found]


def test_a_contact_comes_back_as_it_was(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.admin.post("/companies", {"name": f"Initech {uuid4().hex}"}).json["id"]
    awkward = "Ω 'quoted' \\ \"double\" {a,b} \u202e\n\ttab"
    made = contact(
        acme, first_name=awkward, national_id="AB 12", tags=["a,b", '"', "\\"], company_id=company,
        birthday="1966-02-28", email=f"{uuid4().hex}@initech.test", notes="x" * 50_000,
    )  # fmt: skip
    before = acme.admin.get(f"/contacts/{made}?include=company,owner").json
    delete(acme.admin, f"/contacts/{made}")
    assert acme.admin.get(f"/contacts/{made}").status_code == 404
    assert acme.admin.get(f"/contacts?email={before['email']}").json["data"] == []
    entry = in_bin(acme, made)
    assert neighbour.admin.get(f"/bin/{entry['id']}").status_code == 404
    assert neighbour.admin.post(f"/bin/{entry['id']}/restoration").status_code == 404
    answer = acme.admin.post(f"/bin/{entry['id']}/restoration")
    assert (answer.status_code, answer.json) == (201, {"id": made, "resource": "contacts"})
    after = acme.admin.get(f"/contacts/{made}?include=company,owner").json
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after.pop("version") == before.pop("version") + 1
    assert after == before
    assert (
        acme.admin.get(f"/contacts?q={before['last_name'].rpartition(' ')[2]}").json["data"][0]["id"] == made
    )
    assert acme.admin.get(f"/bin/{entry['id']}").status_code == 404
    actions = [
        each["action"] for each in acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]
    ]
    assert actions == ["contacts.created", "contacts.deleted", "contacts.restored"]
    assert acme.admin.patch(f"/contacts/{made}", {"notes": "again"}).status_code == 200


def test_what_goes_with_a_record_comes_back_with_it(acme: Workspace, neighbour: Workspace) -> None:
    deal = acme.admin.post("/deals", {"name": "Long", "amount": {"amount": "12.50", "currency": "EUR"}}).json
    stages = acme.admin.get(f"/stages?pipeline_id={deal['pipeline_id']}").json["data"]
    for stage in stages:
        acme.admin.put(f"/deals/{deal['id']}/stage", {"stage_id": stage["id"]})
    acme.admin.put(f"/deals/{deal['id']}/outcome", {"result": "won", "reason": "price"})
    parts = (("deal_changes", "deal_id"), ("deal_stage_changes", "deal_id"))
    before = [rows(acme, *each, deal["id"]) for each in parts]
    assert all(before)
    delete(acme.admin, f"/deals/{deal['id']}")
    assert [rows(acme, *each, deal["id"]) for each in parts] == [[], []]
    assert restore(acme, deal["id"]).status_code == 201
    assert [rows(acme, *each, deal["id"]) for each in parts] == before
    assert acme.admin.get(f"/deals/{deal['id']}").json["amount"] == {"amount": "12.50", "currency": "EUR"}
    assert neighbour.admin.get(f"/deals/{deal['id']}").status_code == 404
    with inside(neighbour.home):
        for model in (DealChange, StageChange):
            mine = select(func.count()).select_from(model).where(model.deal_id == UUID(deal["id"]))
            assert db().scalar(mine) == 0


def test_a_draft_comes_back_with_its_lines_and_an_issued_invoice_is_never_deleted(
    acme: Workspace, neighbour: Workspace
) -> None:
    lines = [
        {"description": f"Line {n}", "quantity": "2.5", "unit_price": {"amount": "3.10", "currency": "EUR"},
         "tax_rate": "22"} for n in range(3)
    ]  # fmt: skip
    made = acme.admin.post("/invoices", {"billing_name": "Initech", "lines": lines}).json
    before = {**acme.admin.get(f"/invoices/{made['id']}").json}
    delete(acme.admin, f"/invoices/{made['id']}")
    assert restore(acme, made["id"]).status_code == 201
    after = acme.admin.get(f"/invoices/{made['id']}").json
    for each in (before, after):
        del each["updated_at"], each["version"]
    assert after == before
    assert acme.admin.put(f"/invoices/{made['id']}/issuance", {}).status_code == 200
    answer = acme.admin.delete(f"/invoices/{made['id']}")
    assert (answer.status_code, answer.json["code"]) == (409, "issued")
    assert acme.admin.get(f"/bin?record_id={made['id']}").json["data"] == []
    assert neighbour.admin.get(f"/invoices/{made['id']}").status_code == 404


def test_a_pipeline_comes_back_with_the_stages_that_were_deleted_because_of_it(
    acme: Workspace, neighbour: Workspace
) -> None:
    pipeline = acme.admin.post("/pipelines", {"name": f"P {uuid4().hex}"}).json["id"]
    stages = [
        acme.admin.post("/stages", {"pipeline_id": pipeline, "name": name}).json["id"] for name in ("A", "B")
    ]
    lone = acme.admin.post("/stages", {"pipeline_id": pipeline, "name": "Lone"}).json["id"]
    delete(acme.admin, f"/stages/{lone}")
    delete(acme.admin, f"/pipelines/{pipeline}")
    refused = restore(acme, stages[0])
    assert (refused.status_code, refused.json["code"]) == (409, "refers_to_deleted")
    assert restore(acme, pipeline).status_code == 201
    there = acme.admin.get(f"/stages?pipeline_id={pipeline}").json["data"]
    assert {each["id"] for each in there} == set(stages)
    assert restore(acme, lone).status_code == 201
    assert neighbour.admin.get(f"/pipelines/{pipeline}").status_code == 404


def test_what_a_record_refers_to_comes_back_first(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.admin.post("/companies", {"name": f"Gone {uuid4().hex}"}).json["id"]
    made = contact(acme, company_id=company)
    assert acme.admin.delete(f"/companies/{company}").json["code"] == "still_referenced"
    assert acme.admin.get(f"/bin?record_id={company}").json["data"] == []
    delete(acme.admin, f"/contacts/{made}")
    delete(acme.admin, f"/companies/{company}")
    refused = restore(acme, made)
    assert (refused.status_code, refused.json["code"]) == (409, "refers_to_deleted")
    assert "company_id" in refused.json["detail"]
    assert in_bin(acme, made)
    assert neighbour.admin.get(f"/bin?record_id={made}").json["data"] == []
    for each in (company, made):
        assert restore(acme, each).status_code == 201
    assert acme.admin.get(f"/contacts/{made}").json["company_id"] == company


def test_a_place_that_was_taken_meanwhile_is_not_taken_back(acme: Workspace, neighbour: Workspace) -> None:
    name = f"Product {uuid4().hex}"
    made = acme.admin.post("/products", {"name": name}).json["id"]
    delete(acme.admin, f"/products/{made}")
    other = acme.admin.post("/products", {"name": name}).json["id"]
    refused = restore(acme, made)
    assert (refused.status_code, refused.json["code"]) == (409, "already_exists")
    assert neighbour.admin.get(f"/products/{other}").status_code == 404
    delete(acme.admin, f"/products/{other}")
    assert restore(acme, made).status_code == 201


def test_a_team_that_is_gone_keeps_nobody_from_restoring(acme: Workspace, neighbour: Workspace) -> None:
    team = acme.admin.post("/teams", {"name": f"Team {uuid4().hex}"}).json["id"]
    made = contact(acme, team_id=team)
    delete(acme.admin, f"/contacts/{made}")
    delete(acme.admin, f"/teams/{team}")
    assert restore(acme, made).status_code == 201
    assert acme.admin.get(f"/contacts/{made}").json["team_id"] is None
    assert neighbour.admin.get(f"/contacts/{made}").status_code == 404


def test_the_bin_shows_what_one_could_see_and_gives_back_what_one_may_delete(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = acme.sales.post("/contacts", {"last_name": "Of the North"}).json["id"]
    entry_of = {}
    delete(acme.manager, f"/contacts/{made}")
    entry_of[made] = in_bin(acme, made)["id"]
    path = f"/bin/{entry_of[made]}"
    seen = {name: each.get(path).status_code for name, each in acme.clients.items()}
    assert seen == {"admin": 200, "manager": 200, "sales": 200, "read-only": 200, "sales-elsewhere": 404}
    listed = {name for name, each in acme.clients.items() if each.get(f"/bin?record_id={made}").json["data"]}
    assert listed == {"admin", "manager", "sales", "read-only"}
    tries = {
        name: each.post(f"{path}/restoration").status_code
        for name, each in acme.clients.items()
        if "sales" in name
    }
    assert tries == {"sales": 403, "sales-elsewhere": 403}
    assert acme.manager.in_person.delete(path).status_code == 403
    assert acme.admin.delete(path).json["code"] == "needs_session"
    assert neighbour.admin.in_person.delete(path).status_code == 404
    assert acme.manager.post(f"{path}/restoration").status_code == 201
    elsewhere = acme.sales_elsewhere.post("/contacts", {"last_name": "Of the South"}).json["id"]
    delete(acme.admin, f"/contacts/{elsewhere}")
    assert restore(acme, elsewhere, acme.manager).status_code == 403
    assert person(acme, "Nobody").get("/bin").status_code == 403


def test_a_field_that_is_hidden_is_hidden_in_the_bin(acme: Workspace, neighbour: Workspace) -> None:
    permissions = {"contacts:read": "all", "bin:read": "all"}
    body = {
        "name": f"Blind {uuid4().hex}",
        "permissions": permissions,
        "field_rules": {"contacts": {"email": "none"}},
    }
    role = acme.admin.in_person.post("/roles", body).json["id"]
    blind = person(acme, "Blind")
    acme.admin.in_person.put(f"/users/{blind.user_id}/roles", {"role_ids": [role]})
    made = contact(acme, email=f"{uuid4().hex}@secret.test")
    delete(acme.admin, f"/contacts/{made}")
    shown = blind.get(f"/bin?record_id={made}")
    assert shown.json["data"][0]["brief"].keys() == {"first_name", "last_name"}
    assert "secret.test" not in shown.get_data(as_text=True)
    assert in_bin(acme, made)["brief"]["email"].endswith("@secret.test")
    assert neighbour.admin.get(f"/bin?record_id={made}").json["data"] == []


def test_what_lies_in_the_bin_is_sealed_and_can_be_restored_in_a_copy_of_the_tenant(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    workspace = new_workspace()
    secret = uuid4().hex
    made = contact(workspace, notes=f"{secret}-notes", national_id=f"{secret}-id")
    delete(workspace.admin, f"/contacts/{made}")
    with inside(workspace.home):
        stored = db().scalar(text("select string_agg(b::text, '') from bin b"))
    assert secret.encode().hex() not in stored
    assert secret not in stored
    assert neighbour.admin.get(f"/bin?record_id={made}").json["data"] == []
    take_out(workspace.home, tmp_path / "bundle.zip", Format.CSV)
    copy = bring_in(nursery, tmp_path / "bundle.zip", f"copy{secret[:8]}").home
    with inside(copy):
        act_as(SYSTEM)
        restore_entry(db().scalars(select(BinEntry.id)).one())
        back = db().get_one(Contact, UUID(made))
        assert (back.notes, opened(back, "national_id")) == (f"{secret}-notes", f"{secret}-id")
    assert in_bin(workspace, made)
