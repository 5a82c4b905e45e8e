"""A legal hold is placed and released as long as there is something to hold, and stops a destruction up to the end."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.errors import Conflict
from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.conninfo import conninfo
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys import due
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.tenants.retention.world import contact, hold, release
from tests.workspace import Workspace

WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}
ORDER = {"matter": "M-2", "reason": "An order that arrived late."}
MOVERS = {State.SUSPENDED: Mover.OPERATOR, State.CLOSING: Mover.PLATFORM}
WAITS_FOR_A_TURN = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
SOON_SECONDS = 20


@pytest.fixture
def moved(catalog: Catalog, nursery: Nursery) -> Callable[[Workspace, State], None]:
    def moving(tenant: Workspace, after: State) -> None:
        move(catalog, nursery.owner_urls, tenant.home, after, Decision(MOVERS[after], "It leaves."))

    return moving


def slug_of(tenant: Workspace) -> str:
    return str(tenant.admin.get("/me").json["tenant"]["slug"])


def is_untouched(tenant: Workspace) -> bool:
    """It is closing, has its key, and is read."""
    catalog = key_versions().catalog
    catalog.forget(tenant.home.id)
    return (
        catalog.state_of(tenant.home.id) is State.CLOSING
        and bool(catalog.wrapped_keys(tenant.home.id))
        and tenant.admin.get("/contacts").status_code == 200
    )


@pytest.mark.promise("2-30", "RET-3")
@pytest.mark.parametrize("state", MOVERS)
def test_a_hold_is_placed_and_released_where_nothing_else_is_changed(
    ours: Workspace, neighbour: Workspace, moved: Callable[[Workspace, State], None], state: State
) -> None:
    kept = contact(ours)
    before = hold(ours, kept)
    moved(ours, state)
    refused = ours.admin.patch(f"/contacts/{kept}", {"notes": "late"})
    assert (refused.status_code, refused.json["code"]) == (403, f"tenant_{state}")
    late = hold(ours, kept)
    assert neighbour.admin.get(f"/legal-holds/{late}").status_code == 404
    assert neighbour.admin.in_person.put(f"/legal-holds/{late}/release", {"reason": "x"}).status_code == 404
    program = ours.admin.post("/legal-holds", ORDER)
    assert (program.status_code, program.json["code"]) == (403, "needs_session")
    assert ours.manager.in_person.post("/legal-holds", ORDER).json["code"] == "not_allowed"
    for each in (before, late):
        assert release(ours, each).json["in_force"] is False
    found = ours.admin.get(f"/audit-events?record_id={late}&sort=at").json["data"]
    assert [each["action"] for each in found] == ["legal-holds.created", "legal-holds.changed"]


@pytest.mark.promise("2-30", "RET-3")
@pytest.mark.parametrize("held", ["everything", "one contact"])
def test_an_order_that_arrives_while_a_tenant_is_closing_stops_its_destruction_until_it_is_released(
    ours: Workspace,
    neighbour: Workspace,
    moved: Callable[[Workspace, State], None],
    destruction: Destruction,
    held: str,
) -> None:
    slug, kept = slug_of(ours), contact(ours)
    moved(ours, State.CLOSING)
    placed = hold(ours, *([kept] if held == "one contact" else []))
    with pytest.raises(Conflict, match="under a legal hold"):
        destruction.destroy(slug, **WHO)
    assert is_untouched(ours)
    assert release(ours, placed).status_code == 200
    made = destruction.destroy(slug, **WHO)["certificate"]
    assert made["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("2-30", "RET-3")
def test_a_hold_that_is_placed_after_the_first_look_stops_a_destruction_that_is_under_way(
    ours: Workspace,
    neighbour: Workspace,
    moved: Callable[[Workspace, State], None],
    destruction: Destruction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slug, kept = slug_of(ours), contact(ours)
    moved(ours, State.CLOSING)
    begin, placed = certificates().begin, []

    def begun(*said: Any) -> None:
        begin(*said)
        placed.append(hold(ours, kept))

    with monkeypatch.context() as patched:
        patched.setattr(certificates(), "begin", begun)
        with pytest.raises(Conflict, match="under a legal hold"):
            destruction.destroy(slug, **WHO)
    assert len(placed) == 1
    assert is_untouched(ours)
    assert certificates().of(ours.home.id) == []
    assert release(ours, placed[0]).status_code == 200
    assert destruction.destroy(slug, **WHO)["certificate"]["verified"]["keys_left"] == 0
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("2-30", "RET-3")
def test_no_hold_is_answered_once_nothing_can_be_held_any_more(
    ours: Workspace, neighbour: Workspace, moved: Callable[[Workspace, State], None], destruction: Destruction,
    servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It is asked for at the very moment at which the destruction has looked for the last time."""
    slug, looks, answers = slug_of(ours), [], []
    moved(ours, State.CLOSING)
    whole = due.is_anything_held
    placing = threading.Thread(
        target=lambda: answers.append(ours.admin.in_person.post("/legal-holds", ORDER))
    )

    def looked() -> bool:
        looks.append(whole())
        if len(looks) == 2:
            placing.start()
            wait_for_a_turn(servers)
            assert answers == []
        return looks[-1]

    monkeypatch.setattr(due, "is_anything_held", looked)
    destruction.destroy(slug, **WHO)
    placing.join(SOON_SECONDS)
    assert looks == [False, False]
    assert [(each.status_code, each.json["code"]) for each in answers] == [(410, "tenant_destroyed")]
    assert neighbour.admin.get("/contacts").status_code == 200


def wait_for_a_turn(servers: EmbeddedServers) -> None:
    """Until somebody waits for a turn that another has."""
    url = conninfo(servers.admin_url)
    until = time.monotonic() + SOON_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(WAITS_FOR_A_TURN).fetchone() == (0,):
            assert time.monotonic() < until, "nobody waits for a turn"
            time.sleep(0.01)
