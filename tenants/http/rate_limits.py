"""Fair use per tenant and per caller: counted in Redis, both in one trip; without Redis each process counts by itself."""

import time
from dataclasses import dataclass

from flask import Response, g

from tenants.foundation.errors import TooManyRequests
from tenants.http.guard import Credential
from tenants.isolation.counters import Counters

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many requests in a window of so many seconds."""

    name: str
    amount: int
    seconds: int = WINDOW_SECONDS

    @property
    def block(self) -> int:
        """How many a process takes at once: half a hundredth, so that small allowances are counted one by one."""
        return max(1, self.amount // 200)


class RateLimits:
    """The allowances of this process."""

    def __init__(self, counters: Counters, *, per_tenant: int, per_caller: int) -> None:
        self._counters = counters
        self._tenant = Allowance("tenant", per_tenant)
        self._caller = Allowance("caller", per_caller)
        self._strangers = Allowance("address", per_tenant)

    def take_as_stranger(self, credential: Credential, address: str) -> None:
        """Count a request of somebody not seen before, for their address: anybody can claim to be of a tenant.

        Raises TooManyRequests as `take` does.
        """
        self.hit((self._strangers, address), (self._caller, _short(credential)))

    def take_for_tenant(self, credential: Credential) -> None:
        """Count the first request of somebody who turned out to be of their tenant. Raises as `take` does."""
        self.hit((self._tenant, credential.tenant_id.hex))

    def take(self, credential: Credential) -> None:
        """Count this request for its tenant and its caller. Raises TooManyRequests when an allowance is used up."""
        self.hit((self._tenant, credential.tenant_id.hex), (self._caller, _short(credential)))

    def hit(self, *counted: tuple[Allowance, str]) -> None:
        """Count once for each (allowance, who). Raises TooManyRequests when one of them is used up."""
        now = time.time()
        keys = {f"rate:{each.name}:{who}:{int(now // each.seconds)}": each.block for each, who in counted}
        counts = self._counters.count(keys, counted[0][0].seconds * 2)
        left = [(each.amount - count, each) for (each, _), count in zip(counted, counts, strict=True)]
        least, tightest = min(left, key=lambda pair: pair[0])
        reset = tightest.seconds - int(now % tightest.seconds)
        g.allowance = (tightest, max(0, least), reset)
        if least < 0:
            span = "minute" if tightest.seconds == WINDOW_SECONDS else "hour"
            raise TooManyRequests(f"The allowance is {tightest.amount} requests a {span}.", retry_after=reset)


def _short(credential: Credential) -> str:
    return credential.hash.hex()[:32]


def add_headers(response: Response) -> None:
    """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) for the tightest allowance."""
    if allowance := g.get("allowance"):
        policy, left, reset = allowance
        response.headers["RateLimit-Policy"] = f'"{policy.name}";q={policy.amount};w={policy.seconds}'
        response.headers["RateLimit"] = f'"{policy.name}";r={left};t={reset}'
