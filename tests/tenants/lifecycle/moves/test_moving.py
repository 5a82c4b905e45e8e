"""A tenant goes from one PostgreSQL server to another as itself, and back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg import sql

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict, Invalid, Unavailable
from tenants.isolation.aside import Aside
from tenants.isolation.away import Elsewhere
from tenants.isolation.door import db, inside
from tenants.isolation.owner import as_owner
from tenants.lifecycle.moves import steps
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import (
    ask_to_confirm,
    ask_to_go_back,
    ask_to_move,
    drop_copies,
    go_on,
)
from tenants.lifecycle.moves.running import Works
from tests.attaching import CONTENT
from tests.chores import do, marks, numbers, order
from tests.jobs import RunJobs
from tests.tenants.lifecycle.moves.world import (
    WHY,
    at,
    content,
    differing,
    eventually,
    has_run,
    move_of,
    moved,
    schemas,
)
from tests.tenants.provisioning.schemas import fingerprint
from tests.workspace import Workspace, in_both

pytestmark = pytest.mark.soak


def write(home: Home) -> None:
    with inside(home):
        act_as(SYSTEM)
        db().add(Contact(last_name="Lost", source="api"))


@pytest.mark.soak
def test_a_tenant_moves_with_all_it_has(ours: Workspace, neighbour: Workspace, works: Works) -> None:
    before, others = content(ours.home), content(neighbour.home)
    move = moved(works, ours, "second")
    assert move.step == Step.KEPT
    assert move.pause_seconds is not None
    assert move.rows
    assert differing(before, content(at(ours, "second"))) == set()
    (contact,) = ours.admin.get("/contacts").json["data"]
    assert contact["national_id"] == "sealed"
    assert ours.admin.in_person.get("/me").status_code == 200
    assert ours.admin.post("/contacts", {"last_name": "New"}).status_code == 201
    (attachment,) = ours.admin.get("/attachments", query_string={"record_id": contact["id"]}).json["data"]
    assert ours.admin.get(f"/attachments/{attachment['id']}/download").data == CONTENT
    assert content(neighbour.home) == others
    assert neighbour.admin.get(f"/contacts/{contact['id']}").status_code == 404


@pytest.mark.soak
def test_what_is_written_while_it_is_copied_goes_along(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, changed = (ours.admin.post("/contacts", {"last_name": name}).json["id"] for name in ("Gone", "Old"))
    copied = []

    def work() -> list[int]:
        come = ours.admin.post("/companies", {"name": "Come"})
        other = ours.admin.patch(f"/contacts/{changed}", {"last_name": "Changed"})
        return [come.status_code, other.status_code, ours.admin.delete(f"/contacts/{gone}").status_code]

    def level(*given: Any) -> Any:
        done = steps_level(*given)
        if not copied:
            with ThreadPoolExecutor(1) as people:
                assert people.submit(work).result() == [201, 200, 204]
        copied.append(done)
        return done

    steps_level = steps.level
    monkeypatch.setattr(steps, "level", level)
    monkeypatch.setattr(steps, "MOST_ROUNDS", 1)
    move = moved(works, ours, "second")
    (_, rows_at_first), (_, rows_meanwhile) = copied
    assert 0 < rows_meanwhile < rows_at_first
    assert move.step == Step.KEPT
    assert ours.admin.get(f"/contacts/{gone}").status_code == 404
    assert ours.admin.get(f"/contacts/{changed}").json["last_name"] == "Changed"
    assert "Come" in {each["name"] for each in ours.admin.get("/companies").json["data"]}
    assert neighbour.admin.get(f"/contacts/{changed}").status_code == 404


@pytest.mark.soak
def test_there_is_a_way_back_with_all_that_was_written_since(
    ours: Workspace, neighbour: Workspace, works: Works, owners: dict[str, str]
) -> None:
    moved(works, ours, "second")
    assert schemas(works, ours) == {"main aside", "second"}
    assert fingerprint(owners["second"], ours.home.role) == fingerprint(owners["main"], neighbour.home.role)
    new = ours.admin.post("/contacts", {"last_name": "Written there"}).json["id"]
    before = content(at(ours, "second"))
    back = ask_to_go_back(works, ours.home.id, "It was better before.")
    go_on(works, back)
    assert schemas(works, ours) == {"main", "second aside"}
    assert differing(before, content(ours.home)) == set()
    assert ours.admin.get(f"/contacts/{new}").json["last_name"] == "Written there"
    assert ours.admin.post("/contacts", {"last_name": "Home again"}).status_code == 201
    assert fingerprint(owners["main"], ours.home.role) == fingerprint(owners["main"], neighbour.home.role)
    go_on(works, ask_to_confirm(works, ours.home.id))
    assert schemas(works, ours) == {"main"}
    assert move_of(works, back).step == Step.CONFIRMED
    with pytest.raises(Conflict, match="no move"):
        ask_to_go_back(works, ours.home.id, "Once more.")


@pytest.mark.soak
def test_it_stays_where_it_is_when_the_move_is_given_up(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(ours.home)

    def broken(_attempt: object) -> None:
        raise Conflict("The copy is not the tenant.")

    monkeypatch.setitem(steps.STEPS, Step.CHECKING, broken)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with pytest.raises(Conflict):
        go_on(works, move_id)
    refused = ours.admin.post("/contacts", {"last_name": "Meanwhile"})
    assert (refused.status_code, refused.json["code"]) == (503, "tenant_moving")
    assert "Retry-After" in refused.headers
    assert ours.admin.get("/contacts").status_code == 200
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    assert ask_to_go_back(works, ours.home.id, "Not today.") == move_id
    go_on(works, move_id)
    move = move_of(works, move_id)
    assert (move.step, move.error) == (Step.GIVEN_UP, "Not today.")
    assert move.pause_seconds
    assert schemas(works, ours) == {"main"}
    assert differing(before, content(ours.home)) == set()
    assert ours.admin.post("/contacts", {"last_name": "Here"}).status_code == 201


@pytest.mark.soak
def test_who_thinks_that_it_is_where_it_was_is_refused_by_the_database(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    moved(works, ours, "second")
    for _ in range(2):
        with pytest.raises(Elsewhere):
            write(ours.home)
    works.catalog._homes[ours.home.id] = (float("inf"), ours.home)
    refused = ours.admin.post("/contacts", {"last_name": "Again"})
    assert (refused.status_code, refused.json["code"]) == (503, "tenant_elsewhere")
    assert "Retry-After" in refused.headers
    assert ours.admin.post("/contacts", {"last_name": "Again"}).status_code == 201
    works.catalog._homes[ours.home.id] = (float("inf"), ours.home)
    assert ours.admin.get("/contacts").status_code == 503
    assert ours.admin.get("/contacts").status_code == 200
    with inside(neighbour.home):
        act_as(SYSTEM)


@pytest.mark.soak
def test_jobs_that_wait_move_along(
    ours: Workspace, neighbour: Workspace, works: Works, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    order(ours.home, do, number=number)
    moved(works, ours, "second")
    works.catalog._homes[ours.home.id] = (float("inf"), ours.home)
    run_jobs()  # who still thinks that it is in the first cell
    eventually(lambda: has_run(run_jobs, at(ours, "second"), number))
    assert marks(at(ours, "second"), number) == 1
    assert marks(neighbour.home, number) == 0


def test_a_move_is_refused_where_it_makes_no_sense(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    with pytest.raises(Invalid, match="Choose one of: far, main, second"):
        ask_to_move(works, ours.home.id, "nowhere", WHY)
    with pytest.raises(Conflict, match="lives in the cell 'main' already"):
        ask_to_move(works, ours.home.id, "main", WHY)
    with pytest.raises(Conflict, match="no move"):
        ask_to_confirm(works, ours.home.id)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    assert ask_to_move(works, ours.home.id, "second", WHY) == move_id
    with pytest.raises(Conflict, match="first"):
        ask_to_move(works, ours.home.id, "far", WHY)
    ask_to_go_back(works, ours.home.id, "Changed our mind.")
    go_on(works, move_id)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_an_admin_sees_when_it_moved_and_for_how_long_nothing_was_written(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    move = moved(works, ours, "second")
    (shown,) = ours.admin.get("/tenant-state/moves").json["data"]
    assert (shown["id"], shown["step"], shown["reason"]) == (str(move.id), "kept", WHY)
    assert shown["pause_seconds"] == move.pause_seconds
    actions = [
        each["action"] for each in ours.admin.get("/audit-events?resource=tenant&sort=at").json["data"]
    ]
    assert actions == ["tenant.frozen", "tenant.moving", "tenant.active"]
    assert ours.sales.get("/tenant-state/moves").status_code == 403
    assert in_both("/tenant-state/moves", ours.admin, neighbour.admin) == []


@pytest.mark.soak
def test_what_is_left_behind_lets_nobody_in_and_goes_with_the_tenant(
    ours: Workspace, neighbour: Workspace, works: Works, owners: dict[str, str]
) -> None:
    visit = "grant {} to freehold_staff with inherit false, set true"
    with as_owner(owners["main"]) as connection:
        connection.execute(sql.SQL(visit).format(sql.Identifier(ours.home.role)))
    move = moved(works, ours, "second")
    left = Aside(ours.home.id, "main")
    with as_owner(owners["main"]) as connection:
        may = "select pg_has_role('freehold_staff', %s, 'set')"
        assert connection.execute(may, [left.role]).fetchone() == (False,)
    with pytest.raises(Unavailable):
        write(left)
    drop_copies(works.catalog, works.owners, ours.home.id)
    assert schemas(works, ours) == {"second"}
    assert move_of(works, move.id).step == Step.CONFIRMED
    assert neighbour.admin.get("/contacts").status_code == 200
