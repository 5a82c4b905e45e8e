"""What is in the bin goes for good when its time is over, by hand before that, and not a day too early."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tenants.foundation.clock import now
from tenants.retention.binning import digest_of
from tenants.retention.jobs import empty_the_bin
from tests.tenants.retention.world import (
    RunJobs,
    backdate,
    contact,
    delete,
    events,
    in_bin,
    restore,
    rule,
    run,
    values_left,
)
from tests.workspace import Workspace


@pytest.mark.promise("0-16", "2-31")
def test_the_bin_purges_after_thirty_days_and_not_a_day_before(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    secret = uuid4().hex
    old, young = (contact(workspace, notes=secret) for _ in range(2))
    theirs = contact(neighbour)
    for each, owner in ((old, workspace), (young, workspace), (theirs, neighbour)):
        delete(owner.admin, f"/contacts/{each}")
    entry = in_bin(workspace, old)
    day = timedelta(days=30)
    assert now() < _moment(entry["purge_at"]) < now() + day
    assert _moment(entry["purge_at"]) - _moment(entry["created_at"]) - day < timedelta(seconds=5)
    backdate(workspace, "bin", in_bin(workspace, young)["id"], -1, "purge_at")
    backdate(workspace, "bin", entry["id"], 0, "purge_at")
    run(workspace, empty_the_bin, run_jobs)
    assert workspace.admin.get(f"/bin/{entry['id']}").status_code == 404
    assert restore(workspace, young).status_code == 201
    assert in_bin(neighbour, theirs)
    (event,) = events(workspace, "bin.purged")
    assert event["changes"] == {
        "resource": ["contacts", None], "count": [1, 0], "ids_sha256": [digest_of([UUID(old)]), None]
    }  # fmt: skip
    assert values_left(workspace, old) == 0
    assert values_left(workspace, young) > 0
    assert [each["action"] for each in workspace.admin.get(f"/audit-events?record_id={old}&sort=at").json["data"]] == [
        "contacts.created", "contacts.deleted"
    ]  # fmt: skip


def test_what_is_purged_by_hand_is_gone_at_once(acme: Workspace, neighbour: Workspace) -> None:
    made = contact(acme, email=f"{uuid4().hex}@initech.test")
    delete(acme.admin, f"/contacts/{made}")
    entry = in_bin(acme, made)["id"]
    assert neighbour.admin.in_person.delete(f"/bin/{entry}").status_code == 404
    delete(acme.admin.in_person, f"/bin/{entry}")
    assert acme.admin.get(f"/bin/{entry}").status_code == 404
    assert values_left(acme, made) == 0
    assert len(events(acme, "contacts.purged", made)) == 1
    assert acme.admin.post(f"/bin/{entry}/restoration").status_code == 404


def test_a_tenant_says_how_long_its_bin_keeps(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    before, theirs = contact(workspace), contact(neighbour)
    delete(workspace.admin, f"/contacts/{before}")
    delete(neighbour.admin, f"/contacts/{theirs}")
    week = rule(workspace, resource="bin", period="P7D", legal_source="Our promise to customers")
    after = contact(workspace)
    delete(workspace.admin, f"/contacts/{after}")
    assert [_days(in_bin(workspace, each)) for each in (before, after)] == [7, 7]
    assert _days(in_bin(neighbour, theirs)) == 30
    assert workspace.admin.in_person.delete(f"/retention-rules/{week}/enablement").status_code == 200
    assert [_days(in_bin(workspace, each)) for each in (before, after)] == [30, 30]
    rule(workspace, resource="bin", period="P0D", legal_source="Nothing is to be kept")
    run(workspace, empty_the_bin, run_jobs)
    assert workspace.admin.get("/bin").json["data"] == []


def _moment(text_: str) -> Any:
    return type(now()).fromisoformat(text_)


def _days(entry: dict[str, Any]) -> int:
    return round((_moment(entry["purge_at"]) - _moment(entry["created_at"])) / timedelta(days=1))
