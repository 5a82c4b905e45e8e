"""A tenant's admins are told that it moves when that begins, and what became of it, with its pause."""

from dataclasses import replace
from typing import Any

import pytest

from tenants.foundation.errors import Conflict
from tenants.lifecycle.letters import second
from tenants.lifecycle.moves import steps
from tenants.lifecycle.moves.models import Move, Step
from tenants.lifecycle.moves.moving import ask_to_go_back, ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tenants.lifecycle.telling import rounds
from tenants.lifecycle.telling.rounds import tell_what_waits
from tests.tenants.lifecycle.letters import subjects
from tests.tenants.lifecycle.moves.world import WHY, at, move_of, moved
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

BEGUN, MOVED, STAYED = (f"tenant.{each}" for each in ("move_begun", "moved", "move_given_up"))


def told(works: Works, tenant: Workspace) -> int:
    return tell_what_waits(works.catalog, works.regions, tenant.home.id)


def notices(tenant: Workspace) -> list[Any]:
    """Those of moves."""
    everything = tenant.admin.get("/notices?sort=at").json["data"]
    return [each for each in everything if each["kind"] in (BEGUN, MOVED, STAYED)]


def kinds(tenant: Workspace) -> list[str]:
    return [each["kind"] for each in notices(tenant)]


@pytest.mark.soak
def test_a_move_is_told_when_it_begins_and_when_it_has_ended(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    theirs = kinds(neighbour)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    assert (told(works, ours), told(works, ours)) == (1, 0)
    go_on(works, move_id)
    works.catalog.forget(ours.home.id)
    move = move_of(works, move_id)
    assert move.step == Step.KEPT
    assert (told(works, ours), told(works, ours)) == (1, 0)
    begun, ended = notices(ours)
    assert (begun["kind"], ended["kind"]) == (BEGUN, MOVED)
    for each in (begun, ended):
        assert "main (region eu) to the server second (region eu)" in each["text"]
        assert WHY in each["text"]
    assert f"for {move.pause_seconds} seconds" in ended["text"]
    assert f"All {move.rows} rows" in ended["text"]
    assert move.way_back_until is not None
    assert f"no\nlonger than until {second(move.way_back_until)}" in ended["text"]
    mails = ["Your workspace moves to another server", "Your workspace has moved to another server"]
    assert subjects(replace(ours, home=at(ours, "second")))[-2:] == mails
    assert neighbour.admin.get(f"/notices/{ended['id']}").status_code == 404
    assert kinds(neighbour) == theirs


@pytest.mark.soak
def test_a_move_that_is_over_before_anybody_could_be_told_tells_of_its_end_and_its_way_back_of_itself(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    moved(works, ours, "second")
    back = ask_to_go_back(works, ours.home.id, "It was better before.")
    works.catalog.forget(ours.home.id)
    assert told(works, ours) == 2
    assert sorted(kinds(ours)) == [BEGUN, MOVED]
    go_on(works, back)
    works.catalog.forget(ours.home.id)
    assert told(works, ours) == 1
    last = notices(ours)[-1]
    assert "second (region eu) to the server main (region eu)" in last["text"]
    assert last["kind"] == MOVED
    assert neighbour.admin.get(f"/notices/{last['id']}").status_code == 404


@pytest.mark.soak
def test_a_move_that_is_given_up_says_why_and_how_long_nothing_was_written(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_attempt: object) -> None:
        raise Conflict("The copy is not the tenant.")

    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with monkeypatch.context() as patched:
        patched.setitem(steps.STEPS, Step.CHECKING, broken)
        with pytest.raises(Conflict):
            go_on(works, move_id)
    assert told(works, ours) == 0, "it stands still"
    ask_to_go_back(works, ours.home.id, "Not today.")
    go_on(works, move_id)
    assert told(works, ours) == 1
    (notice,) = notices(ours)
    assert notice["kind"] == STAYED
    assert "Not today." in notice["text"]
    assert f"for {move_of(works, move_id).pause_seconds} seconds" in notice["text"]
    assert neighbour.admin.get(f"/notices/{notice['id']}").status_code == 404


def test_a_move_that_never_stood_still_says_so_and_what_goes_on_meanwhile_is_not_forgotten(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up between the reading and the noting of its beginning: that it ended is told as well."""
    move_id = ask_to_move(works, ours.home.id, "second", WHY)

    def meanwhile(catalog: Any, row: Move) -> None:
        patched.undo()
        ask_to_go_back(works, ours.home.id, "Changed our mind.")
        go_on(works, move_id)
        rounds._heard(catalog, row)

    with monkeypatch.context() as patched:
        patched.setattr(rounds, "_heard", meanwhile)
        assert told(works, ours) == 1
    assert told(works, ours) == 1
    assert kinds(ours) == [BEGUN, STAYED]
    text = notices(ours)[-1]["text"]
    assert "It could be written to all the while." in text
    assert "Changed our mind." in text
    assert neighbour.admin.get("/notices?kind=tenant.move_given_up").json["data"] == []
