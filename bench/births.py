"""A new tenant, from nothing to a key that works, in a cluster with few tenants and in one with many, in turn."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from sqlalchemy import update

from bench import goals
from bench.our_side import Ours
from bench.processor_time import processor_ms
from bench.report import Section, against
from bench.requests import FEW, both_clusters
from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.identity.founding import Founder
from tenants.provisioning.birth import UNFINISHED_AFTER, Nursery

FOUNDER = Founder("Admin", api_key=True)


@dataclass(frozen=True)
class Birth:
    """How long it took to make schema, role and keys, and then to claim it for a customer, in milliseconds."""

    tenants: int
    made: float
    claimed: float
    processor: float


def rounds(data_dir: Path, *, count: int, tenants: int) -> Iterator[list[Birth]]:
    """One birth in each cluster a round, in an order that chance decides; a first round only warms up."""
    with both_clusters(data_dir, tenants) as (many, few):
        sides = [(tenants, many), (FEW, few)]
        for number in range(count + 1):
            found = [_birth(size, side) for size, side in random.sample(sides, len(sides))]
            if number:
                yield found


def _birth(size: int, side: Ours) -> Birth:
    nursery, server = side.tenants.nursery(), side.cluster.postgresql_pid
    spent, started = processor_ms(server) + time.process_time() * 1000, time.perf_counter()
    nursery.make_spare()
    made = time.perf_counter()
    home, _ = nursery.open(f"born-{uuid4().hex[:12]}", "Born", FOUNDER)
    claimed = time.perf_counter()
    spent = processor_ms(server) + time.process_time() * 1000 - spent
    _undo(nursery, home)
    return Birth(size, (made - started) * 1000, (claimed - made) * 1000, spent)


def _undo(nursery: Nursery, home: Home) -> None:
    """As if the process that made it had been killed: it is swept away, and the cluster has as many as before."""
    stale = {"state": State.MAKING, "created_at": now() - 2 * UNFINISHED_AFTER}
    with nursery.catalog.transaction() as session:
        session.execute(update(Tenant).where(Tenant.id == home.id).values(stale))
    nursery.sweep()


def sections(found: Sequence[Sequence[Birth]]) -> list[Section]:
    every = [birth for each in found for birth in each]
    few, many = sorted({birth.tenants for birth in every})
    columns = ["milliseconds, median", f"among {few} tenants", f"among {many}", "ratio"]

    def row(title: str, name: str, goal: float | None) -> list[str]:
        one, other = (
            median(getattr(birth, name) for birth in every if birth.tenants == size) for size in (few, many)
        )
        ratio = other / one
        return [
            title,
            f"{one:.0f}",
            f"{other:.0f}",
            against(ratio, goal, written=f"{ratio:.2f}x", at_most=True),
        ]

    rows = [
        row("schema, role and keys of a spare", "made", goals.BIRTH),
        row("claimed for a customer, with its first admin and key", "claimed", goals.BIRTH),
        row("processor time of both", "processor", None),
    ]
    return [Section("A new tenant", columns, rows, "A sign-up claims a spare; spares are made beforehand.")]
