"""The platform's rounds as the scheduler has them: each does, with the settings it was given, what its name says."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm.app import wrapping_of
from crm.schedule import LOOK, PRUNE, rounds
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation import marks
from tenants.isolation.places import KEYRING, Places
from tenants.jobs.platform import PlatformJob
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.opening import backups, backups_in, open_backups
from tenants.provisioning.birth import Nursery
from tests.tenants.lifecycle.backups.conftest import put
from tests.tenants.lifecycle.letters import subjects
from tests.tenants.lifecycle.passing import days_pass
from tests.workspace import Workspace

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def round_of(settings: Settings, catalog: Catalog, name: str) -> PlatformJob:
    (found,) = [each for each in rounds(settings, catalog) if each.name == name]
    return found


@pytest.fixture
def apart(settings: Settings, catalog: Catalog, without_marks: None, tmp_path: Path) -> Iterator[Settings]:
    """The installation with places of its own, which this process takes for its own meanwhile."""
    places = {name: (tmp_path / name).as_uri() for name in ("storage", "backups", "keyring")}
    made = settings.model_copy(update=places)
    open_backups(made, catalog, wrapping_of(made, catalog))
    yield made
    open_backups(settings, catalog, wrapping_of(settings, catalog))


@pytest.mark.promise("4-20", "4-21", "RET-2")
def test_who_uses_nothing_for_as_long_as_the_settings_say_is_told(  # noqa: PLR0917 - the parts of its world
    settings: Settings, catalog: Catalog, undisturbed: None, ours: Workspace, neighbour: Workspace, nursery: Nursery,
    leave_alone: Callable[[Workspace], None],
) -> None:  # fmt: skip
    theirs = subjects(neighbour)
    days_pass(nursery, ours, 340)
    for days, expected in ((None, []), (400, []), (365, ["Your workspace will be archived in 30 days"])):
        chosen = settings.model_copy(update={"inactivity_days": days})
        round_of(chosen, catalog, LOOK).function()
        assert subjects(ours) == expected
    assert subjects(neighbour) == theirs
    leave_alone(ours)


@pytest.mark.promise("RET-4", "RET-5")
def test_a_dated_key_is_destroyed_on_its_day_and_what_it_opened_goes(
    apart: Settings, catalog: Catalog, acme: Workspace, neighbour: Workspace
) -> None:
    ago = now() - timedelta(days=apart.backup_days + 1)
    places, wrapping = Places(apart, catalog), wrapping_of(apart, catalog)
    then = Keyring(places[KEYRING], catalog, wrapping, apart.backup_days, lambda: ago)
    over = put(backups_in(places, apart, then), f"{ago:%Y%m%dT%H%M%SZ}-over")
    kept = put(backups(), f"{now():%Y%m%dT%H%M%SZ}-kept")
    assert [each.id for each in backups().pages()] == [over.id, kept.id]
    round_of(apart, catalog, PRUNE).function()
    assert [f"{each.day}" for each in backups().keyring.dated()] == [kept.key_day]
    assert backups().keyring.is_destroyed(over.key_day)
    assert [each.id for each in backups().pages()] == [kept.id]
    for each in (acme, neighbour):
        assert backups().keyring.wrapped_keys(each.home.id) != {}


def test_the_mark_of_each_place_says_that_we_are_at_work_there(
    apart: Settings, catalog: Catalog, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> dict[str, datetime]:
        found = {name: place.found() for name, place in Places(apart, catalog).items()}
        return {name: mark.seen_at for name, mark in found.items() if mark is not None}

    with monkeypatch.context() as patched:
        patched.setattr(marks, "now", lambda: LONG_AGO)
        Places(apart, catalog).say_seen()
    assert seen() == dict.fromkeys(("storage", "backups", "keyring"), LONG_AGO)
    begun = now().replace(microsecond=0)
    round_of(apart, catalog, "places.seen").function()
    assert seen().keys() == {"storage", "backups", "keyring"}
    assert min(seen().values()) >= begun
