"""Field rules reach a tenant's own fields, and the audit keeps personal values where they can be erased."""

import pytest

from tests.tenants.fields.defined import define
from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Client, Workspace

MAY = {
    "contacts:read": "all", "contacts:edit": "all", "contacts:create": "all",
    "audit-events:read": "all", "fields:read": "all",
}  # fmt: skip
PERSONAL, BUSINESS = "custom.nickname", "custom.size"


@pytest.fixture(scope="module")
def contact(own: Workspace) -> str:
    said = {"last_name": "Ruled", "custom": {"nickname": "Secret", "size": "S", "vip": True}}
    made = own.admin.post("/contacts", said).json["id"]
    assert own.admin.patch(f"/contacts/{made}", {"custom": {"nickname": "Deep secret", "size": "L"}}).json
    return str(made)


def told(client: Client, contact: str) -> str:
    """All that somebody is told of a contact, its history too."""
    answers = [
        client.get(f"/contacts/{contact}"),
        client.get(f"/contacts?id={contact}"),
        client.get(f"/audit-events?record_id={contact}&include=personal"),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200]
    return "".join(each.get_data(as_text=True) for each in answers)


def test_the_audit_keeps_personal_values_apart(own: Workspace, neighbour: Workspace, contact: str) -> None:
    events = own.admin.get(f"/audit-events?record_id={contact}&include=personal").json["data"]
    changed, created = events
    assert created["changes"][BUSINESS] == [None, "S"]
    assert created["personal"]["values"][PERSONAL] == [None, "Secret"]
    assert changed["changes"] == {BUSINESS: ["S", "L"]}
    assert (changed["personal_fields"], changed["personal"]) == (
        [PERSONAL],
        {"values": {PERSONAL: ["Secret", "Deep secret"]}},
    )
    assert "custom" not in created["changes"]
    assert neighbour.admin.get(f"/audit-events?record_id={contact}").json["data"] == []


def test_a_hidden_field_is_nowhere(own: Workspace, neighbour: Workspace, contact: str) -> None:
    reader = somebody_who_may(own, MAY, {"contacts": {PERSONAL: "none"}})
    text = told(reader, contact)
    assert ("secret" in text.lower(), "nickname" in text, '"L"' in text) == (False, False, True)
    for question in ("custom.nickname=Secret", "custom.nickname[is_null]=true", "sort=custom.nickname"):
        refused = reader.get(f"/contacts?{question}")
        assert (refused.status_code, list(refused.json["errors"])) == (422, [question.split("=")[0]])
    refused = reader.patch(f"/contacts/{contact}", {"custom": {"nickname": "x", "size": "M"}})
    assert (refused.status_code, list(refused.json["errors"])) == (403, [PERSONAL])
    assert reader.patch(f"/contacts/{contact}", {"custom": {"size": "L"}}).json["custom"] == {
        "size": "L",
        "vip": True,
    }
    assert own.admin.get(f"/contacts/{contact}").json["custom"]["nickname"] == "Deep secret"
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_all_of_them_hidden_is_nothing_of_any(own: Workspace, neighbour: Workspace, contact: str) -> None:
    reader = somebody_who_may(own, MAY, {"contacts": {"custom": "none"}})
    text = told(reader, contact)
    assert ("secret" in text.lower(), "custom" in text, "Ruled" in text) == (False, False, True)
    for question in ("custom.size=L", "sort=custom.size"):
        assert reader.get(f"/contacts?{question}").status_code == 422
    for said in ({"custom": {"size": "M"}}, {"custom": {}}):
        assert reader.patch(f"/contacts/{contact}", said).status_code == 403
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_a_fixed_field_is_read_and_not_changed(own: Workspace, neighbour: Workspace, contact: str) -> None:
    reader = somebody_who_may(own, MAY, {"contacts": {PERSONAL: "read"}})
    assert "Deep secret" in told(reader, contact)
    refused = reader.patch(f"/contacts/{contact}", {"custom": {"nickname": None}})
    assert (refused.status_code, list(refused.json["errors"])) == (403, [PERSONAL])
    assert reader.get("/contacts?custom.nickname=Deep secret").json["data"][0]["id"] == contact
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_a_role_closes_only_fields_that_there_are(own: Workspace, neighbour: Workspace) -> None:
    define(own, "companies", "only_here")
    rights = {"companies:read": "all"}
    for name, status in (("custom.only_here", 201), ("custom.nothing", 422), ("custom", 201)):
        rule = {"name": f"Closes {name}", "permissions": rights, "field_rules": {"companies": {name: "none"}}}
        assert own.admin.in_person.post("/roles", rule).status_code == status
    closable = own.admin.get("/permissions").json["closable_fields"]
    assert "custom.only_here" in closable["companies"]
    assert "custom.only_here" not in neighbour.admin.get("/permissions").json["closable_fields"]["companies"]
