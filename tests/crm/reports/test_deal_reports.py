"""Reports on deals: the deals of the list, grouped, with currencies apart, and nothing of the neighbour's."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crm.reports.random_deals import add_bare_deals, add_deals_of_as_many_companies, scatter_deals
from tests.crm.reports.recomputed import Listed, recomputed, reported
from tests.workspace import Workspace

MEASURES = ("count", "amount", "win_rate", "cycle_days")
DIMENSIONS = (
    "owner",
    "team",
    "product",
    "company",
    "sector",
    "stage",
    "outcome",
    "month",
    "pipeline",
    "currency",
)
MONTHS = ("closed_on", "opened_on", "created_at")
FILTERS = (
    "",
    "outcome=won",
    "outcome[is_null]=true",
    "outcome[in]=won,lost&amount[gte]=500",
    "closed_on[gte]=2026-03-01",
    "q=alpha",
    "amount[is_null]=true",
    "opened_on[lt]=2026-02-01&outcome=lost",
)


@pytest.fixture(scope="module")
def busy(new_workspace: Callable[[], Workspace]) -> Workspace:
    workspace = new_workspace()
    scatter_deals(workspace, 250, seed=7)
    return workspace


@pytest.fixture(scope="module")
def busy_neighbour(new_workspace: Callable[[], Workspace]) -> Workspace:
    workspace = new_workspace()
    scatter_deals(workspace, 100, seed=8)
    return workspace


@pytest.fixture(scope="module")
def listed() -> Listed:
    return Listed()


@pytest.mark.soak
@settings(max_examples=80, deadline=None)
@given(
    question=st.tuples(
        st.sampled_from(MEASURES),
        st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True),
        st.sampled_from(MONTHS),
    ),
    seen=st.tuples(
        st.sampled_from(("admin", "sales", "sales-elsewhere", "read-only")), st.sampled_from(FILTERS)
    ),
)
def test_a_report_is_what_one_works_out_from_the_list(
    busy: Workspace,
    busy_neighbour: Workspace,
    listed: Listed,
    question: tuple[str, list[str], str],
    seen: tuple[str, str],
) -> None:
    (measure, names, month_of), (who, filters) = question, seen
    query = f"measure={measure}&group_by={','.join(names)}" + (
        f"&month_of={month_of}" if "month" in names else ""
    )
    for workspace in (busy, busy_neighbour):
        client = workspace.clients[who]
        answer = client.get(f"/reports/deals?{query}&{filters}")
        assert answer.status_code == 200, answer.json
        expected = recomputed(listed.deals(client, filters), measure, names, month_of)
        assert answer.json["truncated"] is False
        assert reported(answer.json) == expected


def test_reports_follow_the_reach_of_the_list(busy: Workspace, busy_neighbour: Workspace) -> None:
    totals = {
        name: sum(
            row["count"] for row in client.get("/reports/deals?measure=count&group_by=owner").json["data"]
        )
        for name, client in busy.clients.items()
    }
    assert totals["admin"] == totals["read-only"] == totals["manager"] == 250
    assert totals["sales"] + totals["sales-elsewhere"] <= 250
    assert 0 < totals["sales"] < 250
    elsewhere = busy.sales_elsewhere.get("/reports/deals?measure=count&group_by=company").json["data"]
    assert any(row["company"] and row["company"]["name"] is None for row in elsewhere)
    names = {row["owner"]["name"] for row in elsewhere if row.get("owner")}
    assert not names
    own = {
        row["owner"]["id"]
        for row in busy.admin.get("/reports/deals?measure=count&group_by=owner").json["data"]
    }
    theirs = busy_neighbour.admin.get("/reports/deals?measure=count&group_by=owner").json["data"]
    assert not own & {row["owner"]["id"] for row in theirs}


def test_amounts_never_mix_currencies(busy: Workspace, busy_neighbour: Workspace) -> None:
    for workspace in (busy, busy_neighbour):
        report = workspace.admin.get("/reports/deals?measure=amount&group_by=outcome").json
        assert report["group_by"] == ["outcome", "currency"]
        assert {row["currency"] for row in report["data"]} == {"EUR", "USD", "JPY"}
        assert all(row["amount"]["currency"] == row["currency"] for row in report["data"])


def test_months_run_in_order_and_else_the_largest_come_first(
    busy: Workspace, busy_neighbour: Workspace
) -> None:
    for workspace in (busy, busy_neighbour):
        by_month = workspace.admin.get("/reports/deals?measure=count&group_by=month&outcome=won").json
        months = [row["month"] for row in by_month["data"]]
        assert months == sorted(months)
        assert by_month["month_of"] == "closed_on"
        by_owner = workspace.admin.get("/reports/deals?measure=count&group_by=owner").json
        counts = [row["count"] for row in by_owner["data"]]
        assert counts == sorted(counts, reverse=True)
        assert by_owner["month_of"] is None
        amounts = workspace.admin.get("/reports/deals?measure=amount&group_by=product").json["data"]
        keys = [(row["currency"], -Decimal(row["amount"]["amount"])) for row in amounts]
        assert keys == sorted(keys)


def test_what_a_report_does_not_know_is_named(acme: Workspace, neighbour: Workspace) -> None:
    cases: tuple[tuple[str, set[str]], ...] = (
        ("", {"measure", "group_by"}),
        ("measure=size&group_by=owner,colour&month_of=never", {"measure", "group_by", "month_of"}),
        ("measure=count&group_by=owner,team,stage,month", {"group_by"}),
        ("measure=count&group_by=owner,owner", {"group_by"}),
        ("measure=count&group_by=owner&month_of=closed_on", {"month_of"}),
        ("measure=count&measure=amount&group_by=owner", {"measure"}),
        ("measure=count&group_by=owner&colour=red&limit=5&sort=owner", {"colour", "limit", "sort"}),
        ("measure=count&group_by=owner&outcome=maybe&stage_id=x", {"outcome", "stage_id"}),
    )
    for workspace in (acme, neighbour):
        for query, named in cases:
            refused = workspace.admin.get(f"/reports/deals?{query}")
            assert refused.status_code == 422, query
            assert set(refused.json["errors"]) == named


def test_a_deal_without_an_owner_team_or_company_is_a_group_of_its_own(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    add_bare_deals(workspace, 3)
    for name in ("owner", "team", "company", "product", "sector", "outcome", "month", "currency"):
        report = workspace.admin.get(f"/reports/deals?measure=count&group_by={name}").json
        assert report["data"] == [{name: None, "count": 3}]
    rate = workspace.admin.get("/reports/deals?measure=win_rate&group_by=pipeline").json["data"]
    assert [row["win_rate"] for row in rate] == [None]
    assert workspace.admin.get("/reports/deals?measure=amount&group_by=owner").json["data"] == []
    assert neighbour.admin.get("/reports/deals?measure=count&group_by=owner").status_code == 200


def test_a_report_with_too_many_groups_says_that_there_are_more(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    add_deals_of_as_many_companies(workspace, 1001)
    path = "/reports/deals?measure=count&group_by=company"
    whole = workspace.admin.get(path).json
    assert (len(whole["data"]), whole["truncated"]) == (1000, True)
    first = whole["data"][0]["company"]["id"]
    less = workspace.admin.get(f"{path}&company_id[ne]={first}").json
    assert (len(less["data"]), less["truncated"]) == (1000, False)
    assert neighbour.admin.get(f"{path}&company_id={first}").json["data"] == []


def test_the_document_says_what_a_report_takes_and_gives(acme: Workspace, neighbour: Workspace) -> None:
    document: dict[str, Any] = acme.admin.get("/openapi.json").json
    operation = document["paths"]["/api/v1/reports/deals"]["get"]
    named = {each["name"]: each for each in operation["parameters"] if "name" in each}
    assert named["measure"]["schema"]["enum"] == list(MEASURES)
    assert named["measure"]["required"] is True
    listed = {
        each["name"] for each in document["paths"]["/api/v1/deals"]["get"]["parameters"] if "name" in each
    }
    assert listed - set(named) == {"limit", "cursor", "sort", "include"}
    figure = document["components"]["schemas"]["DealFigure"]["properties"]
    assert set(figure) == {*DIMENSIONS, *MEASURES}
    assert operation["x-permission"] == "reports:read"
    assert neighbour.admin.get("/openapi.json").json == document


def test_months_of_created_at_are_in_utc(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        made = workspace.sales.post("/deals", {"name": "Now", "opened_on": "2020-02-29"}).json
        path = f"/reports/deals?measure=count&group_by=month&id={made['id']}&month_of="
        assert workspace.sales.get(f"{path}created_at").json["data"] == [
            {"month": made["created_at"][:7], "count": 1}
        ]
        opened = workspace.sales.get(f"{path}opened_on").json["data"]
        assert opened == [{"month": date(2020, 2, 29).isoformat()[:7], "count": 1}]
