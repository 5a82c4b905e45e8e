"""Contacts over REST: made, read, changed, deleted, and never seen by the neighbour."""

from uuid import uuid4

import pytest

from tests.workspace import Workspace


def test_a_contact_is_made_read_changed_and_deleted(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.admin.post("/companies", {"name": "Initech", "bank_account": "DE89 3704"}).json
    made = acme.admin.post(
        "/contacts", {"last_name": "Lumbergh", "company_id": company["id"], "national_id": "X1"}
    )
    assert made.status_code == 201
    assert made.headers["Location"].endswith(made.json["id"])
    path = f"/contacts/{made.json['id']}"
    read = acme.admin.get(f"{path}?include=company,owner")
    assert read.json["company"] == {"id": company["id"], "name": "Initech", "domain": None}
    assert read.json["national_id"] == "X1"
    changed = acme.admin.patch(path, {"first_name": "Bill"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json["first_name"]) == (200, "Bill")
    stale = acme.admin.patch(path, {"first_name": "Bob"}, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    assert neighbour.admin.get(path).status_code == 404
    assert neighbour.admin.patch(path, {"first_name": "Eve"}).status_code == 404
    assert neighbour.admin.delete(path).status_code == 404
    assert acme.admin.delete(path).status_code == 204
    assert acme.admin.get(path).status_code == 404


@pytest.mark.promise("0-19")
def test_reach_decides_who_sees_and_who_changes(acme: Workspace, neighbour: Workspace) -> None:
    mine = acme.sales.post("/contacts", {"last_name": "Mine"}).json["id"]
    assert acme.manager.patch(f"/contacts/{mine}", {"city": "Rome"}).status_code == 200
    assert acme.read_only.get(f"/contacts/{mine}").status_code == 200
    assert acme.read_only.patch(f"/contacts/{mine}", {"city": "Oslo"}).status_code == 403
    assert acme.sales_elsewhere.get(f"/contacts/{mine}").status_code == 404
    assert acme.sales_elsewhere.patch(f"/contacts/{mine}", {"city": "Oslo"}).status_code == 404
    theirs = acme.manager.post("/contacts", {"last_name": "Manager's"}).json["id"]
    assert acme.sales.get(f"/contacts/{theirs}").status_code == 200
    assert acme.sales.patch(f"/contacts/{theirs}", {"city": "Oslo"}).status_code == 403
    assert neighbour.admin.get(f"/contacts/{mine}").json["code"] == "not_found"


def test_a_neighbours_company_is_word_for_word_one_that_never_was(
    acme: Workspace, neighbour: Workspace
) -> None:
    theirs = neighbour.admin.post("/companies", {"name": "Secret"}).json["id"]
    answers = [
        acme.admin.post("/contacts", {"last_name": "A", "company_id": each})
        for each in (theirs, str(uuid4()))
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].json["errors"] == answers[1].json["errors"]
