"""Attacks by rules: to learn of records, or to have them deleted, that somebody could neither see nor delete."""

from uuid import uuid4

import pytest

from tests.tenants.identity.rights.people import somebody_who_may
from tests.tenants.retention.world import contact, rule
from tests.workspace import Workspace

RULES = {f"retention-rules:{each}": "all" for each in ("read", "edit", "enable")}


@pytest.mark.parametrize("rights", [{}, {"contacts:read": "own", "contacts:delete": "all"}])
def test_nobody_learns_by_a_rule_of_records_that_they_do_not_see(
    acme: Workspace, neighbour: Workspace, rights: dict[str, str]
) -> None:
    secret, somebody, made = (
        contact(acme),
        somebody_who_may(acme, RULES | rights).in_person,
        rule(acme, on=False),
    )
    named = {
        "name": uuid4().hex, "resource": "contacts", "action": "delete", "trigger": "created", "period": "P1Y",
        "record_ids": [secret], "legal_source": "None",
    }  # fmt: skip
    for answer in (
        somebody.post("/retention-rules", named),
        somebody.post("/retention-rules", named | {"record_ids": [str(uuid4())]}),
        somebody.post(f"/retention-rules/{made}/preview"),
        somebody.patch(f"/retention-rules/{made}", {"record_ids": [secret]}),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "not_everything")
    assert neighbour.admin.post(f"/retention-rules/{made}/preview").status_code == 404


@pytest.mark.parametrize("resource", ["contacts", "bin"])
def test_nobody_has_a_rule_delete_what_they_may_not_delete(
    acme: Workspace, neighbour: Workspace, resource: str
) -> None:
    kinds = ("companies", "contacts", "deals", "invoices", "leads", "pipelines", "products", "stages")
    reading = {f"{each}:read": "all" for each in kinds}
    somebody = somebody_who_may(acme, {**RULES, **reading, "contacts:delete": "own"}).in_person
    made = rule(acme, on=False, resource=resource, period="P100Y")
    assert somebody.post(f"/retention-rules/{made}/preview").status_code == 200
    refused = somebody.put(f"/retention-rules/{made}/enablement")
    assert (refused.status_code, refused.json["code"]) == (403, "not_everything")
    assert "contacts:delete" in refused.json["detail"]
    assert acme.admin.get(f"/retention-rules/{made}").json["enabled"] is False
    assert neighbour.admin.in_person.put(f"/retention-rules/{made}/enablement").status_code == 404
    assert acme.admin.in_person.put(f"/retention-rules/{made}/enablement").status_code == 200
    assert acme.admin.in_person.delete(f"/retention-rules/{made}/enablement").status_code == 200
