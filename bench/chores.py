"""The small jobs that are measured: ours, and the peer's."""

import os
import time

import psycopg

from tenants.audit.recording import record_event
from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job

PEER_QUEUE = "peer"


@job("bench.small", purpose=Purpose.OPERATION)
def small(number: int) -> None:
    """A small job: one row, with everything that comes with it."""
    record_event("bench.small", "bench", None, {"number": [None, number]})


@job("bench.busy", purpose=Purpose.OPERATION)
def busy(seconds: float) -> None:
    time.sleep(seconds)


def peer_small(number: int) -> None:
    """The same for the peer: one row. A forked process can't use its parent's connection, so it opens one."""
    with psycopg.connect(os.environ["PEER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("insert into peer_effects (number) values (%s)", [number])
