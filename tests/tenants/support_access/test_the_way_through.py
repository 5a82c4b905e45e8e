"""From an ask to a receipt: staff see what a tenant let them see, as long as it does, and it is all on record."""

import pytest

from tests.staff import Bureau
from tests.workspace import Workspace


@pytest.mark.promise("4-13", "1-02")
def test_staff_see_what_was_approved_and_the_tenant_sees_what_they_saw(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    asked = bureau.asked(tenant)
    assert asked["state"] == "asked"
    early = bureau.ann.post("/visits", {"grant_id": asked["id"]})
    assert (early.status_code, early.json["code"]) == (409, "wrong_state")
    grant = bureau.granted(tenant)
    assert grant["state"] == "approved"
    visit = bureau.visit(grant)
    seen = visit.get("/contacts", query_string={"sort": "-created_at"})
    assert seen.status_code == 200, seen.json
    assert [each["last_name"] for each in seen.json["data"]] == ["•••"] * 3
    assert {each["department"] for each in seen.json["data"]} == {"D0", "D1", "D2"}
    (entry,) = tenant.admin.get("/access-log").json["data"]
    assert sorted(entry["record_ids"]) == sorted(each["id"] for each in seen.json["data"])
    assert (entry["staff_name"], entry["reason"], entry["ticket"]) == ("Support", "fault", "T-1")
    assert "last_name" in entry["masked_fields"]
    assert "department" in entry["shown_fields"]
    assert other.admin.get("/access-log").json["data"] == []
    revoked = tenant.admin.in_person.put(f"/access-grants/{grant['id']}/revocation", {"why": "Enough."})
    assert revoked.status_code == 200, revoked.json
    refused = visit.get("/contacts")
    assert (refused.status_code, refused.json["code"]) == (403, "visit_not_open")
    bureau.settle()
    assert visit.get("/contacts").status_code == 403
    assert len(tenant.admin.get("/access-log").json["data"]) == 1
