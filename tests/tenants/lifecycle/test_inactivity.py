"""A tenant that nobody uses is archived at last, after three notices; any use begins again from the start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tenants.lifecycle.archives.keeping import ask_to_thaw, go_on_everywhere
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.inactivity.ladder import Due, due
from tenants.lifecycle.inactivity.looking import look
from tests.jobs import RunJobs
from tests.tenants.lifecycle.letters import subjects
from tests.workspace import Workspace

YEAR = timedelta(days=365)
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return NEW_YEAR + timedelta(days=number)


@pytest.mark.promise("4-20", "4-21", "RET-2")
@pytest.mark.parametrize(
    ("told", "at", "expected"),
    [
        ({}, 334, None),
        ({}, 335, Due(30, day(365))),
        ({}, 400, Due(30, day(430))),
        ({30: 335}, 357, None),
        ({30: 335}, 358, Due(7, day(365))),
        ({30: 400}, 422, None),
        ({30: 400}, 423, Due(7, day(430))),
        ({30: 335, 7: 358}, 363, None),
        ({30: 335, 7: 358}, 364, Due(1, day(365))),
        ({30: 335, 7: 370}, 375, None),
        ({30: 335, 7: 370}, 376, Due(1, day(377))),
        ({30: 335, 7: 358, 1: 364}, 364.9, None),
        ({30: 335, 7: 358, 1: 364}, 365, Due(None, day(365))),
        ({30: 335, 7: 358, 1: 380}, 380.5, None),
        ({30: 335, 7: 358, 1: 380}, 381, Due(None, day(381))),
    ],
)
def test_no_rung_of_the_ladder_is_left_out_or_early(
    told: dict[int, float], at: float, expected: Due | None
) -> None:
    given = {days: day(number) for days, number in told.items()}
    assert due(NEW_YEAR, YEAR, given, day(at)) == expected


def test_what_was_told_before_the_last_use_no_longer_counts() -> None:
    told = {30: day(335), 7: day(358), 1: day(364)}
    assert due(day(364.5), YEAR, told, day(365)) is None
    assert due(day(364.5), YEAR, told, day(364.5 + 335)) == Due(30, day(364.5 + 365))


def only(catalog: Catalog, tenant: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The round sees no other tenant: the tests share them."""
    monkeypatch.setattr(
        catalog, "homes", lambda *_: [tenant.home] if catalog.state_of(tenant.home.id) is State.ACTIVE else []
    )


@pytest.mark.soak
@pytest.mark.promise("4-18", "4-20", "RET-2")
def test_an_unused_tenant_is_told_three_times_then_archived_and_never_destroyed(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, catalog: Catalog, works: Works, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ours, begun = new_workspace(), now()
    theirs = subjects(neighbour)
    only(catalog, ours, monkeypatch)
    for days in (10, 334, 335.1, 336, 358.2, 359, 364.3, 364.5):
        look(catalog, 365, begun + timedelta(days=days))
    assert subjects(ours) == [
        "Your workspace will be archived in 30 days",
        "Your workspace will be archived in 7 days",
        "Your workspace will be archived tomorrow",
    ]
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    run_jobs()
    theirs = subjects(neighbour)
    look(catalog, 365, begun + timedelta(days=365.6))
    go_on_everywhere(works)
    assert ours.admin.get("/contacts").json["code"] == "tenant_archived"
    for days in (800, 3000):
        look(catalog, 365, begun + timedelta(days=days))
    assert catalog.state_of(ours.home.id) is State.ARCHIVED
    ask_to_thaw(catalog, ours.home.id, Decision(Mover.OPERATOR, "They are back."))
    go_on_everywhere(works)
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert subjects(neighbour) == theirs


@pytest.mark.promise("4-20", "RET-2")
def test_any_use_begins_again_from_the_start(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ours, begun = new_workspace(), now()
    only(catalog, ours, monkeypatch)
    for days in (335.5, 358.6, 364.7):
        look(catalog, 365, begun + timedelta(days=days))
    assert len(subjects(ours)) == 3
    with inside(ours.home):
        signed_in = update(Session).where(Session.user_id == ours.sales.user_id)
        db().execute(signed_in.values(last_seen_at=begun + timedelta(days=364.9)))
    look(catalog, 365, begun + timedelta(days=366))
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    look(catalog, 365, begun + timedelta(days=364.9 + 335.1))
    assert subjects(ours)[3:] == ["Your workspace will be archived in 30 days"]
    assert neighbour.admin.get("/contacts").status_code == 200
