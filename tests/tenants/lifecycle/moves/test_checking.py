"""The look at both, once nobody writes: a copy that is not the tenant is never switched to, however it came about."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tenants.catalog.models import State
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db, inside
from tenants.lifecycle.moves import steps
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tests.entered import added
from tests.tenants.lifecycle.moves.world import (
    WHY,
    at,
    content,
    differing,
    lives_once,
    move_of,
    schemas,
    unleased,
)
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

Accident = Callable[[Home], object]


def does(statement: str) -> Accident:
    def accident(home: Home) -> None:
        with inside(home):
            db().execute(sa.text(statement))

    return accident


ACCIDENTS: dict[str, Accident] = {
    "a row is another": does("update contacts set last_name = 'Not so'"),
    "a row is lost": does("delete from contacts"),
    "a row is too many": lambda home: added(home, "Not so"),
}


@pytest.fixture
def happens(monkeypatch: pytest.MonkeyPatch) -> Callable[[Accident, int], None]:
    """Has an accident happen to the copy, so many times, when it was made equal and before both are read."""

    def happens(accident: Accident, times: int) -> None:
        left = iter(range(times))

        def check(attempt: steps.Attempt) -> None:
            if next(left, None) is not None:
                accident(attempt.copy)
            whole(attempt)

        monkeypatch.setitem(steps.STEPS, Step.CHECKING, check)

    whole = steps.STEPS[Step.CHECKING]
    return happens


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS.keys())
def test_what_became_of_the_copy_is_found_while_nobody_writes_and_made_good(
    ours: Workspace, neighbour: Workspace, works: Works, happens: Callable[[Accident, int], None], accident: Accident
) -> None:  # fmt: skip
    """The first look builds on what was read before the pause, the second has to read all of both."""
    before, theirs = content(ours.home), content(neighbour.home)
    happens(accident, 2)
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    for _ in range(2):
        with pytest.raises(Conflict, match=r"The copy is not the tenant, in .*contacts\."):
            go_on(works, unleased(works, move_id).id)
        move = move_of(works, move_id)
        assert (move.step, move.switched_at, move.content, move.watermark) == (
            Step.LEVELLING,
            None,
            None,
            None,
        )
        assert works.catalog.state_of(ours.home.id) == State.MOVING
        assert schemas(works, ours) == {"main", "second aside"}
        assert differing(before, content(ours.home)) == set()
        lives_once(works, ours)
    go_on(works, unleased(works, move_id).id)
    assert move_of(works, move_id).step == Step.KEPT
    assert schemas(works, ours) == {"main aside", "second"}
    lives_once(works, ours)
    assert differing(before, content(at(ours, "second"))) <= {"companies", "opened companies"}  # one is tried
    assert content(neighbour.home) == theirs
