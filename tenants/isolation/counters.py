"""Counters that all processes share, in Redis, taken in blocks; while it is away each process counts by itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
PAUSE_SECONDS = 5
MOST_KEYS = 100_000
# Takes a block from every key and answers with the totals; a first block starts the key's life.
TAKE = """
local totals = {}
for n, key in ipairs(KEYS) do
    totals[n] = redis.call('incrby', key, ARGV[n + 1])
    if totals[n] == tonumber(ARGV[n + 1]) then redis.call('expire', key, ARGV[1]) end
end
return totals
"""


@dataclass(slots=True)
class _Block:
    """What this process took of a key and has not used up yet."""

    total: int
    left: int


class Counters:
    """Counts by key. A block of n saves n - 1 trips, and lets the count run ahead by up to n for each process."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._take = self._redis.register_script(TAKE)
        self._blocks: dict[str, _Block] = {}
        self._lock = Lock()
        self._away_until = 0.0

    def count(self, blocks: dict[str, int], seconds: int) -> Sequence[int]:
        """Count once more for each key, and how often that makes.

        `blocks` maps each key to the size of its blocks; a key is forgotten `seconds` after its first.
        """
        with self._lock:
            missing = {key: size for key, size in blocks.items() if not self._left(key)}
            if len(self._blocks) > MOST_KEYS:
                self._blocks = {key: self._blocks[key] for key in blocks if key in self._blocks}
            if missing:
                self._fetch(missing, seconds)
            return [self._use(key) for key in blocks]

    def _left(self, key: str) -> int:
        block = self._blocks.get(key)
        return block.left if block else 0

    def _use(self, key: str) -> int:
        block = self._blocks[key]
        block.left -= 1
        return block.total - block.left

    def _fetch(self, wanted: dict[str, int], seconds: int) -> None:
        totals = self._totals(wanted, seconds)
        for key, total in zip(wanted, totals, strict=True):
            self._blocks[key] = _Block(total, wanted[key])

    def _totals(self, wanted: dict[str, int], seconds: int) -> Sequence[int]:
        if time.monotonic() >= self._away_until:
            try:
                return self._take(list(wanted), [seconds, *wanted.values()])  # type: ignore[no-any-return]
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("counting_without_redis", error=type(error).__name__)
        kept = {key: self._blocks.get(key) for key in wanted}
        return [(block.total if block else 0) + wanted[key] for key, block in kept.items()]
