"""What a tenant is told of access by our people reaches it by mail, in its list and by webhook, and once."""

from uuid import UUID

import pytest
from sqlalchemy import update

from tenants.support_access.legal_orders import tell_when_due
from tenants.support_access.staff.models import LegalOrder
from tests.jobs import RunJobs
from tests.mails import posted
from tests.receivers import Receiver, set_up
from tests.staff import ASK, Bureau, slug_of
from tests.workspace import Workspace

ORDER = "Records of your workspace are disclosed under an order of law"


def subjects(tenant: Workspace) -> list[str]:
    return [each.subject for each in posted(tenant, f"ada@{slug_of(tenant)}.test")]


@pytest.mark.promise("SUP-4")
def test_an_incident_and_an_ask_reach_those_who_decide_three_ways(
    bureau: Bureau, tenant: Workspace, other: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    theirs = other.admin.get("/notices").json["data"]
    made = set_up(tenant, receiver.url, events=["access-grants.asked", "access-grants.opened"])
    one, two = bureau.hire("security"), bureau.hire("security")
    said = ASK | {"tenant": slug_of(tenant)}
    opened = one.post("/access-grants", said | {"kind": "break_glass", "ticket": "INC-7"}).json
    two.put(f"/access-grants/{opened['id']}/approval")
    asked = bureau.ann.post("/access-grants", said).json
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    wanted = [
        "Our security staff opened your workspace in an incident",
        "Our staff ask for access to your workspace",
    ]
    assert subjects(tenant)[-2:] == wanted
    listed = tenant.admin.get("/notices?kind[in]=access-grants.asked,access-grants.opened&sort=at").json
    assert [each["subject"] for each in listed["data"]] == wanted
    run_jobs()
    came = {(each["type"], each["id"]) for each in receiver.verified(made["secret"])}
    assert came == {(each["kind"], each["id"]) for each in listed["data"]}
    assert other.admin.get("/notices").json["data"] == theirs
    bureau.settle()


@pytest.mark.promise("SUP-3")
def test_an_order_of_law_is_told_once_though_the_catalog_forgot_that_it_was(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    """As when the process died between the tenant's transaction and the catalog's."""
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    said = {
        "authority": "A court",
        "jurisdiction": "IT",
        "reference": "12/2026",
        "document_sha256": "ab" * 32,
    }
    about = {"tenant": slug_of(tenant), "resources": ["contacts"], "record_ids": ids[:1]}
    one, two = bureau.hire("legal"), bureau.hire("legal")
    made = one.post("/legal-orders", said | about).json
    for each in (one, two):
        order = each.put(f"/legal-orders/{made['id']}/approval").json
    before = len(subjects(tenant))
    for _ in range(2):
        with bureau.catalog.transaction() as session:
            ours = update(LegalOrder).where(LegalOrder.grant_id == UUID(order["grant_id"]))
            session.execute(ours.values(told_at=None))
        tell_when_due(bureau.catalog)
    assert subjects(tenant).count(ORDER) == 1
    assert len(subjects(tenant)) == before
    (notice,) = tenant.admin.get("/notices?kind=access-grants.disclosed").json["data"]
    told = tenant.admin.get("/audit-events?action=access-grants.told").json["data"]
    assert [each["record_id"] for each in told] == [order["grant_id"]]
    assert other.admin.get(f"/notices/{notice['id']}").status_code == 404
    bureau.settle()
