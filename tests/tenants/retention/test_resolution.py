"""What becomes of a record under several rules and holds: a table worked out by hand, and the arithmetic of periods."""

from datetime import UTC, date, datetime
from itertools import permutations
from uuid import UUID

import pytest

from tenants.retention.models import Action, Trigger
from tenants.retention.periods import period_of
from tenants.retention.resolution import Facts, Fate, Terms, resolve

RECORD, OTHER = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
LONG_AGO = date(2000, 1, 1)
_ids = iter(range(100, 10_000))


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


#: Made in 2020, last changed in 2025, its purpose ended on 1 March 2026; its contract has not, its document is of 2024.
FACTS = Facts(
    RECORD,
    {
        Trigger.CREATED: day("2020-01-10"),
        Trigger.INACTIVE: day("2025-06-15"),
        Trigger.PURPOSE_ENDED: day("2026-03-01"),
        Trigger.CONTRACT_END: None,
        Trigger.STATUTE_END: day("2025-01-01"),
    },
)


def rule(action: Action, trigger: Trigger, period: str, *, of: UUID | None = None, since=LONG_AGO) -> Terms:
    named = None if of is None else frozenset({of})
    return Terms(UUID(int=next(_ids)), action, trigger, period_of(period), since, named, name=period)


def retain(trigger: Trigger, period: str, **more) -> Terms:
    return rule(Action.RETAIN, trigger, period, **more)


def delete(trigger: Trigger, period: str, **more) -> Terms:
    return rule(Action.DELETE, trigger, period, **more)


CREATED, INACTIVE, PURPOSE, CONTRACT, STATUTE = Trigger
DUE, STAYS, RETAINED = Fate.DUE, Fate.STAYS, Fate.RETAINED
#: Rules; what becomes of the record; which of them decides, and until or from when.
TABLE = {
    "no rule": ([], STAYS, None, None),
    "age is over": ([delete(CREATED, "P6Y")], DUE, 0, "2026-01-10"),
    "age is not over": ([delete(CREATED, "P7Y")], STAYS, 0, "2027-01-10"),
    "over at this very day": ([delete(INACTIVE, "P1Y")], DUE, 0, "2026-06-15"),
    "over tomorrow": ([delete(INACTIVE, "P1Y1D")], STAYS, 0, "2026-06-16"),
    "purpose ended": ([delete(PURPOSE, "P3M")], DUE, 0, "2026-06-01"),
    "contract has not ended: nothing to delete yet": ([delete(CONTRACT, "P1D")], STAYS, None, None),
    "statute is over": ([delete(STATUTE, "P1Y")], DUE, 0, "2026-01-01"),
    "kept": ([retain(STATUTE, "P10Y")], RETAINED, 0, "2035-01-01"),
    "kept no longer": ([retain(STATUTE, "P1Y")], STAYS, None, None),
    "kept until a contract ends that has not": ([retain(CONTRACT, "P6Y")], RETAINED, 0, None),
    "retaining beats deleting": (
        [delete(CREATED, "P1Y"), retain(STATUTE, "P10Y")],
        RETAINED,
        1,
        "2035-01-01",
    ),
    "what no longer retains leaves deleting be": (
        [delete(CREATED, "P1Y"), retain(CREATED, "P2Y")],
        DUE,
        0,
        "2021-01-10",
    ),
    "the longest retains": (
        [retain(CREATED, "P7Y"), retain(STATUTE, "P3Y"), retain(INACTIVE, "P2Y")],
        RETAINED,
        1,
        "2028-01-01",
    ),
    "an end that has not come is longer than any": (
        [retain(CREATED, "P100Y"), retain(CONTRACT, "P1D")],
        RETAINED,
        1,
        None,
    ),
    "the shortest deletes": (
        [delete(CREATED, "P6Y"), delete(CREATED, "P2Y"), delete(INACTIVE, "P6M")],
        DUE,
        1,
        "2022-01-10",
    ),
    "the record's own rule beats a shorter general one": (
        [delete(CREATED, "P1Y"), delete(CREATED, "P7Y", of=RECORD)],
        STAYS,
        1,
        "2027-01-10",
    ),
    "of the record's own rules the shortest": (
        [delete(CREATED, "P9Y", of=RECORD), delete(CREATED, "P5Y", of=RECORD), delete(CREATED, "P1Y")],
        DUE,
        1,
        "2025-01-10",
    ),
    "another record's rule says nothing": (
        [delete(CREATED, "P1Y"), delete(CREATED, "P7Y", of=OTHER)],
        DUE,
        0,
        "2021-01-10",
    ),
    "a general rule retains against the record's own that deletes": (
        [retain(STATUTE, "P10Y"), delete(CREATED, "P1D", of=RECORD)],
        RETAINED,
        0,
        "2035-01-01",
    ),
    "the record's own rule retains longer": (
        [retain(STATUTE, "P3Y"), retain(STATUTE, "P30Y", of=RECORD)],
        RETAINED,
        1,
        "2055-01-01",
    ),
    "a rule of tomorrow": ([delete(CREATED, "P1Y", since=date(2026, 6, 16))], STAYS, None, None),
    "a rule of today": ([delete(CREATED, "P1Y", since=date(2026, 6, 15))], DUE, 0, "2021-01-10"),
    "a rule of tomorrow retains nothing today": (
        [retain(STATUTE, "P10Y", since=date(2026, 6, 16)), delete(CREATED, "P1Y")],
        DUE,
        1,
        "2021-01-10",
    ),
}


@pytest.mark.promise("1-42", "1-43", "1-44", "1-45", "0-16", "RET-1")
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_what_becomes_of_a_record_is_as_worked_out_by_hand(case: str) -> None:
    terms, fate, deciding, at = TABLE[case]
    for order in permutations(terms):
        found = resolve(order, FACTS, NOW)
        assert found.fate is fate
        assert found.rule == (None if deciding is None else terms[deciding])
        assert found.at == (None if at is None else day(at))


@pytest.mark.promise("2-30")
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_hold_beats_every_rule(case: str) -> None:
    assert resolve(TABLE[case][0], FACTS, NOW, held=True).fate is Fate.HELD


def test_a_document_that_is_none_yet_is_kept_by_no_statute() -> None:
    draft = Facts(RECORD, {Trigger.CREATED: day("2020-01-10"), Trigger.STATUTE_END: None})
    found = resolve([retain(STATUTE, "P10Y"), delete(CREATED, "P1Y")], draft, NOW)
    assert found.fate is Fate.DUE


@pytest.mark.parametrize(
    ("since", "period", "until"),
    [
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2023-01-31", "P1M", "2023-02-28"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2023-10-31", "P1M1D", "2023-12-01"),
        ("2024-12-31", "P2W", "2025-01-14"),
        ("2024-11-30", "P3M", "2025-02-28"),
        ("2024-12-15", "P0D", "2024-12-15"),
        ("1999-12-31", "P10Y", "2009-12-31"),
        ("2024-08-30", "P18M", "2026-02-28"),
    ],
)
def test_a_period_ends_by_the_calendar(since: str, period: str, until: str) -> None:
    assert period_of(period).after(day(since)) == day(until)


@pytest.mark.parametrize(
    "text", ["", "P", "30", "P30", "30D", "PT5H", "P-1D", "P1D1Y", "P1.5Y", "P201Y", "p30d", "P30D "]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|At most"):
        period_of(text)
