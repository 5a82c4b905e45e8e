"""A move that is cut short at any step goes on and ends whole; the tenant is in one cell all the while."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tenants.audit.verification import verify_log
from tenants.foundation.errors import Conflict, Unavailable
from tenants.isolation.door import inside
from tenants.lifecycle.attempts import FORESEEN, Overtaken
from tenants.lifecycle.attempts import Attempt as AnyAttempt
from tenants.lifecycle.moves import moving, steps
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import (
    ask_to_confirm,
    ask_to_go_back,
    ask_to_move,
    go_on,
    go_on_everywhere,
)
from tenants.lifecycle.moves.running import Works, take
from tests.chores import do, marks, numbers, order
from tests.jobs import RunJobs
from tests.tenants.lifecycle.moves.world import (
    WAY,
    WHY,
    at,
    content,
    differing,
    eventually,
    has_run,
    lives_once,
    move_of,
    schemas,
    unleased,
)
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


class Killed(BaseException):
    """Stands for the end of the process: nobody handles it."""


@pytest.mark.parametrize("late", [False, True], ids=["when it is on record", "before it is on record"])
def test_killed_at_every_step_it_goes_on_and_lives_in_one_place(
    ours: Workspace, neighbour: Workspace, works: Works, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch,
    late: bool,  # noqa: FBT001 - of a parameter
) -> None:  # fmt: skip
    number = next(numbers)
    order(ours.home, do, number=number)
    before = content(ours.home)
    doomed: set[Step] = set()
    go_to = AnyAttempt.go_to

    def killed_first(attempt: Any, session: Any, step: Step, **values: Any) -> None:
        now = Step(attempt.row.step)
        if now in doomed or now == step:
            go_to(attempt, session, step, **values)
            return
        doomed.add(now)
        if not late:
            go_to(attempt, session, step, **values)
            session.commit()
        raise Killed

    monkeypatch.setattr(AnyAttempt, "go_to", killed_first)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    for each in WAY:
        with pytest.raises(Killed):
            go_on(works, move_id)
        assert each in doomed
        unleased(works, move_id)
        lives_once(works, ours)
    go_on(works, move_id)
    assert move_of(works, move_id).step == Step.KEPT
    lives_once(works, ours)
    assert schemas(works, ours) == {"main aside", "second"}
    tables = {"companies", "opened companies", "jobs", "jobs_schedules", "idempotency_keys"}
    assert differing(before, content(at(ours, "second"))) <= tables | {"opened audit_events"}
    assert verify_log(works.catalog, at(ours, "second")).wrong == []
    eventually(lambda: has_run(run_jobs, at(ours, "second"), number))
    assert marks(at(ours, "second"), number) == 1
    with pytest.raises(Killed):
        go_on(works, ask_to_confirm(works, ours.home.id))
    unleased(works, move_id)
    go_on(works, move_id)
    assert move_of(works, move_id).step == Step.CONFIRMED
    assert schemas(works, ours) == {"second"}
    assert neighbour.admin.get("/contacts").status_code == 200


def test_killed_while_it_is_given_up_it_stays_and_goes_on(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(ours.home)

    def broken(_attempt: object) -> None:
        raise Conflict("Not equal.")

    monkeypatch.setitem(steps.STEPS, Step.SWITCHING, broken)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with pytest.raises(Conflict):
        go_on(works, move_id)
    assert schemas(works, ours) == {"main", "second"}
    ask_to_go_back(works, ours.home.id, "Not today.")
    go_to = AnyAttempt.go_to
    doomed: set[str] = set()

    def killed(attempt: Any, session: Any, step: str, **values: Any) -> None:
        if step not in doomed:
            doomed.add(step)
            raise Killed
        go_to(attempt, session, step, **values)

    monkeypatch.setattr(AnyAttempt, "go_to", killed)
    for _ in range(2):
        with pytest.raises(Killed):
            go_on(works, move_id)
        unleased(works, move_id)
        lives_once(works, ours)
    go_on(works, move_id)
    assert move_of(works, move_id).step == Step.GIVEN_UP
    assert schemas(works, ours) == {"main"}
    assert differing(before, content(ours.home)) <= {"companies", "opened companies"}
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.parametrize("step", WAY)
def test_a_database_that_goes_away_at_any_step_costs_nothing(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    before = content(ours.home)
    go_to = AnyAttempt.go_to
    broken: list[Step] = []

    def all_connections_end(attempt: Any, session: Any, after: Step, **values: Any) -> None:
        if attempt.row.step == step and not broken:
            broken.append(step)
            for owner in works.owners.values():
                _end_connections(owner)
        go_to(attempt, session, after, **values)

    monkeypatch.setattr(AnyAttempt, "go_to", all_connections_end)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    for _ in range(3):
        if move_of(works, move_id).step != Step.KEPT:
            _try(lambda: go_on(works, move_id))
            unleased(works, move_id)
    assert broken
    assert move_of(works, move_id).step == Step.KEPT
    assert differing(before, content(at(ours, "second"))) == set()
    lives_once(works, ours)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_move_that_does_not_come_on_is_given_up_so_that_people_can_write(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_attempt: object) -> None:
        raise Unavailable("The database can't be reached.")

    monkeypatch.setitem(steps.STEPS, Step.LEVELLING, away)
    monkeypatch.setattr(moving, "LONGEST_PAUSE", -moving.LONGEST_PAUSE)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with pytest.raises(Unavailable):
        go_on(works, move_id)
    go_on_everywhere(works)
    move = move_of(works, move_id)
    assert (move.step, move.error) == (Step.GIVEN_UP, "The database can't be reached.")
    assert ours.admin.post("/contacts", {"last_name": "Ng"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200


def test_who_was_overtaken_moves_nothing_on(ours: Workspace, neighbour: Workspace, works: Works) -> None:
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    first = take(works, move_id)
    with pytest.raises(Conflict, match="working on this"):
        take(works, move_id)
    unleased(works, move_id)
    take(works, move_id)
    for act in (steps.copy, steps.freeze):
        with pytest.raises(Overtaken):
            act(first)
    assert ours.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    assert schemas(works, ours) == {"main"}
    with inside(neighbour.home):
        pass


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except FORESEEN:
        return


def _end_connections(owner_url: str | None) -> None:
    """What a restart does to everybody."""
    url = make_url(str(owner_url)).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and usename = 'freehold_app'"
        )
