"""A tenant is put away as one sealed bundle and comes back as itself, killed at whatever step."""

from collections.abc import Callable
from email import message_from_string, policy
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.afterwards import afterwards
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.isolation.files import stored_files
from tenants.isolation.folder import Folder
from tenants.isolation.owner import as_owner
from tenants.isolation.storage import StorageFailed
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on, go_on_everywhere
from tenants.lifecycle.archives.links import post_links
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Attempt, Works
from tenants.lifecycle.changing import Decision
from tenants.portability.bundling import snapshot
from tenants.portability.comparing import content_here
from tenants.portability.contents import tables
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

WHY = Decision(Mover.OPERATOR, "Nobody works here at the moment.")
#: What a tenant says of its own state, and what is on record about its way, differ when it is back.
TELLS_OF_THE_WAY = {
    "tenant_profile",
    "audit_events",
    "audit_values",
    "audit_seals",
    "audit_seal_members",
    "audit_signing_keys",
}


class Killed(BaseException):
    """Stands for the end of the process: nobody handles it."""


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def works(catalog: Catalog, nursery: Nursery) -> Works:
    return Works(catalog, nursery.owner_urls, nursery.wrapper, nursery.head)


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Workspace:
    tenant = new_workspace()
    parent = tenant.admin.post("/companies", {"name": "Parent", "bank_account": "DE89 3704"}).json["id"]
    tenant.admin.post("/companies", {"name": "Child", "parent_id": parent})
    awkward = {"last_name": 'quotes " and commas, \\N', "national_id": "sealed", "tags": ["a,b"]}
    assert tenant.admin.post("/contacts", awkward).status_code == 201
    tenant.admin.post("/exports", {})
    run_jobs()
    return tenant


def content(tenant: Workspace) -> dict[str, str]:
    with snapshot(tenant.home):
        return content_here(these=tables(whole=True))


def steps_left(works: Works, archive_id: Any) -> Step:
    with works.catalog.transaction() as session:
        session.execute(update(Archive).where(Archive.id == archive_id).values(lease_until=None))
        return Step(session.get_one(Archive, archive_id).step)


def delivered(settings: Settings) -> dict[str, str]:
    """The text of the mails that left the house, by their address."""
    found = {}
    for file in (settings.data_dir / "mail").glob("*.eml"):
        mail = message_from_string(file.read_text(), policy=policy.default)
        found[str(mail["To"])] = mail.get_content()
    return found


def has_schema(nursery: Nursery, tenant: Workspace) -> bool:
    with as_owner(nursery.owner_urls["main"]) as connection:
        found = connection.execute("select 1 from pg_namespace where nspname = %s", [tenant.home.role])
        return found.fetchone() is not None


def bundles_of(tenant: Workspace) -> list[str]:
    return [each for each in stored_files(tenant.home.id).list() if each.startswith("archives/")]


@pytest.mark.promise("4-19", "4-20")
def test_a_tenant_is_put_away_and_comes_back_as_itself(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog
) -> None:
    before, others = content(ours), content(neighbour)
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    assert not has_schema(nursery, ours)
    for answer in (ours.admin.get("/contacts"), ours.admin.post("/contacts", {"last_name": "Ng"})):
        assert (answer.status_code, answer.json["code"]) == (423, "tenant_archived")
    (name,) = bundles_of(ours)
    with stored_files(ours.home.id).open_stream(name) as chunks:
        kept = b"".join(chunks)
    assert b"Parent" not in kept
    assert b"datapackage.json" not in kept
    ask_to_thaw(catalog, ours.home.id, WHY)
    assert ours.admin.get("/contacts").json["code"] == "tenant_thawing"
    go_on(works, archive_id)
    after = content(ours)
    assert {name for name in before if before[name] != after[name]} <= TELLS_OF_THE_WAY
    # The same keys and sessions are good again: it is the tenant itself, not a copy.
    (contact,) = ours.admin.get("/contacts").json["data"]
    assert contact["national_id"] == "sealed"
    assert ours.admin.in_person.get("/me").status_code == 200
    assert ours.admin.post("/contacts", {"last_name": "New"}).status_code == 201
    assert bundles_of(ours) == []
    actions = [
        each["action"] for each in ours.admin.get("/audit-events?resource=tenant&sort=at").json["data"]
    ]
    assert actions == [f"tenant.{each}" for each in ("frozen", "archiving", "archived", "thawing", "active")]
    assert content(neighbour) == others


def test_rights_of_a_tenant_that_came_back_are_those_it_had(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog
) -> None:
    query = (
        "select c.relname, string_agg(a.privilege_type, ',' order by a.privilege_type) from pg_class c,"
        " aclexplode(c.relacl) a where c.relnamespace = %s::regnamespace"
        " and a.grantee = %s::regrole and c.relkind = 'r' group by 1 order by 1"
    )

    def rights() -> list[Any]:
        with as_owner(nursery.owner_urls["main"]) as connection:
            return connection.execute(query, [ours.home.role, ours.home.role]).fetchall()

    before = rights()
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    ask_to_thaw(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    assert rights() == before
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20")
def test_killed_at_any_step_it_goes_on_and_is_whole_all_the_while(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = content(ours)
    go_to = Attempt.go_to
    doomed: set[Step] = set()

    def killed_first(attempt: Attempt, session: Any, step: Step, **values: Any) -> None:
        go_to(attempt, session, step, **values)
        if step not in doomed:
            doomed.add(step)
            raise Killed

    monkeypatch.setattr(Attempt, "go_to", killed_first)
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    for target in (Step.WRITING, Step.CHECKING, Step.DROPPING, Step.KEPT):
        with pytest.raises(Killed):
            go_on(works, archive_id)
        assert target in doomed
        if has_schema(nursery, ours):
            now_there = content(ours)
            assert {name for name in before if before[name] != now_there[name]} <= TELLS_OF_THE_WAY
        else:
            assert len(bundles_of(ours)) == 1
        steps_left(works, archive_id)
    assert go_on_everywhere(works) >= 1
    assert steps_left(works, archive_id) is Step.KEPT
    ask_to_thaw(catalog, ours.home.id, WHY)
    for target in (Step.MIGRATING, Step.OPENING, Step.TIDYING, Step.RETURNED):
        with pytest.raises(Killed):
            go_on(works, archive_id)
        assert target in doomed
        assert len(bundles_of(ours)) == 1 or target is Step.RETURNED
        steps_left(works, archive_id)
    go_on(works, archive_id)
    after = content(ours)
    assert {name for name in before if before[name] != after[name]} <= TELLS_OF_THE_WAY
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200


def test_storage_that_fails_or_lies_never_costs_the_schema(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(_folder: Folder, key: str, chunks: Any, *_lock: Any) -> None:
        next(iter(chunks))
        raise StorageFailed(f"The file {key} can't be written: the disk is full.")

    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", full)
        with pytest.raises(StorageFailed):
            go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.WRITING
    written = Folder.write

    def altered(folder: Folder, key: str, chunks: Any, *lock: Any) -> None:
        written(folder, key, (bytes([each[0] ^ 1]) + each[1:] for each in chunks), *lock)

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", altered)
        with pytest.raises(Unreadable):
            go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.WRITING
    assert has_schema(nursery, ours)
    go_on(works, archive_id)
    assert not has_schema(nursery, ours)
    (name,) = bundles_of(ours)
    with stored_files(ours.home.id).open_stream(name) as chunks:
        kept = b"".join(chunks)
    stored_files(ours.home.id).write(name, [kept[:-1], bytes([kept[-1] ^ 1])])
    ask_to_thaw(catalog, ours.home.id, WHY)
    with pytest.raises(Unreadable):
        go_on(works, archive_id)
    assert ours.admin.get("/contacts").json["code"] == "tenant_thawing"
    assert neighbour.admin.get("/contacts").status_code == 200


def test_an_archive_of_an_older_revision_is_migrated_on_its_way_back(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from tenants.lifecycle.archives import steps as archiving
    from tenants.provisioning.revisions import Revision, steps

    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    ahead = Revision(
        "probe", ("alter table contacts add column probe text default 'new'",), transactional=True
    )

    def longer(line: str, since: str | None) -> tuple[Revision, ...]:
        return () if since == "probe" else (*steps(line, since), ahead)

    monkeypatch.setattr(archiving, "steps", longer)
    ask_to_thaw(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    with inside(ours.home):
        assert db().execute(text("select probe from contacts")).scalars().all() == ["new"]
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20")
def test_an_admins_address_wakes_an_archived_tenant_once(
    app: Flask, settings: Settings, ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery
) -> None:
    catalog, slug = works.catalog, ours.admin.get("/me").json["tenant"]["slug"]
    nursery.note_email(ours.home, f"sales@{slug}.test")
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    flask = app.test_client(use_cookies=False)
    asked = (f"ada@{slug}.test", f"sales@{slug}.test", "ada@neighbour.test", "nobody@x.test")
    for address in asked:
        assert flask.post("/api/v1/archives/links", json={"email": address}).status_code == 202
    afterwards.settle()
    post_links(catalog)
    letters = {to: each for to, each in delivered(settings).items() if to in asked}
    assert letters.keys() == {f"ada@{slug}.test", f"sales@{slug}.test"}
    assert "One of its admins can wake it" in letters[f"sales@{slug}.test"]
    token = letters[f"ada@{slug}.test"].partition("/pages/thaw#")[2].split()[0]
    woken = flask.post("/api/v1/archives/thaws", json={"token": token})
    assert (woken.status_code, woken.json["tenant"], woken.json["state"]) == (202, slug, "thawing")
    go_on(works, archive_id)
    assert flask.post("/api/v1/archives/thaws", json={"token": token}).json["state"] == "active"
    go_on(works, ask_to_archive(catalog, ours.home.id, WHY))
    assert flask.post("/api/v1/archives/thaws", json={"token": token}).json["state"] == "archived"
    assert flask.post("/api/v1/archives/thaws", json={"token": "fht_x"}).json["code"] == "gone"
    assert neighbour.admin.get("/contacts").status_code == 200


def test_an_admin_in_person_archives_and_nobody_else(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog
) -> None:
    body = {"reason": "We pause for the winter."}
    assert ours.manager.in_person.post("/archives", body).status_code == 403
    assert ours.admin.post("/archives", body).json["code"] == "needs_session"
    asked = ours.admin.in_person.post("/archives", body)
    assert (asked.status_code, asked.json["step"]) == (202, "freezing")
    assert ours.admin.in_person.post("/archives", body).status_code in (409, 503)
    assert neighbour.admin.get("/archives").json["data"] == []
    go_on_everywhere(works)
    with catalog.transaction() as session:
        tenant = session.get_one(Tenant, ours.home.id)
        archive = session.scalars(select(Archive).where(Archive.tenant_id == ours.home.id)).one()
        assert (tenant.state, archive.step, archive.reason) == (State.ARCHIVED, Step.KEPT, body["reason"])


def test_of_two_that_work_on_one_archive_the_one_that_was_overtaken_stops(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog
) -> None:
    from tenants.lifecycle.archives.running import Overtaken, take

    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    first = take(works, archive_id)
    with pytest.raises(Conflict, match="working on this"):
        take(works, archive_id)
    steps_left(works, archive_id)
    take(works, archive_id)
    with pytest.raises(Overtaken):
        first.advance(Step.KEPT)
    assert ours.admin.get("/contacts").status_code == 200
    with inside(neighbour.home):
        act_as(SYSTEM)
