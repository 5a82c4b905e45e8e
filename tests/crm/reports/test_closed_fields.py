"""What is hidden from a caller, or covered up, is no way into a report either."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from crm.reports.asking import read_question
from crm.reports.deals import DEAL_FIGURES
from crm.reports.queries import figures
from crm.sales.schemas import DEALS
from tenants.access.caller import Caller, act_as
from tenants.access.permissions import Reach
from tenants.foundation.errors import Invalid
from tenants.http.selection import Selection
from tenants.isolation.door import db, inside
from tests.crm.reports.random_deals import scatter_deals
from tests.workspace import Workspace

EVERYWHERE = {f"{name}:read": Reach.ALL for name in ("deals", "companies", "users", "teams", "products")}


def asked(caller: Caller, measure: str, names: str, **more: str) -> Any:
    return read_question(DEAL_FIGURES, MultiDict({"measure": measure, "group_by": names, **more}), caller)


@pytest.mark.parametrize(
    ("closed", "measure", "names", "named"),
    [
        ("amount", "amount", "owner", "measure"),
        ("amount", "count", "currency", "group_by"),
        ("outcome", "win_rate", "owner", "measure"),
        ("outcome", "count", "outcome", "group_by"),
        ("closed_on", "count", "month", "group_by"),
        ("opened_on", "cycle_days", "owner", "measure"),
        ("company_id", "count", "company", "group_by"),
        ("company", "count", "sector", "group_by"),
        ("owner", "count", "owner", "group_by"),
    ],
)
def test_a_closed_field_is_neither_measured_nor_grouped_by(
    closed: str, measure: str, names: str, named: str
) -> None:
    for way in ("hidden", "masked"):
        caller = Caller("api_key", "Eve", rights=EVERYWHERE, **{way: {"deals": frozenset({closed})}})
        with pytest.raises(Invalid) as refused:
            asked(caller, measure, names)
        assert set(refused.value.errors) == {named}
    assert asked(Caller("api_key", "Ada", rights=EVERYWHERE), measure, names).names


def test_a_month_of_another_day_stays_open() -> None:
    caller = Caller("api_key", "Eve", rights=EVERYWHERE, hidden={"deals": frozenset({"closed_on"})})
    assert asked(caller, "count", "month", month_of="opened_on").names == ["month"]


def test_a_closed_sector_is_no_dimension() -> None:
    caller = Caller("api_key", "Eve", rights=EVERYWHERE, masked={"companies": frozenset({"sector"})})
    with pytest.raises(Invalid):
        asked(caller, "count", "sector")


def test_records_whose_names_are_closed_or_out_of_reach_come_without_them(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    scatter_deals(workspace, 30, seed=3)
    without = {name: reach for name, reach in EVERYWHERE.items() if name != "companies:read"}
    callers = (
        Caller("api_key", "Eve", rights=EVERYWHERE, masked={"companies": frozenset({"name"})}),
        Caller("api_key", "Eve", rights=without),
    )
    for caller in callers:
        question = asked(caller, "count", "company,owner")
        with inside(workspace.home):
            act_as(caller)
            narrowing = Selection(DEALS).narrowing(caller, MultiDict())
            rows = db().execute(figures(question, narrowing, caller), narrowing.values).mappings().all()
        assert {row["company"] for row in rows} == {None}
        assert len({row["company_id"] for row in rows}) > 1
        assert len({row["owner"] for row in rows}) > 1
        assert sum(row["figure"] for row in rows) == 30
    ids = ",".join(str(row["company_id"]) for row in rows if row["company_id"])
    theirs = neighbour.admin.get(f"/reports/deals?measure=count&group_by=company&company_id[in]={ids}")
    assert theirs.json["data"] == []
