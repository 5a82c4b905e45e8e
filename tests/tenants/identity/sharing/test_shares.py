"""Single records shared with users and teams: seen everywhere, to the end and no longer, by nobody who may not share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.identity.models import RecordShare
from tenants.identity.sharing.ending import forget_expired
from tenants.identity.sharing.giving import MOST
from tenants.isolation.door import db, inside
from tests.attaching import attached
from tests.tenants.identity.rights.people import person, somebody_who_may
from tests.workspace import Client, Workspace


@pytest.fixture
def deal(acme: Workspace) -> str:
    """A deal of the team North."""
    company = acme.sales.post("/companies", {"name": f"Shared {uuid4().hex}"}).json["id"]
    body = {
        "name": f"Kept {uuid4().hex}",
        "company_id": company,
        "amount": {"amount": "7.00", "currency": "EUR"},
    }
    return str(acme.sales.post("/deals", body).json["id"])


def share(client: Client, record: str, resource: str = "deals", **said: Any) -> Any:
    return client.post("/record-shares", {"resource": resource, "record_id": record, **said})


def found(client: Client, deal: str) -> dict[str, bool]:
    """Where a deal comes to light for somebody."""
    name = client.get(f"/deals/{deal}").json.get("name", "nothing")
    report = client.get(f"/reports/deals?measure=count&group_by=owner&id={deal}").json["data"]
    return {
        "get": client.get(f"/deals/{deal}").status_code == 200,
        "list": bool(client.get(f"/deals?id={deal}").json["data"]),
        "search": bool(client.get("/deals", query_string={"q": name, "id": deal}).json["data"]),
        "report": sum(each["count"] for each in report) == 1,
    }


def everywhere(there: bool) -> dict[str, bool]:  # noqa: FBT001 - it is the answer
    return dict.fromkeys(("get", "list", "search", "report"), there)


@pytest.mark.parametrize("receiver", ["user_id", "team_id"])
def test_a_shared_record_is_seen_wherever_it_could_be_and_no_further(
    acme: Workspace, neighbour: Workspace, deal: str, receiver: str
) -> None:
    other = acme.sales_elsewhere
    assert found(other, deal) == everywhere(False)
    to = {receiver: str(getattr(other, receiver))}
    made = share(acme.sales, deal, **to)
    assert made.status_code == 201, made.json
    assert made.json["level"] == "read"
    assert found(other, deal) == everywhere(True)
    assert other.patch(f"/deals/{deal}", {"notes": "mine"}).status_code == 403
    company = acme.sales.get(f"/deals/{deal}").json["company_id"]
    assert other.get(f"/companies/{company}").status_code == 404
    assert other.get(f"/deals/{deal}?include=company").json["company"] is None
    assert share(acme.sales, company, "companies", **to).status_code == 201
    assert other.get(f"/deals/{deal}?include=company").json["company"]["id"] == company
    assert acme.sales.delete(f"/record-shares/{made.json['id']}").status_code == 204
    assert found(other, deal) == everywhere(False)
    assert neighbour.admin.get(f"/deals/{deal}").status_code == 404
    assert neighbour.admin.delete(f"/record-shares/{made.json['id']}").status_code == 404


def test_a_share_to_edit_lets_edit_and_nothing_else(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    other = acme.sales_elsewhere
    made = share(acme.sales, deal, user_id=str(other.user_id), level="edit").json["id"]
    assert other.patch(f"/deals/{deal}", {"notes": "done"}).status_code == 200
    assert other.delete(f"/deals/{deal}").status_code == 403
    assert other.put(f"/deals/{deal}/outcome", {"result": "won"}).status_code == 403
    assert acme.sales.patch(f"/record-shares/{made}", {"level": "read"}).status_code == 200
    assert other.patch(f"/deals/{deal}", {"notes": "again"}).status_code == 403
    assert other.get(f"/deals/{deal}").status_code == 200
    assert neighbour.admin.patch(f"/record-shares/{made}", {"level": "edit"}).status_code == 404


def test_a_share_never_gives_what_no_role_gives(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    nobody = person(acme, "Nobody")
    assert share(acme.sales, deal, user_id=str(nobody.user_id), level="edit").status_code == 201
    for client, status in ((nobody, 403), (neighbour.admin, 404)):
        assert client.get(f"/deals/{deal}").status_code == status


def test_a_share_ends_at_its_end(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    other = acme.sales_elsewhere
    end = (now() + timedelta(hours=1)).isoformat()
    made = share(acme.sales, deal, user_id=str(other.user_id), expires_at=end).json["id"]
    assert found(other, deal) == everywhere(True)
    assert acme.sales.get(f"/record-shares?record_id={deal}").json["data"][0]["id"] == made
    with inside(acme.home):
        act_as(SYSTEM)
        over = {"expires_at": now() - timedelta(seconds=1)}
        db().execute(update(RecordShare.__table__).where(RecordShare.__table__.c.id == made).values(over))
    assert found(other, deal) == everywhere(False)
    assert acme.sales.get(f"/record-shares?record_id={deal}").json["data"] == []
    assert share(acme.sales, deal, user_id=str(other.user_id)).status_code == 201
    assert found(other, deal) == everywhere(True)
    assert found(neighbour.sales, deal) == everywhere(False)


def test_shares_that_are_over_are_forgotten(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    kept, gone = (workspace.admin.post("/contacts", {"last_name": "X"}).json["id"] for _ in range(2))
    for contact in (kept, gone):
        assert (
            share(workspace.admin, contact, "contacts", user_id=str(workspace.sales.user_id)).status_code
            == 201
        )
    with inside(workspace.home):
        act_as(SYSTEM)
        over = {"expires_at": now() - timedelta(seconds=1)}
        db().execute(
            update(RecordShare.__table__).where(RecordShare.__table__.c.record_id == gone).values(over)
        )
        db().flush()
        assert forget_expired() == 1
    with inside(workspace.home):
        assert [str(each) for each in db().scalars(db().query(RecordShare.record_id).statement)] == [kept]
    with inside(neighbour.home):
        act_as(SYSTEM)
        forget_expired()


def test_the_shares_of_a_record_go_with_it_and_both_are_on_record(
    acme: Workspace, neighbour: Workspace
) -> None:
    contact = acme.admin.post("/contacts", {"last_name": "Gone"}).json["id"]
    made = share(acme.admin, contact, "contacts", user_id=str(acme.sales.user_id)).json["id"]
    assert acme.admin.delete(f"/contacts/{contact}").status_code == 204
    assert acme.admin.get(f"/record-shares/{made}").status_code == 404
    with inside(acme.home):
        assert db().get(RecordShare, made) is None
    of_record = acme.admin.get(f"/audit-events?record_id={contact}&sort=at").json["data"]
    assert [each["action"] for each in of_record] == [
        "contacts.created",
        "contacts.shared",
        "contacts.deleted",
    ]
    assert of_record[1]["changes"]["user_id"] == [None, str(acme.sales.user_id)]
    of_share = acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]
    assert [each["action"] for each in of_share] == ["record-shares.created", "record-shares.deleted"]
    assert neighbour.admin.get(f"/audit-events?record_id={contact}").json["data"] == []


def test_shares_are_shown_to_whoever_sees_the_record(
    acme: Workspace, neighbour: Workspace, deal: str
) -> None:
    nobody = person(acme, "Unconcerned", "sales", team_id=acme.sales_elsewhere.team_id)
    made = share(acme.sales, deal, user_id=str(acme.admin.user_id)).json["id"]
    path = f"/record-shares?resource=deals&record_id={deal}&include=user"
    for client in (acme.sales, acme.manager, acme.admin):
        assert [each["user"]["name"] for each in client.get(path).json["data"]] == ["Ada Admin"]
        assert client.get(f"/record-shares/{made}").status_code == 200
    for client in (nobody, neighbour.admin):
        assert client.get(path).json["data"] == []
        assert client.get(f"/record-shares/{made}").status_code == 404


def test_attack_nobody_shares_what_they_may_not(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    other, reader = acme.sales_elsewhere, acme.read_only
    to = {"user_id": str(other.user_id)}
    assert share(other, deal, **to).status_code == 422
    assert share(neighbour.admin, deal, user_id=str(neighbour.sales.user_id)).status_code == 422
    assert share(reader, deal, **to).status_code == 403
    colleague = person(acme, "Colleague", "sales", team_id=acme.sales.team_id)
    answer = share(colleague, deal, **to)
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
    assert share(acme.sales, deal, **to, level="edit").status_code == 201
    third = {"user_id": str(colleague.user_id)}
    assert share(other, deal, **third).status_code == 403, "an edit share must not be passed on"
    assert found(other, deal) == everywhere(True)


def test_attack_a_shared_record_is_not_taken_over(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    lead = person(acme, "Rival", "manager", team_id=acme.sales_elsewhere.team_id)
    assert share(acme.sales, deal, user_id=str(lead.user_id), level="edit").status_code == 201
    mine = {"owner_id": str(lead.user_id), "team_id": str(lead.team_id)}
    assert lead.patch(f"/deals/{deal}", {"notes": "seen"}).status_code == 200
    assert lead.patch(f"/deals/{deal}", mine).status_code == 403
    assert acme.admin.get(f"/deals/{deal}").json["owner_id"] == str(acme.sales.user_id)
    assert neighbour.manager.patch(f"/deals/{deal}", mine).status_code == 404


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({}, "user_id"),
        ({"user_id": "<sales>", "team_id": "<team>"}, "user_id"),
        ({"user_id": str(uuid4())}, "user_id"),
        ({"team_id": str(uuid4())}, "team_id"),
        ({"user_id": "<sales>", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"user_id": "<sales>", "level": "own"}, "level"),
        ({"user_id": "<sales>", "resource": "roles"}, "resource"),
        ({"user_id": "<neighbour>"}, "user_id"),
    ],
)
def test_a_share_says_who_gets_what(
    acme: Workspace, neighbour: Workspace, deal: str, said: dict[str, str], named: str
) -> None:
    ids = {
        "<sales>": acme.sales.user_id,
        "<team>": acme.sales.team_id,
        "<neighbour>": neighbour.sales.user_id,
    }
    body = {name: str(ids.get(value, value)) for name, value in said.items()}
    answer = acme.admin.post("/record-shares", {"resource": "deals", "record_id": deal, **body})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [named])


def test_one_receiver_has_so_many_shares_and_no_more(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    admin, to = workspace.admin, {"user_id": str(workspace.sales.user_id)}
    first, second = (admin.post("/contacts", {"last_name": "Y"}).json["id"] for _ in range(2))
    with inside(workspace.home):
        rows = [
            {"id": new_id(), "resource": "contacts", "record_id": new_id(), "user_id": workspace.sales.user_id,
             "level": "read", "source": "system", "created_at": now(), "updated_at": now()}
            for _ in range(MOST - 1)
        ]  # fmt: skip
        db().execute(insert(RecordShare.__table__), rows)
    assert share(admin, first, "contacts", **to).status_code == 201
    answer = share(admin, second, "contacts", **to)
    assert (answer.status_code, answer.json["code"]) == (409, "too_many_shares")
    assert workspace.sales.get(f"/contacts/{first}").status_code == 200
    assert share(admin, second, "contacts", team_id=str(workspace.sales.team_id)).status_code == 201
    assert neighbour.sales.get(f"/contacts/{first}").status_code == 404


def test_the_same_share_twice_is_refused(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    to: dict[str, Any] = {"user_id": str(acme.admin.user_id)}
    assert share(acme.sales, deal, **to).status_code == 201
    answer = share(acme.sales, deal, **to)
    assert (answer.status_code, answer.json["code"]) == (409, "shared_already")
    assert share(neighbour.sales, deal, **to).status_code == 422


def test_nobody_prolongs_a_share_of_more_than_they_have(
    acme: Workspace, neighbour: Workspace, deal: str
) -> None:
    until = (now() + timedelta(days=1)).isoformat()
    to = {"user_id": str(acme.sales_elsewhere.user_id), "level": "edit", "expires_at": until}
    path = f"/record-shares/{share(acme.sales, deal, **to).json['id']}"
    reading = {"deals:read": "all", "record-shares:read": "all", "records:share": "all"}
    reader = somebody_who_may(acme, reading)

    refused = reader.patch(path, {"expires_at": None})

    assert refused.status_code == 403
    assert acme.admin.get(path).json["expires_at"] is not None
    assert reader.patch(path, {"level": "read", "expires_at": None}).json["level"] == "read"
    assert neighbour.admin.patch(path, {"expires_at": None}).status_code == 404


@pytest.mark.promise("2-22")
@pytest.mark.parametrize(
    "to",
    [{}, {"user_id": None, "team_id": None}, {"public": True}, {"link": True}, {"email": "x@world.test"}],
)
def test_attack_nothing_is_shared_with_the_world(
    acme: Workspace, neighbour: Workspace, deal: str, to: dict[str, Any]
) -> None:
    file = attached(acme.sales, "deals", deal)["id"]
    assert share(acme.admin, deal, **to).status_code == 422
    assert acme.admin.get(f"/record-shares?record_id={deal}").json["data"] == []
    world = acme.admin.flask
    for path in (f"deals/{deal}", f"attachments/{file}", f"attachments/{file}/download"):
        assert world.get(f"/api/v1/{path}").status_code == 401
        assert neighbour.admin.get(f"/{path}").status_code == 404
