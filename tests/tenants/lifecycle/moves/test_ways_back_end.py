"""What a move left behind keeps what people deleted since: it goes by itself when nobody confirms."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from psycopg import sql
from sqlalchemy import update

from tenants.foundation.clock import now
from tenants.isolation.aside import Aside
from tenants.isolation.owner import as_owner
from tenants.lifecycle.moves import steps
from tenants.lifecycle.moves.models import WAY_BACK, Move, Step
from tenants.lifecycle.moves.moving import ask_to_go_back, go_on_everywhere
from tenants.lifecycle.moves.running import Works
from tests.tenants.lifecycle.moves.world import at, content, differing, move_of, moved, schemas
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.promise("1-47", "RET-4")]
A_MINUTE = timedelta(minutes=1)


def so_long_ago(works: Works, move: Move, passed: timedelta) -> None:
    """People could write again that long ago."""
    with works.catalog.transaction() as session:
        session.execute(update(Move).where(Move.id == move.id).values(resumed_at=now() - passed))


def names_left(works: Works, tenant: Workspace) -> set[str]:
    """Whose names what was left behind still has."""
    contacts = sql.Identifier(Aside(tenant.home.id, "main").role, "contacts")
    found = sql.SQL("select last_name from {}").format(contacts)
    with as_owner(works.owners["main"]) as connection:
        return {name for (name,) in connection.execute(found)}


def shown(tenant: Workspace) -> tuple[str, datetime | None]:
    """Its step, and until when there is a way back."""
    (found,) = tenant.admin.get("/tenant-state/moves").json["data"]
    until = found["way_back_until"]
    return found["step"], until and datetime.fromisoformat(until)


def test_what_was_left_behind_goes_by_itself_and_not_sooner(
    ours: Workspace, new_workspace: Callable[[], Workspace], works: Works
) -> None:
    theirs = new_workspace()
    gone = ours.admin.post("/contacts", {"last_name": "Forgotten"}).json["id"]
    move, other = moved(works, ours, "second"), moved(works, theirs, "second")
    assert move.resumed_at is not None
    assert shown(ours) == ("kept", move.resumed_at + WAY_BACK)
    assert ours.admin.delete(f"/contacts/{gone}").status_code == 204
    assert "Forgotten" in names_left(works, ours)

    so_long_ago(works, move, WAY_BACK - A_MINUTE)
    so_long_ago(works, other, WAY_BACK - A_MINUTE)
    go_on_everywhere(works)
    assert schemas(works, ours) == schemas(works, theirs) == {"main aside", "second"}

    before = content(at(ours, "second"))
    so_long_ago(works, move, WAY_BACK + A_MINUTE)
    go_on_everywhere(works)
    assert schemas(works, ours) == {"second"}
    assert schemas(works, theirs) == {"main aside", "second"}
    assert shown(ours) == ("confirmed", None)
    assert differing(before, content(at(ours, "second"))) == set()
    assert move_of(works, other.id).step == Step.KEPT
    assert theirs.admin.get(f"/contacts/{gone}").status_code == 404


def test_who_went_back_in_time_is_back(ours: Workspace, neighbour: Workspace, works: Works) -> None:
    move = moved(works, ours, "second")
    so_long_ago(works, move, WAY_BACK + A_MINUTE)
    back = ask_to_go_back(works, ours.home.id, "It was better before.")
    go_on_everywhere(works)
    assert (move_of(works, move.id).step, move_of(works, back).step) == (Step.RETURNED, Step.KEPT)
    assert schemas(works, ours) == {"main", "second aside"}
    works.catalog.forget(ours.home.id)
    assert ours.admin.get("/contacts").status_code == 200
    assert neighbour.admin.get("/contacts").status_code == 200


def test_nothing_is_dropped_while_the_tenant_itself_can_not_be_found(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = moved(works, ours, "second")
    so_long_ago(works, move, WAY_BACK + A_MINUTE)
    away = replace(works, owners={**works.owners, "second": "postgresql:///freehold?host=/nowhere"})
    go_on_everywhere(away)
    assert (move_of(works, move.id).step, schemas(works, ours)) == (Step.DROPPING, {"main aside", "second"})
    with monkeypatch.context() as patched:
        patched.setattr(steps, "is_there", lambda *_: False)
        go_on_everywhere(works)
    found = move_of(works, move.id)
    assert (found.step, schemas(works, ours)) == (Step.DROPPING, {"main aside", "second"})
    assert found.error == "The tenant is not in the cell 'second': what it left behind stays."
    go_on_everywhere(works)
    assert (move_of(works, move.id).step, schemas(works, ours)) == (Step.CONFIRMED, {"second"})
    assert neighbour.admin.get("/contacts").status_code == 200
