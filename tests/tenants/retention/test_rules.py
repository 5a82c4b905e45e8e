"""Retention rules: previewed, then enabled, then run at night; what a statute keeps is refused by its name."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tenants.retention import executing
from tenants.retention.binning import digest_of
from tenants.retention.jobs import empty_the_bin, run_retention_rules
from tenants.retention.keeping import Kept, kinds, unruled
from tests.tenants.identity.rights.people import person
from tests.tenants.retention.test_bin import values_left
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
    switch_on,
)
from tests.workspace import Workspace


def there(workspace: Workspace, *record_ids: str, resource: str = "contacts") -> list[bool]:
    return [workspace.admin.get(f"/{resource}/{each}").status_code == 200 for each in record_ids]


@pytest.mark.promise("1-42", "2-26", "4-18")
def test_a_rule_is_previewed_then_enabled_then_deletes_what_is_due_and_nothing_else(
    new_workspace: Callable[[], Workspace], run_jobs: RunJobs
) -> None:
    ours, theirs = new_workspace(), new_workspace()
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


def test_a_rule_that_is_changed_is_off_until_it_was_looked_at_again(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = rule(acme, period="P100Y")
    assert acme.admin.patch(f"/retention-rules/{made}", {"period": "P99Y"}).json["code"] == "needs_session"
    changed = acme.admin.in_person.patch(f"/retention-rules/{made}", {"period": "P99Y"})
    assert changed.json["enabled"] is False
    assert changed.json["previewed_at"] is None
    again = acme.admin.in_person.put(f"/retention-rules/{made}/enablement")
    assert (again.status_code, again.json["code"]) == (409, "not_previewed")
    switch_on(acme, made)
    refused = acme.admin.delete(f"/retention-rules/{made}")
    assert (refused.status_code, refused.json["code"]) == (409, "rule_enabled")
    assert neighbour.admin.in_person.delete(f"/retention-rules/{made}/enablement").status_code == 404
    assert acme.admin.in_person.delete(f"/retention-rules/{made}/enablement").json["enabled"] is False
    assert acme.admin.delete(f"/retention-rules/{made}").status_code == 204
    done = [each["action"] for each in acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]]
    assert done.count("retention-rules.enabled") == 2
    assert (done[0], done[-1]) == ("retention-rules.created", "retention-rules.deleted")


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


def test_no_hold_is_answered_while_something_it_names_is_being_deleted(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    """Either the deletion comes first, and the hold names what is in the bin, or the hold does and nothing goes."""
    workspace = new_workspace()
    made = contact(workspace)
    answers: list[object] = []
    body = {"matter": "m", "reason": "r", "resource": "contacts", "record_ids": [made]}

    def place() -> None:
        answers.append(workspace.admin.in_person.post("/legal-holds", body).status_code)

    with inside(workspace.home):
        act_as(SYSTEM)
        db().delete(db().get_one(Contact, UUID(made)))
        db().flush()
        other = threading.Thread(target=place)
        other.start()
        other.join(0.5)
        assert answers == []
    other.join(10)
    assert answers == [201]
    assert workspace.admin.in_person.delete(f"/bin/{in_bin(workspace, made)['id']}").json["code"] == "held"
    assert neighbour.admin.get(f"/bin?record_id={made}").json["data"] == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"resource": "users"}, "resource"),
        ({"resource": "products"}, "resource"),
        ({"trigger": "purpose_ended"}, "trigger"),
        ({"trigger": "full moon"}, "trigger"),
        ({"period": "30"}, "period"),
        ({"period": "PT1H"}, "period"),
        ({"period": "P300Y"}, "period"),
        ({"legal_source": ""}, "legal_source"),
        ({"action": "anonymise"}, "action"),
        ({"record_ids": []}, "record_ids"),
        ({"record_ids": [str(uuid4())]}, "record_ids"),
        ({"resource": "bin", "action": "retain"}, "resource"),
        ({"resource": "bin", "trigger": "inactive"}, "resource"),
        ({"enabled_at": "2026-01-01T00:00:00Z"}, "enabled_at"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(acme: Workspace, said: dict, field: str) -> None:
    body = {
        "name": uuid4().hex, "resource": "contacts", "action": "delete", "trigger": "created", "period": "P1Y",
        "legal_source": "x", **said,
    }  # fmt: skip
    answer = acme.admin.post("/retention-rules", body)
    assert answer.status_code == 422
    assert field in str(answer.json["errors"])


def test_a_neighbours_record_can_be_ruled_no_more_than_one_that_never_was(
    acme: Workspace, neighbour: Workspace
) -> None:
    body = {
        "name": uuid4().hex, "resource": "contacts", "action": "delete", "trigger": "created", "period": "P1Y",
        "legal_source": "x",
    }  # fmt: skip
    answers = [
        acme.admin.post("/retention-rules", {**body, "record_ids": [each]})
        for each in (contact(neighbour), str(uuid4()))
    ]
    assert [each.status_code for each in answers] == [422, 422]
    assert answers[0].json["errors"] == answers[1].json["errors"]


def test_rules_are_switched_on_by_people_with_the_right_who_just_confirmed_who_they_are(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = rule(acme, on=False, period="P100Y")
    acme.admin.post(f"/retention-rules/{made}/preview")
    path = f"/retention-rules/{made}/enablement"
    unconfirmed = person(acme, "Hasty", "admin", confirmed=False).in_person
    tries = {"needs_session": acme.admin, "not_allowed": acme.manager.in_person, "step_up": unconfirmed}
    for code, client in tries.items():
        answer = client.put(path)
        assert (answer.status_code, answer.json["code"]) == (403, code)
    assert neighbour.admin.in_person.put(path).status_code == 404


@pytest.mark.promise("0-09")
def test_every_audited_kind_of_record_has_rules_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(unruled()) == []
    without = {name: each for name, each in kinds().items() if name != "contacts"}
    monkeypatch.setattr("tenants.retention.keeping._kept", without)
    assert list(unruled()) == ["Contact is kept without end, and does not say why (__unruled__)."]
    assert all(isinstance(each, Kept) for each in kinds().values())


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
