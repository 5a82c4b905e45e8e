"""How good is good enough: the ratios that a run is held against."""

from dataclasses import dataclass

from bench.cases import Case


@dataclass(frozen=True)
class Goal:
    """Requests per second over the peer's and the limit's, and how much less processor time than the peer."""

    times_peer: float
    of_limit: float
    less_processor: float | None = None


REQUESTS = {
    Case.LIST: Goal(times_peer=8, of_limit=0.55, less_processor=6),
    Case.GET: Goal(times_peer=8, of_limit=0.22),
    Case.SEARCH: Goal(times_peer=5, of_limit=0.70),
    Case.CREATE: Goal(times_peer=4, of_limit=0.45),
}
SPREAD = 0.7
"""Fifty tenants in turn: at least so much of the figure of one."""
CROWD = 1.2
"""Many tenants in the cluster: at most so many times the latency with ten."""
BIRTH = 1.5
"""Many tenants in the cluster: a new one takes at most so many times as long as with ten."""
