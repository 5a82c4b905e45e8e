"""Leads over REST: made, given up, taken up again, and converted once, whole, whoever else is trying."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from tests.workspace import Client, Workspace


def lead_of(client: Client, **fields: Any) -> dict[str, Any]:
    made = client.post(
        "/leads", {"first_name": "Bill", "last_name": "Lumbergh", "email": "bill@initech.test", **fields}
    )
    assert made.status_code == 201, made.json
    return made.json


def new_name() -> str:
    return f"Initech {secrets.token_hex(4)}"


def count(client: Client, path: str) -> int:
    return len(client.get(path).json["data"])


def test_a_lead_is_made_read_changed_and_deleted(acme: Workspace, neighbour: Workspace) -> None:
    lead = lead_of(acme.sales, origin="Trade fair", score=40)
    assert (lead["state"], lead["origin"], lead["owner_id"]) == (
        "open",
        "Trade fair",
        str(acme.sales.user_id),
    )
    path = f"/leads/{lead['id']}"
    assert acme.sales.patch(path, {"score": 60}).json["score"] == 60
    assert acme.sales.patch(path, {"score": 101}).status_code == 422
    assert acme.sales.patch(path, {"state": "converted"}).status_code == 422
    assert acme.read_only.patch(path, {"score": 1}).status_code == 403
    assert acme.sales_elsewhere.get(path).status_code == 404
    requests = (
        ("GET", path, None),
        ("PATCH", path, {"score": 1}),
        ("DELETE", path, None),
        ("PUT", f"{path}/conversion", {}),
        ("PUT", f"{path}/disqualification", {"reason": "No"}),
        ("DELETE", f"{path}/disqualification", None),
    )
    for method, route, body in requests:
        assert neighbour.admin.request(method, route, json=body).status_code == 404, route
    assert acme.sales.delete(path).status_code == 403
    assert acme.manager.delete(path).status_code == 204
    assert acme.sales.get(path).status_code == 404


def test_a_lead_is_given_up_with_a_reason_and_taken_up_again(acme: Workspace, neighbour: Workspace) -> None:
    path = f"/leads/{lead_of(acme.sales)['id']}"
    assert acme.sales.put(f"{path}/disqualification", {}).status_code == 422
    given_up = acme.sales.put(f"{path}/disqualification", {"reason": "No budget"}).json
    assert (given_up["state"], given_up["disqualified_reason"]) == ("disqualified", "No budget")
    assert given_up["disqualified_by_id"] == str(acme.sales.user_id)
    assert acme.sales.put(f"{path}/disqualification", {"reason": "Twice"}).json["code"] == "lead_disqualified"
    assert acme.sales.put(f"{path}/conversion", {}).json["code"] == "lead_disqualified"
    taken_up = acme.sales.delete(f"{path}/disqualification").json
    assert (taken_up["state"], taken_up["disqualified_reason"], taken_up["disqualified_at"]) == (
        "open",
        None,
        None,
    )
    assert acme.sales.delete(f"{path}/disqualification").json["code"] == "lead_open"
    assert neighbour.admin.get(path).status_code == 404


def test_a_lead_becomes_a_contact_a_company_and_a_deal_and_keeps_the_links(
    acme: Workspace, neighbour: Workspace
) -> None:
    name = new_name()
    lead = lead_of(acme.sales, company_name=name, phone="+49 30 1")
    deal = {"amount": {"amount": "500", "currency": "EUR"}}
    converted = acme.sales.put(f"/leads/{lead['id']}/conversion", {"deal": deal})
    assert converted.status_code == 200
    read = acme.sales.get(f"/leads/{lead['id']}?include=contact,company,deal,converted_by").json
    assert (read["state"], read["converted_by"]["id"]) == ("converted", str(acme.sales.user_id))
    assert (read["contact"]["last_name"], read["company"]["name"], read["deal"]["name"]) == (
        "Lumbergh",
        name,
        name,
    )
    contact = acme.sales.get(f"/contacts/{read['contact_id']}").json
    assert (contact["company_id"], contact["phone"], contact["owner_id"]) == (
        read["company_id"],
        "+49 30 1",
        lead["owner_id"],
    )
    made = acme.sales.get(f"/deals/{read['deal_id']}?include=stage").json
    assert (made["company_id"], made["contact_id"], made["amount"]["amount"]) == (
        read["company_id"],
        contact["id"],
        "500.00",
    )
    assert made["stage"]["name"] == "Prospecting"
    assert acme.sales.patch(f"/leads/{lead['id']}", {"score": 1}).json["code"] == "lead_converted"
    assert (
        acme.sales.put(f"/leads/{lead['id']}/disqualification", {"reason": "No"}).json["code"]
        == "lead_converted"
    )
    assert neighbour.admin.get(f"/companies?name={name}").json["data"] == []


def test_converting_again_answers_with_the_same(acme: Workspace, neighbour: Workspace) -> None:
    name = new_name()
    lead = lead_of(acme.sales, company_name=name)
    first = acme.sales.put(f"/leads/{lead['id']}/conversion", {})
    again = acme.manager.put(f"/leads/{lead['id']}/conversion", {"deal": {"name": "Late"}})
    assert first.status_code == again.status_code == 200
    assert first.json == again.json
    assert first.json["deal_id"] is None
    assert (
        count(acme.admin, f"/companies?name={name}")
        == count(acme.admin, f"/contacts?company_id={first.json['company_id']}")
        == 1
    )
    assert neighbour.admin.put(f"/leads/{lead['id']}/conversion", {}).status_code == 404


def test_a_company_that_the_caller_sees_is_taken_again(acme: Workspace, neighbour: Workspace) -> None:
    name = new_name()
    theirs = neighbour.admin.post("/companies", {"name": name}).json["id"]
    elsewhere = acme.sales_elsewhere.post("/companies", {"name": name}).json["id"]
    first = acme.sales.put(f"/leads/{lead_of(acme.sales, company_name=name)['id']}/conversion", {}).json[
        "company_id"
    ]
    second = acme.sales.put(f"/leads/{lead_of(acme.sales, company_name=name)['id']}/conversion", {}).json[
        "company_id"
    ]
    assert first == second
    assert first not in (theirs, elsewhere)
    other = acme.sales.post("/companies", {"name": new_name()}).json["id"]
    named = acme.sales.put(
        f"/leads/{lead_of(acme.sales, company_name=name)['id']}/conversion", {"company_id": other}
    )
    assert named.json["company_id"] == other
    alone = acme.sales.put(f"/leads/{lead_of(acme.sales)['id']}/conversion", {"deal": {}})
    assert alone.json["company_id"] is None
    assert acme.sales.get(f"/deals/{alone.json['deal_id']}").json["name"] == "Bill Lumbergh"


def test_a_conversion_that_fails_leaves_nothing_behind(acme: Workspace, neighbour: Workspace) -> None:
    theirs = neighbour.admin.post("/companies", {"name": new_name()}).json["id"]
    hidden = acme.sales_elsewhere.post("/companies", {"name": new_name()}).json["id"]
    name, email = new_name(), f"{secrets.token_hex(4)}@initech.test"
    lead = lead_of(acme.sales, company_name=name, email=email)
    bodies = (
        {"deal": {"stage_id": str(uuid4())}},
        {"deal": {"product_id": str(uuid4())}},
        {"deal": {"owner_id": str(uuid4())}},
        {"company_id": theirs},
        {"company_id": hidden},
        {"company_id": str(uuid4()), "deal": {}},
    )
    for body in bodies:
        refused = acme.sales.put(f"/leads/{lead['id']}/conversion", body)
        assert refused.status_code == 422, body
        assert refused.json["errors"]
    assert acme.sales.get(f"/leads/{lead['id']}").json["state"] == "open"
    assert count(acme.admin, f"/companies?name={name}") == count(acme.admin, f"/contacts?email={email}") == 0


@pytest.mark.promise("0-19")
def test_reach_decides_who_converts(acme: Workspace, neighbour: Workspace) -> None:
    mine, managers = lead_of(acme.sales)["id"], lead_of(acme.manager)["id"]
    assert acme.sales_elsewhere.put(f"/leads/{mine}/conversion", {}).status_code == 404
    assert acme.read_only.put(f"/leads/{mine}/conversion", {}).status_code == 403
    assert acme.sales.put(f"/leads/{managers}/conversion", {}).status_code == 403
    converted = acme.manager.put(f"/leads/{mine}/conversion", {}).json
    assert acme.sales.get(f"/contacts/{converted['contact_id']}").json["owner_id"] == str(acme.sales.user_id)
    assert neighbour.manager.put(f"/leads/{managers}/conversion", {}).status_code == 404


@pytest.mark.soak
def test_of_many_conversions_at_once_all_have_one_result(acme: Workspace, neighbour: Workspace) -> None:
    app = acme.sales.flask.application
    barrier = Barrier(4)

    def convert(client: Client, lead_id: str) -> tuple[int, Any]:
        mine = Client(app.test_client(), client.key, client.user_id)
        barrier.wait()
        answer = mine.put(f"/leads/{lead_id}/conversion", {"deal": {}})
        return answer.status_code, answer.json

    with ThreadPoolExecutor(4) as threads:
        for _ in range(50):
            name = new_name()
            lead, other = (lead_of(acme.sales, company_name=name)["id"] for _ in range(2))
            asked = ((acme.sales, lead), (acme.manager, lead), (acme.sales, other), (neighbour.admin, lead))
            first, second, third, foreign = (
                each.result() for each in [threads.submit(convert, *each) for each in asked]
            )
            assert (first[0], second[0], third[0], foreign[0]) == (200, 200, 200, 404)
            assert first[1] == second[1]
            assert first[1]["company_id"] == third[1]["company_id"]
            company = first[1]["company_id"]
            assert count(acme.admin, f"/companies?name={name}") == 1
            assert (
                count(acme.admin, f"/contacts?company_id={company}")
                == count(acme.admin, f"/deals?company_id={company}")
                == 2
            )
