"""Files on records: they come back as they were, to whoever may see the record, and to nobody else."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.attachments.attachable import attachable
from tenants.attachments.models import Attachment
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.retention.keeping import kinds
from tenants.retention.leaving import for_good
from tests.asking import Examples
from tests.attaching import CONTENT, NewWorkspace, attach, attached, listed, purge, raw, stored
from tests.operations import document_of
from tests.tenants.identity.rights.people import person
from tests.tenants.retention.world import hold, in_bin
from tests.workspace import Client, Workspace


def contact(client: Client, **said: Any) -> str:
    return str(client.post("/contacts", {"last_name": f"Holder {uuid4().hex}", **said}).json["id"])


def on(client: Client, attachment: str) -> dict[str, int]:
    """How each way to an attachment answers somebody."""
    path = f"/attachments/{attachment}"
    return {
        "get": client.get(path).status_code,
        "download": client.get(f"{path}/download").status_code,
        "rename": client.patch(path, {"name": "other.txt"}).status_code,
    }


def test_a_file_comes_back_as_it_was(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.sales)
    made = attach(acme.sales, "contacts", record)
    assert made.status_code == 201, made.json
    shown = made.json
    assert made.headers["Location"] == f"/api/v1/attachments/{shown['id']}"
    assert shown["name"] == "terms.txt"
    assert (shown["size"], shown["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert (shown["media_type"], shown["claimed_type"]) == ("text/plain", "text/plain")
    assert shown["added_by_id"] == str(acme.sales.user_id)
    assert acme.sales.get(f"/attachments/{shown['id']}").json == shown
    assert listed(acme.sales, record) == [shown["id"]]
    content = acme.sales.get(f"/attachments/{shown['id']}/download")
    assert (content.status_code, content.data) == (200, CONTENT)
    assert listed(neighbour.admin, record) == []
    assert on(neighbour.admin, shown["id"]) == {"get": 404, "download": 404, "rename": 404}
    assert neighbour.admin.delete(f"/attachments/{shown['id']}").status_code == 404
    assert attach(neighbour.admin, "contacts", record).status_code == 404


def test_every_resource_that_declares_it_takes_files(acme: Workspace, neighbour: Workspace) -> None:
    document = document_of(acme.admin.flask.application)
    ours, theirs = Examples(document, acme), Examples(document, neighbour)
    assert set(attachable()) == {"companies", "contacts", "deals", "invoices", "leads", "products"}
    for resource in attachable():
        record = ours.make(resource)
        made = attached(acme.admin, resource, record)
        assert listed(acme.admin, record) == [made["id"]]
        assert attach(acme.admin, resource, theirs.some(resource)).status_code == 404
    refused = attach(acme.admin, "users", str(acme.admin.user_id))
    assert refused.status_code == 422
    assert "companies, contacts, deals" in refused.json["errors"]["resource"][0]


def test_rights_follow_the_record(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.sales)
    made = attached(acme.sales, "contacts", record)["id"]
    assert on(acme.sales_elsewhere, made) == {"get": 404, "download": 404, "rename": 404}
    assert attach(acme.sales_elsewhere, "contacts", record).status_code == 404
    assert acme.sales_elsewhere.delete(f"/attachments/{made}").status_code == 404
    assert listed(acme.sales_elsewhere, record) == []
    assert on(acme.read_only, made) == {"get": 200, "download": 200, "rename": 403}
    assert listed(acme.read_only, record) == [made]
    colleagues = contact(acme.manager)
    theirs = attached(acme.manager, "contacts", colleagues)["id"]
    assert on(acme.sales, theirs) == {"get": 200, "download": 200, "rename": 403}
    assert attach(acme.sales, "contacts", colleagues).status_code == 403
    assert acme.sales.delete(f"/attachments/{theirs}").status_code == 403
    assert on(acme.manager, made) == {"get": 200, "download": 200, "rename": 200}
    assert acme.manager.delete(f"/attachments/{made}").status_code == 204
    assert listed(neighbour.admin, record) == []


def test_shares_of_the_record_are_shares_of_its_files(acme: Workspace, neighbour: Workspace) -> None:
    record, other = contact(acme.sales), acme.sales_elsewhere
    made = attached(acme.sales, "contacts", record)["id"]
    body = {"resource": "contacts", "record_id": record, "user_id": str(other.user_id)}
    share = acme.sales.post("/record-shares", body).json["id"]
    assert on(other, made) == {"get": 200, "download": 200, "rename": 403}
    assert listed(other, record) == [made]
    assert attach(other, "contacts", record).status_code == 403
    assert acme.sales.patch(f"/record-shares/{share}", {"level": "edit"}).status_code == 200
    assert on(other, made) == {"get": 200, "download": 200, "rename": 200}
    added = attached(other, "contacts", record)["id"]
    assert other.delete(f"/attachments/{added}").status_code == 204
    end = (now() + timedelta(days=1)).isoformat()
    assert acme.sales.patch(f"/record-shares/{share}", {"expires_at": end}).status_code == 200
    assert acme.sales.delete(f"/record-shares/{share}").status_code == 204
    assert on(other, made) == {"get": 404, "download": 404, "rename": 404}
    assert on(neighbour.admin, made) == {"get": 404, "download": 404, "rename": 404}


def test_a_removed_file_is_gone_from_storage(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.sales)
    made = attached(acme.sales, "contacts", record)["id"]
    assert f"attachments/{made}" in stored(acme)
    assert acme.sales.delete(f"/attachments/{made}", headers={"If-Match": '"9"'}).status_code == 412
    assert f"attachments/{made}" in stored(acme)
    assert acme.sales.delete(f"/attachments/{made}").status_code == 204
    assert f"attachments/{made}" not in stored(acme)
    assert acme.sales.get(f"/attachments/{made}/download").status_code == 404
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404


def test_files_wait_with_their_record_in_the_bin(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.admin)
    made = attached(acme.admin, "contacts", record)["id"]
    assert acme.admin.delete(f"/contacts/{record}").status_code == 204
    assert on(acme.admin, made) == {"get": 404, "download": 404, "rename": 404}
    assert acme.admin.delete(f"/attachments/{made}").status_code == 404
    assert listed(acme.admin, record) == []
    entry = in_bin(acme, record)["id"]
    assert acme.admin.post(f"/bin/{entry}/restoration").status_code == 201
    assert listed(acme.admin, record) == [made]
    assert acme.admin.get(f"/attachments/{made}/download").data == CONTENT
    assert on(neighbour.admin, made) == {"get": 404, "download": 404, "rename": 404}


def test_a_record_that_goes_for_good_takes_its_files_along(acme: Workspace, neighbour: Workspace) -> None:
    record, other = contact(acme.admin), contact(acme.admin)
    gone = [attached(acme.admin, "contacts", record, name="Zilpzalp.txt")["id"] for _ in range(2)]
    kept = attached(acme.admin, "contacts", other)["id"]
    assert acme.admin.delete(f"/contacts/{record}").status_code == 204
    there = stored(acme)
    assert [each for each in gone if f"attachments/{each}" in there] == gone
    purge(acme, record)
    there = stored(acme)
    assert not [each for each in gone if f"attachments/{each}" in there]
    assert acme.admin.get(f"/attachments/{kept}/download").data == CONTENT
    query = {"record_id": gone[0], "sort": "at", "include": "personal"}
    events = acme.admin.get("/audit-events", query_string=query).json["data"]
    assert [each["action"] for each in events] == ["attachments.created", "attachments.deleted"]
    assert "Zilpzalp" not in str(events)
    with inside(acme.home):
        assert not db().scalars(select(Attachment).where(Attachment.record_id == UUID(record))).all()
    assert neighbour.admin.get("/audit-events", query_string=query).json["data"] == []


def test_a_rule_takes_the_files_of_what_it_deletes(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.admin)
    made = attached(acme.admin, "contacts", record)["id"]
    with inside(acme.home), for_good():
        act_as(SYSTEM)
        db().delete(db().get_one(Contact, UUID(record)))
        db().flush()
    assert f"attachments/{made}" not in stored(acme)
    assert acme.admin.get(f"/attachments/{made}").status_code == 404
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404


def test_what_is_held_keeps_its_files(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.admin)
    made = attached(acme.admin, "contacts", record)["id"]
    hold(acme, record)
    assert acme.admin.delete(f"/attachments/{made}").status_code == 409
    assert acme.admin.get(f"/attachments/{made}/download").data == CONTENT
    assert neighbour.admin.delete(f"/attachments/{made}").status_code == 404


def test_every_resource_that_takes_files_goes_by_way_of_the_bin() -> None:
    """Who deletes a record past it would leave its files to nobody."""
    assert attachable().keys() <= kinds().keys()


def test_a_record_that_can_not_be_deleted_keeps_its_files(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.admin.post("/companies", {"name": f"Kept {uuid4().hex}"}).json["id"]
    contact(acme.admin, company_id=company)
    made = attached(acme.admin, "companies", company)["id"]
    assert acme.admin.delete(f"/companies/{company}").status_code == 409
    assert acme.admin.get(f"/attachments/{made}/download").data == CONTENT
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404


def test_what_happens_to_files_is_on_record(acme: Workspace, neighbour: Workspace) -> None:
    record = contact(acme.sales)
    made = attached(acme.sales, "contacts", record)["id"]
    path = f"/attachments/{made}"
    acme.sales.get(f"{path}/download")
    acme.sales.patch(path, {"name": "Zilpzalp.txt"})
    acme.sales.delete(path)
    query = {"record_id": made, "sort": "at", "include": "personal"}
    events = acme.admin.get("/audit-events", query_string=query).json["data"]
    happened = [each["action"].partition(".")[2] for each in events]
    assert happened == ["created", "downloaded", "changed", "deleted"]
    assert events[2]["personal"]["values"]["name"] == ["terms.txt", "Zilpzalp.txt"]
    assert "Zilpzalp" not in str([each["changes"] for each in events])
    history = acme.admin.get("/audit-events", query_string={"record_id": record, "sort": "at"}).json["data"]
    assert [each["action"] for each in history] == [
        "contacts.created",
        "contacts.attached",
        "contacts.detached",
    ]
    assert neighbour.admin.get("/audit-events", query_string=query).json["data"] == []


def test_the_same_request_twice_attaches_once(acme: Workspace, neighbour: Workspace) -> None:
    record, key = contact(acme.sales), {"Idempotency-Key": uuid4().hex}
    first, second = (attached(acme.sales, "contacts", record, headers=key) for _ in range(2))
    assert first == second
    assert listed(acme.sales, record) == [first["id"]]
    other = attach(acme.sales, "contacts", record, content=b"another file", headers=key)
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    assert attach(neighbour.admin, "contacts", record, headers=key).status_code == 404


def test_a_name_that_is_closed_is_told_by_no_download(acme: Workspace, neighbour: Workspace) -> None:
    rights = {"contacts:read": "all", "attachments:read": "all"}
    body = {
        "name": f"No names {uuid4().hex}",
        "permissions": rights,
        "field_rules": {"attachments": {"name": "none"}},
    }
    role = acme.admin.in_person.post("/roles", body).json["id"]
    reader = person(acme, "Nora Nameless")
    assert acme.admin.in_person.put(f"/users/{reader.user_id}/roles", {"role_ids": [role]}).status_code == 200
    record = contact(acme.sales)
    made = attached(acme.sales, "contacts", record, name="Zilpzalp.txt")["id"]
    answer = reader.get(f"/attachments/{made}/download")
    assert answer.data == CONTENT
    assert "Zilpzalp" not in answer.headers["Content-Disposition"]
    assert "name" not in reader.get(f"/attachments/{made}").json
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404


@pytest.mark.promise("1-28", "0-20", "2-15", "3-29")
def test_what_is_stored_is_sealed_and_bound_to_its_place(
    new_workspace: NewWorkspace, neighbour: Workspace
) -> None:
    tenant = new_workspace()
    record = contact(tenant.sales)
    one, other = (attached(tenant.sales, "contacts", record)["id"] for _ in range(2))
    assert b"Zilpzalp" not in raw(tenant, f"attachments/{one}")
    assert b"Zilpzalp" in tenant.sales.get(f"/attachments/{one}/download").data
    assert raw(tenant, f"attachments/{one}") != raw(tenant, f"attachments/{other}")
    moved = raw(tenant, f"attachments/{one}")
    with inside(tenant.home):
        files().write(f"attachments/{other}", [moved])
    swapped = tenant.sales.get(f"/attachments/{other}/download")
    assert (swapped.status_code, swapped.json["code"]) == (409, "file_altered")
    with inside(neighbour.home):
        act_as(SYSTEM)
        assert db().get(Attachment, one) is None
    assert not [each for each in (one, other) if f"attachments/{each}" in stored(neighbour)]
