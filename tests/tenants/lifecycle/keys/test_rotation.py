"""A tenant's key is rotated while everybody works: nothing is unreadable at any moment, and the old one is destroyed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from sqlalchemy import update

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.audit.seals import seal_everywhere
from tenants.audit.verification import verify_log
from tenants.foundation.encryption import key_version
from tenants.isolation import resealing
from tenants.isolation.door import db, inside
from tenants.isolation.keys import KeyRing
from tenants.isolation.sealing import keys, sealing_key, use_keys
from tenants.lifecycle.keys import rotation
from tenants.lifecycle.keys.versions import key_versions
from tests.jobs import RunJobs, try_again_now
from tests.tenants.lifecycle.keys.sealed import (
    Sealed,
    contact_sealed,
    seals_with,
    states,
    versions_in_use,
)
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "ROWS_AT_ONCE", 1)


def rotate(workspace: Workspace) -> str:
    answer = workspace.admin.in_person.post("/keys/rotate")
    assert answer.status_code == 202, answer.json
    return answer.json["id"]


@pytest.mark.soak
@pytest.mark.promise("SEC-2")
def test_everything_is_sealed_anew_and_the_old_version_destroyed(
    ours: Sealed, theirs: Sealed, run_jobs: RunJobs
) -> None:
    seal_everywhere(key_versions().catalog)
    assert versions_in_use(ours.home) == {1}
    job_id = rotate(ours.workspace)
    assert states(ours.workspace)[2] == "current"
    assert ours.workspace.admin.get("/keys").json["left"]["contacts"] >= 1
    assert ours.opens() == ours.expected()
    run_jobs()
    assert ours.workspace.admin.get(f"/jobs/{job_id}").json["status"] == "succeeded"
    assert versions_in_use(ours.home) == {2}
    assert states(ours.workspace) == {1: "destroyed", 2: "current"}
    assert ours.workspace.admin.get("/keys").json["left"] == {}
    keys().forget(ours.home.id)
    assert ours.opens() == ours.expected()
    assert (versions_in_use(theirs.home), states(theirs.workspace)) == ({1}, {1: "current"})
    assert theirs.opens() == theirs.expected()
    seal_everywhere(key_versions().catalog)
    assert verify_log(key_versions().catalog, ours.home).holds


def test_it_is_on_record_and_only_an_admin_who_confirmed_may(
    ours: Sealed, theirs: Sealed, run_jobs: RunJobs
) -> None:
    assert ours.workspace.admin.post("/keys/rotate").json["code"] == "needs_session"
    assert ours.workspace.manager.in_person.post("/keys/rotate").status_code == 403
    assert ours.workspace.manager.get("/keys").status_code == 403
    rotate(ours.workspace)
    again = ours.workspace.admin.in_person.post("/keys/rotate")
    assert (again.status_code, again.json["code"]) == (409, "rotation_under_way")
    run_jobs()
    with inside(ours.home):
        events = db().query(AuditEvent.action, AuditEvent.changes).filter(AuditEvent.resource == "keys")
        said = dict(events.all())
    assert said == {
        "keys.rotated": {"version": [1, 2]},
        "keys.destroyed": {"older_than": [None, 2]},
    }
    assert theirs.workspace.admin.get("/keys").json["rotation"] is None


def test_every_process_seals_with_the_new_version_at_once_and_reads_what_the_other_sealed(
    ours: Sealed, theirs: Sealed
) -> None:
    here = keys()
    elsewhere = KeyRing(here._wrapper, key_versions().catalog.wrapped_keys)
    for ring in (here, elsewhere):
        ring.current(ours.home.id)
    rotate(ours.workspace)
    use_keys(elsewhere)
    try:
        assert elsewhere.current(ours.home.id).version == 1, "it has not heard of the rotation"
        made = ours.workspace.admin.post("/contacts", {"last_name": "B", "national_id": "from elsewhere"})
        assert key_version(contact_sealed(ours.home, made.json["id"])) == 2
        assert ours.opens() == ours.expected()
    finally:
        use_keys(here)
    assert ours.workspace.admin.get(f"/contacts/{made.json['id']}").json["national_id"] == "from elsewhere"
    assert (seals_with(ours.home), seals_with(theirs.home)) == (2, 1)


@pytest.mark.soak
def test_who_began_to_seal_before_is_waited_for(ours: Sealed, theirs: Sealed, run_jobs: RunJobs) -> None:
    sealing, may_end, ran = threading.Event(), threading.Event(), []

    def slowly() -> None:
        with inside(ours.home):
            act_as(SYSTEM)
            assert sealing_key().version == 1
            sealing.set()
            assert may_end.wait(60)
            db().add(Contact(last_name="Late", national_id="late", source="entered"))

    threads = [threading.Thread(target=slowly), threading.Thread(target=lambda: ran.append(run_jobs()))]
    threads[0].start()
    assert sealing.wait(60)
    rotate(ours.workspace)
    threads[1].start()
    assert_soon(lambda: ours.workspace.admin.get("/keys").json["rotation"]["phase"] == "waiting")
    assert states(ours.workspace)[1] != "destroyed"
    made = ours.workspace.admin.post("/contacts", {"last_name": "C", "national_id": "meanwhile"})
    assert made.status_code == 201, "nobody waits for the one who is slow"
    may_end.set()
    for thread in threads:
        thread.join(60)
    assert (versions_in_use(ours.home), states(ours.workspace)[1]) == ({2}, "destroyed")
    found = ours.workspace.admin.get("/contacts?last_name=Late").json["data"]
    assert [each["national_id"] for each in found] == ["late"]
    assert theirs.opens() == theirs.expected()


@pytest.mark.soak
def test_it_goes_on_wherever_it_was_killed(
    ours: Sealed, theirs: Sealed, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, whole = count(), rotation.step
    fatal = -1

    @contextmanager
    def dying(**options: str) -> Iterator[object]:
        with whole(**options) as tenancy:
            yield tenancy
            if next(steps) == fatal:
                raise RuntimeError("killed before the commit of this step")
        if next(steps) == fatal:
            raise RuntimeError("killed after the commit of this step")

    monkeypatch.setattr(rotation, "step", dying)
    job_id = rotate(ours.workspace)
    for fatal in (0, 3, 5, 8, 17, 22, 30):  # noqa: B007 - read by `dying`
        steps = count()
        run_jobs()
        assert ours.opens() == ours.expected()
        try_again_now(ours.workspace.home)
    steps, fatal = count(), -1
    run_jobs()
    assert ours.workspace.admin.get(f"/jobs/{job_id}").json["status"] == "succeeded"
    assert (versions_in_use(ours.home), states(ours.workspace)[1]) == ({2}, "destroyed")
    assert ours.opens() == ours.expected()
    assert theirs.opens() == theirs.expected()


def test_the_old_version_stays_while_something_is_left_that_does_not_open(
    ours: Sealed, theirs: Sealed, run_jobs: RunJobs
) -> None:
    with inside(ours.home):
        broken = b"\x01\x00\x00\x00\x01" + bytes(40)
        values = update(Contact.__table__).values(national_id=broken)  # type: ignore[arg-type]
        db().connection().execute(values.where(Contact.__table__.c.last_name == "Bird"))
    job_id = rotate(ours.workspace)
    run_jobs()
    job = ours.workspace.admin.get(f"/jobs/{job_id}").json
    assert job["status"] == "failed"
    assert "1 in contacts" in job["error"]
    assert states(ours.workspace) == {1: "replaced", 2: "current"}
    assert ours.workspace.admin.get("/keys").json["left"] == {"contacts": 1}
    ours.workspace.admin.patch(f"/contacts/{ours.contact}", {"national_id": "mended"})
    rotate(ours.workspace)
    run_jobs()
    assert states(ours.workspace) == {1: "destroyed", 2: "current"}
    assert states(theirs.workspace) == {1: "current"}


def assert_soon(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError
