"""What deals can be grouped by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

from crm.contacts.models import Company
from crm.products.models import Product
from crm.sales.models import Deal, Pipeline, Stage
from tenants.identity.models import Team, User


class MonthOf(StrEnum):
    """Which day of a deal decides its month."""

    CLOSED_ON = "closed_on"
    OPENED_ON = "opened_on"
    CREATED_AT = "created_at"


@dataclass(frozen=True)
class Dimension:
    """`fields` are those of the deal that it shows. `related` is the record behind a key of the deal."""

    name: str
    fields: frozenset[str]
    related: Any = None
    key: str = ""
    shows: str = "name"
    value: Callable[[Any, MonthOf], ColumnElement[Any]] | None = field(default=None, compare=False)

    @property
    def is_record(self) -> bool:
        """Whether a group is a record with id and name, or else a value."""
        return self.related is not None and self.shows == "name"


def _record(name: str, model: Any) -> Dimension:
    return Dimension(name, frozenset({name, f"{name}_id"}), model, f"{name}_id")


def _value(name: str, column: str, shown: str | None = None) -> Dimension:
    return Dimension(name, frozenset({shown or column}), value=lambda deals, _month: deals.c[column])


def _month(deals: Any, month_of: MonthOf) -> ColumnElement[Any]:
    day = deals.c[month_of.value]
    if month_of is MonthOf.CREATED_AT:
        day = func.timezone(literal_column("'UTC'"), day)
    return func.to_char(day, literal_column("'YYYY-MM'"))


DIMENSIONS: Mapping[str, Dimension] = {
    each.name: each
    for each in (
        _record("owner", User),
        _record("team", Team),
        _record("product", Product),
        _record("company", Company),
        Dimension("sector", frozenset({"company", "company_id"}), Company, "company_id", shows="sector"),
        _record("stage", Stage),
        _value("outcome", "outcome"),
        Dimension("month", frozenset(), value=_month),
        _record("pipeline", Pipeline),
        _value("currency", "currency", "amount"),
    )
}
deals_table = Deal.__table__
