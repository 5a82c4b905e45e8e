"""The moment at which a copy was found to be the tenant, row for row, and what later changes are told by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tenants.isolation.beside import Beside
from tenants.isolation.horizons import Horizon, holds_here
from tenants.lifecycle.moves.hashes import Sum, as_json, from_json, tallies


@dataclass(frozen=True)
class Watermark:
    """When all rows of both had been read and were the same: that moment on both servers, and the sums of the tables."""

    tenant: Horizon
    copy: Horizon
    revision: str
    sums: Mapping[str, Sum]

    def as_json(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant.as_json(),
            "copy": self.copy.as_json(),
            "revision": self.revision,
            "sums": as_json(self.sums),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any] | None, revision: str) -> Self | None:
        """None where there is none, or one of another revision, whose migration may have changed rows unseen."""
        if found is None or found["revision"] != revision:
            return None
        return cls(
            Horizon.from_json(found["tenant"]),
            Horizon.from_json(found["copy"]),
            revision,
            from_json(found["sums"]),
        )

    def holds(self, tenant: Beside) -> bool:
        """Whether both servers, that of the copy at hand too, are those that they were then."""
        return tenant.do(holds_here, self.tenant) and holds_here(self.copy)

    def is_what_is_here(self) -> bool:
        """Whether the copy at hand is as it was then: nothing written since, and as many rows, so nothing deleted."""
        return all(
            (each.rows, each.since) == (self.sums[name].rows, Sum())
            for name, each in tallies(self.copy).items()
        )
