"""A key of one of our people shows no second factor: it asks and lists, and lets nobody in."""

import pytest

from tests.staff import ASK, Bureau, Person, slug_of
from tests.workspace import Workspace

pytestmark = pytest.mark.promise("1-02")
INCIDENT = {"kind": "break_glass", "reason": "security_incident", "ticket": "I-1"}


def refused_by_key(person: Person, method: str, path: str, said: object = None) -> None:
    answer = person.request(method, path, json=said or {}, token=person.made.api_key)
    assert (answer.status_code, answer.json["code"]) == (403, "in_person"), path


def test_a_key_asks_and_lists_and_neither_approves_nor_opens(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    ann, boss = bureau.ann, bureau.boss
    asked = ann.request(
        "POST", "/access-grants", json=ASK | {"tenant": slug_of(tenant)}, token=ann.made.api_key
    )
    assert asked.status_code == 201
    path = f"/access-grants/{asked.json['id']}"
    assert boss.request("GET", path, token=boss.made.api_key).json["state"] == "asked"
    refused_by_key(boss, "PUT", f"{path}/approval")
    assert boss.put(f"{path}/approval").status_code == 200
    assert tenant.admin.in_person.put(f"{path}/approval", {}).status_code == 200
    refused_by_key(ann, "POST", "/visits", {"grant_id": asked.json["id"]})
    assert tenant.admin.get("/access-visits").json["data"] == []
    assert ann.post("/visits", {"grant_id": asked.json["id"]}).status_code == 202
    assert other.admin.get(path).status_code == 404


def test_nobody_breaks_the_glass_or_takes_a_legal_order_with_keys_alone(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    one, two = bureau.hire("security"), bureau.hire("security")
    said = ASK | INCIDENT | {"tenant": slug_of(tenant)}
    refused_by_key(one, "POST", "/access-grants", said)
    asked = one.post("/access-grants", said)
    assert asked.status_code == 201, asked.json
    for verb in ("approval", "review"):
        refused_by_key(two, "PUT", f"/access-grants/{asked.json['id']}/{verb}")
    lawyer = bureau.hire("legal")
    refused_by_key(lawyer, "POST", "/legal-orders", {"tenant": slug_of(tenant)})
    refused_by_key(lawyer, "PUT", f"/legal-orders/{asked.json['id']}/approval")
    assert other.admin.get("/access-visits").json["data"] == []
