"""The figures of a run over requests, as tables of ratios."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from bench import goals, requests
from bench.cases import Case
from bench.figures import Figure, Typical, typical
from bench.report import Section, against

Middle = dict[tuple[str, Case], Typical]


def sections(figures: Sequence[Figure]) -> list[Section]:
    grouped: dict[tuple[str, Case], list[Figure]] = defaultdict(list)
    for each in figures:
        grouped[each.side, each.case].append(each)
    middle = {key: typical(found) for key, found in grouped.items()}
    return [_beside(middle), _spread(middle), _crowd(middle), _every(middle)]


def _beside(middle: Middle) -> Section:
    columns = ["", "requests/s", "times the peer", "less processor than the peer", "of the limit"]
    return Section("Against the peer and the limit", columns, [_row(case, middle) for case in Case])


def _row(case: Case, middle: Middle) -> list[str]:
    ours, peer, limit = (middle[side, case] for side in (requests.OURS, requests.PEER, requests.LIMIT))
    goal = goals.REQUESTS[case]
    times, less = ours.per_second / peer.per_second, peer.processor_ms / ours.processor_ms
    share = ours.per_second / limit.per_second
    return [
        case.description,
        f"{ours.per_second:.0f}",
        against(times, goal.times_peer, written=f"{times:.1f}x"),
        against(less, goal.less_processor, written=f"{less:.1f}x"),
        against(share, goal.of_limit, written=f"{share:.0%}"),
    ]


def _spread(middle: Middle) -> Section:
    def row(case: Case) -> list[str]:
        one, fifty = middle[requests.OURS, case], middle[requests.SPREAD, case]
        share = fifty.per_second / one.per_second
        processor = one.processor_ms / fifty.processor_ms
        return [
            case.description,
            f"{one.per_second:.0f}",
            f"{fifty.per_second:.0f}",
            against(share, goals.SPREAD, written=f"{share:.0%}"),
            f"{processor:.0%}",
        ]

    columns = ["", "one tenant, requests/s", "50 tenants, requests/s", "share", "share by processor time"]
    note = "The one tenant has 100,000 contacts, each of the fifty 2,000."
    return Section("Spread over fifty tenants", columns, [row(case) for case in Case], note)


def _crowd(middle: Middle) -> Section:
    among = {side for side, _ in middle if side.startswith(requests.AMONG)}
    sides = sorted(among, key=lambda side: int(side.removeprefix(requests.AMONG)))

    def row(case: Case) -> list[str]:
        few, many = (middle[side, case] for side in sides)
        times = many.p50 / few.p50
        return [
            case.description,
            f"{few.p50:.2f}",
            f"{many.p50:.2f}",
            against(times, goals.CROWD, written=f"{times:.2f}x", at_most=True),
            f"{many.processor_ms / few.processor_ms:.2f}x",
        ]

    few, many = (f"median ms {side.removeprefix('freehold ')} tenants" for side in sides)
    rows = [row(case) for case in (Case.LIST, Case.GET)]
    note = f"{requests.FEW_CONNECTIONS} connections, so that requests hardly wait for each other."
    return Section("Neighbours in the cluster", ["", few, many, "ratio", "by processor time"], rows, note)


def _every(middle: Middle) -> Section:
    columns = ["", "side", "requests/s", "p50 ms", "p99 ms", "web ms", "PostgreSQL ms", "Redis ms", "noise"]
    note = (
        "Web, PostgreSQL and Redis: processor time per request. Noise: the quickest round over the slowest."
    )
    return Section("Every figure", columns, list(_every_row(middle)), note)


def _every_row(middle: Middle) -> Iterator[list[str]]:
    for (side, case), each in sorted(
        middle.items(), key=lambda item: (list(Case).index(item[0][1]), item[0][0])
    ):
        p99 = f"{each.p99:.1f}" if each.p99 else "-"
        yield [
            str(case), side, f"{each.per_second:.0f}", f"{each.p50:.1f}", p99,
            f"{each.web_ms:.2f}", f"{each.database_ms:.2f}", f"{each.redis_ms:.2f}", f"{each.spread:.1f}x",
        ]  # fmt: skip
