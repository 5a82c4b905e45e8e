"""Fields are defined, changed, archived and deleted by those who may, within limits that are said."""

import secrets

import pytest

from tenants.custom_fields import models
from tenants.fields import defining, removing
from tests.jobs import RunJobs
from tests.tenants.fields.defined import define
from tests.workspace import Workspace


def fresh() -> str:
    return f"f{secrets.token_hex(4)}"


def test_a_field_is_defined_read_and_changed(acme: Workspace, neighbour: Workspace) -> None:
    name = fresh()
    made = define(acme, "leads", name, kind="choice", choices=["a", "b"])
    assert made["personal"] is True
    assert (made["required"], made["archived_at"]) == (False, None)
    path = f"/fields/{made['id']}"
    for reader in (acme.manager, acme.sales, acme.read_only):
        assert reader.get(path).json["name"] == name
        assert reader.post("/fields", {**made, "name": fresh()}).status_code in (403, 422)
        assert reader.patch(path, {"label": "x"}).status_code == 403
        assert reader.delete(path).status_code == 403
    changed = acme.admin.patch(path, {"label": "New", "choices": ["b", "c"], "personal": False})
    assert (changed.json["label"], changed.json["choices"]) == ("New", ["b", "c"])
    assert acme.admin.patch(path, {"label": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert acme.admin.post("/leads", {"last_name": "A", "custom": {name: "a"}}).status_code == 422
    assert acme.admin.post("/leads", {"last_name": "A", "custom": {name: "c"}}).status_code == 201
    (event,) = acme.admin.get(f"/audit-events?record_id={made['id']}&action=fields.changed").json["data"]
    assert event["changes"]["label"] == [name.title(), "New"]
    for method in ("GET", "PATCH", "DELETE"):
        assert neighbour.admin.request(method, path, json={}).status_code == 404
    assert neighbour.admin.put(f"{path}/archival").status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"resource": "invoices"}, "resource"),
        ({"resource": "users"}, "resource"),
        ({"name": "Upper"}, "name"),
        ({"name": "1st"}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "a'b"}, "name"),
        ({"kind": "colour"}, "kind"),
        ({"kind": "choice"}, "choices"),
        ({"kind": "text", "choices": ["a"]}, "choices"),
        ({"kind": "choice", "choices": ["a", "a"]}, "choices"),
        ({"kind": "choice", "choices": [""]}, "choices.0"),
        ({"kind": "choice", "choices": ["x"] * 201}, "choices"),
        ({"label": ""}, "label"),
        ({"label": "a\0"}, "label"),
        ({"position": -1}, "position"),
        ({"archived_at": None}, "archived_at"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused_by_name(
    acme: Workspace, neighbour: Workspace, said: dict[str, object], field: str
) -> None:
    for client in (acme.admin, neighbour.admin):
        body = {"resource": "contacts", "name": fresh(), "label": "Label", "kind": "text", **said}
        refused = client.post("/fields", body)
        assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_a_name_is_taken_once_per_resource(acme: Workspace, neighbour: Workspace) -> None:
    name = fresh()
    made = define(acme, "contacts", name)
    body = {"resource": "contacts", "name": name, "label": "Again", "kind": "text"}
    assert acme.admin.post("/fields", body).status_code == 409
    for said in ({"name": fresh()}, {"kind": "number"}, {"resource": "deals"}):
        refused = acme.admin.patch(f"/fields/{made['id']}", said)
        assert (refused.status_code, list(refused.json["errors"])) == (422, list(said))
    define(acme, "deals", name)
    define(neighbour, "contacts", name)


def test_there_are_so_many_fields_and_no_more(
    acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models.MOST_FIELDS == 100
    define(acme, "companies", fresh())
    monkeypatch.setattr(defining, "MOST_FIELDS", 1)
    body = {"resource": "companies", "name": fresh(), "label": "One more", "kind": "text"}
    refused = acme.admin.post("/fields", body)
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_fields")
    monkeypatch.undo()
    assert neighbour.admin.post("/fields", body).status_code == 201


def test_an_archived_field_keeps_its_values_and_takes_no_new_ones(
    acme: Workspace, neighbour: Workspace
) -> None:
    name = fresh()
    path = f"/fields/{define(acme, 'contacts', name)['id']}"
    contact = acme.admin.post("/contacts", {"last_name": "Kept", "custom": {name: "old"}}).json["id"]
    assert acme.admin.put(f"{path}/archival").json["archived_at"]
    assert acme.admin.put(f"{path}/archival").status_code == 200
    assert acme.admin.get(f"/contacts/{contact}").json["custom"] == {name: "old"}
    (found,) = acme.admin.get(f"/contacts?custom.{name}=old").json["data"]
    assert found["id"] == contact
    refused = acme.admin.patch(f"/contacts/{contact}", {"custom": {name: "new"}})
    assert (refused.status_code, list(refused.json["errors"])) == (422, [f"custom.{name}"])
    assert acme.admin.delete(f"{path}/archival").json["archived_at"] is None
    changed = acme.admin.patch(f"/contacts/{contact}", {"custom": {name: "new"}})
    assert changed.json["custom"] == {name: "new"}
    assert neighbour.admin.delete(f"{path}/archival").status_code == 404


def test_a_field_is_deleted_with_its_values(
    own: Workspace, neighbour: Workspace, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "AT_ONCE", 2)
    kept, name = fresh(), fresh()
    field = f"/fields/{define(own, 'leads', name)['id']}"
    define(own, "leads", kept)
    leads = [
        own.admin.post("/leads", {"last_name": "L", "custom": {name: f"v{n}", kept: "stays"}}).json
        for n in range(5)
    ]
    own.admin.delete(f"/leads/{leads[4]['id']}")
    assert (own.admin.delete(field).json["code"], neighbour.admin.delete(field).status_code) == (
        "not_archived",
        404,
    )
    own.admin.put(f"{field}/archival")
    accepted = own.admin.delete(field)
    assert accepted.status_code == 202
    assert own.admin.delete(field).json["id"] == accepted.json["id"]
    run_jobs()
    assert own.admin.get(f"/jobs/{accepted.json['id']}").json["result"] == {"values": 4}
    assert own.admin.get(field).status_code == 404
    for lead in leads[:4]:
        after = own.admin.get(f"/leads/{lead['id']}").json
        assert (after["custom"], after["version"]) == ({kept: "stays"}, 2)
        events = own.admin.get(f"/audit-events?record_id={lead['id']}&include=personal").json["data"]
        assert events[0]["personal"]["values"] == {f"custom.{name}": [lead["custom"][name], None]}
    assert own.admin.get(f"/leads?custom.{name}=v1").status_code == 422
    (entry,) = own.admin.get(f"/bin?record_id={leads[4]['id']}").json["data"]
    assert own.admin.post(f"/bin/{entry['id']}/restoration").status_code in (200, 201)
    assert own.admin.get(f"/leads/{leads[4]['id']}").json["custom"] == {kept: "stays"}


def test_a_field_that_is_brought_back_meanwhile_stays(
    own: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    name = fresh()
    field = f"/fields/{define(own, 'leads', name)['id']}"
    lead = own.admin.post("/leads", {"last_name": "L", "custom": {name: "v"}}).json["id"]
    own.admin.put(f"{field}/archival")
    job = own.admin.delete(field).json["id"]
    own.admin.delete(f"{field}/archival")
    run_jobs()
    failed = own.admin.get(f"/jobs/{job}").json
    assert (failed["status"], "Archive this field first" in failed["error"]) == ("failed", True)
    assert own.admin.get(f"/leads/{lead}").json["custom"] == {name: "v"}
    assert neighbour.admin.get(field).status_code == 404
