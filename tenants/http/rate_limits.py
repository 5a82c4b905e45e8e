"""Fair use per tenant and per caller: counted in Redis, both in one trip; without Redis each process counts by itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from flask import Response, g
from redis import Redis
from redis.exceptions import RedisError

from tenants.foundation.errors import TooManyRequests
from tenants.http.guard import Credential

log = structlog.get_logger(__name__)
WINDOW_SECONDS = 60
PAUSE_SECONDS = 5
# Counts every key once in its window and answers with the counts; a first count starts the key's life.
COUNT = """
local counts = {}
for n, key in ipairs(KEYS) do
    counts[n] = redis.call('incr', key)
    if counts[n] == 1 then redis.call('expire', key, ARGV[1]) end
end
return counts
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many requests in a window of so many seconds."""

    name: str
    amount: int
    seconds: int = WINDOW_SECONDS


class RateLimits:
    """The allowances of this process."""

    def __init__(self, redis: Redis, *, per_tenant: int, per_caller: int) -> None:
        self._count = redis.register_script(COUNT)
        self._tenant = Allowance("tenant", per_tenant)
        self._caller = Allowance("caller", per_caller)
        self._own: dict[str, int] = {}
        self._away_until = 0.0

    def take(self, credential: Credential) -> None:
        """Count this request for its tenant and its caller. Raises TooManyRequests when an allowance is used up."""
        self.hit((self._tenant, credential.tenant_id.hex), (self._caller, credential.hash.hex()[:32]))

    def hit(self, *counted: tuple[Allowance, str]) -> None:
        """Count once for each (allowance, who). Raises TooManyRequests when one of them is used up."""
        now = time.time()
        keys = [f"rate:{each.name}:{who}:{int(now // each.seconds)}" for each, who in counted]
        counts = self._counts(keys, counted[0][0].seconds)
        left = [(each.amount - count, each) for (each, _), count in zip(counted, counts, strict=True)]
        least, tightest = min(left, key=lambda pair: pair[0])
        reset = tightest.seconds - int(now % tightest.seconds)
        g.allowance = (tightest, max(0, least), reset)
        if least < 0:
            span = "minute" if tightest.seconds == WINDOW_SECONDS else "hour"
            raise TooManyRequests(f"The allowance is {tightest.amount} requests a {span}.", retry_after=reset)

    def _counts(self, keys: list[str], seconds: int) -> Sequence[int]:
        if time.monotonic() >= self._away_until:
            try:
                return self._count(keys, [seconds * 2])  # type: ignore[no-any-return]
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("rate_limits_without_redis", error=type(error).__name__)
        if len(self._own) > 100_000:
            self._own.clear()
        for key in keys:
            self._own[key] = self._own.get(key, 0) + 1
        return [self._own[key] for key in keys]


def add_headers(response: Response) -> None:
    """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) for the tightest allowance."""
    if allowance := g.get("allowance"):
        policy, left, reset = allowance
        response.headers["RateLimit-Policy"] = f'"{policy.name}";q={policy.amount};w={policy.seconds}'
        response.headers["RateLimit"] = f'"{policy.name}";r={left};t={reset}'
