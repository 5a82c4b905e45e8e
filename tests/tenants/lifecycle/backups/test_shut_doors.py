"""What a restore brings back opens no door that was open for the moment, and none that was shut since the backup."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.settings import Settings
from tenants.identity.models import User
from tenants.identity.one_time import give
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.recovery import set_password
from tenants.identity.signing_in.recovery_codes import replace_codes, use_recovery_code
from tenants.isolation.door import db, inside
from tenants.isolation.files import stored_files
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.backups.taking import Taken
from tenants.provisioning.birth import Nursery
from tenants.support_access.staff.accounts import NewStaff, deactivate, make_staff
from tests.elsewhere import Elsewhere, copy_place
from tests.jobs import RunJobs
from tests.tenants.lifecycle.archives.archived import WHY
from tests.tenants.lifecycle.backups.test_the_way_back import erase
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
WEEK = timedelta(days=7)


@pytest.fixture
def works(nursery: Nursery) -> Works:
    return Works(nursery.catalog, nursery.owner_urls, nursery.wrapper, nursery.head)


def with_password(tenant: Workspace, password: str) -> list[str]:
    """The manager has this password, ten new recovery codes and a link of some kind; the codes."""
    with inside(tenant.home):
        act_as(SYSTEM)
        user = db().scalars(select(User).where(User.id == tenant.manager.user_id)).one()
        set_password(user, password)
        give("reset", lasts=WEEK, user_id=user.id)
        return replace_codes(user.id)


def key_of(tenant: Workspace, name: str) -> str:
    made = tenant.admin.in_person.post("/api-keys", {"name": name})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def doors_of(place: Elsewhere, tenant: Workspace) -> dict[str, int]:
    """How many of what opens something for the moment still do."""
    still = {
        "sessions": "ended_at is null",
        "one_time_tokens": "true",
        "oauth_tokens": "revoked_at is null",
        "access_visits": "ended_at is null",
        "access_grants": "state = 'approved' and ends_at > now()",
    }
    return {
        table: place.rows(f"select count(*) from {table} where {which}", schema=tenant.home.role)[0][0]  # noqa: S608
        for table, which in still.items()
    }


def one(place: Elsewhere, tenant: Workspace, statement: str, *values: object) -> object:
    ((found,),) = place.rows(statement, *values, schema=tenant.home.role)
    return found


@pytest.mark.promise("1-47")
def test_what_was_shut_since_the_backup_stays_shut_and_nothing_is_open_for_the_moment(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    nursery: Nursery,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    ours = new_workspace()
    codes = with_password(ours, "Tall grass 5 sways")
    kept, revoked = key_of(ours, "Kept"), key_of(ours, "Revoked")
    gone = make_staff(
        nursery.catalog, nursery.wrapper, NewStaff(f"gone@{ours.home.role}.test", "support", "Gone")
    )
    stays = make_staff(
        nursery.catalog,
        nursery.wrapper,
        NewStaff(f"stays@{ours.home.role}.test", "support", "Stays", api_key=True),
    )
    page = take().page

    person = ours.admin.in_person
    assert person.delete(f"/api-keys/{revoked}").status_code in (200, 204)
    for user in (ours.sales, ours.read_only):
        assert person.put(f"/users/{user.user_id}/deactivation", {}).status_code == 200
    assert person.delete(f"/users/{ours.read_only.user_id}/deactivation").status_code == 200
    with inside(ours.home):
        act_as(SYSTEM)
        assert use_recovery_code(ours.manager.user_id, codes[0])
        set_password(db().get_one(User, ours.manager.user_id), "Other grass 6 sways")
    deactivate(nursery.catalog, gone.staff.email)
    run_jobs()

    place = elsewhere()
    found = place.restore(page.id)
    shut = one(place, ours, "select changes from audit_events where action = 'tenant.shut_out_again'")
    assert shut == {"credentials": [6, 0]}, "one key, those of two users, one of them, a code and a password"
    assert found["shut_out_again"] >= 6, "it is told of all tenants"
    for tenant in (ours, neighbour):
        assert set(doors_of(place, tenant).values()) == {0}
    key = "select revoked_at is null from api_keys where id = %s"
    assert (one(place, ours, key, kept), one(place, ours, key, revoked)) == (True, False)
    state = "select state from users where id = %s"
    assert one(place, ours, state, ours.sales.user_id) == "inactive"
    assert one(place, ours, state, ours.read_only.user_id) == "active"
    assert (
        one(place, ours, "select count(*) from authenticators where kind = 'recovery_code'") == len(codes) - 1
    )
    assert one(place, ours, "select count(*) from passwords where user_id = %s", ours.manager.user_id) == 0
    untouched = one(place, neighbour, "select count(*) from api_keys where revoked_at is not null")
    with inside(neighbour.home):
        assert untouched == db().scalar(select(func.count()).where(ApiKey.revoked_at.is_not(None)))
    staff = "select state from staff where id = %s"
    assert place.rows(staff, gone.staff.id) == [("inactive",)]
    assert place.rows(staff, stays.staff.id) == [("active",)]
    assert place.rows(
        "select count(*) from staff_credentials where ended_at is null and kind in ('session', 'api_key')"
    ) == [(0,)]


@pytest.mark.promise("1-47", "RET-5")
def test_who_was_erased_after_a_thaw_does_not_come_back_with_the_archive_of_the_backup(  # noqa: PLR0917 - two installations
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    settings: Settings,
    works: Works,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    ours = new_workspace()
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    erased, kept = (ours.admin.post("/contacts", {"last_name": each}).json["id"] for each in ("Gone", "Kept"))
    go_on(works, ask_to_archive(works.catalog, ours.home.id, WHY))
    page = take().page
    go_on(works, ask_to_thaw(works.catalog, ours.home.id, WHY))
    erase(ours, erased, run_jobs)

    place = elsewhere()
    place.changes["REDIS_URL"] = settings.redis_url
    place.restore(page.id)
    assert place.rows("select state from tenants where id = %s", ours.home.id) == [("archived",)]
    place.told("tenant", "restore", slug, "--reason", "They are back.")
    assert place.rows("select id::text from contacts", schema=ours.home.role) == [(kept,)]
    assert set(doors_of(place, ours).values()) == {0}
    assert place.rows("select state from tenants where id = %s", neighbour.home.id) == [("active",)]


@pytest.mark.promise("1-47", "RET-2")
def test_an_archive_that_is_newer_than_the_backup_makes_no_second_copy(  # noqa: PLR0917 - two installations
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    settings: Settings,
    works: Works,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    ours = new_workspace()
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    erased, kept = (ours.admin.post("/contacts", {"last_name": each}).json["id"] for each in ("Gone", "Kept"))
    page = take().page
    erase(ours, erased, run_jobs)
    go_on(works, ask_to_archive(works.catalog, ours.home.id, WHY))
    assert archives_of(ours) == 1

    place = elsewhere()
    place.changes["REDIS_URL"] = settings.redis_url
    copy_place(settings.storage, place.folder / "storage")
    assert place.restore(page.id)["newer_archives"] == 1
    assert place.rows("select state from tenants where id = %s", ours.home.id) == [("active",)]
    assert place.rows("select id::text from contacts", schema=ours.home.role) == [(kept,)]
    place.told("tenant", "restore", slug, "--reason", "What the scheduler does by itself.")
    assert list((place.folder / "storage" / ours.home.role / "archives").iterdir()) == []
    assert archives_of(ours) == 1, "it was a copy of the storage"
    steps = "select step from archives where tenant_id = %s"
    assert place.rows(steps, ours.home.id) == [("returned",)]
    assert place.rows(steps, neighbour.home.id) == []


def archives_of(tenant: Workspace) -> int:
    return len([each for each in stored_files(tenant.home.id).list() if each.startswith("archives/")])
