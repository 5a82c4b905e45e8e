"""Rows of old imports go; counts, young imports, running ones and the neighbour's stay."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crm.imports import retention
from crm.imports.jobs import tidy_imports
from crm.imports.models import ImportRow
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.jobs.models import Job, JobState
from tests.uploads import brought_in, rejected, upload
from tests.workspace import Workspace

RunJobs = Callable[[], int]
FILE = (
    "Surname,Email\n" + "".join(f"Person {n},p{n}@many.test\n" for n in range(1, 8)) + ",nameless@many.test\n"
)
COUNTS = {"rows": 8, "created": 7, "updated": 0, "skipped": 0, "rejected": 1}
OLD, YOUNG = timedelta(days=30, minutes=1), timedelta(days=29, hours=23)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 3)


def test_rows_of_an_old_import_go_and_those_of_young_ones_and_the_neighbours_stay(
    new_workspace: Callable[[], Workspace], run_jobs: RunJobs
) -> None:
    ours, neighbour = new_workspace(), new_workspace()
    old, young = (brought_in(ours.admin, run_jobs, FILE, "contacts") for _ in range(2))
    theirs = brought_in(neighbour.admin, run_jobs, FILE, "contacts")
    _ended(ours, old, OLD)
    _ended(ours, young, YOUNG)
    _ended(neighbour, theirs, OLD)
    _tidy(ours, run_jobs)
    assert (_rows(ours, old), _rows(ours, young), _rows(neighbour, theirs)) == (0, 8, 8)
    answer = ours.admin.get(f"/imports/{old['id']}/rejected-rows")
    assert (answer.status_code, answer.json["code"]) == (410, "gone")
    (event,) = _emptied(ours)
    assert (event["record_id"], event["changes"]) == (old["id"], {"rows": [8, 0]})
    assert answer.json["detail"] == (
        f"The rows of this import were removed on {event['at'][:10]}. Its counts are still there."
    )
    assert ours.admin.get(f"/imports/{old['id']}").json["counts"] == COUNTS
    assert ours.admin.get("/contacts?limit=100&email=p3@many.test").json["data"]
    assert len(rejected(ours.admin, young)) == len(rejected(neighbour.admin, theirs)) == 1
    assert _emptied(neighbour) == []
    stranger = neighbour.admin.get(f"/imports/{old['id']}/rejected-rows")
    assert (stranger.status_code, stranger.json["code"]) == (404, "not_found")


def test_tidying_twice_removes_and_records_nothing_more(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours = new_workspace()
    old = brought_in(ours.admin, run_jobs, FILE, "contacts")
    _ended(ours, old, OLD)
    for _ in range(2):
        _tidy(ours, run_jobs)
    assert len(_emptied(ours)) == 1
    assert ours.admin.get(f"/imports/{old['id']}").json["counts"] == COUNTS
    assert neighbour.admin.get(f"/imports/{old['id']}").status_code == 404


def test_what_a_killed_round_left_is_removed_by_the_next_under_the_same_event(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours = new_workspace()
    old = brought_in(ours.admin, run_jobs, FILE, "contacts")
    _ended(ours, old, OLD)
    _tidy(ours, run_jobs)
    with inside(ours.home):
        left = {"step": 0, "action": "create", "record_id": UUID(old["id"]), "cells": "[]", "fields": []}
        db().add_all(ImportRow(import_id=UUID(old["id"]), number=number, **left) for number in (7, 8))
    assert ours.admin.get(f"/imports/{old['id']}/rejected-rows").status_code == 410
    _tidy(ours, run_jobs)
    assert (_rows(ours, old), len(_emptied(ours))) == (0, 1)
    assert neighbour.admin.get(f"/imports/{old['id']}").status_code == 404


@pytest.mark.soak
@pytest.mark.parametrize("state", [JobState.READY, JobState.RUNNING, JobState.HELD])
def test_an_import_that_has_not_ended_is_never_touched(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, state: JobState
) -> None:
    ours = new_workspace()
    slow = brought_in(ours.admin, run_jobs, FILE, "contacts")
    lease, later = now() + timedelta(hours=1), now() + timedelta(hours=1)
    _set_job(
        ours,
        slow,
        state=state.value,
        finished_at=None,
        created_at=now() - 9 * OLD,
        run_at=later,
        lease_until=lease if state is JobState.RUNNING else None,
    )
    _tidy(ours, run_jobs)
    assert (_rows(ours, slow), _emptied(ours)) == (8, [])
    assert len(rejected(ours.admin, slow)) == 1
    assert neighbour.admin.get(f"/imports/{slow['id']}").status_code == 404


def test_the_file_of_an_import_that_was_cancelled_goes_too(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours = new_workspace()
    old, young = (upload(ours.admin, FILE, "contacts").json for _ in range(2))
    for each in (old, young):
        assert ours.admin.delete(f"/imports/{each['id']}").status_code == 204
    _ended(ours, old, OLD)
    for _ in range(2):
        _tidy(ours, run_jobs)
    assert _stored_files(ours) == [f"imports/{young['id']}"]
    assert [(each["record_id"], each["changes"]) for each in _emptied(ours)] == [
        (old["id"], {"rows": [0, 0]})
    ]
    assert neighbour.admin.get(f"/imports/{old['id']}").status_code == 404


def _tidy(workspace: Workspace, run_jobs: RunJobs) -> None:
    with inside(workspace.home):
        act_as(SYSTEM)
        job_id = tidy_imports.later()
    run_jobs()
    with inside(workspace.home):
        assert db().get_one(Job, job_id).state == JobState.SUCCEEDED


def _ended(workspace: Workspace, done: Any, ago: timedelta) -> None:
    _set_job(workspace, done, finished_at=now() - ago)


def _set_job(workspace: Workspace, done: Any, **values: Any) -> None:
    with inside(workspace.home):
        db().execute(update(Job).where(Job.id == UUID(done["job_id"])).values(**values))


def _rows(workspace: Workspace, done: Any) -> int:
    with inside(workspace.home):
        rows = select(func.count()).select_from(ImportRow).where(ImportRow.import_id == UUID(done["id"]))
        return db().scalar(rows) or 0


def _emptied(workspace: Workspace) -> list[Any]:
    found: list[Any] = workspace.admin.get("/audit-events?action=imports.emptied").json["data"]
    return found


def _stored_files(workspace: Workspace) -> list[str]:
    with inside(workspace.home):
        return [name for name in files().list() if name.startswith("imports/")]
