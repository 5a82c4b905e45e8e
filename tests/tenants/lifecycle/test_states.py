"""What a tenant's state permits: reads and exports go on where they must, and a frozen tenant is not written to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import State, StateChange, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import MOVES, PERMITS, Mover, refusal_of
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict, Unavailable
from tenants.isolation.away import Elsewhere
from tenants.isolation.door import db, inside
from tenants.isolation.freezing import freeze, is_frozen, lift
from tenants.isolation.keys import KeyDestroyed
from tenants.lifecycle import changing
from tenants.lifecycle.changing import Decision, Owners, change, move, settle_all
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.workspace import Workspace, in_both

WHY = Decision(Mover.OPERATOR, "The invoice of March is not paid.")


@pytest.fixture
def moved(catalog: Catalog, nursery: Nursery) -> Callable[[Workspace, State], None]:
    return lambda tenant, after: move(catalog, nursery.owner_urls, tenant.home, after, WHY)


@contextmanager
def said_by_the_catalog(catalog: Catalog, tenant: Workspace, state: State) -> Iterator[None]:
    for each in (state, State.ACTIVE):
        with catalog.transaction() as session:
            session.execute(update(Tenant).where(Tenant.id == tenant.home.id).values(state=each))
        catalog.forget(tenant.home.id)
        if each is state:
            yield


def _write(tenant: Workspace, name: str) -> None:
    with inside(tenant.home):
        act_as(SYSTEM)
        db().add(Contact(last_name=name, source="api"))


@pytest.mark.promise("4-05", "EXP-1", "TEN-3")
def test_a_suspended_tenant_is_read_and_exported_and_not_changed(
    ours: Workspace, neighbour: Workspace, moved: Callable[[Workspace, State], None], run_jobs: RunJobs
) -> None:
    contact = ours.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    moved(ours, State.SUSPENDED)
    refused = ours.admin.post("/contacts", {"last_name": "Late"})
    assert (refused.status_code, refused.json["code"]) == (403, "tenant_suspended")
    assert ours.admin.patch(f"/contacts/{contact}", {"last_name": "Late"}).status_code == 403
    assert ours.admin.get(f"/contacts/{contact}").json["last_name"] == "Ng"
    assert [each["id"] for each in ours.admin.get("/contacts").json["data"]] == [contact]
    export = ours.admin.post("/exports", {})
    assert export.status_code == 202, export.json
    run_jobs()
    assert ours.admin.get(f"/exports/{export.json['id']}").json["status"] == "succeeded"
    assert ours.admin.get(f"/exports/{export.json['id']}/download").status_code == 200
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    moved(ours, State.ACTIVE)
    assert ours.admin.post("/contacts", {"last_name": "On time"}).status_code == 201


def test_who_suspended_it_and_why_is_on_record_in_the_catalog_and_in_the_tenant(
    ours: Workspace, neighbour: Workspace, moved: Callable[[Workspace, State], None]
) -> None:
    moved(ours, State.SUSPENDED)
    state = ours.sales.get("/tenant-state").json
    assert (state["state"], state["permits"]["writes"], state["permits"]["exports"]) == (
        "suspended",
        False,
        True,
    )
    assert ours.sales.get("/tenant-state/changes").status_code == 403
    (said,) = ours.admin.get("/tenant-state/changes").json["data"]
    assert (said["before"], said["after"], said["mover"]) == ("active", "suspended", "operator")
    assert said["reason"] == WHY.reason
    (event,) = ours.admin.get("/audit-events?action=tenant.suspended").json["data"]
    assert event["changes"]["state"] == ["active", "suspended"]
    assert neighbour.admin.get("/tenant-state").json["state"] == "active"
    assert in_both("/tenant-state/changes", ours.admin, neighbour.admin) == []


@pytest.mark.soak
def test_work_waits_while_a_tenant_is_suspended_and_goes_on_afterwards(
    ours: Workspace,
    neighbour: Workspace,
    moved: Callable[[Workspace, State], None],
    run_jobs: RunJobs,
) -> None:
    from crm.imports.jobs import tidy_imports
    from tenants.identity.people.jobs import hand_over

    moved(ours, State.SUSPENDED)
    with inside(ours.home):
        act_as(SYSTEM)
        waiting = hand_over.later(ours.sales.user_id, ours.manager.user_id, 0)
        always = tidy_imports.later()
    run_jobs()
    states = {each: ours.admin.get(f"/jobs/{each}").json["status"] for each in (waiting, always)}
    assert states == {waiting: "ready", always: "succeeded"}
    assert neighbour.admin.get(f"/jobs/{waiting}").status_code == 404
    moved(ours, State.ACTIVE)
    run_jobs()
    assert ours.admin.get(f"/jobs/{waiting}").json["status"] == "succeeded"


def test_nothing_is_written_after_a_freeze_is_said_to_hold(
    ours: Workspace, neighbour: Workspace, nursery: Nursery, catalog: Catalog
) -> None:
    """A writer that began before is waited for; from then on the database itself refuses, whoever cached what."""
    catalog.home(ours.home.id)
    wrote, frozen = threading.Event(), threading.Event()

    def freezing() -> None:
        freeze(nursery.owner_urls["main"], ours.home.role)
        frozen.set()

    with inside(ours.home):
        act_as(SYSTEM)
        db().add(Contact(last_name="Before", source="api"))
        db().flush()
        thread = threading.Thread(target=freezing)
        thread.start()
        assert not frozen.wait(0.7)
        wrote.set()
    thread.join(30)
    assert frozen.is_set()
    with pytest.raises(Unavailable, match="frozen"):
        _write(ours, "After")
    answer = ours.admin.post("/contacts", {"last_name": "After"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert [each["last_name"] for each in ours.admin.get("/contacts").json["data"]] == ["Before"]
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    lift(nursery.owner_urls["main"], ours.home.role)
    assert not is_frozen(nursery.owner_urls["main"], ours.home.role)


def test_a_writer_that_goes_on_is_not_ended_by_the_freeze(
    ours: Workspace, neighbour: Workspace, nursery: Nursery
) -> None:
    with inside(ours.home):
        act_as(SYSTEM)
        db().add(Contact(last_name="Long work", source="api"))
        db().flush()
        with pytest.raises(Unavailable, match="still writing"):
            freeze(nursery.owner_urls["main"], ours.home.role, patience_seconds=0.5)
    assert [each["last_name"] for each in ours.admin.get("/contacts").json["data"]] == ["Long work"]
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.usefixtures("undisturbed")
def test_a_change_that_was_cut_short_is_taken_up_again(
    ours: Workspace, neighbour: Workspace, nursery: Nursery, catalog: Catalog
) -> None:
    theirs = neighbour.admin.get("/audit-events?resource=tenant").json["data"]
    with catalog.transaction() as session:
        change(session, ours.home.id, State.FROZEN, WHY)
    assert not is_frozen(nursery.owner_urls["main"], ours.home.role)
    assert settle_all(catalog, nursery.owner_urls) >= 1
    assert is_frozen(nursery.owner_urls["main"], ours.home.role)
    assert settle_all(catalog, nursery.owner_urls) == 0
    with catalog.transaction() as session:
        change(session, ours.home.id, State.ACTIVE, WHY)
    settle_all(catalog, nursery.owner_urls)
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    events = ours.admin.get("/audit-events?resource=tenant&sort=at").json["data"]
    assert [each["action"] for each in events] == ["tenant.frozen", "tenant.active"]
    assert neighbour.admin.get("/audit-events?resource=tenant").json["data"] == theirs


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize("fault", [KeyDestroyed("Its keys are destroyed."), Unreadable("altered")], ids=repr)
def test_a_tenant_whose_state_can_not_be_said_holds_up_no_other(
    ours: Workspace, new_workspace: Callable[[], Workspace], nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch, fault: Exception,
) -> None:  # fmt: skip
    theirs, settle = new_workspace(), changing._settle

    def failing(catalog: Catalog, owners: Owners, tenant_id: UUID) -> None:
        if tenant_id == ours.home.id:
            raise fault
        settle(catalog, owners, tenant_id)

    for each in (ours, theirs):
        with catalog.transaction() as session:
            change(session, each.home.id, State.FROZEN, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(changing, "_settle", failing)
        for _ in range(2):
            settle_all(catalog, nursery.owner_urls)
    assert is_frozen(nursery.owner_urls["main"], theirs.home.role)
    assert not is_frozen(nursery.owner_urls["main"], ours.home.role)
    settle_all(catalog, nursery.owner_urls)
    assert is_frozen(nursery.owner_urls["main"], ours.home.role)


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        (State.ARCHIVED, 423, "tenant_archived"),
        (State.THAWING, 503, "tenant_thawing"),
        (State.DESTROYED, 410, "tenant_destroyed"),
        (State.CLAIMED, 503, "tenant_claimed"),
    ],
)
def test_a_tenant_that_is_not_there_is_answered_with_its_state(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, state: State, status: int, code: str
) -> None:
    with said_by_the_catalog(catalog, ours, state):
        for answer in (ours.admin.get("/contacts"), ours.admin.post("/contacts", {"last_name": "Ng"})):
            assert (answer.status_code, answer.json["code"]) == (status, code)
        assert neighbour.admin.get("/contacts").status_code == 200


def test_a_schema_that_is_gone_is_no_fault(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, nursery: Nursery
) -> None:
    """Another process dropped it a moment ago, and this one has not heard of it yet."""
    from tenants.isolation.owner import as_owner, run_all
    from tenants.isolation.roles import death

    assert ours.admin.get("/contacts").status_code == 200
    with as_owner(nursery.owner_urls["main"]) as connection:
        run_all(connection, death(ours.home.role))
    for answer in (ours.admin.get("/contacts"), ours.admin.post("/contacts", {"last_name": "Ng"})):
        assert (answer.status_code, answer.json["code"]) == (503, "tenant_elsewhere")
    with pytest.raises(Elsewhere), inside(ours.home):
        db().execute(text("select 1"))
    with catalog.transaction() as session:
        session.execute(update(Tenant).where(Tenant.id == ours.home.id).values(state=State.DESTROYED))
    assert ours.admin.get("/contacts").status_code == 410
    assert neighbour.admin.get("/contacts").status_code == 200


def test_every_state_says_what_it_permits_and_how_it_is_left() -> None:
    assert PERMITS.keys() == set(State)
    for state in set(State) - {State.ACTIVE}:
        assert refusal_of(state).status in (403, 410, 423, 503)
    left = {before for before, _ in MOVES} | {State.FENCED}
    assert set(State) - left == {State.DESTROYED}
    for state in (State.SUSPENDED, State.CLOSING):
        permits = PERMITS[state]
        assert (permits.sign_in, permits.reads, permits.exports, permits.writes) == (True, True, True, False)


def test_nobody_moves_a_tenant_past_the_table(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, nursery: Nursery
) -> None:
    refused = {
        State.ARCHIVED: "A tenant that is active can't be archived.",
        State.DESTROYED: "A tenant that is active can't be destroyed.",
        State.SPARE: "A tenant that is active can't become spare.",
        State.CLOSING: "A tenant that is active can't be closed this way.",
        State.ACTIVE: "This tenant is active already.",
    }
    for after, said in refused.items():
        with pytest.raises(Conflict, match=said):
            move(catalog, nursery.owner_urls, ours.home, after, WHY)
    with catalog.transaction() as session:
        assert session.scalars(select(StateChange).where(StateChange.tenant_id == ours.home.id)).all() == []
    assert ours.admin.post("/contacts", {"last_name": "Ng"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200


def test_who_never_stops_writing_does_not_keep_a_freeze_from_beginning(
    ours: Workspace,
    neighbour: Workspace,
    moved: Callable[[Workspace, State], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sealed: list[int] = []

    def seal_events() -> int:
        assert len(sealed) < 5, "it goes on for as long as they do"
        sealed.append(whole())
        db().add(Contact(last_name="Written meanwhile", source="api"))
        return sealed[-1]

    whole = changing.seal_events
    monkeypatch.setattr(changing, "seal_events", seal_events)
    moved(ours, State.FROZEN)
    assert sealed[0] > 0
    assert ours.admin.post("/contacts", {"last_name": "Late"}).status_code == 503
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
