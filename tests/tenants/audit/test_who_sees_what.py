"""Who reads the audit sees what happened to the records that they may read, and to no others."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.access.ownership import owned_models
from tenants.access.permissions import registered
from tenants.access.policy import resource_of
from tenants.audit.models import AuditEvent
from tenants.audit.schemas import AUDIT_EVENTS, governed
from tenants.foundation.tables import Base
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db, inside
from tests.attaching import attach
from tests.crm.billing.documents import issued, paid
from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Client, Workspace

AUDIT = {"audit-events:read": "all"}


def make(workspace: Workspace, name: str, **said: Any) -> str:
    answer = workspace.admin.post("/contacts", {"last_name": name, **said})
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def told(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/audit-events?limit=200&include=personal{query}")
    assert answer.status_code == 200, answer.json
    return list(answer.json["data"])


def about(client: Client, record_id: str) -> list[str]:
    return [each["action"] for each in told(client, f"&record_id={record_id}")]


@pytest.mark.promise("1-16")
def test_events_of_records_out_of_reach_are_absent(acme: Workspace, neighbour: Workspace) -> None:
    reader = somebody_who_may(acme, AUDIT | {"contacts:read": "own"})
    mine, other = make(acme, "Mine", owner_id=str(reader.user_id)), make(acme, "Othersecret")
    event = told(acme.admin, f"&record_id={other}")[0]

    assert about(reader, mine) == ["contacts.created"]
    assert about(reader, other) == []
    assert "Othersecret" not in str(told(reader))
    assert {each["record_id"] for each in told(reader, "&resource=contacts")} == {mine}
    assert reader.get(f"/audit-events/{event['id']}").status_code == 404
    assert acme.admin.get(f"/audit-events/{event['id']}").status_code == 200
    assert neighbour.admin.get(f"/audit-events/{event['id']}").status_code == 404
    acme.admin.patch(f"/contacts/{other}", {"owner_id": str(reader.user_id)})
    assert about(reader, other) == ["contacts.changed", "contacts.created"]
    acme.admin.patch(f"/contacts/{other}", {"owner_id": str(acme.sales.user_id)})
    assert about(reader, other) == []


def test_the_reach_of_a_team_and_shares_count_as_they_do_in_lists(
    acme: Workspace, neighbour: Workspace
) -> None:
    reader = somebody_who_may(acme, AUDIT | {"contacts:read": "team"})
    north, south = str(acme.sales.team_id), str(acme.sales_elsewhere.team_id)
    assert acme.admin.put(f"/teams/{south}/members/{reader.user_id}").status_code == 204
    theirs, foreign = make(acme, "Theirs", team_id=south), make(acme, "Foreign", team_id=north)

    assert (about(reader, theirs), about(reader, foreign)) == (["contacts.created"], [])
    share = {"resource": "contacts", "record_id": foreign, "user_id": str(reader.user_id), "level": "read"}
    shared = acme.admin.in_person.post("/record-shares", share)
    assert shared.status_code == 201, shared.json
    assert about(reader, foreign)[-1] == "contacts.created"
    acme.admin.in_person.delete(f"/record-shares/{shared.json['id']}")
    assert about(reader, foreign) == []
    assert about(neighbour.admin, theirs) == []


def test_without_the_right_to_read_a_resource_nothing_is_told_of_it(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    acme = new_workspace()
    reader = somebody_who_may(acme, AUDIT)
    contact = make(acme, "Unread")
    signed_in = [each for each in told(acme.admin) if each["resource"] not in governed()]

    assert about(reader, contact) == []
    assert {each["resource"] for each in told(reader)} <= {
        "audit-events",
        *(each["resource"] for each in signed_in),
    }
    assert not {each["resource"] for each in told(reader)} & (governed().keys() - {"audit-events"})
    assert about(neighbour.admin, contact) == []


def test_a_key_is_told_what_its_scopes_let_it_read(acme: Workspace, neighbour: Workspace) -> None:
    contact = make(acme, "Scoped")
    for scopes, seen in (
        (["audit-events:read"], []),
        (["audit-events:read", "contacts:read"], ["contacts.created"]),
    ):
        made = acme.admin.in_person.post("/api-keys", {"name": "Log", "scopes": scopes})
        assert made.status_code == 201, made.json
        program = Client(acme.admin.flask, made.json["secret"], acme.admin.user_id)
        assert about(program, contact) == seen
    assert about(neighbour.admin, contact) == []


def test_of_what_is_gone_those_are_told_who_read_all_of_it(acme: Workspace, neighbour: Workspace) -> None:
    reader = somebody_who_may(acme, AUDIT | {"contacts:read": "own"})
    contact = make(acme, "Going", owner_id=str(reader.user_id))
    acme.admin.delete(f"/contacts/{contact}")

    assert about(reader, contact) == []
    assert about(acme.admin, contact) == ["contacts.deleted", "contacts.created"]
    assert about(somebody_who_may(acme, AUDIT | {"contacts:read": "all"}), contact)[-1] == "contacts.created"
    assert about(neighbour.admin, contact) == []


def test_files_and_shares_are_told_of_with_their_record(acme: Workspace, neighbour: Workspace) -> None:
    holds = {"contacts:read": "own", "attachments:read": "all", "record-shares:read": "all"}
    reader = somebody_who_may(acme, AUDIT | holds)
    mine, other = make(acme, "Mine", owner_id=str(reader.user_id)), make(acme, "Other")
    files = {each: attach(acme.admin, "contacts", each).json["id"] for each in (mine, other)}

    assert "attachments.created" in about(reader, files[mine])
    assert about(reader, files[other]) == []
    assert "attachments.created" in about(acme.admin, files[other])
    assert about(neighbour.admin, files[mine]) == []


def test_the_reversal_of_a_payment_is_told_of_with_the_payment(acme: Workspace, neighbour: Workspace) -> None:
    reader = somebody_who_may(acme, AUDIT | {"payments:read": "own"})
    made = paid(acme.admin, issued(acme.admin), "10.00")
    assert acme.admin.put(f"/payments/{made['id']}/reversal", {}).status_code == 200
    reversal = told(acme.admin, "&resource=payments")[0]["record_id"]

    assert reversal != made["id"]
    assert about(reader, reversal) == []
    with inside(acme.home):
        act_as(SYSTEM)
        db().get_one(owned_models()["payments"], UUID(made["id"])).owner_id = reader.user_id
    assert about(reader, reversal) == ["payments.created"]
    assert about(neighbour.admin, reversal) == []


def test_a_page_holds_as_many_as_it_may_and_the_next_goes_on_behind_it(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    acme = new_workspace()
    reader = somebody_who_may(acme, AUDIT | {"contacts:read": "own"})
    mine = [make(acme, f"Page {n}", owner_id=str(reader.user_id) if n % 3 else None) for n in range(21)]
    wanted = [each for n, each in reversed(list(enumerate(mine))) if n % 3]

    found, cursor, pages = [], "", []
    while cursor is not None:
        page = reader.get(f"/audit-events?limit=4&resource=contacts{cursor and f'&cursor={cursor}'}").json
        pages.append(len(page["data"]))
        found += [each["record_id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert found == wanted
    assert pages == [4, 4, 4, 2]
    assert neighbour.admin.get(f"/audit-events?record_id={mine[0]}").json["data"] == []


def test_what_providers_say_of_people_is_told_to_those_who_read_providers(
    acme: Workspace, neighbour: Workspace
) -> None:
    with inside(acme.home):
        act_as(SYSTEM)
        link = ExternalIdentity(user_id=acme.sales.user_id, subject="sal@elsewhere.test")
        db().add(link)
        db().flush()
        link_id = str(link.id)
    try:
        assert about(acme.admin, link_id) == ["external-identities.created"]
        assert about(somebody_who_may(acme, AUDIT | {"users:read": "all"}), link_id) == []
        providers = somebody_who_may(acme, AUDIT | {"identity-providers:read": "all"})
        assert about(providers, link_id) == ["external-identities.created"]
        assert about(neighbour.admin, link_id) == []
    finally:
        with inside(acme.home):
            act_as(SYSTEM)
            db().delete(db().get_one(ExternalIdentity, link.id))


def test_every_audited_record_is_told_of_under_some_right_to_read() -> None:
    known = {each.resource for each in registered().values() if each.name == each.reading}
    audited = {mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__audited__}
    assert {resource_of(each) for each in audited} <= governed().keys()
    assert set(governed().values()) <= known
    assert known <= set(AUDIT_EVENTS.resources_shown)


def test_there_is_nothing_that_an_admin_is_not_told(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    acme = new_workspace()
    make(acme, "Everything")
    shown = {each["id"] for each in told(acme.admin)}
    with inside(acme.home):
        kept = {str(each) for each in db().scalars(select(AuditEvent.id))}
    assert kept == shown
    assert not shown & {each["id"] for each in told(neighbour.admin)}
