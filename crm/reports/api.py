"""Reports over HTTP."""

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from crm.reports.asking import OWN_ARGUMENTS, Asked, read_question
from crm.reports.measures import Measure
from crm.reports.permissions import READ_REPORTS
from crm.reports.queries import MOST_ROWS, deal_figures
from crm.reports.schemas import PARAMETERS, ReportSchema
from crm.sales.models import Outcome
from crm.sales.permissions import READ_DEALS
from crm.sales.schemas import DEALS
from tenants.access.caller import acting
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db

reports = Blueprint("reports", __name__, url_prefix="/reports")


@reports.get("/deals", may=READ_REPORTS)
@reports.figures(DEALS, PARAMETERS)
@reports.response(200, ReportSchema())
def report_on_deals() -> dict[str, Any]:
    """Figures over the deals that the list of deals would show with the same filters."""
    caller = acting().caller
    caller.must(READ_DEALS)
    asked = read_question(request.args, caller)
    filters = MultiDict([pair for pair in request.args.items(multi=True) if pair[0] not in OWN_ARGUMENTS])
    narrowing = Selection(DEALS).narrowing(caller, filters)
    rows = db().execute(deal_figures(asked, narrowing, caller), narrowing.values).mappings().all()
    return {
        "data": [_figure(asked, row) for row in rows[:MOST_ROWS]],
        "measure": asked.measure,
        "group_by": asked.names,
        "month_of": asked.month_of if "month" in asked.names else None,
        "truncated": len(rows) > MOST_ROWS,
    }


def _figure(asked: Asked, row: Any) -> dict[str, Any]:
    figure: dict[str, Any] = {each.name: row[each.name] for each in asked.dimensions}
    for each in asked.dimensions:
        if each.is_record:
            key = row[f"{each.name}_id"]
            figure[each.name] = None if key is None else {"id": key, "name": row[each.name]}
    if figure.get("outcome"):
        figure["outcome"] = Outcome(figure["outcome"])
    amount = {"amount": row["figure"], "currency": row.get("currency")}
    figure[asked.measure] = amount if asked.measure is Measure.AMOUNT else row["figure"]
    return figure
