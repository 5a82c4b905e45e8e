"""Reports over HTTP."""

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from crm.reports.asking import OWN_ARGUMENTS, Asked, read_question
from crm.reports.deals import DEAL_FIGURES
from crm.reports.invoices import INVOICE_FIGURES
from crm.reports.permissions import READ_REPORTS
from crm.reports.queries import MOST_ROWS, figures
from crm.reports.schemas import DealReportSchema, InvoiceReportSchema, parameters
from crm.reports.subjects import MONTH, Kind, Subject
from tenants.access.caller import acting
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db

reports = Blueprint("reports", __name__, url_prefix="/reports", purpose=Purpose.SALES)


@reports.get("/deals", may=READ_REPORTS)
@reports.figures(DEAL_FIGURES.resource, parameters(DEAL_FIGURES))
@reports.response(200, DealReportSchema())
def report_on_deals() -> dict[str, Any]:
    """Figures over the deals that the list of deals would show with the same filters."""
    return _report(DEAL_FIGURES)


@reports.get("/invoices", may=READ_REPORTS)
@reports.figures(INVOICE_FIGURES.resource, parameters(INVOICE_FIGURES))
@reports.response(200, InvoiceReportSchema())
def report_on_invoices() -> dict[str, Any]:
    """Figures over the invoices that the list of invoices would show with the same filters."""
    return _report(INVOICE_FIGURES)


def _report(subject: Subject) -> dict[str, Any]:
    caller = acting().caller
    caller.must(subject.may)
    asked = read_question(subject, request.args, caller)
    filters = MultiDict([pair for pair in request.args.items(multi=True) if pair[0] not in OWN_ARGUMENTS])
    narrowing = Selection(subject.resource).narrowing(caller, filters)
    rows = db().execute(figures(asked, narrowing, caller), narrowing.values).mappings().all()
    return {
        "data": [_figure(asked, row) for row in rows[:MOST_ROWS]],
        "measure": asked.measure.name,
        "group_by": asked.names,
        "month_of": asked.month_of if MONTH in asked.names else None,
        "truncated": len(rows) > MOST_ROWS,
    }


def _figure(asked: Asked, row: Any) -> dict[str, Any]:
    figure: dict[str, Any] = {each.name: row[each.name] for each in asked.dimensions}
    for each in asked.dimensions:
        if each.is_record:
            key = row[f"{each.name}_id"]
            figure[each.name] = None if key is None else {"id": key, "name": row[each.name]}
    amount = {"amount": row["figure"], "currency": row.get("currency")}
    figure[asked.measure.name] = amount if asked.measure.kind is Kind.MONEY else row["figure"]
    return figure
