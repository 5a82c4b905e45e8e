"""What rules that are enabled delete when they run, what they leave, and which rule is cited for it."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tenants.retention import executing
from tenants.retention.binning import digest_of
from tenants.retention.jobs import empty_the_bin, run_retention_rules
from tests.tenants.retention.world import (
    RunJobs,
    backdate,
    contact,
    erase,
    events,
    hold,
    in_bin,
    rule,
    run,
    there,
    values_left,
)
from tests.workspace import Workspace


@pytest.mark.promise("1-42", "2-26", "4-18", "RET-1")
def test_a_rule_is_previewed_then_enabled_then_deletes_what_is_due_and_nothing_else(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours, theirs = new_workspace(), neighbour
    over, young = [contact(ours) for _ in range(3)], contact(ours)
    foreign = contact(theirs)
    for workspace, each in (*((ours, each) for each in over), (theirs, foreign)):
        backdate(workspace, "contacts", each, 366)
    backdate(ours, "contacts", young, 364)
    made = rule(ours, on=False)
    early = ours.admin.in_person.put(f"/retention-rules/{made}/enablement")
    assert (early.status_code, early.json["code"]) == (409, "not_previewed")
    seen = ours.admin.post(f"/retention-rules/{made}/preview").json
    assert (seen["count"], seen["sentence"]) == (3, "This would remove 3 of the contacts.")
    assert sorted(seen["sample_ids"]) == sorted(over)
    run(ours, run_retention_rules, run_jobs)
    assert there(ours, *over, young) == [True] * 4
    assert ours.admin.in_person.put(f"/retention-rules/{made}/enablement").json["enabled"] is True
    assert run(ours, run_retention_rules, run_jobs) == {"deleted": 3}
    assert run(theirs, run_retention_rules, run_jobs) == {"deleted": 0}
    assert there(ours, *over, young) == [False] * 3 + [True]
    assert there(theirs, foreign) == [True]
    assert ours.admin.get("/bin").json["data"] == []
    (event,) = events(ours, "retention-rules.executed")
    assert (event["record_id"], event["actor_kind"], event["personal_fields"]) == (made, "system", [])
    ids = digest_of([UUID(each) for each in over])
    assert event["changes"] == {"resource": ["contacts", None], "count": [3, 0], "ids_sha256": [ids, None]}
    assert [values_left(ours, each) for each in over] == [0, 0, 0]
    assert theirs.admin.get(f"/retention-rules/{made}").status_code == 404


@pytest.mark.promise("0-17", "1-45", "1-46", "2-30")
def test_a_statute_keeps_a_record_from_deletion_and_erasure_and_is_cited(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    stage = workspace.admin.get("/stages?limit=1").json["data"][0]
    deals = []
    for _ in range(2):
        made = workspace.admin.post("/deals", {"name": "Sold", "stage_id": stage["id"]}).json["id"]
        workspace.admin.put(f"/deals/{made}/outcome", {"result": "won"})
        deals.append(made)
    theirs = neighbour.admin.post("/deals", {"name": "Sold"}).json["id"]
    assert workspace.admin.delete(f"/deals/{deals[1]}").status_code == 204
    source = "HGB, section 257 (4)"
    rule(
        workspace, resource="deals", action="retain", trigger="contract_end", period="P6Y",
        legal_source=source, name="Letters of trade",
    )  # fmt: skip
    rule(workspace, resource="deals", trigger="contract_end", period="P0D")
    refused = workspace.admin.delete(f"/deals/{deals[0]}")
    assert (refused.status_code, refused.json["code"]) == (409, "retained")
    today = now().date()
    until = date(today.year + 6, today.month, min(today.day, 28))
    assert refused.json["detail"].startswith(f"This is kept until {until.isoformat()[:8]}")
    assert refused.json["detail"].endswith("by the rule 'Letters of trade' (HGB, section 257 (4)).")
    for each in deals:
        with pytest.raises(Conflict, match="Letters of trade"):
            erase(workspace, each)
    entry = in_bin(workspace, deals[1])
    assert workspace.admin.in_person.delete(f"/bin/{entry['id']}").json["code"] == "retained"
    backdate(workspace, "bin", entry["id"], 1, "purge_at")
    run(workspace, empty_the_bin, run_jobs)
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 0}
    assert there(workspace, deals[0], resource="deals") == [True]
    assert in_bin(workspace, deals[1])
    assert neighbour.admin.delete(f"/deals/{theirs}").status_code == 204


@pytest.mark.promise("1-45")
def test_a_statute_counts_from_the_end_of_the_year_and_not_from_the_day(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours, theirs = new_workspace(), neighbour
    year = now().year
    days = date(year - 2, 12, 31), date(year - 1, 1, 1)
    (over, kept), foreign = ([won(each, day) for day in days] for each in (ours, theirs))
    for action in ("retain", "delete"):
        rule(ours, resource="deals", action=action, trigger="statute_end", period="P1Y", name=f"To {action}")
    refused = ours.admin.delete(f"/deals/{kept}")
    assert (refused.status_code, refused.json["code"]) == (409, "retained")
    assert refused.json["detail"].startswith(f"This is kept until {year + 1}-01-01, by the rule 'To retain'")
    assert run(ours, run_retention_rules, run_jobs) == {"deleted": 1}
    assert there(ours, over, kept, resource="deals") == [False, True]
    assert there(theirs, *foreign, resource="deals") == [True, True]
    rule(ours, resource="deals", trigger="statute_end", period="P1D", record_ids=[kept])
    assert run(ours, run_retention_rules, run_jobs) == {"deleted": 0}


def won(workspace: Workspace, closed_on: date) -> str:
    """A deal that was won on a day."""
    day = closed_on.isoformat()
    made = workspace.admin.post("/deals", {"name": "Sold", "opened_on": day}).json["id"]
    said = {"result": "won", "closed_on": day}
    assert workspace.admin.put(f"/deals/{made}/outcome", said).status_code == 200
    return str(made)


def test_a_preview_says_what_would_stay_and_why(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    goes, held, kept, referred = (contact(workspace) for _ in range(4))
    workspace.admin.post("/deals", {"name": "Open", "contact_id": referred})
    for each in (goes, held, kept, referred):
        backdate(workspace, "contacts", each, 400)
    hold(workspace, held)
    rule(workspace, action="retain", trigger="created", period="P9Y", record_ids=[kept])
    made = rule(workspace)
    seen = workspace.admin.post(f"/retention-rules/{made}/preview").json
    assert {name: seen[name] for name in ("count", "sample_ids", "held", "retained", "referred_to")} == {
        "count": 1, "sample_ids": [goes], "held": 1, "retained": 1, "referred_to": 1
    }  # fmt: skip
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 1}
    assert there(workspace, goes, held, kept, referred) == [False, True, True, True]
    assert neighbour.admin.post(f"/retention-rules/{made}/preview").status_code == 404


def test_a_rule_of_tomorrow_can_be_previewed_today_and_deletes_nothing(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    over = contact(workspace)
    backdate(workspace, "contacts", over, 400)
    made = rule(workspace, effective_from=(now().date() + timedelta(days=1)).isoformat())
    assert workspace.admin.post(f"/retention-rules/{made}/preview").json["count"] == 1
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 0}
    assert there(workspace, over) == [True]
    assert neighbour.admin.get(f"/retention-rules/{made}").status_code == 404


@pytest.mark.promise("1-43")
def test_a_purpose_ends_with_the_day_that_the_record_has(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    given_up, lately, still = (
        workspace.admin.post("/leads", {"last_name": f"Lead {n}"}).json["id"] for n in range(3)
    )
    theirs = neighbour.admin.post("/leads", {"last_name": "Next door"}).json["id"]
    for each in (given_up, lately):
        workspace.admin.put(f"/leads/{each}/disqualification", {"reason": "no budget"})
    backdate(workspace, "leads", given_up, 91, "disqualified_at")
    backdate(workspace, "leads", lately, 89, "disqualified_at")
    rule(workspace, resource="leads", trigger="purpose_ended", period="P90D")
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 1}
    assert there(workspace, given_up, lately, still, resource="leads") == [False, True, True]
    assert there(neighbour, theirs, resource="leads") == [True]


def test_drafts_go_by_a_rule_and_issued_invoices_never(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    price = {"amount": "1.00", "currency": "EUR"}
    body = {
        "billing_name": "Initech",
        "lines": [{"description": "x", "quantity": "1", "unit_price": price, "tax_rate": "22"}],
    }
    draft, issued = (workspace.admin.post("/invoices", body).json["id"] for _ in range(2))
    assert workspace.admin.put(f"/invoices/{issued}/issuance", {}).status_code == 200
    for each in (draft, issued):
        backdate(workspace, "invoices", each, 400)
    rule(workspace, resource="invoices")
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 1}
    assert there(workspace, draft, issued, resource="invoices") == [False, True]
    assert neighbour.admin.get(f"/invoices/{issued}").status_code == 404


def test_a_round_that_was_killed_midway_is_finished_by_the_next(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    workspace = new_workspace()
    over = [contact(workspace) for _ in range(5)]
    for each in over:
        backdate(workspace, "contacts", each, 400)
    rule(workspace)
    monkeypatch.setattr(executing, "AT_ONCE", 2)
    real, batches = executing.progress, []

    def killed(**shown: object) -> None:
        batches.append(shown)
        if len(batches) == 2:
            message = "killed"
            raise MemoryError(message)
        real(**shown)

    monkeypatch.setattr(executing, "progress", killed)
    with inside(workspace.home):
        act_as(SYSTEM)
        job_id = run_retention_rules.later()
    run_jobs()
    left = there(workspace, *over).count(True)
    assert left == 1
    assert len(events(workspace, "retention-rules.executed")) == 2
    with inside(workspace.home):
        db().get_one(Job, job_id).run_at = now()
    monkeypatch.setattr(executing, "progress", real)
    assert run(workspace, run_retention_rules, run_jobs)["deleted"] <= 1
    assert there(workspace, *over) == [False] * 5
    assert sum(each["changes"]["count"][0] for each in events(workspace, "retention-rules.executed")) == 5
    with inside(workspace.home):
        assert db().get_one(Job, job_id).state != JobState.RUNNING
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


def test_inactivity_counts_from_the_last_change(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    idle, used = contact(workspace), contact(workspace)
    theirs = contact(neighbour)
    for each in (idle, used):
        backdate(workspace, "contacts", each, 800, "created_at", "updated_at")
    workspace.admin.patch(f"/contacts/{used}", {"notes": "called today"})
    rule(workspace, trigger="inactive", period="P2Y")
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 1}
    assert there(workspace, idle, used) == [False, True]
    assert there(neighbour, theirs) == [True]


def test_what_was_restored_counts_as_used(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    made = contact(workspace)
    backdate(workspace, "contacts", made, 800, "created_at", "updated_at")
    workspace.admin.delete(f"/contacts/{made}")
    entry = in_bin(workspace, made)["id"]
    assert neighbour.admin.post(f"/bin/{entry}/restoration").status_code == 404
    assert workspace.admin.post(f"/bin/{entry}/restoration").status_code == 201
    rule(workspace, trigger="inactive", period="P2Y")
    assert run(workspace, run_retention_rules, run_jobs) == {"deleted": 0}
    assert timedelta(0) <= now() - type(now()).fromisoformat(
        workspace.admin.get(f"/contacts/{made}").json["updated_at"]
    )
