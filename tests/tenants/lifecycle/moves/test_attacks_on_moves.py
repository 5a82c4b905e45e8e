"""What a move leaves behind is out of reach, also for who was there before, and goes when nobody comes back for it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.aside import aside_name
from tenants.isolation.memberships import settle
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.moves import steps
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import ask_to_confirm, ask_to_go_back, ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tests.tenants.lifecycle.moves.world import WHY, at, lives_once, move_of, moved, schemas
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@contextmanager
def staff_of(settings: Settings) -> Iterator[psycopg.Connection]:
    url = make_url(str(settings.staff_database_url)).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


@pytest.mark.soak
def test_the_role_that_staff_took_before_a_move_reads_nothing_that_was_left_behind(
    ours: Workspace, neighbour: Workspace, works: Works, settings: Settings
) -> None:
    role, left = ours.home.role, aside_name(ours.home.id)
    settle(works.owners["main"], {role}, over=False)
    count = sql.SQL("select count(*) from {}")
    with staff_of(settings) as staff:
        staff.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        assert staff.execute(count.format(sql.Identifier(role, "contacts"))).fetchone() == (1,)
        assert moved(works, ours, "second").step == Step.KEPT
        with pytest.raises(psycopg.OperationalError):
            staff.execute(count.format(sql.Identifier(left, "contacts")))
    with staff_of(settings) as staff:
        for each in (role, left, neighbour.home.role):
            with pytest.raises(psycopg.Error, match=r"does not exist|permission denied"):
                staff.execute(sql.SQL("set role {}").format(sql.Identifier(each)))


def goes(works: Works, tenant: Workspace, cell: str, after: State) -> None:
    move(works.catalog, works.owners, at(tenant, cell), after, Decision(Mover.PLATFORM, "It leaves."))


def test_who_ends_while_it_is_copied_leaves_no_copy_behind(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its people delete from then on would be there as long as nobody looks, and it would move when it is back."""
    freeze = steps.STEPS[Step.FREEZING]

    def ended(attempt: steps.Attempt) -> None:
        goes(works, ours, "main", State.CLOSING)
        freeze(attempt)

    monkeypatch.setitem(steps.STEPS, Step.FREEZING, ended)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with pytest.raises(Conflict, match="is closing"):
        go_on(works, move_id)
    assert schemas(works, ours) == {"main", "second aside"}
    go_on(works, move_id)
    found = move_of(works, move_id)
    assert (found.step, schemas(works, ours)) == (Step.GIVEN_UP, {"main"})
    assert "is closing" in str(found.error)
    assert works.catalog.state_of(ours.home.id) == State.CLOSING
    assert ours.admin.get("/contacts").status_code == 200
    assert neighbour.admin.get("/contacts").status_code == 200


def test_no_way_back_is_begun_that_nobody_could_go(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    """It took the place of what waited to be confirmed, and would have been gone whenever the tenant came back."""
    assert moved(works, ours, "second").step == Step.KEPT
    goes(works, ours, "second", State.CLOSING)
    with pytest.raises(Conflict, match="A tenant that is closing does not move"):
        ask_to_go_back(works, ours.home.id, "It was better before.")
    go_on(works, ask_to_confirm(works, ours.home.id))
    assert schemas(works, ours) == {"second"}
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_confirmation_and_a_way_back_at_the_same_moment_leave_one_that_lives(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    moved(works, ours, "second")
    written = ours.admin.post("/contacts", {"last_name": "Written there"}).json["id"]
    ready = Barrier(2)

    def asked(ask: Callable[[], UUID]) -> UUID | None:
        ready.wait()
        try:
            return ask()
        except Conflict:
            return None

    with ThreadPoolExecutor(2) as people:
        found = people.map(
            asked,
            [
                lambda: ask_to_confirm(works, ours.home.id),
                lambda: ask_to_go_back(works, ours.home.id, "It was better before."),
            ],
        )
        confirmed, back = list(found)
    assert (confirmed is None) != (back is None)
    go_on(works, confirmed or back)  # type: ignore[arg-type]
    assert schemas(works, ours) == ({"second"} if confirmed else {"main", "second aside"})
    lives_once(works, ours)
    assert ours.admin.get(f"/contacts/{written}").status_code == 200
    assert neighbour.admin.get(f"/contacts/{written}").status_code == 404
