"""Whoever leaves may do nothing from their next request on; what they owned goes on with somebody else."""

import itertools
import secrets
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.models import OneTimeToken, Role, TeamMember, User, UserRole
from tenants.identity.one_time import give
from tenants.identity.people.handing_over import AT_ONCE, owned_records
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace, signed_in


def colleague(workspace: Workspace, role: str = "sales") -> Client:
    """One more user of a role, in the team of sales."""
    with inside(workspace.home):
        act_as(SYSTEM)
        email = f"{secrets.token_hex(6)}@people.test"
        user = User(name="Leo Leaver", email=email, team_id=workspace.sales.team_id, source=Source.SYSTEM)
        db().add(user)
        db().flush()
        role_id = db().scalars(select(Role.id).where(Role.name == role)).one()
        db().add(UserRole(user_id=user.id, role_id=role_id))
        db().add(TeamMember(team_id=user.team_id, user_id=user.id))
        key = new_api_key(workspace.home, user, "A key")
        session = signed_in(workspace.home, user.id)
        return Client(workspace.admin.flask, key, user.id, user.team_id, session)


def deactivate(workspace: Workspace, user: Client, heir: Client | None = None) -> Any:
    body = {"hand_over_to": str(heir.user_id)} if heir else {}
    return workspace.admin.in_person.put(f"/users/{user.user_id}/deactivation", body)


@pytest.fixture
def leo(acme: Workspace) -> Client:
    return colleague(acme)


@pytest.mark.promise("1-33")
def test_the_next_request_of_a_deactivated_user_fails_however_it_comes(acme, leo):
    assert leo.get("/me").status_code == leo.in_person.get("/me").status_code == 200

    answer = deactivate(acme, leo)

    assert answer.status_code == 200, answer.json
    assert answer.json == {"user_id": str(leo.user_id), "state": "inactive", "records": 0, "job_id": None}
    for each in (leo, leo.in_person):
        for path in ("/me", "/contacts"):
            assert each.get(path).status_code == 401
        assert each.post("/contacts", {"last_name": "X"}).status_code == 401
    shown = acme.admin.get(f"/users/{leo.user_id}").json
    assert (shown["state"], shown["name"]) == ("inactive", "Leo Leaver")


def test_requests_in_flight_meet_the_end_too(acme, leo):
    """Readers and writers go on all the while; none that began after the answer gets through."""
    over, late = threading.Event(), []
    start = threading.Barrier(5)

    def go(client: Client) -> None:
        mine = replace(client, flask=client.flask.application.test_client(use_cookies=False))
        start.wait()
        for turn in itertools.count():
            after = over.is_set()
            answer = (
                mine.get("/contacts?limit=1")
                if turn % 2
                else mine.post("/contacts", {"last_name": "In flight"})
            )
            if after:
                late.append(answer.status_code)
            if len(late) > 8:
                return

    threads = [threading.Thread(target=go, args=(each,)) for each in (leo, leo, leo.in_person, leo.in_person)]
    for each in threads:
        each.start()
    start.wait()
    try:
        assert deactivate(acme, leo).status_code == 200
    finally:
        over.set()
        for each in threads:
            each.join()

    assert set(late) == {401}


def test_what_lets_them_in_is_ended_for_good(acme, leo):
    with inside(acme.home):
        act_as(SYSTEM)
        give("password-reset", lasts=timedelta(hours=1), user_id=leo.user_id)
    deactivate(acme, leo)
    with inside(acme.home):
        assert not db().scalar(select(func.count()).where(OneTimeToken.user_id == leo.user_id))

    back = acme.admin.in_person.delete(f"/users/{leo.user_id}/deactivation")

    assert (back.status_code, back.json["state"]) == (200, "active")
    assert leo.get("/me").status_code == 401
    assert leo.in_person.get("/me").status_code == 401
    with inside(acme.home):
        again = replace(leo.in_person, session=signed_in(acme.home, leo.user_id))
    assert again.get("/me").status_code == 200
    twice = acme.admin.in_person.delete(f"/users/{leo.user_id}/deactivation")
    assert (twice.status_code, twice.json["code"]) == (409, "not_inactive")


def test_everything_they_own_goes_to_the_heir_with_an_event_for_each(acme, neighbour, leo, run_jobs):
    heir, owner = colleague(acme), {"owner_id": str(leo.user_id)}
    made = {
        "companies": acme.admin.post("/companies", {"name": "Handed", **owner}).json,
        "contacts": acme.admin.post("/contacts", {"last_name": "Handed", **owner}).json,
        "leads": acme.admin.post("/leads", {"last_name": "Handed", **owner}).json,
    }
    kept = acme.admin.post("/contacts", {"last_name": "Not theirs"}).json

    answer = deactivate(acme, leo, heir).json
    run_jobs()

    assert answer["records"] == len(made)
    job = acme.admin.get(f"/jobs/{answer['job_id']}").json
    assert (job["status"], job["result"]) == ("succeeded", {"records": dict.fromkeys(made, 1)}), job
    assert (job["progress"]["done"], job["progress"]["total"]) == (3, 3)
    for resource, before in made.items():
        after = acme.admin.get(f"/{resource}/{before['id']}").json
        assert (after["owner_id"], after["team_id"]) == (str(heir.user_id), before["team_id"])
        assert after["version"] == before["version"] + 1
        events = acme.admin.get(f"/audit-events?record_id={before['id']}&action={resource}.changed").json[
            "data"
        ]
        assert [each["changes"] for each in events] == [{"owner_id": [str(leo.user_id), str(heir.user_id)]}]
        assert events[0]["actor_id"] == str(acme.admin.user_id)
    assert acme.admin.get(f"/contacts/{kept['id']}").json["version"] == 1


@pytest.mark.soak
def test_more_records_than_one_set_are_handed_over_too(new_workspace, run_jobs):
    acme = new_workspace()
    leo, heir, count = colleague(acme), colleague(acme), AT_ONCE + 5
    rows = [
        {"id": new_id(), "last_name": f"No. {n}", "owner_id": leo.user_id, "source": "import", "tags": []}
        for n in range(count)
    ]
    with inside(acme.home):
        act_as(SYSTEM)
        db().execute(insert(Contact.__table__), rows)  # type: ignore[arg-type]

    job_id = deactivate(acme, leo, heir).json["job_id"]
    run_jobs()

    assert acme.admin.get(f"/jobs/{job_id}").json["result"] == {"records": {"contacts": count}}
    with inside(acme.home):
        owners = db().execute(select(Contact.owner_id, func.count()).group_by(Contact.owner_id)).all()
    assert [tuple(each) for each in owners] == [(heir.user_id, count)]


def test_what_is_left_is_handed_over_later_and_only_to_somebody_who_is_there(acme, neighbour, leo, run_jobs):
    contact = acme.admin.post("/contacts", {"last_name": "Left", "owner_id": str(leo.user_id)}).json
    assert deactivate(acme, leo).json["records"] == 1
    gone = colleague(acme)
    deactivate(acme, gone)

    for nobody in (gone, leo, neighbour.sales):
        answer = deactivate(acme, leo, nobody)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == ["hand_over_to"]
    heir = colleague(acme)
    assert deactivate(acme, leo, heir).json["job_id"]
    run_jobs()

    assert acme.admin.get(f"/contacts/{contact['id']}").json["owner_id"] == str(heir.user_id)


def test_an_heir_who_leaves_meanwhile_stops_the_job_with_the_reason(acme, leo, run_jobs):
    acme.admin.post("/contacts", {"last_name": "Stuck", "owner_id": str(leo.user_id)})
    heir = colleague(acme)
    job_id = deactivate(acme, leo, heir).json["job_id"]
    deactivate(acme, heir)

    run_jobs()

    job = acme.admin.get(f"/jobs/{job_id}").json
    assert (job["status"], job["error"]) == ("failed", "Whoever should get the records is no longer active.")


def test_teams_they_managed_get_the_heir_as_manager(acme, leo):
    heir = colleague(acme)
    team = acme.admin.post(
        "/teams", {"name": f"T {secrets.token_hex(4)}", "manager_id": str(leo.user_id)}
    ).json

    deactivate(acme, leo, heir)

    assert acme.admin.get(f"/teams/{team['id']}").json["manager_id"] == str(heir.user_id)


def test_nobody_deactivates_themselves_or_the_last_admin(new_workspace):
    acme = new_workspace()
    oneself = deactivate(acme, acme.admin)
    assert (oneself.status_code, oneself.json["code"]) == (409, "own_account")

    second = colleague(acme, "admin")
    assert deactivate(acme, second).status_code == 200
    third = colleague(acme, "admin")
    with inside(acme.home):
        third = replace(third, session=signed_in(acme.home, third.user_id))
    assert third.in_person.put(f"/users/{acme.admin.user_id}/deactivation", {}).status_code == 200
    assert acme.admin.get("/me").status_code == 401


def test_two_admins_who_deactivate_each_other_leave_one(new_workspace):
    acme = new_workspace()
    for _ in range(5):
        one, other = colleague(acme, "admin"), colleague(acme, "admin")
        start = threading.Barrier(2)
        given: list[int] = []

        def go(mine: Client, theirs: Client, start=start, given=given) -> None:
            start.wait()
            given.append(mine.in_person.put(f"/users/{theirs.user_id}/deactivation", {}).status_code)

        threads = [threading.Thread(target=go, args=pair) for pair in ((one, other), (other, one))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        states = [acme.admin.get(f"/users/{each.user_id}").json["state"] for each in (one, other)]
        assert (sorted(given), sorted(states)) == ([200, 401], ["active", "inactive"])


def test_who_may_deactivate_is_asked_in_person_and_the_neighbour_finds_nobody(acme, neighbour, leo):
    address = f"/users/{leo.user_id}/deactivation"

    by_program = acme.admin.put(address, {})
    assert (by_program.status_code, by_program.json["code"]) == (403, "needs_session")
    assert acme.manager.in_person.put(address, {}).status_code == 403
    assert neighbour.admin.in_person.put(address, {}).status_code == 404
    assert leo.get("/me").status_code == 200


def test_every_kind_of_owned_record_can_be_handed_over():
    names = {each.__tablename__ for each in owned_records()}

    assert {"companies", "contacts", "leads", "deals", "invoices"} <= names
    assert all({"version", "updated_at"} <= set(each.__table__.c.keys()) for each in owned_records())
