"""How a report looks in JSON, and what may be asked of it."""

from typing import Any

import marshmallow
from marshmallow import fields

from crm.reports.asking import MOST_DIMENSIONS
from crm.reports.dimensions import DIMENSIONS, MonthOf
from crm.reports.measures import Measure
from crm.reports.queries import MOST_ROWS
from crm.sales.models import Outcome

FRACTION = {"pattern": r"^-?\d+\.\d{4}$"}


class GroupSchema(marshmallow.Schema):
    """A record that deals are grouped by; its name is null when it is out of the caller's reach."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)


class TotalSchema(marshmallow.Schema):
    """A sum in one currency."""

    amount = fields.String(required=True, metadata={"pattern": r"^-?\d+\.\d{2}$"})
    currency = fields.String(required=True)


class FigureSchema(marshmallow.Schema):
    """One group: the dimensions that were asked for, null where a deal has none, and the measure."""

    owner = fields.Nested(GroupSchema, allow_none=True)
    team = fields.Nested(GroupSchema, allow_none=True)
    product = fields.Nested(GroupSchema, allow_none=True)
    company = fields.Nested(GroupSchema, allow_none=True)
    sector = fields.String(allow_none=True)
    stage = fields.Nested(GroupSchema, allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, allow_none=True)
    month = fields.String(allow_none=True, metadata={"pattern": r"^\d{4,}-\d{2}$"})
    pipeline = fields.Nested(GroupSchema, allow_none=True)
    currency = fields.String(allow_none=True)
    count = fields.Integer()
    amount = fields.Nested(TotalSchema)
    win_rate = fields.String(allow_none=True, metadata=FRACTION)
    cycle_days = fields.String(allow_none=True, metadata=FRACTION)


class ReportSchema(marshmallow.Schema):
    """Figures by group. `truncated` says that there are more groups than shown."""

    data = fields.List(fields.Nested(FigureSchema), required=True)
    measure = fields.Enum(Measure, by_value=True, required=True)
    group_by = fields.List(fields.String(metadata={"enum": list(DIMENSIONS)}), required=True)
    month_of = fields.Enum(MonthOf, by_value=True, allow_none=True, required=True)
    truncated = fields.Boolean(required=True)


def _parameter(name: str, schema: dict[str, Any], text: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": text}


_ONE = f"({'|'.join(DIMENSIONS)})"
PARAMETERS = [
    _parameter("measure", {"type": "string", "enum": list(Measure)}, "What is worked out.", required=True),
    _parameter(
        "group_by",
        {"type": "string", "pattern": f"^{_ONE}(,{_ONE}){{0,{MOST_DIMENSIONS - 1}}}$"},
        f"One to {MOST_DIMENSIONS} by comma, for at most {MOST_ROWS} groups. Amounts are also by currency.",
        required=True,
    ),
    _parameter(
        "month_of",
        {"type": "string", "enum": list(MonthOf), "default": MonthOf.CLOSED_ON},
        "Which day decides the month; goes with `month` in `group_by`.",
        required=False,
    ),
]
