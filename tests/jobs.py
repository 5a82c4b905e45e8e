"""Runs jobs inside the test: the real dispatcher, queue and entry point, without processes of their own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask
from rq.job import Job as Message
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.identity.standings import standing_of
from tenants.isolation.door import db, inside
from tenants.jobs import attempts
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.carrier import Carrier, use_carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job, Schedule
from tenants.jobs.registry import Work, recognise_actors_with
from tenants.jobs.schedules import ask_for_what_is_due, plant_declared
from tenants.jobs.worker import run as run_message
from tenants.jobs.worker import site_of, use_worksite
from tenants.webhooks import models as webhooks

RunJobs = Callable[[], int]
TURNS = 10_000
#: Longer than any run of the tests: what failed becomes due when a test says so, however long its drain takes.
LATER_SECONDS = 86_400.0
LATER_EACH = tuple(timedelta(seconds=LATER_SECONDS) for _ in webhooks.PAUSES)


@pytest.fixture(scope="session")
def carrier(app: Flask, settings: Settings) -> Carrier:
    made = Carrier(settings.redis_url, timeout=10)
    use_carrier(made)
    recognise_actors_with(standing_of)
    use_worksite(site_of(settings, app.extensions["house"].catalog, made, "tests"))
    return made


@pytest.fixture(scope="session")
def dispatcher(app: Flask, settings: Settings, carrier: Carrier) -> Dispatcher:
    return Dispatcher(
        app.extensions["house"].catalog,
        carrier,
        lease_seconds=settings.job_lease_seconds,
        cap=settings.job_in_flight_cap,
    )


@contextmanager
def handing_out(dispatcher: Dispatcher) -> Iterator[None]:
    """Jobs are handed out all the while, as the scheduler does it: also once others have made room."""
    over = Event()

    def give_turns() -> None:
        while not over.wait(0.05):
            while dispatcher.give_turn().tenant_id is not None and not over.is_set():
                pass

    with ThreadPoolExecutor(1) as pool:
        giving = pool.submit(give_turns)
        try:
            yield
        finally:
            over.set()
        giving.result()


@pytest.fixture
def run_jobs(carrier: Carrier, dispatcher: Dispatcher) -> Iterator[RunJobs]:
    """Call it to run every job of every tenant that may run now; it says how many were handed out.

    What is to be tried again later, or was asked for a later moment, stays.
    """
    with running(carrier, dispatcher) as drain:
        yield drain


@contextmanager
def running(carrier: Carrier, dispatcher: Dispatcher) -> Iterator[RunJobs]:
    """What `run_jobs` gives, for fixtures that several tests share."""

    def drain() -> int:
        ran = 0
        for _ in range(TURNS):
            taken = dispatcher.give_turn()
            ran_now = _run_what_was_handed_out(carrier)
            ran += ran_now
            if taken.tenant_id is None and not ran_now:  # nobody gets a turn either while the queue is full
                return ran
        message = f"There was still work after {TURNS} turns."
        raise AssertionError(message)

    with (
        patch.object(attempts, "pause_after", lambda _failures: LATER_SECONDS),
        patch.object(webhooks, "PAUSES", LATER_EACH),
    ):
        yield drain
    carrier.queue.empty()


def try_again_now(home: Home) -> None:
    """What failed in this tenant and waits for its next attempt need not wait any longer."""
    with inside(home):
        act_as(SYSTEM)
        db().execute(update(Job).where(Job.state == "ready", Job.failures > 0).values(run_at=now()))
        announce_after_commit()


def due_now(home: Home, key: str) -> None:
    """As if the moment of a schedule had come: a job was asked for, which waits for its turn."""
    with inside(home):
        db().execute(update(Schedule).where(Schedule.key == key).values(next_run_at=now()))
    with inside(home):
        act_as(SYSTEM)
        assert ask_for_what_is_due() >= 1


def recurs_now(home: Home, work: Work[Any]) -> None:
    """As if the moment of a job that every tenant has again and again had come, planted as the sweeper does it."""
    with inside(home):
        act_as(SYSTEM)
        plant_declared()
    due_now(home, work.name)


def _run_what_was_handed_out(carrier: Carrier) -> int:
    ran = 0
    for job_id in carrier.queue.get_job_ids():
        message = Message.fetch(job_id, connection=carrier.redis, serializer="json")
        carrier.queue.remove(job_id)
        carrier.take_off(message)
        run_message(*message.args)
        ran += 1
    return ran
