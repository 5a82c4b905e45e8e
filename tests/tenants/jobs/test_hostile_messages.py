"""Whoever can write to Redis can hold work up; they run nothing of theirs, and stop nobody's for good."""

import pickle
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rq.job import Job as Message
from rq.utils import utcformat

from tenants.foundation.clock import now
from tenants.jobs.carrier import DUE, ENTRY, QUEUE, Carrier
from tenants.jobs.worker import Worker
from tests import chores
from tests.chores import marks, numbers, order, stored
from tests.jobs import RunJobs
from tests.workspace import Workspace


class Touch:
    """What a pickle would do to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def _take(carrier: Carrier, message_id: str) -> None:
    message = Message.fetch(message_id, connection=carrier.redis, serializer="json")
    Worker(carrier).execute_job(message, carrier.queue)


def test_what_is_no_tenant_among_the_due_does_not_hold_up_the_others(
    acme: Workspace, neighbour: Workspace, carrier: Carrier, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    order(acme.home, chores.do, number=number)
    carrier.redis.zadd(DUE, {"not-a-tenant": 0, "\xff\xfe": 0, uuid4().hex: 0})
    for _ in range(4):
        run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 0)
    assert carrier.redis.zscore(DUE, "not-a-tenant") is None


HOSTILE = {
    "another function": lambda path: ("pathlib.Path.touch", (str(path),)),
    "no ids": lambda _: (ENTRY, ("../..", "x", 1)),
    "too few": lambda _: (ENTRY, (uuid4().hex,)),
    "no number": lambda _: (ENTRY, (uuid4().hex, uuid4().hex, {"a": 1})),
    "numbers for ids": lambda _: (ENTRY, (1, 2, 3)),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_message_that_no_dispatcher_wrote_is_dropped(carrier: Carrier, tmp_path: Path, made) -> None:
    function, arguments = made(tmp_path / "touched")
    message_id = f"hostile-{uuid4().hex}"
    carrier.queue.enqueue_call(function, args=arguments, job_id=message_id, timeout=-1)
    _take(carrier, message_id)
    carrier.queue.empty()
    assert not (tmp_path / "touched").exists()


def test_a_pickle_in_a_message_is_never_opened(carrier: Carrier, tmp_path: Path) -> None:
    message_id, touch = f"hostile-{uuid4().hex}", pickle.dumps(Touch(tmp_path / "touched"))
    written = {"data": zlib.compress(touch), "created_at": utcformat(now()), "origin": QUEUE, "timeout": "-1"}
    carrier.redis.hset(f"rq:job:{message_id}", mapping=written)
    _take(carrier, message_id)
    assert not (tmp_path / "touched").exists()


def test_a_message_can_not_take_a_job_to_another_tenant_or_ahead_of_its_turn(
    acme: Workspace, neighbour: Workspace, carrier: Carrier, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = order(acme.home, chores.do, number=number)
    for home in (neighbour.home, acme.home):
        message_id = f"hostile-{uuid4().hex}"
        arguments = (home.id.hex, job_id.hex, 0)
        carrier.queue.enqueue_call(ENTRY, args=arguments, job_id=message_id, timeout=-1)
        _take(carrier, message_id)
    carrier.queue.empty()
    assert (marks(acme.home, number), stored(acme.home, job_id).state) == (0, "ready")
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 0)
