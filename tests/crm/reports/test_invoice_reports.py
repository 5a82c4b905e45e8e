"""Reports on invoices: the invoices of the list, grouped, with currencies apart, and nothing of the neighbour's."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.crm.billing.documents import drafted, euros, issued, line, paid
from tests.workspace import Workspace

Rows = dict[tuple[Any, ...], Any]
RECORDS = ("owner", "company", "team", "deal")


@pytest.fixture(scope="module")
def billed(new_workspace: Callable[[], Workspace]) -> Workspace:
    here = new_workspace()
    company = here.admin.post("/companies", {"name": "Initech", "sector": "retail"}).json["id"]
    mine = {"owner_id": str(here.sales.user_id), "team_id": str(here.sales.team_id)}
    drafted(here.admin, company_id=company)
    late = issued(here.admin, dates={"issued_on": "2026-01-10"}, company_id=company)
    paid(here.admin, late, "19.00")
    issued(
        here.admin, line("10.00", "1", "7"), dates={"issued_on": "2026-01-20", "due_on": "2026-02-28"}, **mine
    )
    dollars = line(unit_price={"amount": "7.00", "currency": "USD"})
    issued(here.admin, dollars, dates={"issued_on": "2026-02-01"}, company_id=company)
    back = issued(here.admin, dates={"issued_on": "2026-02-02"})
    here.admin.post("/credit-notes", {"invoice_id": back["id"]})
    settled = issued(here.admin, company_id=company, **mine)
    paid(here.admin, settled, "119.00")
    return here


def reported(client: Any, query: str) -> Rows:
    answer = client.get(f"/reports/invoices?{query}")
    assert answer.status_code == 200, answer.json
    names, measure = answer.json["group_by"], answer.json["measure"]
    return {tuple(_group(row[name]) for name in names): row[measure] for row in answer.json["data"]}


def recomputed(client: Any, measure: str, names: list[str], month_of: str, filters: str) -> Rows:
    """The same from the list, in plain Python."""
    found = client.get(f"/invoices?limit=200&{filters}").json["data"]
    names = names if measure == "count" or "currency" in names else [*names, "currency"]
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for each in found:
        groups[tuple(_value(each, name, month_of) for name in names)].append(each)
    if measure == "count":
        return {group: len(members) for group, members in groups.items()}
    totals = {
        group: sum(Decimal(each[measure]["amount"]) for each in members) for group, members in groups.items()
    }
    currencies = {group: members[0]["currency"] for group, members in groups.items()}
    return {
        group: {"amount": f"{total:.2f}", "currency": currencies[group]} for group, total in totals.items()
    }


def _group(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) else value


def _value(invoice: dict[str, Any], name: str, month_of: str) -> Any:
    if name == "month":
        return invoice[month_of] and invoice[month_of][:7]
    return invoice[f"{name}_id" if name in RECORDS else name]


@pytest.mark.soak
@pytest.mark.parametrize("measure", ["count", "net", "tax", "gross", "credited", "paid", "outstanding"])
@pytest.mark.parametrize(
    "names", [["status"], ["company", "month"], ["owner"], ["currency", "team"], ["deal"]]
)
def test_a_report_is_what_one_works_out_from_the_list(
    billed: Workspace, neighbour: Workspace, measure: str, names: list[str]
) -> None:
    issued(neighbour.admin)
    for who in ("admin", "sales", "read-only"):
        for filters in ("", "status[ne]=draft", "issued_on[lt]=2026-02-01&outstanding[gt]=0", "q=initech"):
            query = f"measure={measure}&group_by={','.join(names)}&{filters}"
            client = billed.clients[who]
            assert reported(client, query) == recomputed(client, measure, names, "issued_on", filters)


def test_what_is_owed_by_status_and_by_the_month_it_was_due(billed: Workspace, neighbour: Workspace) -> None:
    issued(neighbour.admin, dates={"issued_on": "2026-01-10"})
    owed = reported(billed.admin, "measure=outstanding&group_by=status&currency=EUR&outstanding[gt]=0")
    assert owed == {("overdue", "EUR"): euros("110.70")}
    due = reported(billed.admin, "measure=count&group_by=month&month_of=due_on&status=overdue")
    assert due == {("2026-02",): 2, ("2026-03",): 1}


def test_what_a_report_does_not_know_is_named(billed: Workspace, neighbour: Workspace) -> None:
    for tenant in (billed, neighbour):
        answer = tenant.admin.get("/reports/invoices?measure=win_rate&group_by=stage&month_of=closed_on")
        assert (answer.status_code, answer.json["errors"].keys()) == (
            422,
            {"measure", "group_by", "month_of"},
        )
    assert billed.admin.get("/reports/invoices?measure=count&group_by=status&colour=red").status_code == 422


def test_the_document_says_what_a_report_on_invoices_takes(acme: Workspace, neighbour: Workspace) -> None:
    for tenant in (acme, neighbour):
        document: dict[str, Any] = tenant.admin.get("/openapi.json").json
        operation = document["paths"]["/api/v1/reports/invoices"]["get"]
        named = {each["name"]: each for each in operation["parameters"] if "name" in each}
        assert "outstanding" in named["measure"]["schema"]["enum"]
        assert {"status", "issued_on[gte]", "q"} <= set(named)
