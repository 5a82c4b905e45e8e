"""A day at the end of the calendar, which anybody may say of a deal, keeps nothing else from going by its rules."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tenants.retention.jobs import run_retention_rules
from tenants.retention.periods import period_of
from tests.tenants.retention.world import RunJobs, backdate, in_bin, rule, run, there
from tests.workspace import Workspace


def sold(workspace: Workspace, day: str) -> str:
    """A deal of somebody in sales that was won on a day, by their word, and was made long ago."""
    made = workspace.sales.post("/deals", {"name": "Sold", "opened_on": "0001-01-01"}).json["id"]
    answer = workspace.sales.put(f"/deals/{made}/outcome", {"result": "won", "closed_on": day})
    assert answer.status_code in (200, 201), answer.json
    backdate(workspace, "deals", made, 800)
    return str(made)


@pytest.mark.parametrize("day", ["9999-12-31", "9995-01-01", "0001-01-01"])
def test_a_deal_of_a_day_far_off_does_not_stop_the_rules(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, day: str
) -> None:
    ours = new_workspace()
    far, near = sold(ours, day), sold(ours, "2020-01-01")
    theirs = sold(neighbour, day)
    rule(ours, resource="deals")
    kept = {"resource": "deals", "action": "retain", "trigger": "statute_end", "period": "P10Y"}
    rule(ours, **kept, record_ids=[far])
    refused = ours.admin.delete(f"/deals/{far}")
    assert refused.status_code == (204 if day < "2" else 409), "its ten years were over, or are not"
    assert run(ours, run_retention_rules, run_jobs)["deleted"] == 1
    assert there(ours, near, resource="deals") == [False]
    assert there(neighbour, theirs, resource="deals") == [True]


def test_a_deal_of_a_day_far_off_goes_to_the_bin(acme: Workspace, neighbour: Workspace) -> None:
    made = sold(acme, "9999-12-31")
    assert neighbour.admin.delete(f"/deals/{made}").status_code == 404
    assert acme.admin.delete(f"/deals/{made}").status_code == 204
    assert acme.admin.post(f"/bin/{in_bin(acme, made)['id']}/restoration").status_code == 201


def test_a_period_that_leads_beyond_the_calendar_ends_with_it() -> None:
    end = datetime(9999, 12, 31, tzinfo=UTC)
    for period in ("P200Y", "P1M", "P1D"):
        assert period_of(period).after(end) == datetime.max.replace(tzinfo=UTC)
