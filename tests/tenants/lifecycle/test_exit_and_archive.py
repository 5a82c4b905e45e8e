"""An exit and an archive at once: neither shortens what the other promised."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.files import stored_files
from tenants.isolation.storage import NotStored
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.links import ask_for_links, post_links
from tenants.lifecycle.archives.models import Archive, Step, ThawLink
from tenants.lifecycle.archives.running import Works, take
from tenants.lifecycle.attempts import Overtaken
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.closing.exiting import Exits, ask_to_close, go_on_with_exits
from tenants.lifecycle.inactivity.looking import look
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests.mails import posted
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of
from tests.tenants.lifecycle.letters import subjects
from tests.tenants.lifecycle.putting_away import closed_and_never_woken
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

LEAVE = {"reason": "We move to another house."}
WHO = {"decided_by": "Ada", "reason": "The contract ended."}
ENDED = Decision(Mover.OPERATOR, "The contract ended.")


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


@pytest.mark.soak
@pytest.mark.promise("RET-2", "RET-4")
def test_an_archived_tenant_is_woken_into_its_exit_and_never_ends_unannounced(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    exits: Exits,
    catalog: Catalog,
    destruction: Destruction,
) -> None:
    slug = slug_of(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive)
    with pytest.raises(Conflict, match="nobody there was told") as refused:
        destruction.destroy(slug, **WHO)
    assert refused.value.stable_code == "not_announced"
    closing = ask_to_close(catalog, ours.home, ENDED, notice=0, transition=30, retrieval=30)
    assert catalog.state_of(ours.home.id) is State.THAWING
    with pytest.raises(Conflict, match="coming back from its archive"):
        destruction.destroy(slug, **WHO)
    go_on(works, archive)
    go_on_with_exits(exits)
    assert subjects(ours) == ["Your workspace is to be closed"]
    assert ours.admin.get("/closing").json["retrieval_until"][:19] == closing.retrieval_until.isoformat()[:19]
    assert ours.admin.in_person.delete("/closing").status_code == 204
    with pytest.raises(Conflict, match="active is not destroyed"):
        destruction.destroy(slug, **WHO)
    assert catalog.wrapped_keys(ours.home.id)
    assert neighbour.admin.get("/closing").status_code == 404


@pytest.mark.soak
@pytest.mark.promise("RET-4")
def test_what_can_not_be_woken_ends_when_it_was_tried_for_as_long_as_an_exit_lasts(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog, destruction: Destruction
) -> None:
    slug = slug_of(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive)
    ask_to_thaw(catalog, ours.home.id, WHY)
    for damaged in bundles_of(ours):
        stored_files(ours.home.id).delete(damaged)
    with pytest.raises(NotStored):
        go_on(works, archive)
    with pytest.raises(Conflict, match="coming back"):
        destruction.destroy(slug, **WHO)  # nobody asked for an end
    with catalog.transaction() as session:
        row = session.get_one(Archive, archive)
        row.step = Step.KEPT
        session.get_one(Tenant, ours.home.id).state = State.ARCHIVED
    closed_and_never_woken(catalog, ours.home)
    attempt = take(works, archive)
    made = destruction.destroy(slug, **WHO)["certificate"]
    assert made["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}
    with pytest.raises(Overtaken):
        attempt.advance(Step.MIGRATING)
    assert neighbour.admin.get("/contacts").status_code == 200
