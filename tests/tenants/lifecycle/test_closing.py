"""An exit goes by its dates: announced, read and exported until the end, cancellable, and destroyed by whoever may."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid, Unavailable
from tenants.foundation.settings import Settings
from tenants.isolation.away import Elsewhere
from tenants.isolation.door import db, inside
from tenants.lifecycle.changing import Decision, change, move
from tenants.lifecycle.closing.exiting import Exits, ask_to_close, go_on_with_exits
from tenants.lifecycle.closing.models import Closing, Phase
from tenants.lifecycle.closing.periods import dates_from, periods
from tests.jobs import RunJobs
from tests.tenants.lifecycle.letters import subjects
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

BODY = {"reason": "We move to another house."}
MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)


def destroying(exits: Exits, destroyed: list[str]) -> Exits:
    """Stands for what destroys: it moves the tenant to its last state first, and is killed there the first time."""

    def destroy(slug: str, reason: str) -> None:
        with exits.catalog.transaction() as session:
            tenant = session.scalars(select(Tenant).where(Tenant.slug == slug)).one()
            if tenant.state == State.CLOSING:
                change(session, tenant.id, State.DESTROYED, Decision(Mover.PLATFORM, reason))
                return
        destroyed.append(slug)

    def killed_once(slug: str, reason: str) -> None:
        destroy(slug, reason)
        if slug not in destroyed:
            raise Unavailable("The process ended here.")

    return Exits(exits.catalog, exits.owners, destroy=killed_once)


@pytest.mark.soak
@pytest.mark.promise("1-44", "4-19", "EXP-3", "RET-2")
def test_an_exit_takes_its_course_and_is_read_and_exported_until_the_end(
    ours: Workspace, neighbour: Workspace, exits: Exits, run_jobs: RunJobs
) -> None:
    destroyed: list[str] = []
    ready, slug = destroying(exits, destroyed), ours.admin.get("/me").json["tenant"]["slug"]
    asked = ours.admin.in_person.post("/closing", BODY)
    assert (asked.status_code, asked.json["phase"], asked.json["charges"]) == (202, "transition", "none")
    assert {each["law"] for each in asked.json["periods"] if each["name"] == "retrieval"} == {
        "Regulation (EU) 2023/2854 (Data Act), Article 25(2)(g)"
    }
    begun = now()
    go_on_with_exits(ready, begun + timedelta(days=29))
    assert ours.admin.post("/contacts", {"last_name": "As before"}).status_code == 201
    go_on_with_exits(ready, begun + timedelta(days=31))
    refused = ours.admin.post("/contacts", {"last_name": "Late"})
    assert (refused.status_code, refused.json["code"]) == (403, "tenant_closing")
    export = ours.admin.post("/exports", {}).json["id"]
    run_jobs()
    assert ours.admin.get(f"/exports/{export}/download").status_code == 200
    go_on_with_exits(ready, begun + timedelta(days=57))
    assert ours.admin.get("/closing").json["final_notice_at"] is None
    go_on_with_exits(ready, begun + timedelta(days=59))
    assert ours.admin.get("/closing").json["final_notice_at"] is not None
    go_on_with_exits(ready, begun + timedelta(days=60, hours=1))
    assert slug not in destroyed  # the last notice is not 48 hours old
    assert ours.admin.get("/contacts").status_code == 200
    for _ in range(2):
        go_on_with_exits(ready, begun + timedelta(days=61, hours=1))
        assert ours.admin.in_person.delete("/closing").status_code == 410
    assert destroyed.count(slug) == 1
    go_on_with_exits(ready, begun + timedelta(days=62))
    assert destroyed.count(slug) == 1
    assert ours.admin.get("/contacts").json["code"] == "tenant_destroyed"
    assert neighbour.admin.get("/closing").status_code == 404
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201


def test_admins_are_told_of_every_part_once(ours: Workspace, neighbour: Workspace, exits: Exits) -> None:
    theirs = subjects(neighbour)
    ours.admin.in_person.post("/closing", BODY)
    for days in (0, 0, 31, 31, 59, 59):
        go_on_with_exits(exits, now() + timedelta(days=days))
    assert subjects(ours) == [
        "Your workspace is to be closed",
        "Your workspace can be read and exported until it is closed",
        "Last notice: your workspace is about to be destroyed",
    ]
    assert subjects(neighbour) == theirs


def test_nothing_is_destroyed_while_nobody_may_or_a_hold_forbids_it(
    ours: Workspace, neighbour: Workspace, exits: Exits
) -> None:
    def forbidden(_slug: str, _reason: str) -> None:
        raise Conflict("This tenant is under a legal hold.", code="held")

    held = Exits(exits.catalog, exits.owners, destroy=forbidden)
    ours.admin.in_person.post("/closing", BODY)
    for days in (59, 70, 80):
        go_on_with_exits(exits, now() + timedelta(days=days))
        go_on_with_exits(held, now() + timedelta(days=days))
    assert ours.admin.get("/contacts").status_code == 200
    assert ours.admin.get("/tenant-state").json["state"] == "closing"
    assert neighbour.admin.get("/tenant-state").json["state"] == "active"


def test_an_exit_is_cancelled_until_the_end(ours: Workspace, neighbour: Workspace, exits: Exits) -> None:
    ours.admin.in_person.post("/closing", BODY)
    go_on_with_exits(exits, now() + timedelta(days=59))
    assert ours.admin.post("/contacts", {"last_name": "Late"}).status_code == 403
    assert ours.sales.in_person.delete("/closing").status_code == 403
    assert ours.admin.in_person.delete("/closing").status_code == 204
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert ours.admin.get("/closing").json["phase"] == "cancelled"
    assert ours.admin.in_person.delete("/closing").status_code == 404
    again = ours.admin.in_person.post("/closing", BODY)
    assert again.status_code == 202
    assert ours.admin.in_person.post("/closing", BODY).json["code"] == "already_closing"
    assert neighbour.admin.in_person.delete("/closing").status_code == 404


def test_a_suspended_tenant_is_suspended_again_when_its_exit_is_cancelled(
    ours: Workspace, neighbour: Workspace, exits: Exits, catalog: Catalog
) -> None:
    move(catalog, exits.owners, ours.home, State.SUSPENDED, Decision(Mover.OPERATOR, "Unpaid."))
    assert ours.admin.in_person.post("/closing", BODY).status_code == 202
    go_on_with_exits(exits, now() + timedelta(days=31))
    ours.admin.in_person.delete("/closing")
    assert ours.admin.get("/tenant-state").json["state"] == "suspended"
    assert ours.admin.post("/contacts", {"last_name": "Late"}).json["code"] == "tenant_suspended"
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201


def test_programs_and_others_than_admins_close_nothing(ours: Workspace, neighbour: Workspace) -> None:
    assert ours.admin.post("/closing", BODY).json["code"] == "needs_session"
    assert ours.manager.in_person.post("/closing", BODY).status_code == 403
    assert ours.admin.get("/closing").status_code == 404
    for field, days in (("notice_days", 61), ("transition_days", 31), ("retrieval_days", 29)):
        answer = ours.admin.in_person.post("/closing", {**BODY, field: days})
        assert answer.status_code == 422
        assert "2023/2854" in answer.json["errors"][field][0]
    assert neighbour.admin.get("/closing").status_code == 404


def test_the_transition_is_extended_once(ours: Workspace, neighbour: Workspace) -> None:
    before = ours.admin.in_person.post("/closing", BODY).json
    longer = ours.admin.in_person.patch("/closing", {"extension_days": 90}).json
    for name in ("transition_until", "retrieval_until"):
        moved = datetime.fromisoformat(longer[name]) - datetime.fromisoformat(before[name])
        assert moved == timedelta(days=90)
    assert ours.admin.in_person.patch("/closing", {"extension_days": 1}).json["code"] == "closing_extended"
    assert neighbour.admin.in_person.patch("/closing", {"extension_days": 1}).status_code == 404


@pytest.mark.promise("EXP-3")
def test_every_period_is_data_with_a_source_and_a_date() -> None:
    for each in periods().values():
        assert each.law
        assert each.says
        datetime.fromisoformat(each.effective_from)
    assert periods()["charges"].effective_from == "2027-01-12"


@pytest.mark.promise("EXP-3")
def test_dates_are_worked_out_from_the_moment_it_was_asked_for() -> None:
    dates = dates_from(MONDAY, 10, 30, 45)
    assert dates.notice_until == datetime(2027, 3, 11, 9, tzinfo=UTC)
    assert dates.transition_until == datetime(2027, 4, 10, 9, tzinfo=UTC)
    assert dates.retrieval_until == datetime(2027, 5, 25, 9, tzinfo=UTC)
    with pytest.raises(Invalid):
        dates_from(MONDAY, -1, 30, 30)


@pytest.mark.parametrize(
    ("days", "phase"),
    [(0, Phase.NOTICE), (9, Phase.NOTICE), (10, Phase.TRANSITION), (39, Phase.TRANSITION), (40, Phase.RETRIEVAL),
     (84, Phase.RETRIEVAL), (85, Phase.RETRIEVAL), (900, Phase.RETRIEVAL)],
)  # fmt: skip
def test_the_phase_of_an_exit_nobody_was_given_the_last_notice_of(days: int, phase: Phase) -> None:
    dates = dates_from(MONDAY, 10, 30, 45)
    closing = Closing(
        notice_until=dates.notice_until, transition_until=dates.transition_until, retrieval_until=dates.retrieval_until
    )  # fmt: skip
    assert closing.phase(MONDAY + timedelta(days=days)) is phase
    closing.final_notice_at = MONDAY + timedelta(days=90)
    assert closing.phase(MONDAY + timedelta(days=91)) is Phase.RETRIEVAL
    assert closing.phase(MONDAY + timedelta(days=92)) is Phase.DUE


def test_an_exit_says_when_the_next_thing_happens() -> None:
    dates = dates_from(MONDAY, 10, 30, 45)
    closing = Closing(
        notice_until=dates.notice_until, transition_until=dates.transition_until, retrieval_until=dates.retrieval_until
    )  # fmt: skip
    assert closing.next_date(MONDAY) == dates.notice_until
    assert closing.next_date(dates.notice_until) == dates.transition_until
    assert closing.next_date(dates.transition_until) == closing.final_notice_due
    closing.final_notice_at = closing.final_notice_due
    assert closing.next_date(dates.transition_until) == dates.retrieval_until
    assert closing.next_date(dates.retrieval_until) is None


def test_a_tenant_that_is_put_away_is_closed_only_when_it_is_back(
    ours: Workspace, neighbour: Workspace, exits: Exits, catalog: Catalog
) -> None:
    move(catalog, exits.owners, ours.home, State.FROZEN, Decision(Mover.OPERATOR, "To be archived."))
    why = Decision(Mover.OPERATOR, "x")
    with pytest.raises(Conflict, match="active or suspended"):
        ask_to_close(catalog, ours.home, why, notice=0, transition=30, retrieval=30)
    assert neighbour.admin.get("/closing").status_code == 404


@pytest.mark.soak
@pytest.mark.promise("1-44", "4-19", "EXP-3", "RET-2", "RET-4")
def test_an_exit_ends_with_keys_files_and_tables_destroyed(
    settings: Settings, ours: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    from crm.schedule import exits_of

    exits, begun = exits_of(settings, catalog), now()
    ours.admin.in_person.post("/closing", BODY)
    for days in (31, 59, 62):
        go_on_with_exits(exits, begun + timedelta(days=days))
    assert ours.admin.get("/contacts").json["code"] == "tenant_destroyed"
    assert catalog.wrapped_keys(ours.home.id) == []
    with pytest.raises(Elsewhere), inside(ours.home):
        db().execute(text("select 1"))
    with catalog.transaction() as session:
        closing = session.scalars(select(Closing).where(Closing.tenant_id == ours.home.id)).one()
        assert closing.phase(now()) is Phase.DESTROYED
    assert neighbour.admin.get("/contacts").status_code == 200
