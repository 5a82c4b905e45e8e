"""Who decides about a leave: the asker's manager first, then the tenant, by its own rules; nobody about their own."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.owner import as_owner
from tenants.support_access.legal_orders import tell_when_due
from tests.staff import ASK, Bureau, Person, slug_of
from tests.workspace import Client, Workspace


def approve(client: Client, grant: dict[str, Any], said: Any = None) -> Any:
    return client.in_person.put(f"/access-grants/{grant['id']}/approval", said or {})


@pytest.mark.promise("4-13")
def test_nobody_approves_what_they_asked_for_and_the_manager_comes_first(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    asked = bureau.asked(tenant)
    path = f"/access-grants/{asked['id']}/approval"
    own = bureau.ann.put(path)
    assert (own.status_code, own.json["code"]) == (403, "own_request")
    assert bureau.hire("support").put(path).status_code == 404
    assert bureau.hire("platform").put(path).status_code == 404
    early = approve(tenant.admin, asked).json
    assert (early["code"], "waits for the asker's manager" in early["detail"]) == ("wrong_state", True)
    assert bureau.boss.put(path, {"why": "Go on."}).json["state"] == "manager_approved"
    waiting = bureau.ann.post("/visits", {"grant_id": asked["id"]}).json
    assert waiting["detail"] == "This access waits for an admin of the workspace."
    assert approve(tenant.admin, asked).json["state"] == "approved"
    shown = tenant.admin.get(f"/access-grants/{asked['id']}").json
    assert [each["step"] for each in shown["steps"]] == [
        "asked",
        "manager_approved",
        "tenant_approved",
        "approved",
    ]
    assert approve(other.admin, asked).status_code == 404
    assert other.admin.get(f"/access-grants/{asked['id']}").status_code == 404


def test_who_has_no_manager_is_answered_by_the_platform(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    lone, platform = bureau.hire("support"), bureau.hire("platform")
    asked = lone.post("/access-grants", ASK | {"tenant": slug_of(tenant)}).json
    assert platform.put(f"/access-grants/{asked['id']}/approval").json["state"] == "manager_approved"


@pytest.mark.promise("4-13")
def test_the_tenant_decides_in_person_and_programs_cant(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    asked = bureau.asked(tenant)
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    path = f"/access-grants/{asked['id']}/approval"
    assert tenant.admin.put(path, {}).json["code"] == "needs_session"
    for client in (tenant.manager, tenant.sales, tenant.read_only):
        assert client.in_person.put(path, {}).status_code == 403


def test_a_tenant_narrows_and_never_widens(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    asked = bureau.asked(
        tenant, resources=["contacts"], record_ids=ids[:2], only_fields={"contacts": ["city", "email"]}
    )
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    wider = (
        {"resources": ["contacts", "companies"]}, {"record_ids": ids}, {"record_ids": None}, {"only_fields": None},
        {"only_fields": {"contacts": ["notes"]}}, {"access": "write"}, {"masked": False}, {"hours": 3}, {"hours": 5},
    )  # fmt: skip
    for said in wider:
        assert approve(tenant.admin, asked, said).status_code == 422, said
    less = {"record_ids": ids[:1], "hours": 1, "only_fields": {"contacts": ["city"]}}
    made = approve(tenant.admin, asked, less).json
    assert (made["state"], made["narrowed"], made["hours"], made["record_ids"]) == (
        "approved",
        True,
        1,
        ids[:1],
    )


def test_two_approvers_are_two_persons(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    rules = tenant.admin.in_person.patch("/access-grants/rules", {"approvers": 2})
    assert rules.json == {"approvers": 2, "named": None, "forbidden": False}
    asked = bureau.asked(tenant)
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    assert approve(tenant.admin, asked).json["state"] == "manager_approved"
    assert approve(tenant.admin, asked).json["code"] == "same_person"
    admin = tenant.admin.get("/roles?name=admin").json["data"][0]["id"]
    given = tenant.admin.in_person.put(f"/users/{tenant.manager.user_id}/roles", {"role_ids": [admin]})
    assert given.status_code == 200, given.json
    assert approve(tenant.manager, asked).json["state"] == "approved"
    assert other.admin.get("/access-grants/rules").json["approvers"] == 1


def test_a_tenant_forbids_all_or_lets_named_staff_ask(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    said = ASK | {"tenant": slug_of(tenant)}
    tenant.admin.in_person.patch("/access-grants/rules", {"named": [bureau.boss.made.staff.email]})
    assert bureau.ann.post("/access-grants", said).json["code"] == "not_named"
    tenant.admin.in_person.patch("/access-grants/rules", {"named": None})
    visit = bureau.visit(bureau.granted(tenant))
    tenant.admin.in_person.patch("/access-grants/rules", {"forbidden": True})
    assert bureau.ann.post("/access-grants", said).json["code"] == "access_forbidden"
    assert visit.get("/contacts").status_code == 403
    assert bureau.ann.post("/access-grants", ASK | {"tenant": slug_of(other)}).status_code == 201
    bureau.settle()


def test_a_refused_ask_opens_nothing(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    asked = bureau.asked(tenant)
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    path = f"/access-grants/{asked['id']}/refusal"
    assert tenant.admin.in_person.put(path, {"why": "No."}).json["state"] == "refused"
    assert bureau.ann.post("/visits", {"grant_id": asked["id"]}).json["code"] == "wrong_state"
    assert approve(tenant.admin, asked).json["code"] == "wrong_state"


def test_a_tenant_invites_and_the_first_who_comes_is_named(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    said = {name: ASK[name] for name in ("resources", "hours", "reason", "explanation")}
    made = tenant.admin.in_person.post("/access-grants", said)
    assert (made.status_code, made.json["state"]) == (201, "approved")
    assert made.json["id"] in {each["id"] for each in bureau.ann.get("/access-grants").json["data"]}
    visit = bureau.visit(made.json)
    assert visit.get("/contacts").status_code == 200
    assert tenant.admin.get(f"/access-grants/{made.json['id']}").json["staff_name"] == "Support"
    assert bureau.boss.post("/visits", {"grant_id": made.json["id"]}).status_code == 404
    named = tenant.admin.in_person.post(
        "/access-grants", said | {"staff_email": bureau.boss.made.staff.email}
    ).json
    assert bureau.ann.post("/visits", {"grant_id": named["id"]}).status_code == 404
    visit.end()
    bureau.settle()


@pytest.mark.promise("3-26", "4-13")
def test_break_glass_takes_two_of_security_for_one_hour_and_the_tenant_is_told_at_once(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    one, two = bureau.hire("security"), bureau.hire("security")
    said = ASK | {"tenant": slug_of(tenant), "kind": "break_glass", "ticket": "INC-7"}
    assert bureau.ann.post("/access-grants", said).status_code == 403
    assert one.post("/access-grants", said | {"access": "write"}).status_code == 422
    assert one.post("/access-grants", said | {"ticket": None}).status_code == 422
    asked = one.post("/access-grants", said).json
    assert (asked["hours"], asked["reason"]) == (1, "security_incident")
    path = f"/access-grants/{asked['id']}"
    assert one.put(f"{path}/approval").json["code"] == "own_request"
    assert bureau.boss.put(f"{path}/approval").status_code == 404
    early = one.post("/visits", {"grant_id": asked["id"]}).json
    assert early["detail"] == "This access waits for a second person of security."
    assert two.put(f"{path}/approval").json["state"] == "approved"
    assert tenant.admin.get(path).json["kind"] == "break_glass"
    visit = bureau.visit(asked, one)
    assert visit.get("/contacts").status_code == 200
    assert tenant.admin.in_person.put(f"{path}/revocation", {}).json["state"] == "revoked"
    assert visit.get("/contacts").status_code == 403
    assert one.put(f"{path}/review", {"finding": "All well."}).json["code"] == "own_request"
    assert two.put(f"{path}/review", {"finding": "All well."}).json["review_overdue"] is False
    bureau.settle()


def order_of(tenant: Workspace, ids: list[str], **said: Any) -> dict[str, Any]:
    return {
        "tenant": slug_of(tenant), "authority": "A court", "jurisdiction": "IT", "reference": "12/2026",
        "document_sha256": "ab" * 32, "resources": ["contacts"], "record_ids": ids, **said,
    }  # fmt: skip


def approved_order(order: dict[str, Any], one: Person, two: Person) -> dict[str, Any]:
    made = one.post("/legal-orders", order)
    assert made.status_code == 201, made.json
    path = f"/legal-orders/{made.json['id']}/approval"
    assert one.put(path).json["state"] == "received"
    assert one.put(path).json["code"] == "same_person"
    approved = two.put(path)
    assert approved.json["state"] == "approved", approved.json
    return dict(approved.json)


@pytest.mark.promise("1-22", "2-24", "3-24", "4-12")
def test_an_order_of_law_discloses_its_records_and_no_other(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    one, two = bureau.hire("legal"), bureau.hire("legal")
    assert bureau.ann.post("/legal-orders", order_of(tenant, ids[:1])).status_code == 403
    tenant.admin.in_person.patch("/access-grants/rules", {"forbidden": True})
    order = approved_order(order_of(tenant, ids[:1]), one, two)
    assert order["told_at"] is not None
    visit = bureau.visit({"id": order["grant_id"]}, one)
    (seen,) = visit.get("/contacts").json["data"]
    assert (seen["id"], seen["last_name"].startswith("Clearname")) == (ids[0], True)
    assert visit.get(f"/contacts/{ids[1]}").status_code == 404
    assert two.post("/visits", {"grant_id": order["grant_id"]}).status_code == 404
    assert tenant.admin.get(f"/access-grants/{order['grant_id']}").json["kind"] == "legal_order"
    assert len(tenant.admin.get("/access-log").json["data"]) == 2
    told = tenant.admin.in_person.put(f"/access-grants/{order['grant_id']}/revocation", {})
    assert told.json["code"] == "legal_order"
    visit.end()
    bureau.settle()


@pytest.mark.promise("3-25", "4-12")
def test_a_gag_keeps_an_order_from_the_tenant_until_its_day_and_no_longer(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    ends = now() + timedelta(hours=1)
    one, two = bureau.hire("legal"), bureau.hire("legal")
    order = approved_order(order_of(tenant, ids[:1], gag_until=ends.isoformat()), one, two)
    visit = bureau.visit({"id": order["grant_id"]}, one)
    assert visit.get("/contacts").status_code == 200
    names = ("access-grants", "access-visits", "access-log")
    for name in names:
        assert tenant.admin.get(f"/{name}").json["data"] == [], name
    assert not [each for each in _audited(tenant) if "access" in each]
    _let_the_day_come(bureau.settings, tenant, order)
    tell_when_due(bureau.catalog)
    for name in names:
        assert len(tenant.admin.get(f"/{name}").json["data"]) == 1, name
        assert order["grant_id"] not in other.admin.get(f"/{name}").text
    assert "access-grants.told" in _audited(tenant)
    assert one.get(f"/legal-orders/{order['id']}").json["told_at"] is not None
    visit.end()
    bureau.settle()


def _audited(tenant: Workspace) -> list[str]:
    return [each["action"] for each in tenant.admin.get("/audit-events?limit=200").json["data"]]


def _let_the_day_come(settings: Settings, tenant: Workspace, order: dict[str, Any]) -> None:
    """The database looks at its own clock, which no test can set: the day is brought forward instead."""
    theirs = [
        sql.Identifier(tenant.home.role, each) for each in ("access_grants", "access_visits", "access_log")
    ]
    with as_owner(settings.owner_database_url, autocommit=True) as connection:
        connection.execute("update catalog.legal_orders set gag_until = now() where id = %s", [order["id"]])
        for table in theirs:
            bring = sql.SQL("update {} set visible_from = now() where visible_from > now()").format(table)
            assert connection.execute(bring).rowcount == 1


def test_break_glass_is_not_approved_where_the_tenant_forbade_access_meanwhile(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    first, second = bureau.hire("security"), bureau.hire("security")
    incident = {"kind": "break_glass", "reason": "security_incident", "ticket": "I-1"}
    asked = first.post("/access-grants", ASK | incident | {"tenant": slug_of(tenant)})
    assert asked.status_code == 201, asked.json
    assert tenant.admin.in_person.patch("/access-grants/rules", {"forbidden": True}).status_code == 200

    refused = second.put(f"/access-grants/{asked.json['id']}/approval")

    assert (refused.status_code, refused.json["code"]) == (403, "access_forbidden")
    assert tenant.admin.get(f"/access-grants/{asked.json['id']}").json["state"] == "asked"
    assert other.admin.get(f"/access-grants/{asked.json['id']}").status_code == 404
