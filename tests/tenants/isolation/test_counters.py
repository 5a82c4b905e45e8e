"""Counting together: no two processes are given the same number, and none stops when Redis is away."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.counters import Counters


def patient(counters: Counters) -> Counters:
    """Waits for Redis, however slow the machine is: half a second later it would count by itself."""
    counters._redis.connection_pool.connection_kwargs |= {"socket_timeout": 60, "socket_connect_timeout": 60}
    return counters


@pytest.mark.parametrize("block", [1, 7])
def test_every_count_is_given_once_whoever_counts(servers: EmbeddedServers, block: int) -> None:
    key, other = f"test:{uuid4()}", f"test:{uuid4()}"
    processes = [patient(Counters(servers.redis_url)) for _ in range(3)]

    def count(number: int) -> tuple[int, int]:
        mine, theirs = processes[number % 3].count({key: block, other: 1}, 60)
        return mine, theirs

    with ThreadPoolExecutor(6) as crew:
        counted = list(crew.map(count, range(90)))
    mine = [each for each, _ in counted]
    assert len(set(mine)) == 90
    assert max(mine) < 90 + 3 * block
    assert sorted(theirs for _, theirs in counted) == list(range(1, 91))


def test_without_redis_a_process_counts_by_itself() -> None:
    lonely = Counters("redis://127.0.0.1:1/0")
    assert [lonely.count({"a": 5, "b": 1}, 60) for _ in range(7)] == [[n, n] for n in range(1, 8)]
