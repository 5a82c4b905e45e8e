"""Deals over REST: opened, moved, closed once, reopened; by whom their reach allows, and by no neighbour."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from crm.sales.models import Deal, Pipeline
from tenants.access.caller import SYSTEM, act_as
from tenants.access.policy import save
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace

EURO = {"amount": "1200.50", "currency": "EUR"}


def deal_of(client: Client, **fields: Any) -> dict[str, Any]:
    made = client.post("/deals", {"name": "Deal", "amount": EURO, **fields})
    assert made.status_code == 201, made.json
    return made.json


def stages_of(workspace: Workspace) -> list[dict[str, Any]]:
    (pipeline,) = workspace.admin.get("/pipelines?is_default=true&include=stages").json["data"]
    return pipeline["stages"]


def test_a_deal_is_opened_read_changed_and_deleted(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.sales.post("/companies", {"name": "Initech"}).json["id"]
    contact = acme.sales.post("/contacts", {"last_name": "Lumbergh", "company_id": company}).json["id"]
    product = acme.admin.post("/products", {"name": f"GTX {secrets.token_hex(4)}"}).json["id"]
    deal = deal_of(
        acme.sales, company_id=company, contact_id=contact, product_id=product, opened_on="2026-02-01"
    )
    path = f"/deals/{deal['id']}"
    read = acme.sales.get(f"{path}?include=company,contact,product,pipeline,stage,owner,closed_by").json
    assert (read["company"]["name"], read["contact"]["last_name"], read["product"]["id"]) == (
        "Initech",
        "Lumbergh",
        product,
    )
    assert (read["stage"]["name"], read["owner"]["id"]) == ("Prospecting", str(acme.sales.user_id))
    assert (read["outcome"], read["closed_on"], read["closed_by"]) == (None, None, None)
    changed = acme.sales.patch(
        path, {"amount": {"amount": "99", "currency": "USD"}, "expected_close_on": "2026-12-24"}
    )
    assert changed.json["amount"] == {"amount": "99.00", "currency": "USD"}
    for method, route in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("PUT", f"{path}/outcome"),
        ("PUT", f"{path}/stage"),
    ):
        body = {"PUT": {"result": "won"} if "outcome" in route else {"stage_id": str(uuid4())}}.get(
            method, {}
        )
        assert neighbour.admin.request(method, route, json=body).status_code in (404, 422)
    assert neighbour.admin.put(f"{path}/outcome", {"result": "won"}).status_code == 404
    assert neighbour.admin.delete(f"{path}/outcome").status_code == 404
    assert neighbour.admin.get(f"{path}/outcome-changes").status_code == 404
    assert acme.admin.delete(path).status_code == 204
    assert acme.admin.get(path).status_code == 404


def test_a_deal_without_a_name_is_called_by_its_reference(acme: Workspace, neighbour: Workspace) -> None:
    reference = secrets.token_hex(4).upper()
    made = acme.sales.post("/deals", {"reference": reference})
    assert (made.status_code, made.json["name"]) == (201, reference)
    twice = acme.sales.post("/deals", {"name": "Again", "reference": reference})
    assert (twice.status_code, twice.json["code"]) == (409, "already_exists")
    assert neighbour.sales.post("/deals", {"reference": reference}).status_code == 201
    nameless = acme.sales.post("/deals", {})
    assert (nameless.status_code, list(nameless.json["errors"])) == (422, ["name"])
    assert acme.sales.patch(f"/deals/{made.json['id']}", {"name": None}).status_code == 422
    found = acme.sales.get(f"/deals?q={reference.lower()}").json["data"]
    assert [each["id"] for each in found] == [made.json["id"]]


def test_a_deal_stands_on_a_stage_of_its_own_pipeline(acme: Workspace, neighbour: Workspace) -> None:
    other = acme.admin.post("/pipelines", {"name": f"P {secrets.token_hex(4)}"}).json["id"]
    theirs = acme.admin.post("/stages", {"pipeline_id": other, "name": "There"}).json["id"]
    default = stages_of(acme)
    both = acme.sales.post("/deals", {"name": "Torn", "pipeline_id": other, "stage_id": default[0]["id"]})
    assert (both.status_code, list(both.json["errors"])) == (422, ["stage_id"])
    deal = deal_of(acme.sales, pipeline_id=other)
    assert deal["stage_id"] == theirs
    moved = acme.sales.put(f"/deals/{deal['id']}/stage", {"stage_id": default[1]["id"]})
    assert moved.json["pipeline_id"] != other
    for stranger in (stages_of(neighbour)[0]["id"], str(uuid4())):
        refused = acme.sales.put(f"/deals/{deal['id']}/stage", {"stage_id": stranger})
        assert (refused.status_code, refused.json["errors"]) == (
            422,
            {"stage_id": ["There is no such record."]},
        )
        assert (
            acme.sales.post("/deals", {"name": "Far", "stage_id": stranger}).json["errors"]
            == refused.json["errors"]
        )
    assert acme.sales.patch(f"/deals/{deal['id']}", {"stage_id": theirs}).status_code == 422


def test_a_deal_ends_only_once_and_can_begin_again(acme: Workspace, neighbour: Workspace) -> None:
    deal = deal_of(acme.sales, opened_on="2026-01-10")
    path = f"/deals/{deal['id']}"
    early = acme.sales.put(f"{path}/outcome", {"result": "won", "closed_on": "2026-01-09"})
    assert (early.status_code, list(early.json["errors"])) == (422, ["closed_on"])
    won = acme.sales.put(
        f"{path}/outcome", {"result": "won", "reason": "Price", "closed_on": "2026-01-20"}
    ).json
    assert (won["outcome"], won["outcome_reason"], won["closed_on"]) == ("won", "Price", "2026-01-20")
    assert won["closed_by_id"] == str(acme.sales.user_id)
    again = acme.sales.put(f"{path}/outcome", {"result": "lost"})
    assert (again.status_code, again.json["code"]) == (409, "deal_closed")
    stage = {"stage_id": stages_of(acme)[2]["id"]}
    assert acme.sales.put(f"{path}/stage", stage).status_code == 409
    assert acme.sales.patch(path, {"amount": None}).status_code == 409
    assert acme.sales.patch(path, {"opened_on": "2026-01-21"}).status_code == 422
    assert acme.sales.patch(path, {"amount": EURO, "notes": "Signed"}).status_code == 200
    reopened = acme.sales.delete(f"{path}/outcome")
    assert (reopened.status_code, reopened.json["outcome"], reopened.json["closed_on"]) == (200, None, None)
    assert acme.sales.delete(f"{path}/outcome").json["code"] == "deal_open"
    assert acme.sales.put(f"{path}/stage", stage).status_code == 200
    assert acme.sales.put(f"{path}/outcome", {"result": "lost"}).status_code == 200
    changes = acme.sales.get(f"{path}/outcome-changes").json["data"]
    assert [(each["outcome"], each["reason"]) for each in changes] == [
        ("won", "Price"),
        (None, None),
        ("lost", None),
    ]
    assert {each["by"]["id"] for each in changes} == {str(acme.sales.user_id)}
    assert neighbour.admin.get(f"/deals?name={deal['name']}&id={deal['id']}").json["data"] == []


def test_a_deal_that_came_closed_and_without_a_stage_begins_on_the_first(
    acme: Workspace, neighbour: Workspace
) -> None:
    stage = stages_of(acme)[0]
    with inside(acme.home):
        act_as(SYSTEM)
        pipeline = db().scalars(select(Pipeline.id).where(Pipeline.is_default)).one()
        owner = {"owner_id": acme.sales.user_id, "team_id": acme.sales.team_id}
        deal = save(
            Deal(name="Old", pipeline_id=pipeline, outcome="lost", closed_on=date(2020, 1, 1), **owner)
        )
    path = f"/deals/{deal.id}"
    assert acme.sales.get(f"{path}?include=stage").json["stage"] is None
    reopened = acme.sales.delete(f"{path}/outcome").json
    assert (reopened["outcome"], reopened["stage_id"]) == (None, stage["id"])
    (change,) = acme.sales.get(f"{path}/stage-changes").json["data"]
    assert (change["from_stage"], change["to_stage"]) == (None, stage["name"])
    assert neighbour.admin.delete(f"{path}/outcome").status_code == 404


def test_each_move_between_stages_is_kept(acme: Workspace, neighbour: Workspace) -> None:
    deal = deal_of(acme.sales)
    stages = stages_of(acme)
    for index in (1, 1, 3):
        assert (
            acme.sales.put(f"/deals/{deal['id']}/stage", {"stage_id": stages[index]["id"]}).status_code == 200
        )
    page = acme.sales.get(f"/deals/{deal['id']}/stage-changes?limit=2").json
    rest = acme.sales.get(f"/deals/{deal['id']}/stage-changes?limit=2&cursor={page['next_cursor']}").json
    moves = [(each["from_stage"], each["to_stage"]) for each in page["data"] + rest["data"]]
    assert moves == [(None, "Prospecting"), ("Prospecting", "Engaging"), ("Engaging", "Negotiation")]
    assert neighbour.sales.get(f"/deals/{deal['id']}/stage-changes").status_code == 404
    assert acme.sales_elsewhere.get(f"/deals/{deal['id']}/stage-changes").status_code == 404


@pytest.mark.promise("0-19")
def test_reach_decides_who_closes_a_deal(acme: Workspace, neighbour: Workspace) -> None:
    mine, managers = deal_of(acme.sales), deal_of(acme.manager)
    outcome = {"result": "lost", "reason": "No budget"}
    assert acme.sales_elsewhere.put(f"/deals/{mine['id']}/outcome", outcome).status_code == 404
    assert acme.read_only.put(f"/deals/{mine['id']}/outcome", outcome).status_code == 403
    assert acme.sales.put(f"/deals/{managers['id']}/outcome", outcome).status_code == 403
    assert acme.manager.put(f"/deals/{mine['id']}/outcome", outcome).status_code == 200
    assert acme.sales.delete(f"/deals/{mine['id']}/outcome").status_code == 200
    assert acme.sales.put(f"/deals/{mine['id']}/outcome", outcome).status_code == 200
    assert acme.sales.delete(f"/deals/{mine['id']}").status_code == 403
    assert neighbour.manager.put(f"/deals/{mine['id']}/outcome", outcome).status_code == 404


def test_deals_are_filtered_by_how_they_stand(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.sales.post("/companies", {"name": "Filtered"}).json["id"]
    won, lost, open_ = (deal_of(acme.sales, company_id=company) for _ in range(3))
    acme.sales.put(f"/deals/{won['id']}/outcome", {"result": "won", "closed_on": "2030-05-01"})
    acme.sales.put(f"/deals/{lost['id']}/outcome", {"result": "lost"})
    for query, wanted in (
        ("outcome=won", [won]),
        ("outcome[in]=won,lost", [won, lost]),
        ("outcome[is_null]=true", [open_]),
        (f"stage_id={open_['stage_id']}&sort=created_at", [won, lost, open_]),
        ("closed_on[gte]=2030-01-01", [won]),
        ("amount[gt]=5000", []),
        ("amount[gte]=1200.50&outcome[is_null]=true", [open_]),
    ):
        found = acme.sales.get(f"/deals?company_id={company}&{query}").json["data"]
        assert {each["id"] for each in found} == {each["id"] for each in wanted}, query
    unknown = acme.sales.get("/deals?status=open&outcome=maybe")
    assert (unknown.status_code, sorted(unknown.json["errors"])) == (422, ["outcome", "status"])
    assert neighbour.admin.get(f"/deals?company_id={company}").json["data"] == []


def test_what_others_own_can_not_be_referred_to(acme: Workspace, neighbour: Workspace) -> None:
    elsewhere = acme.sales_elsewhere.post("/companies", {"name": "Elsewhere"}).json["id"]
    foreign = neighbour.admin.post("/companies", {"name": "Foreign"}).json["id"]
    answers = [
        acme.sales.post("/deals", {"name": "D", "company_id": each})
        for each in (elsewhere, foreign, str(uuid4()))
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert all(answer.json["errors"] == {"company_id": ["There is no such record."]} for answer in answers)


def test_what_a_deal_refers_to_can_not_be_deleted(acme: Workspace, neighbour: Workspace) -> None:
    product = acme.admin.post("/products", {"name": f"GTX {secrets.token_hex(4)}"}).json["id"]
    company = acme.sales.post("/companies", {"name": "Kept"}).json["id"]
    deal = deal_of(acme.sales, product_id=product, company_id=company)
    for path in (f"/products/{product}", f"/companies/{company}"):
        refused = acme.admin.delete(path)
        assert (refused.status_code, refused.json["code"]) == (409, "still_referenced")
        assert neighbour.admin.delete(path).status_code == 404
    assert acme.admin.delete(f"/deals/{deal['id']}").status_code == 204
    assert acme.admin.delete(f"/products/{product}").status_code == 204


def test_what_happens_to_a_deal_is_on_record(acme: Workspace, neighbour: Workspace) -> None:
    deal = deal_of(acme.sales)
    acme.sales.put(f"/deals/{deal['id']}/outcome", {"result": "won", "reason": "Only we had it"})
    events = acme.admin.get(f"/audit-events?record_id={deal['id']}&sort=at").json["data"]
    assert [event["action"] for event in events] == ["deals.created", "deals.changed"]
    assert events[1]["changes"]["outcome"] == [None, "won"]
    assert neighbour.admin.get(f"/audit-events?record_id={deal['id']}").json["data"] == []


@pytest.mark.soak
def test_of_many_who_close_a_deal_at_once_one_does(acme: Workspace, neighbour: Workspace) -> None:
    app = acme.sales.flask.application
    barrier = Barrier(3)

    def close(client: Client, path: str, result: str) -> int:
        mine = Client(app.test_client(), client.key, client.user_id)
        barrier.wait()
        return mine.put(f"{path}/outcome", {"result": result}).status_code

    with ThreadPoolExecutor(3) as threads:
        for _ in range(50):
            deal = deal_of(acme.sales)
            path = f"/deals/{deal['id']}"
            asked = ((acme.sales, "won"), (acme.manager, "lost"), (neighbour.admin, "lost"))
            answers = [threads.submit(close, client, path, result) for client, result in asked]
            statuses = [answer.result() for answer in answers]
            assert sorted(statuses[:2]) == [200, 409]
            assert statuses[2] == 404
            outcome = ("won", "lost")[statuses.index(200)]
            changes = acme.sales.get(f"{path}/outcome-changes").json["data"]
            assert [each["outcome"] for each in changes] == [outcome]
            assert acme.sales.get(path).json["outcome"] == outcome
