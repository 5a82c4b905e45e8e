"""A backup that an older program took is brought in by a newer one: its tenants are migrated before anybody is served."""

from collections.abc import Callable

import pytest

from tenants.lifecycle.backups.taking import Taken
from tests.elsewhere import Elsewhere
from tests.jobs import RunJobs
from tests.tenants.lifecycle.keys.sealed import fill
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


def test_tenants_of_an_older_backup_are_migrated_on_their_way_back(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    ours = fill(new_workspace(), run_jobs)
    page = take().page
    place = elsewhere()
    place.program = "tests.ahead"
    place.restore(page.id)
    names = place.rows("select last_name, probe from contacts", schema=ours.home.role)
    assert [probe for _, probe in names] == ["new"]
    for home in (ours.home, neighbour.home):
        assert place.rows("select revision from schema_revision", schema=home.role) == [("probe",)]
        assert place.rows("select revision, state from tenants where id = %s", home.id) == [
            ("probe", "active")
        ]
    rights = "select has_table_privilege(%s, %s, 'delete'), has_table_privilege(%s, %s, 'insert')"
    table = f"{ours.home.role}.audit_events"
    assert place.rows(rights, ours.home.role, table, ours.home.role, table) == [(False, True)]
