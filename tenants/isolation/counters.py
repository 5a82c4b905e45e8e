"""Counters that all processes share, in Redis; while it is away each process counts by itself."""

import time
from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
PAUSE_SECONDS = 5
MOST_KEYS = 100_000
# Counts every key once and answers with the counts; a first count starts the key's life.
COUNT = """
local counts = {}
for n, key in ipairs(KEYS) do
    counts[n] = redis.call('incr', key)
    if counts[n] == 1 then redis.call('expire', key, ARGV[1]) end
end
return counts
"""


class Counters:
    """Counts by key, in one trip for several."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._count = self._redis.register_script(COUNT)
        self._own: dict[str, int] = {}
        self._away_until = 0.0

    def count(self, keys: list[str], seconds: int) -> Sequence[int]:
        """Count once more for each key, and how often that makes; a key is forgotten `seconds` after its first."""
        if time.monotonic() >= self._away_until:
            try:
                return self._count(keys, [seconds])  # type: ignore[no-any-return]
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("counting_without_redis", error=type(error).__name__)
        if len(self._own) > MOST_KEYS:
            self._own.clear()
        for key in keys:
            self._own[key] = self._own.get(key, 0) + 1
        return [self._own[key] for key in keys]
