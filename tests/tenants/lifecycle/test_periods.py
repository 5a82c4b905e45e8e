"""A tenant can have a period of its own after which it is archived for want of use; others have the installation's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tenants.catalog.models import NEVER, State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.settings import INACTIVITY_DAYS
from tenants.lifecycle.archives.keeping import ask_to_archive
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.inactivity.looking import look
from tenants.lifecycle.inactivity.periods import period_days, set_period
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.tenants.lifecycle.letters import subjects
from tests.tenants.lifecycle.passing import days_pass
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

WHY = "Their plan says so."
IN_A_MONTH = "Your workspace will be archived in 30 days"


@pytest.fixture
def ours(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:  # fmt: skip
    """This one and its neighbour are all that the rounds see."""
    tenant = new_workspace()
    seen = [tenant.home, neighbour.home]
    monkeypatch.setattr(
        catalog, "homes", lambda *_: [each for each in seen if catalog.state_of(each.id) is State.ACTIVE]
    )
    return tenant


@pytest.mark.parametrize(
    ("own", "usual", "expected"),
    [
        (None, None, None),
        (None, 365, 365),
        (NEVER, 365, None),
        (90, 365, 90),
        (90, None, 90),
        (NEVER, None, None),
    ],
)
def test_the_period_is_a_tenants_own_or_the_installations(
    own: int | None, usual: int | None, expected: int | None
) -> None:
    assert period_days(own, usual) == expected


@pytest.mark.promise("4-20", "RET-2")
def test_whose_plan_says_so_is_archived_sooner_and_others_as_usual(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, run_jobs: RunJobs
) -> None:
    begun, theirs = now(), subjects(neighbour)
    set_period(catalog, ours.home, 90, WHY)
    assert look(catalog, None, begun + timedelta(days=59.9)) == 0
    for days in (60.1, 83.2, 89.3):
        assert look(catalog, None, begun + timedelta(days=days)) == 1
    run_jobs()
    look(catalog, 365, begun + timedelta(days=90.4))
    assert catalog.state_of(ours.home.id) is State.FROZEN
    assert subjects(neighbour) == theirs
    assert catalog.state_of(neighbour.home.id) is State.ACTIVE


@pytest.mark.promise("4-20", "RET-2")
def test_who_is_never_archived_is_told_nothing_until_it_is_as_usual_again(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, nursery: Nursery
) -> None:
    set_period(catalog, ours.home, NEVER, WHY)
    days_pass(nursery, ours, 4000)
    assert (look(catalog, 365), subjects(ours)) == (0, [])
    set_period(catalog, ours.home, None, "They have the small plan now.")
    days_pass(nursery, ours, 336)
    assert (look(catalog, None), look(catalog, 365)) == (0, 1)
    assert subjects(ours) == [IN_A_MONTH]
    assert catalog.state_of(ours.home.id) is State.ACTIVE, "who is over time by years is told first, too"
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20", "RET-2")
def test_the_day_it_came_here_is_a_use_however_old_what_it_brought_is(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, nursery: Nursery
) -> None:
    days_pass(nursery, ours, 730)
    with catalog.transaction() as session:
        session.get_one(Tenant, ours.home.id).claimed_at = now() - timedelta(days=100)
    assert look(catalog, 365) == 0
    assert look(catalog, 365, now() + timedelta(days=235.1)) == 1
    assert neighbour.admin.get("/contacts").status_code == 200


def _each_is_shown(tenant: Workspace, catalog: Catalog) -> None:
    assert tenant.read_only.get("/tenant-state").json["archived_after_days"] == 365
    for days, shown in ((730, 730), (NEVER, None), (None, 365)):
        set_period(catalog, tenant.home, days, WHY)
        assert tenant.admin.get("/tenant-state").json["archived_after_days"] == shown


def test_a_period_is_on_record_with_its_reason_and_shown_to_who_works_there(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = app.extensions["house"]
    usual = house.settings.model_copy(update={"inactivity_days": 365})
    with monkeypatch.context() as patched:
        patched.setattr(house, "settings", usual)
        _each_is_shown(ours, catalog)
    assert ours.admin.get("/tenant-state").json["archived_after_days"] is None
    asked = "/audit-events?action=tenant.inactivity_period&sort=at&include=personal"
    events = ours.admin.get(asked).json["data"]
    changes = [each["changes"]["inactivity_days"] for each in events]
    assert changes == [[None, 730], [730, NEVER], [NEVER, None]]
    assert {each["actor_kind"] for each in events} == {"system"}
    assert all(each["personal"]["values"]["reason"] == [None, WHY] for each in events)
    assert neighbour.admin.get(asked).json["data"] == []
    assert "archived_after_days" in neighbour.admin.get("/tenant-state").json


def test_a_period_that_is_none_or_goes_on_no_record_is_refused_and_changes_nothing(
    ours: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    least, most = INACTIVITY_DAYS
    for days in (-1, least - 1, most + 1):
        with pytest.raises(Invalid, match="60 to 3650 days"):
            set_period(catalog, ours.home, days, WHY)
    set_period(catalog, ours.home, most, WHY)
    with pytest.raises(Conflict, match="already"):
        set_period(catalog, ours.home, most, WHY)
    ask_to_archive(catalog, ours.home.id, Decision(Mover.OPERATOR, "Winter."))
    with pytest.raises(Conflict, match="frozen"):
        set_period(catalog, ours.home, least, WHY)
    with catalog.transaction() as session:
        assert session.get_one(Tenant, ours.home.id).inactivity_days == most
        assert session.get_one(Tenant, neighbour.home.id).inactivity_days is None
