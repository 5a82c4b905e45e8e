"""How reports look in JSON, and what may be asked of them."""

from collections.abc import Iterable
from typing import Any

import marshmallow
from marshmallow import fields, validate

from crm.billing.models import Status
from crm.reports.asking import MOST_DIMENSIONS
from crm.reports.deals import DEAL_FIGURES
from crm.reports.invoices import INVOICE_FIGURES
from crm.reports.queries import MOST_ROWS
from crm.reports.subjects import Subject
from crm.sales.models import Outcome

FRACTION = {"pattern": r"^-?\d+\.\d{4}$"}


class GroupSchema(marshmallow.Schema):
    """A record to group by; its name is null when it is out of the caller's reach."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)


class TotalSchema(marshmallow.Schema):
    """A sum in one currency."""

    amount = fields.String(required=True, metadata={"pattern": r"^-?\d+\.\d{2}$"})
    currency = fields.String(required=True)


class FigureSchema(marshmallow.Schema):
    """One group: the dimensions that were asked for, null where a record has none, and the measure."""

    owner = fields.Nested(GroupSchema, allow_none=True)
    team = fields.Nested(GroupSchema, allow_none=True)
    company = fields.Nested(GroupSchema, allow_none=True)
    sector = fields.String(allow_none=True)
    month = fields.String(allow_none=True, metadata={"pattern": r"^\d{4,}-\d{2}$"})
    currency = fields.String(allow_none=True)
    count = fields.Integer()


class DealFigureSchema(FigureSchema):
    """A group of deals."""

    product = fields.Nested(GroupSchema, allow_none=True)
    stage = fields.Nested(GroupSchema, allow_none=True)
    outcome = fields.String(allow_none=True, validate=validate.OneOf([*Outcome]))
    pipeline = fields.Nested(GroupSchema, allow_none=True)
    amount = fields.Nested(TotalSchema)
    win_rate = fields.String(allow_none=True, metadata=FRACTION)
    cycle_days = fields.String(allow_none=True, metadata=FRACTION)


class InvoiceFigureSchema(FigureSchema):
    """A group of invoices. Drafts are among them, unless a filter on the status leaves them out."""

    status = fields.String(validate=validate.OneOf([*Status]))
    deal = fields.Nested(GroupSchema, allow_none=True)
    net = fields.Nested(TotalSchema)
    tax = fields.Nested(TotalSchema)
    gross = fields.Nested(TotalSchema)
    credited = fields.Nested(TotalSchema)
    paid = fields.Nested(TotalSchema)
    outstanding = fields.Nested(TotalSchema)


def _one_of(words: Iterable[str], **options: Any) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(list(words)), **options)


class DealReportSchema(marshmallow.Schema):
    """Figures by group. `truncated` says that there are more groups than shown."""

    data = fields.List(fields.Nested(DealFigureSchema), required=True)
    measure = _one_of(DEAL_FIGURES.measures)
    group_by = fields.List(_one_of(DEAL_FIGURES.dimensions), required=True)
    month_of = _one_of(DEAL_FIGURES.days, allow_none=True)
    truncated = fields.Boolean(required=True)


class InvoiceReportSchema(marshmallow.Schema):
    """Figures by group. `truncated` says that there are more groups than shown."""

    data = fields.List(fields.Nested(InvoiceFigureSchema), required=True)
    measure = _one_of(INVOICE_FIGURES.measures)
    group_by = fields.List(_one_of(INVOICE_FIGURES.dimensions), required=True)
    month_of = _one_of(INVOICE_FIGURES.days, allow_none=True)
    truncated = fields.Boolean(required=True)


def _parameter(name: str, schema: dict[str, Any], text: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": text}


def parameters(subject: Subject) -> list[dict[str, Any]]:
    """What may be asked of a report beside the filters of its list."""
    one = f"({'|'.join(subject.dimensions)})"
    return [
        _parameter(
            "measure", {"type": "string", "enum": [*subject.measures]}, "What is worked out.", required=True
        ),
        _parameter(
            "group_by",
            {"type": "string", "pattern": f"^{one}(,{one}){{0,{MOST_DIMENSIONS - 1}}}$"},
            f"One to {MOST_DIMENSIONS} by comma, for at most {MOST_ROWS} groups. Amounts are also by currency.",
            required=True,
        ),
        _parameter(
            "month_of",
            {"type": "string", "enum": [*subject.days], "default": subject.days[0]},
            "Which day decides the month; goes with `month` in `group_by`.",
            required=False,
        ),
    ]
