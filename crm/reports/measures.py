"""What a report over deals can measure."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Text, cast, func

from crm.sales.models import Outcome

PLACES = 4


class Measure(StrEnum):
    """How many, how much, what part of the closed ones was won, and how many days they took."""

    COUNT = "count"
    AMOUNT = "amount"
    WIN_RATE = "win_rate"
    CYCLE_DAYS = "cycle_days"

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a deal that it is worked out from."""
        return frozenset(FIELDS[self])


FIELDS: dict[Measure, tuple[str, ...]] = {
    Measure.COUNT: (),
    Measure.AMOUNT: ("amount",),
    Measure.WIN_RATE: ("outcome",),
    Measure.CYCLE_DAYS: ("opened_on", "closed_on"),
}


def measured(measure: Measure, deals: Any) -> ColumnElement[Any]:
    """The figure of a group of deals, as SQL. Null where there is nothing to work it out from."""
    columns = deals.c
    match measure:
        case Measure.COUNT:
            return func.count()
        case Measure.AMOUNT:
            return func.sum(columns.amount)
        case Measure.WIN_RATE:
            won = func.count().filter(columns.outcome == Outcome.WON.value)
            return func.round(cast(won, sa.Numeric) / func.nullif(func.count(columns.outcome), 0), PLACES)
        case Measure.CYCLE_DAYS:
            return func.round(func.avg(cast(columns.closed_on - columns.opened_on, sa.Integer)), PLACES)


def shown(measure: Measure, figure: ColumnElement[Any]) -> ColumnElement[Any]:
    """The figure as it is sent: counts as numbers, everything with a fraction as text."""
    return figure if measure is Measure.COUNT else cast(figure, Text)
