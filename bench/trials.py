"""One sample of one side doing one thing, and a run of many samples in random order."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench import limit
from bench.cases import Case
from bench.cluster import Cluster
from bench.figures import Figure
from bench.limit import RoundTrip
from bench.load import put_load
from bench.processor_time import processor_ms

WEB_CORE = {0}
DATABASE_CORE = {1}
"""PostgreSQL, Redis and the load generator share the second core, whichever side is measured."""


@dataclass(frozen=True)
class Trial:
    """Something to measure: `sample(seconds)` does it once, `tidy` brings the data back afterwards."""

    name: str
    case: Case
    sample: Callable[[float], Figure]
    tidy: Callable[[], None]


@dataclass(frozen=True)
class Web:
    """A web server that is up, and the cluster it works on."""

    name: str
    port: int
    pid: int
    cluster: Cluster

    def asked(self, case: Case, requests: Sequence[bytes], connections: int, seconds: float) -> Figure:
        cluster = self.cluster
        pids = (self.pid, cluster.postgresql_pid, cluster.redis_pid)
        before = [processor_ms(pid) for pid in pids]
        seen = put_load(self.port, requests, seconds=seconds, connections=connections, cores=DATABASE_CORE)
        spent = [processor_ms(pid) - start for pid, start in zip(pids, before, strict=True)]
        if seen.errors:
            raise RuntimeError(f"{self.name}, {case}: {seen.errors} errors, the first: {seen.first_error}")
        web, database, redis = (each / seen.all_answers for each in spent)
        return Figure(
            self.name,
            case,
            seen.per_second,
            seen.percentile_ms(50),
            seen.percentile_ms(99),
            web,
            database,
            redis,
        )


def limit_sample(
    name: str, case: Case, trip: RoundTrip, url: str, cluster: Cluster, seconds: float
) -> Figure:
    before = processor_ms(cluster.postgresql_pid)
    rate = limit.run(trip, url, seconds=seconds, cores=WEB_CORE)
    database = (processor_ms(cluster.postgresql_pid) - before) / rate.transactions
    return Figure(name, case, rate.per_second, rate.average_ms, 0.0, 0.0, database, 0.0)


def run(
    trials: Sequence[Trial], *, rounds: int, seconds: float, tell: Callable[[str], None]
) -> Iterator[Figure]:
    """Each trial once a round, in an order that chance decides; a first short round only warms up."""
    for number in range(rounds + 1):
        tell("Warming up" if number == 0 else f"Round {number} of {rounds}")
        for trial in random.sample(trials, len(trials)):
            figure = trial.sample(seconds if number else 1)
            trial.tidy()
            if number:
                yield figure
