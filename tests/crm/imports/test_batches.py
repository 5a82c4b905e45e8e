"""Batches of an import: several under way at once, each applied once."""

from collections.abc import Callable
from uuid import UUID

import pytest

from crm.imports import running
from crm.imports.models import ImportBatch
from tenants.isolation.door import db, inside
from tests.uploads import brought_in, rejected, upload
from tests.workspace import Workspace

FILE = "Surname,Email,City\n" + "".join(f"Person {n},p{n}@many.test,Rome\n" for n in range(1, 24))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "APPLIED_AT_ONCE", 5)


def test_batches_side_by_side_make_and_change_every_record_once(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: Callable[[], int]
) -> None:
    ours = new_workspace()
    for number in (3, 9, 20):
        ours.admin.post("/contacts", {"last_name": f"Old {number}", "email": f"p{number}@many.test"})
    text = FILE + "Person 1 again,P1@many.test,Rome\nToo,many,cells,here\n"
    done = brought_in(ours.admin, run_jobs, text, "contacts", mode="upsert", match_on="email")
    assert done["status"] == "succeeded", done
    assert done["counts"] == {"rows": 25, "created": 20, "updated": 3, "skipped": 0, "rejected": 2}
    contacts = ours.admin.get("/contacts?limit=100").json["data"]
    assert sorted(each["email"] for each in contacts) == sorted(f"p{n}@many.test" for n in range(1, 24))
    assert {each["city"] for each in contacts} == {"Rome"}
    for verb, count in (("created", 23), ("changed", 3)):
        events = ours.admin.get(f"/audit-events?action=contacts.{verb}&limit=100").json["data"]
        assert len(events) == len({each["record_id"] for each in events}) == count
    assert ["row 1." in line for line in rejected(ours.admin, done)] == [True, False]
    assert neighbour.admin.get("/contacts?email=p1@many.test").json["data"] == []


def test_rows_that_an_earlier_attempt_has_applied_are_left_alone(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: Callable[[], int]
) -> None:
    ours = new_workspace()
    accepted = upload(ours.admin, FILE, "contacts").json
    with inside(ours.home):
        db().add(ImportBatch(import_id=UUID(accepted["id"]), low=6, high=8, created=3))
    run_jobs()
    done = ours.admin.get(f"/imports/{accepted['id']}").json
    assert done["counts"] == {"rows": 23, "created": 23, "updated": 0, "skipped": 0, "rejected": 0}
    made = {each["last_name"] for each in ours.admin.get("/contacts?limit=100").json["data"]}
    assert made == {f"Person {n}" for n in range(1, 24)} - {f"Person {n}" for n in (6, 7, 8)}
    assert neighbour.admin.get(f"/imports/{accepted['id']}").status_code == 404
