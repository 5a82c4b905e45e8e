"""A state is said in the order in which it was decided, however slow somebody is who says an earlier one."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.servers import EmbeddedServers
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db, inside
from tenants.lifecycle import changing
from tenants.lifecycle.changing import Decision, change, move, settle
from tenants.provisioning.birth import Nursery
from tests.tenants.lifecycle.test_held_to_the_end import wait_for_a_turn
from tests.workspace import Workspace

WHY = Decision(Mover.OPERATOR, "The invoice of March is not paid.")


def test_who_is_slow_to_say_a_state_does_not_say_it_over_a_later_one(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    catalog: Catalog,
    nursery: Nursery,
    servers: EmbeddedServers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant, say = new_workspace(), changing._say
    owners = nursery.owner_urls
    later = threading.Thread(target=lambda: move(catalog, owners, tenant.home, State.SUSPENDED, WHY))

    def slowly(*said: object) -> None:
        """Between reading a state and saying it, somebody decides another one, and has it said."""
        if not later.ident:
            later.start()
            wait_for_a_turn(servers)  # who waits for us goes on after us
        say(*said)

    move(catalog, owners, tenant.home, State.SUSPENDED, WHY)
    with catalog.transaction() as session:
        change(session, tenant.home.id, State.ACTIVE, WHY)
    monkeypatch.setattr(changing, "_say", slowly)
    settle(catalog, owners, tenant.home.id)
    later.join()
    with inside(tenant.home):
        assert db().scalars(select(TenantProfile.state)).one() == State.SUSPENDED
    refused = tenant.admin.post("/contacts", {"last_name": "Late"})
    assert refused.json["code"] == "tenant_suspended"
    assert neighbour.admin.post("/contacts", {"last_name": "Next door"}).status_code == 201
