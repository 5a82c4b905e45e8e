"""A notice that reached nobody lengthens the time, once: of a tenant that nobody uses, and of one that is leaving."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.jobs.models import UNFINISHED, Job
from tenants.lifecycle.closing.exiting import Exits, go_on_with_exits
from tenants.lifecycle.inactivity.looking import look
from tenants.mail.jobs import send_mail
from tests.jobs import RunJobs
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

LEAVE = {"reason": "We move to another house."}


@pytest.fixture
def ours(
    new_workspace: Callable[[], Workspace], catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The only tenant that the rounds see: the tests share the others."""
    tenant = new_workspace()
    only = [tenant.home]
    monkeypatch.setattr(
        catalog, "homes", lambda *_: only if catalog.state_of(tenant.home.id) is State.ACTIVE else []
    )
    return tenant


def nobody_takes_them(tenant: Workspace) -> None:
    """Every mail that waits was tried until the end."""
    with inside(tenant.home):
        mine = update(Job).where(Job.kind == send_mail.name, UNFINISHED)
        db().execute(mine.values(state="failed", finished_at=now(), error="Nobody takes mails there."))


def notices(tenant: Workspace) -> list[str]:
    """The days of the notices that were written, oldest first."""
    with inside(tenant.home):
        asked = select(Job.request_id).where(Job.kind == send_mail.name).order_by(Job.id)
        return [each.split("-")[2] for each in db().scalars(asked) if each.startswith(("quiet", "again"))]


@pytest.mark.promise("4-20", "4-21", "RET-2")
def test_the_ladder_begins_again_once_when_a_notice_reached_nobody(
    ours: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    begun = now()
    for days in (335.1, 335.2):
        look(catalog, 365, begun + timedelta(days=days))
    assert notices(ours) == ["30"]
    nobody_takes_them(ours)
    for days in (336, 337, 358.5, 364.5, 365.5):
        assert catalog.state_of(ours.home.id) is State.ACTIVE
        look(catalog, 365, begun + timedelta(days=days))
    assert notices(ours) == ["30", "30", "7"], "the second one is thirty days before the end again"
    for days in (366.5, 372.6, 373.5):
        nobody_takes_them(ours)
        look(catalog, 365, begun + timedelta(days=days))
    assert notices(ours) == ["30", "30", "7", "1"]
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    nobody_takes_them(ours)
    look(catalog, 365, begun + timedelta(days=374.7))
    assert catalog.state_of(ours.home.id) is State.FROZEN, "it is archived, and comes back whenever they do"
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20", "4-21")
def test_nobody_is_archived_while_the_last_notice_waits_to_be_sent(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, run_jobs: RunJobs
) -> None:
    begun = now()
    for days in (335.1, 358.2, 364.3, 366, 380):
        look(catalog, 365, begun + timedelta(days=days))
    assert notices(ours) == ["30", "7", "1"]
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    run_jobs()
    look(catalog, 365, begun + timedelta(days=381))
    assert catalog.state_of(ours.home.id) is State.FROZEN
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_tenant_without_an_address_is_told_twice_and_then_archived(
    ours: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    begun = now()
    with inside(ours.home):
        db().connection().execute(update(User.__table__).values(email=None))  # type: ignore[arg-type]
    for days in (335.1, 336, 364.5):
        look(catalog, 365, begun + timedelta(days=days))
    assert catalog.state_of(ours.home.id) is State.ACTIVE
    for days in (366.1, 373.2, 374.3):
        look(catalog, 365, begun + timedelta(days=days))
    assert catalog.state_of(ours.home.id) is State.FROZEN
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("EXP-3", "RET-2")
def test_a_last_notice_that_reached_nobody_is_given_once_more_before_anything_is_destroyed(
    ours: Workspace, neighbour: Workspace, exits: Exits
) -> None:
    destroyed: list[str] = []
    ready = Exits(exits.catalog, exits.owners, destroy=lambda slug, _reason: destroyed.append(slug))
    slug, begun = ours.admin.get("/me").json["tenant"]["slug"], now()
    assert ours.admin.in_person.post("/closing", LEAVE).status_code == 202
    for days in (31, 59.1, 61):
        go_on_with_exits(ready, begun + timedelta(days=days))
    nobody_takes_them(ours)
    go_on_with_exits(ready, begun + timedelta(days=61.2))
    again = ours.admin.get("/closing").json["final_notice_at"]
    assert again >= (begun + timedelta(days=61)).isoformat()[:19]
    go_on_with_exits(ready, begun + timedelta(days=63.1))
    assert slug not in destroyed
    nobody_takes_them(ours)
    go_on_with_exits(ready, begun + timedelta(days=63.3))
    assert destroyed.count(slug) == 1
    assert neighbour.admin.get("/closing").status_code == 404
