"""Jobs for the tests: what they do is on record in the audit, where it can neither be undone nor hidden."""

import itertools
import random
import time
from uuid import UUID, uuid5

from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as, acting
from tenants.audit.models import AuditEvent
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db, here, inside
from tenants.jobs.models import Job
from tenants.jobs.progress import conclude, progress, step
from tenants.jobs.registry import job

#: Which chores were done in this process, as (tenant, number), in order.
done: list[tuple[UUID, int]] = []
#: Each chore has a number of its own, whichever test orders it.
numbers = itertools.count(1)
MARKS = UUID("5f1c36a0-3d55-4b2c-9a60-7b1b8d1f2e11")


def mark(number: int) -> None:
    """An effect that can be counted."""
    record_event("chores.done", "chores", uuid5(MARKS, str(number)), {"number": [None, number]})
    done.append((here().home.id, number))


def marks(home: Home, number: int) -> int:
    """How often a chore took effect in a tenant."""
    with inside(home):
        return (
            db().scalar(
                select(func.count()).where(
                    AuditEvent.action == "chores.done", AuditEvent.record_id == uuid5(MARKS, str(number))
                )
            )
            or 0
        )


def order(home: Home, work, **arguments) -> UUID:
    """Have the system ask for a job in a tenant."""
    with inside(home):
        act_as(SYSTEM, request_id="tests")
        return work.later(**arguments)


def stored(home: Home, job_id: UUID) -> Job:
    with inside(home):
        return db().scalars(select(Job).where(Job.id == job_id)).one()


@job("chores.do", purpose=Purpose.OPERATION, attempts=50)
def do(number: int, seconds: float = 0.0) -> dict[str, int]:
    mark(number)
    time.sleep(seconds)
    return {"number": number}


@job("chores.haul", purpose=Purpose.OPERATION, heavy=True)
def haul(number: int) -> None:
    mark(number)


@job("chores.refuse", purpose=Purpose.OPERATION)
def refuse(number: int) -> None:
    mark(number)
    raise Conflict("The shop is closed on Sundays.")


@job("chores.break", purpose=Purpose.OPERATION, attempts=2)
def break_something(number: int) -> None:
    mark(number)
    raise ZeroDivisionError("a secret of the machine room")


@job("chores.walk", purpose=Purpose.OPERATION, steps=True, attempts=50)
def walk(first: int, paces: int, seconds: float = 0.0) -> None:
    """Step by step; what was done before the process died is not done again."""
    for number in range(first, first + paces):
        with step():
            if not _is_done(number):
                mark(number)
            if number == first + paces - 1:
                conclude({"paces": paces})
        progress(number - first + 1, paces, "walking")
        time.sleep(seconds)


@job("chores.who", purpose=Purpose.OPERATION)
def who(number: int) -> dict[str, object]:
    mark(number)
    caller = acting().caller
    return {"kind": caller.kind, "user": str(caller.user_id), "reach": caller.reach("contacts:edit")}


def _is_done(number: int) -> bool:
    query = select(AuditEvent.id).where(
        AuditEvent.action == "chores.done", AuditEvent.record_id == uuid5(MARKS, str(number))
    )
    return db().scalars(query.limit(1)).first() is not None


@job("chores.flake", purpose=Purpose.OPERATION, attempts=50)
def flake(number: int, seconds: float) -> None:
    """Breaks now and then, after it took effect."""
    mark(number)
    time.sleep(seconds)
    if random.random() < 0.2:  # noqa: S311
        raise RuntimeError("now and then")
