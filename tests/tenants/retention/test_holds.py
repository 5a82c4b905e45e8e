"""A legal hold keeps records from everything that would delete them; the last one that ends lets them go."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import delete

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.access.removal import must_be_removable
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db, inside
from tenants.retention.holds import held_among, is_anything_held, place_hold, release_hold
from tenants.retention.jobs import empty_the_bin, run_retention_rules
from tenants.retention.keeping import kinds
from tenants.retention.models import LegalHold
from tests.asking import Examples
from tests.operations import document_of
from tests.tenants.identity.rights.people import person
from tests.tenants.retention.world import RunJobs, backdate, contact, erase, hold, in_bin, release, rule, run
from tests.workspace import Workspace

HELD = (409, "held")


def said(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


@pytest.mark.promise("1-46", "2-30", "RET-3")
def test_a_held_record_can_be_worked_on_and_not_be_deleted(acme: Workspace, neighbour: Workspace) -> None:
    kept, other, theirs = contact(acme), contact(acme), contact(neighbour)
    made = hold(acme, kept)
    refused = acme.admin.delete(f"/contacts/{kept}")
    assert said(refused) == HELD
    assert "Initech" not in refused.get_data(as_text=True)
    assert acme.admin.patch(f"/contacts/{kept}", {"notes": "still in use"}).status_code == 200
    assert acme.admin.delete(f"/contacts/{other}").status_code == 204
    assert neighbour.admin.delete(f"/contacts/{theirs}").status_code == 204
    assert neighbour.admin.get(f"/legal-holds/{made}").status_code == 404
    assert neighbour.admin.in_person.put(f"/legal-holds/{made}/release", {"reason": "x"}).status_code == 404
    assert release(acme, made).json["in_force"] is False
    assert acme.admin.delete(f"/contacts/{kept}").status_code == 204


def test_a_record_is_let_go_when_the_last_of_several_holds_ends(
    acme: Workspace, neighbour: Workspace
) -> None:
    kept = contact(acme)
    first, second = hold(acme, kept), hold(acme, kept, contact(acme))
    short = hold(acme, kept, ends_at=(now() + timedelta(hours=1)).isoformat())
    for each in (first, second):
        assert said(acme.admin.delete(f"/contacts/{kept}")) == HELD
        assert release(acme, each).status_code == 200
    assert said(acme.admin.delete(f"/contacts/{kept}")) == HELD
    backdate(acme, "legal_holds", short, 1, "ends_at")
    assert acme.admin.get(f"/legal-holds/{short}").json["in_force"] is False
    assert said(release(acme, short)) == (409, "hold_ended")
    assert acme.admin.delete(f"/contacts/{kept}").status_code == 204
    assert neighbour.admin.get(f"/legal-holds/{short}").status_code == 404


@pytest.mark.promise("2-30", "RET-3")
def test_what_the_platform_holds_no_admin_lets_go(acme: Workspace, neighbour: Workspace) -> None:
    kept = contact(acme)
    with inside(acme.home):
        act_as(SYSTEM)
        order = {
            "matter": "4 O 12/26",
            "reason": "A court.",
            "resource": "contacts",
            "record_ids": [UUID(kept)],
        }
        theirs = place_hold(order).id
    own = hold(acme, kept)
    shown = acme.admin.get("/legal-holds?in_force=true&placed_by_platform=true").json["data"]
    assert [(each["id"], each["placed_by_platform"]) for each in shown] == [(str(theirs), True)]
    assert acme.admin.get(f"/legal-holds/{own}").json["placed_by_platform"] is False
    refused = release(acme, str(theirs))
    assert said(refused) == (403, "platforms_hold")
    assert "Whoever runs this installation" in refused.json["detail"]
    assert release(acme, own).status_code == 200
    assert said(acme.admin.delete(f"/contacts/{kept}")) == HELD
    assert said(release(neighbour, str(theirs))) == (404, "not_found")
    with inside(acme.home):
        act_as(SYSTEM)
        release_hold(db().get_one(LegalHold, theirs), "It is over.")
    assert said(release(acme, str(theirs))) == (409, "hold_ended")
    assert acme.admin.delete(f"/contacts/{kept}").status_code == 204


@pytest.mark.soak
def test_a_hold_over_everything_keeps_every_record_that_could_be_deleted(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    """Goes through every route that deletes a record: those that a hold does not keep are named, with the reason."""
    workspace = new_workspace()
    examples = Examples(document_of(app), workspace)
    deleting = [
        each
        for each in examples.document.operations
        if each.method == "delete" and each.path.endswith("}") and each.path.count("{") == 1
    ]
    made = {each: examples.ids(each) for each in deleting if each.resource not in GO_ALL_THE_SAME}
    assert {each.resource for each in made} == {*kinds(), "attachments", "bin"}
    whole = hold(workspace)
    for operation, ids in made.items():
        assert said(examples.ask(workspace.admin, operation, ids)) == HELD, operation
    with inside(workspace.home):
        assert held_among([uuid4()])
    with inside(neighbour.home):
        assert not held_among([uuid4()])
    assert release(workspace, whole).status_code == 200
    for operation, ids in made.items():
        assert examples.ask(workspace.admin, operation, ids).status_code == 204, operation


#: What can be deleted while everything is held: it lets people in or shows them something, and tells of nobody else.
GO_ALL_THE_SAME = {
    "api-keys": "revoked, and kept",
    "authenticators": "how somebody signs in",
    "claimed-domains": "how people sign in",
    "connected-apps": "what an app may do",
    "export-schedules": "when copies are made",
    "exports": "a copy",
    "fields": "kept as well, and deleted by a job once they are archived: the tests of fields look at that",
    "identity-providers": "how people sign in",
    "imports": "cancelled, and kept",
    "invitations": "withdrawn, and kept",
    "jobs": "cancelled, and kept",
    "oauth-clients": "what an app may do",
    "record-shares": "who sees a record",
    "retention-rules": "only while it is off, and on record",
    "roles": "who may do what",
    "sessions": "how somebody is signed in",
    "teams": "who works together; nobody is in it any more",
    "webhooks": "where it is told what befalls the tenant",
}


@pytest.mark.promise("0-17", "1-46", "RET-3")
def test_a_held_record_survives_rules_the_bin_and_the_erasure_of_its_values(
    new_workspace: Callable[[], Workspace], run_jobs: RunJobs
) -> None:
    ours, theirs = new_workspace(), new_workspace()
    kept, deleted = contact(ours, email="kept@example.test"), contact(ours)
    assert ours.admin.delete(f"/contacts/{deleted}").status_code == 204
    entry = in_bin(ours, deleted)
    free = contact(theirs)
    for each, workspace in ((kept, ours), (free, theirs)):
        backdate(workspace, "contacts", each, 400)
        rule(workspace)
    backdate(ours, "bin", entry["id"], 1, "purge_at")
    held = hold(ours, kept, deleted)
    for workspace in (ours, theirs):
        run(workspace, run_retention_rules, run_jobs)
        run(workspace, empty_the_bin, run_jobs)
    assert ours.admin.get(f"/contacts/{kept}").status_code == 200
    assert theirs.admin.get(f"/contacts/{free}").status_code == 404
    assert said(ours.admin.in_person.delete(f"/bin/{entry['id']}")) == HELD
    with pytest.raises(Conflict, match="legal hold"):
        erase(ours, kept)
    assert erase(theirs, kept) == 0
    assert release(ours, held).status_code == 200
    run(ours, run_retention_rules, run_jobs)
    run(ours, empty_the_bin, run_jobs)
    assert ours.admin.get(f"/contacts/{kept}").status_code == 404
    assert ours.admin.get(f"/bin/{entry['id']}").status_code == 404


def test_no_feature_passes_a_hold_by_a_statement_of_its_own(acme: Workspace, neighbour: Workspace) -> None:
    kept = contact(acme)
    hold(acme, kept)

    def by_the_session() -> None:
        db().delete(db().get_one(Contact, UUID(kept)))
        db().flush()

    def by_a_bulk_statement() -> None:
        db().execute(delete(Contact).execution_options(audited=True))

    def by_asking() -> None:
        must_be_removable("contacts", [UUID(kept)])

    for way in (by_the_session, by_asking):
        with pytest.raises(Conflict, match="legal hold"):
            in_a_transaction(acme, way)
    with pytest.raises(RuntimeError, match="record by record"):
        in_a_transaction(acme, by_a_bulk_statement)
    with inside(acme.home):
        assert is_anything_held()
        assert not held_among([uuid4()])
    in_a_transaction(neighbour, by_asking)


def in_a_transaction(workspace: Workspace, work: Callable[[], None]) -> None:
    with inside(workspace.home):
        act_as(SYSTEM)
        work()


def test_no_hold_is_answered_while_something_it_names_is_being_deleted(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    """Either the deletion comes first, and the hold names what is in the bin, or the hold does and nothing goes."""
    workspace = new_workspace()
    made = contact(workspace)
    answers: list[object] = []
    body = {"matter": "m", "reason": "r", "resource": "contacts", "record_ids": [made]}

    def place() -> None:
        answers.append(workspace.admin.in_person.post("/legal-holds", body).status_code)

    with inside(workspace.home):
        act_as(SYSTEM)
        db().delete(db().get_one(Contact, UUID(made)))
        db().flush()
        other = threading.Thread(target=place)
        other.start()
        other.join(0.5)
        assert answers == []
    other.join()
    assert answers == [201]
    assert workspace.admin.in_person.delete(f"/bin/{in_bin(workspace, made)['id']}").json["code"] == "held"
    assert neighbour.admin.get(f"/bin?record_id={made}").json["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resource": "contacts"}, "record_ids"),
        ({"resource": "contacts", "record_ids": []}, "record_ids"),
        ({"record_ids": [str(uuid4())]}, "resource"),
        ({"resource": "users", "record_ids": [str(uuid4())]}, "resource"),
        ({"resource": "contacts", "record_ids": [str(uuid4())]}, "record_ids"),
        ({"document_sha256": "0" * 63}, "document_sha256"),
        ({"ends_at": "yesterday"}, "ends_at"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_by_field(acme: Workspace, body: dict, field: str) -> None:
    answer = acme.admin.in_person.post("/legal-holds", {"matter": "m", "reason": "r", **body})
    assert answer.status_code == 422
    assert field in str(answer.json["errors"])


def test_a_neighbours_record_can_be_held_no_more_than_one_that_never_was(
    acme: Workspace, neighbour: Workspace
) -> None:
    body = {"matter": "m", "reason": "r", "resource": "contacts"}
    answers = [
        acme.admin.in_person.post("/legal-holds", {**body, "record_ids": [each]})
        for each in (contact(neighbour), str(uuid4()))
    ]
    assert [each.status_code for each in answers] == [422, 422]
    assert answers[0].json["errors"] == answers[1].json["errors"]


def test_holds_are_placed_and_released_by_people_with_the_right_who_just_confirmed_who_they_are(
    acme: Workspace, neighbour: Workspace
) -> None:
    kept = contact(acme)
    made = hold(acme, kept)
    body = {"matter": "m", "reason": "r"}
    unconfirmed = person(acme, "Hasty", "admin", confirmed=False).in_person
    tries = {
        "needs_session": acme.admin,
        "not_allowed": acme.manager.in_person,
        "step_up": unconfirmed,
    }
    for code, client in tries.items():
        assert said(client.post("/legal-holds", body)) == (403, code)
        assert said(client.put(f"/legal-holds/{made}/release", {"reason": "r"})) == (403, code)
    assert acme.manager.get("/legal-holds").status_code == 403
    assert neighbour.admin.get(f"/legal-holds?id={made}").json["data"] == []


def test_who_placed_and_released_a_hold_and_why_is_on_record(acme: Workspace, neighbour: Workspace) -> None:
    kept = contact(acme)
    made = hold(acme, kept, document_sha256="ab" * 32)
    release(acme, made)
    shown = acme.admin.get(f"/legal-holds/{made}").json
    assert shown["placed_by_id"] == shown["released_by_id"] == str(acme.admin.user_id)
    assert (shown["reason"], shown["release_reason"]) == ("The court asks for it.", "It is over.")
    assert (shown["document_sha256"], shown["record_ids"]) == ("ab" * 32, [kept])
    found = acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]
    assert [each["action"] for each in found] == ["legal-holds.created", "legal-holds.changed"]
    assert neighbour.admin.get(f"/audit-events?record_id={made}").json["data"] == []
