"""Recurring work is rows: each moment is worked on once, however many ask."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db, inside
from tenants.jobs import platform
from tenants.jobs.carrier import Carrier
from tenants.jobs.models import Job, PlatformRound, Schedule
from tenants.jobs.platform import PlatformJob, Rounds, ask_for_round
from tenants.jobs.registry import job
from tenants.jobs.schedules import next_moment
from tenants.jobs.sweeper import Sweeper
from tests.jobs import RunJobs
from tests.workspace import Workspace

swept: list[str] = []
KIND = "tests.every-night"


@job(KIND, purpose=Purpose.OPERATION, every="0 3 * * *")
def every_night() -> None:
    swept.append(KIND)


def jobs_of(workspace: Workspace, key: str) -> int:
    with inside(workspace.home):
        return db().scalar(select(func.count()).where(Job.request_id == f"schedule-{key}")) or 0


def plan(workspace: Workspace, next_run_at: datetime) -> str:
    """Every five minutes of the three hours before this one, so that no moment comes while a test runs."""
    key = f"tests-{uuid4()}"
    hours = ",".join(str((now() - timedelta(hours=each)).hour) for each in (1, 2, 3))
    with inside(workspace.home):
        db().add(Schedule(key=key, kind=KIND, cron=f"*/5 {hours} * * *", next_run_at=next_run_at))
    return key


def test_what_is_declared_to_recur_is_planted_in_every_tenant(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, app, carrier: Carrier
) -> None:
    Sweeper(app.extensions["house"].catalog, carrier).sweep()
    run_jobs()  # it may have been planted before, and its moment have come since
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            (planted,) = db().scalars(select(Schedule).where(Schedule.key == KIND)).all()
        assert (planted.cron, planted.next_run_at > now()) == ("0 3 * * *", True)


def test_a_moment_that_has_come_is_worked_on_once_and_missed_ones_once_together(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, app, carrier: Carrier
) -> None:
    key = plan(acme, now() - timedelta(hours=3))
    later = plan(neighbour, now() + timedelta(hours=3))
    Sweeper(app.extensions["house"].catalog, carrier).sweep()
    run_jobs()
    run_jobs()
    assert (jobs_of(acme, key), jobs_of(neighbour, later)) == (1, 0)
    with inside(acme.home):
        assert db().scalar(select(Schedule.next_run_at).where(Schedule.key == key)) > now()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-03-28T12:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("2026-03-27T12:00:00+00:00", "2026-03-28T07:00:00+00:00"),
    ],
)
def test_a_schedule_goes_by_the_clocks_of_its_zone(after: str, expected: str) -> None:
    found = next_moment("0 8 * * *", "Europe/Berlin", datetime.fromisoformat(after).astimezone(UTC))
    assert found == datetime.fromisoformat(expected)


def test_a_round_is_made_once_and_one_that_breaks_does_not_end_the_others(app) -> None:
    catalog = app.extensions["house"].catalog
    made: list[str] = []
    good, bad = f"tests.good-{uuid4()}", f"tests.bad-{uuid4()}"

    def break_down() -> None:
        made.append(bad)
        raise ZeroDivisionError

    jobs = [
        PlatformJob(good, lambda: made.append(good), Purpose.OPERATION, every_seconds=3600),
        PlatformJob(bad, break_down, Purpose.OPERATION, every_seconds=3600),
    ]
    first, second = Rounds(catalog, jobs), Rounds(catalog, jobs)
    assert (first.make_due(), second.make_due()) == (2, 0)
    with catalog.transaction() as session:
        ask_for_round(session, good)
    assert second.make_due() == 1
    assert sorted(made) == sorted([good, bad, good])
    with catalog.transaction() as session:
        assert session.get_one(PlatformRound, bad).error == "ZeroDivisionError"


def test_a_round_that_is_asked_for_while_it_is_made_is_made_again(app) -> None:
    catalog = app.extensions["house"].catalog
    name, made = f"tests.again-{uuid4()}", []

    def make() -> None:
        made.append(name)
        if len(made) == 1:
            with catalog.transaction() as session:
                ask_for_round(session, name)

    rounds = Rounds(catalog, [PlatformJob(name, make, Purpose.OPERATION, every_seconds=3600)])
    assert rounds.make_due() == 2


def test_a_round_whose_process_died_is_made_after_its_lease(app) -> None:
    catalog = app.extensions["house"].catalog
    name, made = f"tests.left-{uuid4()}", []
    rounds = Rounds(
        catalog, [PlatformJob(name, lambda: made.append(name), Purpose.OPERATION, every_seconds=3600)]
    )
    with catalog.transaction() as session:
        session.add(PlatformRound(name=name, attempt=1, lease_until=now() + timedelta(minutes=5)))
    assert rounds.make_due() == 0
    with catalog.transaction() as session:
        session.execute(
            update(PlatformRound)
            .where(PlatformRound.name == name)
            .values(lease_until=now() - timedelta(minutes=5))
        )
    assert (rounds.make_due(), made) == (1, [name])


def test_a_round_keeps_its_lease_for_as_long_as_it_takes_and_not_for_hours_after(app, monkeypatch) -> None:
    catalog = app.extensions["house"].catalog
    name, found = f"tests.long-{uuid4()}", []
    monkeypatch.setattr(platform, "LEASE", timedelta(seconds=1))

    def lease() -> datetime:
        with catalog.transaction() as session:
            until = session.get_one(PlatformRound, name).lease_until
            assert until is not None
            return until

    def make() -> None:
        began, deadline = lease(), monotonic() + 30
        while lease() == began:
            assert monotonic() < deadline, "nobody keeps it"
        found.append(lease() - now())

    long = PlatformJob(name, make, Purpose.OPERATION, every_seconds=3600, minutes=24 * 60)
    assert Rounds(catalog, [long]).make_due() == 1
    assert found[0] < timedelta(seconds=2), "whoever dies in it is followed soon"
    with catalog.transaction() as session:
        assert session.get_one(PlatformRound, name).lease_until is None


def test_two_rounds_of_one_name_stop_the_start(app) -> None:
    twice = PlatformJob("tests.twice", lambda: None, Purpose.OPERATION, every_seconds=60)
    with pytest.raises(ValueError, match="one name"):
        Rounds(app.extensions["house"].catalog, [twice, twice])
