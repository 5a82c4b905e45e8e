"""Errands: as many for nobody's address as for somebody's, done by the scheduler, whoever dies meanwhile."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from tenants.catalog.registry import Catalog
from tenants.foundation.children import Child
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Unavailable
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Purpose
from tenants.jobs import errands as of_errands
from tenants.jobs.carrier import Carrier
from tenants.jobs.errands import LASTS, Asked, Errands, errand
from tenants.jobs.models import Errand
from tenants.provisioning.birth import Nursery
from tests.mails import posted
from tests.persons import Browser, Person, make_person
from tests.processes import child
from tests.settled import errands_of
from tests.workspace import Workspace

KIND = "tests.errand"
SECONDS = 60
done: list[tuple[UUID, object]] = []
trouble: list[Exception] = []


@errand(KIND, purpose=Purpose.OPERATION)
def run_errand(asked: Asked) -> None:
    done.append((asked.id, asked.said["what"]))
    if trouble:
        raise trouble[0]


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    made: Catalog = app.extensions["house"].catalog
    return made


@pytest.fixture
def errands(app: Flask, catalog: Catalog) -> Iterator[Errands]:
    """None waits before and after the test."""
    errands_of(app).do_due()
    forget_all(catalog)  # also what failed, and waits for its next try
    done.clear()
    yield errands_of(app)
    trouble.clear()
    forget_all(catalog)


@pytest.fixture
def people(app: Flask, nursery: Nursery, acme: Workspace, neighbour: Workspace) -> tuple[Person, Person]:
    """Somebody of each neighbour."""
    return make_person(app, nursery, acme), make_person(app, nursery, neighbour)


def forget_all(catalog: Catalog) -> None:
    with catalog.transaction() as session:
        session.execute(delete(Errand))


def waiting(catalog: Catalog) -> int:
    with catalog.transaction() as session:
        return session.scalar(select(func.count()).select_from(Errand)) or 0


def due_again(catalog: Catalog, *, older: timedelta = timedelta(0)) -> None:
    """As if the time until the next try had gone by, and the errand were so much older."""
    with catalog.transaction() as session:
        session.execute(update(Errand).values(due_at=now(), created_at=now() - older))


@pytest.mark.parametrize("path", ["/password-resets", "/workspace-reminders", "/archives/links"])
def test_as_much_is_written_down_for_nobody_as_for_somebody(
    errands: Errands, catalog: Catalog, people: tuple[Person, Person], path: str
) -> None:
    ours, theirs = people
    for count, email in enumerate((ours.email, f"no{secrets.token_hex(6)}@example.test"), start=1):
        assert Browser(ours.app).post(path, {"email": email}).status_code == 202
        assert waiting(catalog) == count
    assert posted(ours.workspace, ours.email) == []
    errands.do_due()
    assert waiting(catalog) == 0
    assert len(posted(ours.workspace, ours.email)) == (0 if path == "/archives/links" else 1)
    assert posted(theirs.workspace, ours.email) == []


def test_a_wrong_password_is_written_down_for_nobody_as_well(
    errands: Errands, catalog: Catalog, people: tuple[Person, Person]
) -> None:
    ours, theirs = people
    nobody = Person(ours.app, ours.workspace, ours.user_id, f"no{secrets.token_hex(6)}@example.test")
    for count, person in enumerate((ours, nobody), start=1):
        assert person.browser().sign_in(person, "wrong one here").status_code == 401
        assert waiting(catalog) == count
    assert errands.do_due() == 2
    for person, times in ((ours, 1), (theirs, 0)):
        query = {"action": "sessions.refused", "record_id": str(person.user_id)}
        answer = person.workspace.admin.get("/audit-events", query_string=query)
        assert len(answer.json["data"]) == times


def test_addresses_are_sealed_as_long_as_they_wait(
    errands: Errands, catalog: Catalog, people: tuple[Person, Person]
) -> None:
    for person in people:
        assert person.browser().post("/password-resets", {"email": person.email}).status_code == 202
    with catalog.transaction() as session:
        kept = [each.sealed for each in session.scalars(select(Errand))]
    assert len(kept) == 2
    assert not any(person.email.encode() in each for person in people for each in kept)


def test_an_errand_that_is_done_twice_writes_one_mail(
    errands: Errands, catalog: Catalog, people: tuple[Person, Person]
) -> None:
    ours, theirs = people
    assert ours.browser().post("/password-resets", {"email": ours.email}).status_code == 202
    taken = errands._take()
    assert taken is not None
    assert errands._is_over(taken)
    assert (waiting(catalog), errands.do_due()) == (1, 0), "as if its process had died before it said so"
    due_again(catalog)
    assert (errands.do_due(), waiting(catalog)) == (1, 0)
    assert len(posted(ours.workspace, ours.email)) == 1
    assert posted(theirs.workspace, ours.email) == []


@pytest.mark.parametrize(
    ("problem", "kept"), [(Unavailable("Away."), 1), (ZeroDivisionError("of ours"), 1), (Conflict("No."), 0)]
)
def test_what_fails_keeps_no_other_waiting_and_is_tried_again(
    errands: Errands, catalog: Catalog, problem: Exception, kept: int
) -> None:
    trouble.append(problem)
    errands.plant(KIND, {"what": "ours"})
    assert (errands.do_due(), waiting(catalog)) == (1, kept)
    trouble.clear()
    errands.plant(KIND, {"what": "theirs"})
    assert (errands.do_due(), waiting(catalog)) == (1, kept)
    due_again(catalog)
    assert (errands.do_due(), waiting(catalog)) == (kept, 0)
    assert [what for _, what in done] == ["ours", "theirs", *(["ours"] * kept)]
    assert len({each for each, _ in done}) == 2, "an errand keeps its id"


def test_what_fails_for_a_day_is_given_up(errands: Errands, catalog: Catalog) -> None:
    trouble.append(Unavailable("Away."))
    errands.plant(KIND, {"what": "ours"}, {"what": "theirs"})
    due_again(catalog, older=LASTS - timedelta(minutes=5))
    assert (errands.do_due(), waiting(catalog)) == (2, 2)
    due_again(catalog, older=LASTS + timedelta(minutes=5))
    assert (errands.do_due(), waiting(catalog)) == (2, 0)


def test_strangers_fill_no_table(
    errands: Errands,
    catalog: Catalog,
    people: tuple[Person, Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of_errands, "MOST_WAITING", 3)
    statuses = [
        Browser(people[0].app).post("/password-resets", {"email": f"no{number}@example.test"}).status_code
        for number in range(5)
    ]
    assert (statuses, waiting(catalog)) == ([202, 202, 202, 503, 503], 3)
    for person in people:
        assert person.browser().post("/password-resets", {"email": person.email}).status_code == 503
        assert person.browser().sign_in(person).status_code == 201, "who has the password needs no errand"
    assert errands.do_due() == 3
    assert people[1].browser().post("/password-resets", {"email": people[1].email}).status_code == 202


@pytest.fixture
def scheduler(settings: Settings, carrier: Carrier, tmp_path: Path) -> Iterator[Child]:
    made = child("scheduler", settings, tmp_path / "scheduler.log")
    yield made
    made.stop(10)
    carrier.redis.flushall()


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_a_scheduler_that_is_killed_loses_no_mail(
    errands: Errands, catalog: Catalog, people: tuple[Person, Person], scheduler: Child
) -> None:
    ours, theirs = people
    for person in people:
        assert person.browser().post("/password-resets", {"email": person.email}).status_code == 202
    scheduler.start()
    assert comes_to(lambda: waiting(catalog) < len(people))
    scheduler.kill()
    due_again(catalog)
    scheduler.start()
    assert comes_to(lambda: waiting(catalog) == 0)
    for person, other in ((ours, theirs), (theirs, ours)):
        assert len(posted(person.workspace, person.email)) == 1
        assert posted(other.workspace, person.email) == []


def comes_to(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()
