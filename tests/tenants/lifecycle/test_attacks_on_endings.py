"""Attacks on what ends a tenant, and on what wakes it: nothing held goes, no exit is shortened, no link is lost."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import delete, select

from tenants.catalog.models import LookupHash, State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotFound, Unavailable
from tenants.lifecycle.archives import keeping, links
from tenants.lifecycle.archives.keeping import ask_to_archive, go_on
from tenants.lifecycle.archives.models import Archive, ThawLink
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.closing.exiting import Exits, cancel, go_on_with_exits
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.tenants.lifecycle.putting_away import closed_and_never_woken
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

WHY = Decision(Mover.OPERATOR, "Nobody works here at the moment.")
WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}
HOLD = {"matter": "M-1", "reason": "A dispute over the contract."}


def slug_of(tenant: Workspace) -> str:
    return tenant.admin.get("/me").json["tenant"]["slug"]


@pytest.mark.promise("RET-3")
@pytest.mark.parametrize("records", ["everything", "one contact"])
def test_what_was_held_when_it_was_put_away_is_not_destroyed(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    works: Works,
    destruction: Destruction,
    records: str,
) -> None:
    tenant = new_workspace()
    slug, contact = slug_of(tenant), tenant.admin.post("/contacts", {"last_name": "Held"}).json["id"]
    named = {} if records == "everything" else {"resource": "contacts", "record_ids": [contact]}
    assert tenant.admin.in_person.post("/legal-holds", HOLD | named).status_code == 201
    archive_id = ask_to_archive(works.catalog, tenant.home.id, WHY)
    go_on(works, archive_id)
    closed_and_never_woken(works.catalog, tenant.home)
    with pytest.raises(Conflict, match="under a legal hold"):
        destruction.destroy(slug, **WHO)
    assert key_versions().catalog.wrapped_keys(tenant.home.id)
    with works.catalog.transaction() as session:
        session.get_one(Archive, archive_id).holds = [(now() - timedelta(seconds=1)).isoformat()]
    assert destruction.destroy(slug, **WHO)["certificate"]["verified"]["keys_left"] == 0
    assert neighbour.admin.get("/contacts").status_code == 200


def test_an_operator_does_not_shorten_the_time_of_an_exit(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    catalog: Catalog,
    nursery: Nursery,
    destruction: Destruction,
) -> None:
    tenant = new_workspace()
    slug = slug_of(tenant)
    assert tenant.admin.in_person.post("/closing", {"reason": "We move."}).status_code == 202
    go_on_with_exits(Exits(catalog, nursery.owner_urls), now() + timedelta(days=31))
    assert tenant.admin.get("/tenant-state").json["state"] == State.CLOSING
    with pytest.raises(Conflict, match="come back until"):
        destruction.destroy(slug, **WHO)
    assert tenant.admin.in_person.delete("/closing").status_code == 204
    assert tenant.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200


def test_who_goes_back_on_an_exit_while_it_is_carried_out_is_not_destroyed(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    works: Works,
    destruction: Destruction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = new_workspace()
    slug, begin = slug_of(tenant), certificates().begin
    go_on(works, ask_to_archive(works.catalog, tenant.home.id, WHY))
    closed_and_never_woken(works.catalog, tenant.home)

    def begun(*said: Any) -> None:
        cancel(works.catalog, tenant.home.id, WHY)
        begin(*said)

    monkeypatch.setattr(certificates(), "begin", begun)
    with pytest.raises(Conflict, match="coming back from its archive"):
        destruction.destroy(slug, **WHO)
    assert works.catalog.state_of(tenant.home.id) is State.THAWING
    assert key_versions().catalog.wrapped_keys(tenant.home.id)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_certificate_that_could_not_be_kept_is_given_again(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, works: Works, destruction: Destruction
) -> None:
    tenant, kept = new_workspace(), []
    slug = slug_of(tenant)
    go_on(works, ask_to_archive(works.catalog, tenant.home.id, WHY))
    closed_and_never_woken(works.catalog, tenant.home)
    full = Mock(side_effect=OSError("The disk is full."))
    with pytest.raises(OSError, match="full"):
        destruction.destroy(slug, **WHO, keep=full)
    made = destruction.destroy(slug, **WHO, keep=kept.append)
    assert [made] == kept == [full.call_args.args[0]]
    with pytest.raises(NotFound):
        destruction.destroy(slug, **WHO)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_link_that_woke_nothing_is_good_again(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    works: Works,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant, catalog = new_workspace(), works.catalog
    go_on(works, ask_to_archive(catalog, tenant.home.id, WHY))
    with catalog.transaction() as session:
        session.add(made := links._link(tenant.home.id, "Ours", "ada@x.test", admin=True))
        text = links._opened(tenant.home.id, made.id, made.mail or b"")["text"]
    token = text.partition("/pages/thaw#")[2].split()[0]
    with monkeypatch.context() as patched:
        patched.setattr(keeping, "ask_for_round", Mock(side_effect=Unavailable("The process ended here.")))
        with pytest.raises(Unavailable):
            links.wake(catalog, token)
    assert links.progress_of(catalog, tenant.home.id).state is State.ARCHIVED
    assert links.wake(catalog, token).state is State.THAWING
    assert neighbour.admin.get("/contacts").status_code == 200


def test_archived_tenants_that_strangers_opened_in_my_name_do_not_keep_mine_asleep(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, works: Works
) -> None:
    tenant, catalog = new_workspace(), works.catalog
    slug = slug_of(tenant)
    go_on(works, ask_to_archive(catalog, tenant.home.id, WHY))
    address, hashed = f"ada@{slug}.test", works.wrapper.hashed(f"ada@{slug}.test", "email")
    strangers = [uuid.UUID(int=number) for number in range(1, 2 * links.MOST_TENANTS + 1)]
    with catalog.transaction() as session:
        cell = session.get_one(Tenant, tenant.home.id).cell
        for number, each in enumerate(strangers):
            session.add(Tenant(id=each, cell=cell, state=State.ARCHIVED, slug=f"stranger-{number}", name="X"))
        session.flush()
        session.add_all(LookupHash(kind=links.ADMINS, hash=hashed, tenant_id=each) for each in strangers)
    try:
        links.ask_for_links(catalog, works.wrapper, address, slug)
        with catalog.transaction() as session:
            mailed = session.scalars(select(ThawLink.tenant_id).where(ThawLink.sent_at.is_(None))).all()
        assert tenant.home.id in mailed
        assert not set(strangers) & set(mailed)
    finally:
        with catalog.transaction() as session:
            session.execute(delete(LookupHash).where(LookupHash.tenant_id.in_(strangers)))
            session.execute(delete(Tenant).where(Tenant.id.in_(strangers)))
    assert neighbour.admin.get("/contacts").status_code == 200
