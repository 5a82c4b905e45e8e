"""What Redis and RQ carry: which tenants are due, and the few jobs that may run now. All of it can be lost."""

from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import Any
from uuid import UUID

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Queue
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job as Message

log = structlog.get_logger(__name__)
QUEUE = "freehold"
DUE = "freehold:due"
WAKE = "freehold:wake"
WORKERS = "freehold:workers"
HEAVY = "freehold:heavy"
MARK = "freehold:mark"
ENTRY = "tenants.jobs.worker.run"
WORKER_SEEN_WITHIN_MS = 45_000
WAKES_KEPT = 64

# Takes the first due tenant by moving it to the end of a lease, unless the queue is full. Answers: whether Redis was
# emptied since the last call, the tenant, room in the queue, room for heavy jobs, milliseconds until the next is due.
TAKE = """
local now, lease, seen = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local emptied = redis.call('set', KEYS[5], '1', 'NX') and 1 or 0
local workers = math.max(1, redis.call('zcount', KEYS[3], now - seen, '+inf'))
local room = 2 * workers - redis.call('llen', KEYS[2])
local heavy = math.max(1, workers - 1) - redis.call('zcount', KEYS[4], now, '+inf')
local first = redis.call('zrange', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then return {emptied, '', room, heavy, 60000} end
local wait = tonumber(first[2]) - now
if wait > 0 or room <= 0 then return {emptied, '', room, heavy, math.max(0, math.ceil(wait))} end
redis.call('zadd', KEYS[1], lease, first[1])
return {emptied, first[1], room, heavy, 0}
"""
# Ends a lease: the tenant's next turn, unless somebody announced it meanwhile.
SETTLE = """
local score = redis.call('zscore', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then redis.call('zrem', KEYS[1], ARGV[1]) else redis.call('zadd', KEYS[1], ARGV[3], ARGV[1]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a look at the due tenants gave: one of them under a lease, or how long to wait."""

    tenant_id: UUID | None
    lease_ms: int
    room: int
    heavy_room: int
    wait_seconds: float
    emptied: bool

    @property
    def full(self) -> bool:
        return self.room <= 0


class Carrier:
    """The connection to Redis of this process. Every method may raise RedisError."""

    def __init__(self, url: str, *, timeout: float = 1.0) -> None:
        self.redis = Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=min(timeout, 1.0), retry=Retry(NoBackoff(), 1)
        )
        self.queue = Queue(QUEUE, connection=self.redis, serializer="json")
        self._take = self.redis.register_script(TAKE)
        self._settle = self.redis.register_script(SETTLE)

    def announce(self, tenant_id: UUID, when: datetime) -> None:
        """The tenant is due at `when`, or earlier if it was; a waiting dispatcher wakes."""
        self.announce_all({tenant_id: when.timestamp()})

    def announce_all(self, moments: dict[UUID, float]) -> None:
        """Several tenants, each with its moment in seconds since 1970."""
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(DUE, {each.hex: _ms(moment) for each, moment in moments.items()}, lt=True)
            _wake(pipeline)
            pipeline.execute()

    def take(self, lease_seconds: float) -> Taken:
        """The first due tenant, leased so that no other dispatcher takes it meanwhile."""
        now = _ms(time())
        lease = now + int(lease_seconds * 1000)
        keys = [DUE, self.queue.key, WORKERS, HEAVY, MARK]
        emptied, tenant, room, heavy, wait = self._take(keys, [now, lease, WORKER_SEEN_WITHIN_MS])
        found = _tenant(tenant)
        if tenant and found is None:
            # Whoever can write here may write anything: it must not come back and back, and hold up all others.
            self.redis.zrem(DUE, tenant)
            log.error("not_a_tenant_among_the_due")
        return Taken(found, lease, room, heavy, wait / 1000, bool(emptied))

    def settle(self, taken: Taken, next_in: float | None) -> None:
        """Give the tenant back: due again in so many seconds, or not at all."""
        assert taken.tenant_id is not None  # noqa: S101 - only a tenant that was taken is given back
        score = "" if next_in is None else _ms(time() + next_in)
        self._settle([DUE], [taken.tenant_id.hex, taken.lease_ms, score])

    def enqueue(self, tenant_id: UUID, job_id: UUID, attempt: int) -> None:
        """Hand an attempt to the workers. RQ neither retries nor keeps results: PostgreSQL remembers."""
        self.queue.enqueue_call(
            ENTRY,
            args=(tenant_id.hex, job_id.hex, attempt),
            job_id=f"{job_id.hex}-{attempt}",
            timeout=-1,
            result_ttl=0,
            failure_ttl=60,
            ttl=86_400,
        )

    def take_off(self, message: Message) -> None:
        """Remove a message from Redis, wherever RQ keeps it, and let a dispatcher know that there is room."""
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.lrem(IntermediateQueue.get_intermediate_queue_key(self.queue.key), 1, message.id)
            pipeline.delete(message.key)
            _wake(pipeline)
            pipeline.execute()

    def wait(self, seconds: float) -> None:
        """Sleep until somebody announces or makes room, at most so long."""
        self.redis.blpop([WAKE], timeout=max(0.01, seconds))

    def say_present(self, worker: str) -> None:
        """A worker is there; who is silent for a while no longer counts."""
        self.redis.zadd(WORKERS, {worker: _ms(time())})

    def say_gone(self, worker: str) -> None:
        self.redis.zrem(WORKERS, worker)

    def hold_heavy(self, job_id: UUID, seconds: float) -> None:
        """One of the places for heavy jobs is taken, for so long."""
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.zremrangebyscore(HEAVY, "-inf", _ms(time()))
            pipeline.zadd(HEAVY, {job_id.hex: _ms(time() + seconds)})
            pipeline.execute()

    def keep_heavy(self, job_id: UUID, seconds: float) -> None:
        """Hold the place longer, if this job has one."""
        self.redis.zadd(HEAVY, {job_id.hex: _ms(time() + seconds)}, xx=True)

    def release_heavy(self, job_id: UUID) -> None:
        self.redis.zrem(HEAVY, job_id.hex)

    def turn_to(self, what: str, seconds: int) -> bool:
        """Whether it is this process's turn to do something that one of several should do each so many seconds."""
        return bool(self.redis.set(f"freehold:turn:{what}", "1", nx=True, ex=seconds))


_carriers: list[Carrier] = []


def use_carrier(made: Carrier) -> None:
    """Say once, at start-up, over which Redis this process announces."""
    _carriers[:] = [made]


def carrier() -> Carrier:
    """The carrier of this process."""
    if not _carriers:
        message = "No Redis was named: use_carrier(…) belongs to the start of every process."
        raise RuntimeError(message)
    return _carriers[0]


def _tenant(member: bytes) -> UUID | None:
    try:
        return UUID(hex=member.decode()) if member else None
    except ValueError:
        return None


def _wake(pipeline: Pipeline) -> None:
    pipeline.rpush(WAKE, "")
    pipeline.ltrim(WAKE, -WAKES_KEPT, -1)


def _ms(seconds: float) -> Any:
    return int(seconds * 1000)
