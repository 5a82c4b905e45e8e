"""A tenant brings its own AWS KMS key: withdrawn, what is sealed is closed to everybody; restored, it opens again."""

from collections.abc import Callable, Iterator

import pytest

from tenants.audit.seals import seal_everywhere
from tenants.isolation.keys import KeyRing
from tenants.isolation.sealing import keys, use_keys
from tenants.lifecycle.keys.versions import key_versions
from tests.jobs import RunJobs
from tests.kms import Kms
from tests.tenants.lifecycle.keys.sealed import ROLE, Sealed, bring, states
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

#: Where no server is.
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def time() -> Iterator[list[float]]:
    """The clock by which keys are remembered: seconds, to be moved on."""
    now, before = [1000.0], keys()
    use_keys(KeyRing(before._wrapper, key_versions().catalog.wrapped_keys, clock=lambda: now[0]))
    yield now
    use_keys(before)


@pytest.fixture
def empty(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.mark.soak
def test_withdrawn_it_closes_what_is_sealed_within_a_minute_and_nothing_else(
    ours: Sealed, theirs: Sealed, kms: Kms, run_jobs: RunJobs, time: list[float]
) -> None:
    arn = bring(ours, kms)
    run_jobs()
    assert states(ours.workspace) == {1: "destroyed", 2: "current"}
    assert ours.opens() == ours.expected()
    plain = ours.workspace.admin.post("/contacts", {"last_name": "Plain"}).json["id"]
    kms.disable(arn)
    time[0] += 60
    closed = ours.workspace.admin.get(f"/contacts/{ours.contact}")
    assert (closed.status_code, closed.json["code"]) == (503, "key_disabled")
    assert closed.json["detail"].startswith("The key that this workspace brought is disabled")
    refused = ours.workspace.admin.post("/contacts", {"last_name": "New", "national_id": "1"})
    assert (refused.status_code, refused.json["code"]) == (503, "key_disabled")
    assert ours.workspace.admin.get(f"/exports/{ours.export}/download").json["code"] == "key_disabled"
    assert ours.workspace.admin.get(f"/contacts/{plain}").status_code == 200
    assert ours.workspace.admin.patch(f"/contacts/{plain}", {"first_name": "P"}).status_code == 200
    shown = ours.workspace.admin.get("/keys").json["brought"]
    assert (shown["state"], shown["reversible"]) == ("disabled", True)
    assert theirs.opens() == theirs.expected()
    assert seal_everywhere(key_versions().catalog) >= 1, "other tenants' logs are sealed all the same"
    kms.enable(arn)
    time[0] += 3
    assert ours.opens() == ours.expected()
    assert ours.workspace.admin.get("/keys").json["brought"]["state"] == "active"


#: How a key is withdrawn, the code of what is sealed then, and what its tenant is told: the state, and whether there is
#: a way back.
WAYS = {
    "disabled": ("key_disabled", "disabled", True),
    "pending deletion": ("key_pending_deletion", "pending_deletion", True),
    "access denied": ("key_access_denied", "access_denied", True),
    "role gone": ("key_access_denied", "access_denied", True),
    "destroyed": ("key_not_found", "destroyed", False),
    "unreachable": ("key_unreachable", "unreachable", True),
}


def withdraw(kms: Kms, arn: str, how: str, patched: pytest.MonkeyPatch) -> None:
    if how == "unreachable":
        patched.setenv("AWS_ENDPOINT_URL_KMS", NOBODY)
    elif how == "role gone":
        kms.trusts.clear()
    else:
        ways = {
            "disabled": kms.disable,
            "pending deletion": kms.delete_later,
            "access denied": kms.deny,
            "destroyed": kms.destroy,
        }
        ways[how](arn)


@pytest.mark.soak
@pytest.mark.parametrize("how", WAYS)
def test_each_way_to_withdraw_it_is_told_apart(  # noqa: PLR0917 - the parts of its world
    empty: Workspace, theirs: Sealed, kms: Kms, run_jobs: RunJobs, time: list[float],
    monkeypatch: pytest.MonkeyPatch, how: str,
) -> None:  # fmt: skip
    made = empty.admin.post("/contacts", {"last_name": "B", "national_id": "4711"}).json["id"]
    arn = kms.new_key()
    kms.trusts[ROLE] = empty.home.id.hex
    empty.admin.in_person.put("/keys/brought", {"key_arn": arn, "role_arn": ROLE})
    run_jobs()
    withdraw(kms, arn, how, monkeypatch)
    time[0] += 60
    code, state, reversible = WAYS[how]
    closed = empty.admin.get(f"/contacts/{made}")
    assert (closed.status_code, closed.json["code"]) == (503, code)
    shown = empty.admin.get("/keys").json["brought"]
    assert (shown["state"], shown["reversible"]) == (state, reversible)
    assert shown["reason"] == closed.json["detail"]
    assert theirs.opens() == theirs.expected()


@pytest.mark.soak
def test_a_key_that_does_not_work_is_not_accepted_and_nothing_changes(
    ours: Sealed, theirs: Sealed, kms: Kms
) -> None:
    person = ours.workspace.admin.in_person
    disabled = kms.new_key()
    kms.disable(disabled)
    kms.trusts[ROLE] = ours.home.id.hex
    refused = person.put("/keys/brought", {"key_arn": disabled, "role_arn": ROLE})
    assert (refused.status_code, refused.json["code"]) == (409, "key_does_not_work")
    assert "It was not accepted." in refused.json["detail"]
    kms.trusts[ROLE] = theirs.home.id.hex
    another = person.put("/keys/brought", {"key_arn": kms.new_key(), "role_arn": ROLE})
    assert another.json["code"] == "key_does_not_work", "a role that trusts another tenant"
    nonsense = person.put("/keys/brought", {"key_arn": "http://169.254.169.254/", "role_arn": "me"})
    assert (nonsense.status_code, sorted(nonsense.json["errors"])) == (422, ["key_arn", "role_arn"])
    by_program = ours.workspace.admin.put("/keys/brought", {"key_arn": disabled, "role_arn": ROLE})
    assert by_program.json["code"] == "needs_session"
    assert ours.workspace.admin.get("/keys").json["brought"] is None
    assert states(ours.workspace) == {1: "current"}
    assert ours.opens() == ours.expected()


@pytest.mark.soak
def test_it_is_given_back_while_it_opens_and_not_after(
    ours: Sealed, theirs: Sealed, kms: Kms, run_jobs: RunJobs, time: list[float]
) -> None:
    arn = bring(ours, kms)
    run_jobs()
    kms.disable(arn)
    refused = ours.workspace.admin.in_person.delete("/keys/brought")
    assert (refused.status_code, refused.json["code"]) == (503, "key_disabled")
    kms.enable(arn)
    assert ours.workspace.admin.in_person.delete("/keys/brought").json["brought"] is None
    kms.disable(arn)
    time[0] += 60
    assert ours.opens() == ours.expected()
    none = theirs.workspace.admin.in_person.delete("/keys/brought")
    assert (none.status_code, none.json["code"]) == (409, "no_key_brought")
    said = [
        each["action"]
        for each in ours.workspace.admin.get("/audit-events?resource=keys&sort=at").json["data"]
    ]
    assert said == ["keys.brought", "keys.rotated", "keys.destroyed", "keys.given_back"]
