"""One interleaved run over ours, the peer and the limit: list, get, search and create."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench import cluster as clusters
from bench.cases import HITS, PAGE, QUESTIONS, Case, searched_words
from bench.cluster import Cluster
from bench.data import LARGE, SMALL, STAGES, World
from bench.our_side import CONTACTS, EMBEDDED, Ours
from bench.peer_side import Peer
from bench.scripts import prepare
from bench.trials import DATABASE_CORE, WEB_CORE, Trial, Web, limit_sample
from tenants.isolation.bootstrap import DATABASE

CONNECTIONS = 16
FEW_CONNECTIONS = 2
"""For latency: so few that requests hardly wait for each other."""
LARGE_TENANT = "large"
SPREAD_TENANTS = [f"small-{number}" for number in range(50)]
FEW, MANY = 10, 300
"""Tenants in the two clusters; of the second, as many as a run asks for."""
OURS, PEER, LIMIT, SPREAD = "freehold", "peer", "limit", "freehold, 50 tenants"
AMONG = "freehold among "


def worlds() -> dict[str, World]:
    small = {name: World(SMALL, seed) for seed, name in enumerate(SPREAD_TENANTS, start=2)}
    return {LARGE_TENANT: World(LARGE, 1), **small}


@contextmanager
def both_clusters(data_dir: Path, tenants: int) -> Iterator[tuple[Ours, Ours]]:
    """One with so many tenants and one with few, up and loaded. What was loaded before is used again."""
    everyone = worlds()
    alone = {LARGE_TENANT: everyone[LARGE_TENANT]}
    name = "many" if tenants == MANY else f"many-{tenants}"
    with (
        clusters.running(data_dir / name, cores=DATABASE_CORE) as many,
        clusters.running(data_dir / "few", cores=DATABASE_CORE) as few,
    ):
        ours, crowdless = Ours(many, everyone), Ours(few, alone)
        ours.tenants.make(everyone, empty=tenants - len(everyone))
        crowdless.tenants.make(alone, empty=FEW - len(alone))
        yield ours, crowdless


@contextmanager
def prepared(data_dir: Path, tenants: int) -> Iterator[list[Trial]]:
    """The trials of a run with so many tenants in the cluster; everything they need is up."""
    with ExitStack() as stack:
        ours, crowdless = stack.enter_context(both_clusters(data_dir, tenants))
        many, few = ours.cluster, crowdless.cluster
        peer = Peer(many, {LARGE_TENANT: worlds()[LARGE_TENANT]})
        peer.prepare()
        for side in (ours, crowdless, peer):
            stack.enter_context(side.running(WEB_CORE))
        _check_that_they_agree(ours, peer)
        yield [
            *_alone(PEER, peer, many),
            *_alone(OURS, ours, many),
            *_spread(ours, many),
            *_limit(ours, many),
            *_in_a_crowd(tenants, ours, many),
            *_in_a_crowd(FEW, crowdless, few),
        ]


def _check_that_they_agree(ours: Ours, peer: Peer) -> None:
    """What gives other answers can't be compared."""
    for stage in STAGES:
        one = ours.ask(f"{CONTACTS}?lifecycle={stage}&limit={PAGE}", LARGE_TENANT)["data"]
        other = peer.ask(f"/contacts?lifecycle={stage}", LARGE_TENANT)["results"]
        assert [each["id"] for each in one] == [each["id"] for each in other], stage
    for words in searched_words(5):
        one = ours.ask(f"{CONTACTS}?q={words}&limit={HITS}&{EMBEDDED}", LARGE_TENANT)["data"]
        other = peer.ask(f"/search?q={words}", LARGE_TENANT)
        shown = ("id", "email", "owner", "company", "tags")
        assert [[each[name] for name in shown] for each in one] == [
            [each[name] for name in shown] for each in other
        ], words


def _alone(name: str, side: Ours | Peer, cluster: Cluster) -> Iterator[Trial]:
    web = Web(name, side.port, side.pid, cluster)
    for case in Case:
        requests = side.requests(case, LARGE_TENANT)
        yield Trial(name, case, partial(web.asked, case, requests, CONNECTIONS), _tidy(case, side))


def _spread(ours: Ours, cluster: Cluster) -> Iterator[Trial]:
    """The same spread over fifty tenants, each request another's."""
    web = Web(SPREAD, ours.port, ours.pid, cluster)
    for case in Case:
        each = [ours.requests(case, tenant, QUESTIONS // 10) for tenant in SPREAD_TENANTS]
        requests = [request for requests in each for request in requests]
        random.Random("spread").shuffle(requests)
        sample = partial(web.asked, case, requests, CONNECTIONS)
        yield Trial(SPREAD, case, sample, _tidy(case, ours), warm_up=10)


def _limit(ours: Ours, cluster: Cluster) -> Iterator[Trial]:
    url = ours.tenants.logins.app
    for case, trip in ours.statements(LARGE_TENANT).items():
        with cluster.connect(dbname=DATABASE) as connection:
            script = prepare(case, trip, connection)
        sample = partial(limit_sample, LIMIT, case, script, url, cluster)
        yield Trial(LIMIT, case, sample, _tidy(case, ours))


def _in_a_crowd(tenants: int, ours: Ours, cluster: Cluster) -> Iterator[Trial]:
    web = Web(f"{AMONG}{tenants}", ours.port, ours.pid, cluster)
    for case in (Case.LIST, Case.GET):
        requests = ours.requests(case, LARGE_TENANT)
        yield Trial(web.name, case, partial(web.asked, case, requests, FEW_CONNECTIONS), _nothing)


def _tidy(case: Case, side: Ours | Peer) -> "partial[None]":
    return partial(side.forget_new_contacts) if case is Case.CREATE else partial(_nothing)


def _nothing() -> None:
    """Reading leaves nothing behind."""
