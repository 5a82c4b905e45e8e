"""What is written between the latest copy and the pause goes along, without all of both being read once more."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, Source
from tenants.identity.models import Team
from tenants.isolation.beside import Beside
from tenants.isolation.door import db, inside
from tenants.isolation.horizons import horizon_here
from tenants.lifecycle.moves import catching_up, levelling, steps
from tenants.lifecycle.moves.models import Move, Step
from tenants.lifecycle.moves.moving import ask_to_confirm, ask_to_go_back, ask_to_move, go_on
from tenants.lifecycle.moves.running import Attempt, Works, read_only, take
from tests.entered import add, added
from tests.tenants.lifecycle.moves.world import WHY, at, move_of, schemas, unleased
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

NAMES = sa.text("select last_name from contacts order by last_name")


def names(home: Home) -> list[str]:
    with inside(home):
        return list(db().scalars(NAMES))


def run(statement: str, which: UUID | None = None) -> None:
    """Whatever is written to the tenant at hand, by whatever way."""
    db().execute(sa.text(statement), {"id": which} if which else {})


def wrote(home: Home, statement: str, which: UUID | None = None) -> None:
    with inside(home):
        run(statement, which)


def copied(works: Works, tenant: Workspace) -> Attempt:
    """A move of the tenant that is before its pause."""
    attempt = take(works, ask_to_move(works, tenant.home.id, "second", WHY))
    steps.copy(attempt)
    attempt.let_go()
    return attempt


def goes_on(works: Works, attempt: Attempt) -> Move:
    go_on(works, unleased(works, attempt.move.id).id)
    return move_of(works, attempt.move.id)


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Has one more for each time that all of both is read to make the copy equal."""
    times: list[bool] = []

    def level_whole(*given: Any) -> Any:
        times.append(True)
        return whole(*given)

    whole = levelling.level_whole
    monkeypatch.setattr(catching_up, "level_whole", level_whole)
    return times


def anew(home: Home, which: UUID, name: str) -> None:
    """Deleted, and there again under the same key."""
    contacts = Base.metadata.tables["contacts"]
    columns = [each for each in contacts.columns if each.computed is None]
    with inside(home):
        row = db().execute(sa.select(*columns).where(contacts.c.id == which)).mappings().one()
        run("delete from contacts where id = :id", which)
        db().connection().execute(sa.insert(contacts).values({**row, "last_name": name}))


def test_whatever_is_written_after_the_latest_copy_arrives(
    ours: Workspace, neighbour: Workspace, works: Works, read_whole: list[bool]
) -> None:
    changed, gone, again, stays = (added(ours.home, name) for name in ("Old", "Gone", "Once", "Stays"))
    before = names(neighbour.home)
    with Beside(inside(ours.home)) as people:
        people.do(add, "Begun before the copy")
        attempt = copied(works, ours)
        assert len(read_whole) == 1
        people.do(run, "savepoint later")
        people.do(add, "In a savepoint")
        people.do(run, "update contacts set last_name = 'Changed' where id = :id", changed)
    wrote(ours.home, "delete from contacts where id = :id", gone)
    anew(ours.home, again, "Anew")
    added(ours.home, "Come")
    expected = names(ours.home)
    assert {"Begun before the copy", "In a savepoint", "Changed", "Anew", "Come", "Stays"} < set(expected)
    assert not {"Old", "Gone", "Once"} & set(expected)
    assert goes_on(works, attempt).step == Step.KEPT
    assert len(read_whole) == 1
    assert names(at(ours, "second")) == expected
    assert ours.admin.get(f"/contacts/{stays}").status_code == 200
    assert neighbour.admin.get(f"/contacts/{stays}").status_code == 404
    assert names(neighbour.home) == before


@pytest.mark.soak
def test_a_name_that_was_given_up_and_taken_again_is_no_hindrance(
    ours: Workspace, neighbour: Workspace, works: Works, read_whole: list[bool]
) -> None:
    def team(name: str) -> None:
        with inside(ours.home):
            act_as(SYSTEM)
            db().add(Team(name=name, source=Source.SYSTEM))

    team("West")
    attempt = copied(works, ours)
    wrote(ours.home, "delete from teams where name = 'West'")
    team("West")
    assert goes_on(works, attempt).step == Step.KEPT
    assert len(read_whole) == 1
    teams = sa.text("select name from teams")
    for home, times in ((at(ours, "second"), 1), (neighbour.home, 0)):
        with inside(home):
            assert list(db().scalars(teams)).count("West") == times


@pytest.mark.soak
def test_what_only_went_away_goes_away_in_the_copy(
    ours: Workspace, neighbour: Workspace, works: Works, read_whole: list[bool]
) -> None:
    some = [added(ours.home, f"Gone {number}") for number in range(3)]
    theirs = added(neighbour.home, "Gone 0")
    attempt = copied(works, ours)
    wrote(ours.home, "delete from contacts where last_name like 'Gone%'")
    assert goes_on(works, attempt).step == Step.KEPT
    assert len(read_whole) == 1
    assert [ours.admin.get(f"/contacts/{each}").status_code for each in some] == [404, 404, 404]
    assert neighbour.admin.get(f"/contacts/{theirs}").status_code == 200


@pytest.mark.soak
def test_later_rounds_build_on_the_first(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    read_whole: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds = iter(range(9))

    def level(*given: Any) -> Any:
        with ThreadPoolExecutor(1) as people:
            people.submit(added, ours.home, f"In round {next(rounds)}").result()
            people.submit(added, neighbour.home, "Theirs").result()
        return whole(*given)

    whole = catching_up.level
    monkeypatch.setattr(steps, "level", level)
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(steps, "MOST_ROUNDS", 3)
    attempt = copied(works, ours)
    monkeypatch.setattr(steps, "level", whole)
    assert goes_on(works, attempt).step == Step.KEPT
    assert len(read_whole) == 1
    found = [each for each in names(at(ours, "second")) if each.startswith("In round")]
    assert found == ["In round 0", "In round 1", "In round 2"]
    assert names(neighbour.home).count("Theirs") == 3


@pytest.mark.soak
def test_a_copy_that_is_not_the_tenant_is_found_before_anybody_has_to_wait(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    def level(*given: Any) -> Any:
        made = whole(*given)
        run("update contacts set last_name = 'Not so'")
        return made

    whole = catching_up.level
    move_id = ask_to_move(works, ours.home.id, "second", WHY)
    with monkeypatch.context() as patched:
        patched.setattr(steps, "level", level)
        with pytest.raises(Conflict, match="The copy is not the tenant, in contacts"):
            go_on(works, move_id)
    move = move_of(works, move_id)
    assert (move.step, move.paused_at) == (Step.COPYING, None)
    assert ours.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    expected = names(ours.home)
    go_on(works, move_id)
    assert names(at(ours, "second")) == expected
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
@pytest.mark.parametrize(
    "accident",
    [
        "update contacts set last_name = 'Not so'",
        "delete from contacts",
        "with gone as (delete from contacts returning id) update companies set name = 'Not so' where exists (table gone)",
    ],
)
def test_a_copy_that_somebody_wrote_to_is_read_whole_again(
    ours: Workspace, neighbour: Workspace, works: Works, read_whole: list[bool], accident: str
) -> None:
    attempt = copied(works, ours)
    with inside(attempt.copy):
        run(accident)
    added(ours.home, "Come")
    expected = names(ours.home)
    move = goes_on(works, attempt)
    assert (move.step, move.watermark) == (Step.KEPT, None)
    assert len(read_whole) == 2
    assert names(at(ours, "second")) == expected
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
@pytest.mark.parametrize(
    ("side", "wrong"),
    [
        ("tenant", {"server": "another"}),
        ("copy", {"server": "another"}),
        ("tenant", {"xid": 2**62}),
        ("tenant", {"xid": -(2**31)}),
        (None, {"revision": "0000"}),
    ],
)
def test_a_moment_that_says_nothing_of_this_server_is_not_built_upon(
    ours: Workspace, neighbour: Workspace, works: Works, read_whole: list[bool], side: str | None, wrong: dict[str, Any]
) -> None:  # fmt: skip
    attempt = copied(works, ours)
    with works.catalog.transaction() as session:
        move = session.get_one(Move, attempt.move.id)
        mark = dict(move.watermark or {})
        move.watermark = mark | ({side: mark[side] | wrong} if side else wrong)
    added(ours.home, "Come")
    expected = names(ours.home)
    assert goes_on(works, attempt).step == Step.KEPT
    assert len(read_whole) == 2
    assert names(at(ours, "second")) == expected
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_what_was_missed_all_the_same_is_found_before_anything_is_dropped(
    ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    changed = added(ours.home, "Old")
    attempt = copied(works, ours)
    wrote(ours.home, "update contacts set last_name = 'Missed' where id = :id", changed)
    with read_only(ours.home):
        too_late = horizon_here()
    with works.catalog.transaction() as session:
        move = session.get_one(Move, attempt.move.id)
        assert move.watermark
        move.watermark = {**move.watermark, "tenant": too_late.as_json()}
    with pytest.raises(Conflict, match="The copy is not the tenant, in contacts"):
        goes_on(works, attempt)
    move = move_of(works, attempt.move.id)
    assert (move.step, move.error) == (Step.CONFIRMING, "The copy is not the tenant, in contacts.")
    with pytest.raises(Conflict):
        ask_to_confirm(works, ours.home.id)
    with pytest.raises(Conflict):
        ask_to_go_back(works, ours.home.id, "Back.")
    assert schemas(works, ours) == {"main aside", "second"}
    assert ours.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200
