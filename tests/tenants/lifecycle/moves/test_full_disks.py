"""A database whose disk is full, wherever a move writes: it is tried again, and the tenant stays in one cell."""

from typing import Any

import psycopg
import pytest

from tenants.lifecycle.attempts import FORESEEN
from tenants.lifecycle.moves import levelling, steps
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.moving import ask_to_confirm, ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tests.tenants.lifecycle.faults import Once
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

#: Whatever a move has written, in the order in which it does.
WRITES = (
    (steps, "ready_to_fill"),
    (levelling, "rows_into"),
    (steps, "change"),
    (steps, "settle"),
    (steps, "level"),
    (steps, "take_name"),
    (steps, "set_aside"),
    (steps, "confirm_references"),
)


@pytest.mark.promise("RET-2")
@pytest.mark.parametrize("after", [False, True], ids=["before it is written", "when it is written"])
def test_a_full_disk_holds_a_move_up_and_no_more(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    before = content(ours.home)
    failing = {name: full_once(monkeypatch, module, name, after=after) for module, name in WRITES}
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    for _ in WRITES:
        if move_of(works, move_id).step != Step.KEPT:
            with pytest.raises(FORESEEN):
                go_on(works, move_id)
            unleased(works, move_id)
            lives_once(works, ours)
    go_on(works, move_id)
    assert [name for name, each in failing.items() if not each.failed] == []
    assert move_of(works, move_id).step == Step.KEPT
    assert differing(before, content(at(ours, "second"))) <= {"companies", "opened companies"}
    dropping = full_once(monkeypatch, steps, "drop", after=after)
    with pytest.raises(FORESEEN):
        go_on(works, ask_to_confirm(works, ours.home.id))
    lives_once(works, ours)
    go_on(works, unleased(works, move_id).id)
    assert dropping.failed
    assert schemas(works, ours) == {"second"}
    assert neighbour.admin.get("/contacts").status_code == 200


def full_once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool) -> Once:
    """The first call of a function says what PostgreSQL says of a full disk (53100)."""
    failing = Once(getattr(module, name), psycopg.errors.DiskFull("could not extend file"), after=after)
    monkeypatch.setattr(module, name, failing)
    return failing
