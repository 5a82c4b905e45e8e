"""One sample of one side doing one thing, and a run of many samples in random order."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench import limit
from bench.cases import Case
from bench.cluster import Cluster
from bench.figures import Figure
from bench.load import put_load
from bench.processor_time import processor_ms
from bench.scripts import Script

WEB_CORE = {0}
DATABASE_CORE = {1}
"""PostgreSQL, Redis and the load generator share the second core, whichever side is measured."""
GOODBYE_SECONDS = 0.3
"""What a session has used is known once it has ended, a moment after pgbench has."""


@dataclass(frozen=True)
class Trial:
    """Something to measure: `sample(seconds)` does it once, `tidy` brings the data back afterwards.

    `warm_up` is how many seconds it takes until every connection has seen every tenant's statements often
    enough to have prepared them.
    """

    name: str
    case: Case
    sample: Callable[[float], Figure]
    tidy: Callable[[], None]
    warm_up: float = 1


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


def limit_sample(name: str, case: Case, script: Script, url: str, cluster: Cluster, seconds: float) -> Figure:
    before = processor_ms(cluster.postgresql_pid)
    rate = limit.run(script, url, seconds=seconds, cores=WEB_CORE)
    time.sleep(GOODBYE_SECONDS)
    database = (processor_ms(cluster.postgresql_pid) - before) / rate.transactions
    return Figure(name, case, rate.per_second, rate.average_ms, 0.0, 0.0, database, 0.0)


def run(
    trials: Sequence[Trial], *, rounds: int, seconds: float, tell: Callable[[str], None]
) -> Iterator[Figure]:
    """Each trial once a round, in an order that chance decides; a first round only warms up."""
    for number in range(rounds + 1):
        tell("Warming up" if number == 0 else f"Round {number} of {rounds}")
        for trial in random.sample(trials, len(trials)):
            figure = trial.sample(seconds if number else trial.warm_up)
            trial.tidy()
            if number:
                yield figure
