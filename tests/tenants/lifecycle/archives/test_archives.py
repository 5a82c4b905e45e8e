"""A tenant is put away as one sealed bundle and comes back as itself."""

from typing import Any

import pytest
from sqlalchemy import text

from tenants.catalog.registry import Catalog
from tenants.isolation.door import db, inside
from tenants.isolation.files import stored_files
from tenants.isolation.owner import as_owner
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.running import Works
from tenants.provisioning.birth import Nursery
from tests.tenants.lifecycle.archives.archived import TELLS_OF_THE_WAY, WHY, bundles_of, content, has_schema
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.mark.promise("4-19", "4-20", "RET-2", "EXP-4")
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
