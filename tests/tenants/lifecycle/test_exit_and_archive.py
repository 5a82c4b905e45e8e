"""An exit and an archive at once: neither shortens what the other promised."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.links import ask_for_links, post_links
from tenants.lifecycle.archives.models import ThawLink
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.closing.exiting import Exits, go_on_with_exits
from tenants.lifecycle.inactivity.looking import look
from tenants.lifecycle.keys.versions import key_versions
from tests.mails import posted
from tests.tenants.lifecycle.archives.archived import WHY
from tests.workspace import Workspace

LEAVE = {"reason": "We move to another house."}


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


def slug_of(workspace: Workspace) -> str:
    slug: str = workspace.admin.get("/me").json["tenant"]["slug"]
    return slug


@pytest.mark.soak
@pytest.mark.promise("EXP-3", "RET-2")
def test_who_was_archived_during_an_exit_has_all_of_the_retrieval_when_it_is_back(
    ours: Workspace, neighbour: Workspace, works: Works, exits: Exits, catalog: Catalog
) -> None:
    begun = now()
    assert ours.admin.in_person.post("/closing", LEAVE).status_code == 202
    go_on_with_exits(exits, begun + timedelta(days=1))
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive)
    for days in (31, 59, 65, 100):
        go_on_with_exits(exits, begun + timedelta(days=days))
    assert catalog.state_of(ours.home.id) is State.ARCHIVED
    ask_to_thaw(catalog, ours.home.id, WHY)
    go_on(works, archive)
    assert ours.admin.get("/closing").json["phase"] == "transition"
    back = begun + timedelta(days=200)
    go_on_with_exits(exits, back)
    said = ours.admin.get("/closing").json
    assert said["retrieval_until"] >= (back + timedelta(days=30)).isoformat()[:19]
    for days in (1, 27):
        go_on_with_exits(exits, back + timedelta(days=days))
    assert ours.admin.get("/closing").json["final_notice_at"] is None
    go_on_with_exits(exits, back + timedelta(days=28, minutes=1))
    assert ours.admin.get("/closing").json["final_notice_at"] is not None
    assert ours.admin.in_person.delete("/closing").status_code == 204
    assert ours.admin.post("/contacts", {"last_name": "Stays"}).status_code == 201
    assert neighbour.admin.get("/closing").status_code == 404


@pytest.mark.promise("RET-2")
def test_who_is_leaving_is_not_archived_for_being_quiet(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = slug_of(ours)
    monkeypatch.setattr(catalog, "homes", lambda *_: [ours.home])
    assert ours.admin.in_person.post("/closing", LEAVE).status_code == 202
    for days in (336, 360, 400, 500):
        assert look(catalog, 365, now() + timedelta(days=days)) == 0
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    assert not [each for each in posted(ours, f"ada@{slug}.test") if "archived" in each.subject]
    assert ours.admin.in_person.delete("/closing").status_code == 204
    assert look(catalog, 365, now() + timedelta(days=336)) == 1
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_a_tenant_whose_key_is_gone_holds_up_nobodys_link(
    ours: Workspace, neighbour: Workspace, new_workspace: Callable[[], Workspace], works: Works, catalog: Catalog
) -> None:  # fmt: skip
    others = new_workspace()
    slugs = [slug_of(each) for each in (ours, others)]
    for tenant, slug in zip((ours, others), slugs, strict=True):
        go_on(works, ask_to_archive(catalog, tenant.home.id, WHY))
        ask_for_links(catalog, works.wrapper, f"ada@{slug}.test")
    key_versions().destroy(ours.home.id)
    post_links(catalog)
    with catalog.transaction() as session:
        sent = {each.tenant_id: each.sent_at is not None for each in session.scalars(select(ThawLink))}
    assert (sent[ours.home.id], sent[others.home.id]) == (False, True)
    assert neighbour.admin.get("/contacts").status_code == 200
