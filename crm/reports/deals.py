"""Reports on deals: how many, how much, what part of the closed ones was won, and how many days they took."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, cast, func

from crm.contacts.models import Company
from crm.products.models import Product
from crm.reports.subjects import (
    BY_MONTH,
    COUNT,
    Dimension,
    Kind,
    Measure,
    Subject,
    by_record,
    by_value,
    named,
    total,
)
from crm.sales.models import Outcome, Pipeline, Stage
from crm.sales.permissions import READ_DEALS
from crm.sales.schemas import DEALS
from tenants.identity.models import Team, User

PLACES = 4


def _win_rate(deals: Any) -> ColumnElement[Any]:
    won = func.count().filter(deals.c.outcome == Outcome.WON.value)
    return func.round(cast(won, sa.Numeric) / func.nullif(func.count(deals.c.outcome), 0), PLACES)


def _cycle_days(deals: Any) -> ColumnElement[Any]:
    return func.round(func.avg(cast(deals.c.closed_on - deals.c.opened_on, sa.Integer)), PLACES)


DEAL_FIGURES = Subject(
    DEALS,
    READ_DEALS,
    named(
        COUNT,
        total("amount", "amount", perhaps=True),
        Measure("win_rate", _win_rate, frozenset({"outcome"}), Kind.FRACTION),
        Measure("cycle_days", _cycle_days, frozenset({"opened_on", "closed_on"}), Kind.FRACTION),
    ),
    named(
        by_record("owner", User),
        by_record("team", Team),
        by_record("product", Product),
        by_record("company", Company),
        Dimension("sector", frozenset({"company", "company_id"}), Company, "company_id", shows="sector"),
        by_record("stage", Stage),
        by_value("outcome", "outcome"),
        BY_MONTH,
        by_record("pipeline", Pipeline),
        by_value("currency", "currency", "amount"),
    ),
    ("closed_on", "opened_on", "created_at"),
)
