"""What came back is not what was put away: it is said by name, nobody is served, and a drill says the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tenants.lifecycle.backups.store import INDEX, Page, Store
from tenants.lifecycle.backups.taking import Taken
from tests.elsewhere import Elsewhere
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.fixture
def unequal(store: Store, take: Callable[[], Taken], acme: Workspace, neighbour: Workspace) -> Iterator[Page]:
    """A backup, sealed and hashed throughout, that says other contents of a table of one tenant and of the catalog."""
    for each in (acme, neighbour):
        assert each.admin.post("/contacts", {"last_name": "Kept"}).status_code == 201
    page = take().page
    index = store.index(page)
    for tables, name in ((index["bundles"][str(acme.home.id)], "contacts"), (index["catalog"], "tenants")):
        said = tables["tables"][name]
        said["content"] = said["content"][::-1]
    _, key = store.keyring.key_of_today()
    written = store.write(page.id, INDEX, key, [json.dumps(index).encode()])
    store.conclude(replace(page, index=written.sha256))
    yield page
    store.remove(page.id)


@pytest.mark.promise("RET-5")
def test_what_comes_back_unequal_is_named_and_nothing_is_opened(
    acme: Workspace, neighbour: Workspace, unequal: Page, elsewhere: Callable[[], Elsewhere]
) -> None:
    place = elsewhere()
    place.copy_backups()
    done = place.run("backup", "restore", unequal.id, "--adopt", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    named = f"tenants of the catalog, contacts of {acme.home.id}."
    assert f"What came back is not what was put away, in {named}" in " ".join(done.stderr.split())
    assert place.rows("select backup, opened_at from restorations") == [(unequal.id, None)]
    served = place.rows("select id from tenants where state not in ('thawing', 'destroyed')")
    both = place.rows("select id from tenants where state = 'thawing' order by id")
    assert (served, both) == ([], [(each,) for each in sorted((acme.home.id, neighbour.home.id))])
    refused = place.run("serve")
    assert refused.returncode == 1
    assert "This installation is being restored from a backup" in refused.stderr


@pytest.mark.promise("RET-5")
def test_a_drill_says_which_table_is_not_what_was_put_away(
    acme: Workspace, neighbour: Workspace, unequal: Page, drilling: Callable[[], Elsewhere]
) -> None:
    place = drilling()
    shown = place.run("backup", "drill", unequal.id)
    assert shown.returncode == 1
    assert "What came back is not what was put away." in shown.stderr
    marked = {line.split()[0] for line in shown.stdout.splitlines() if "✗ 1 differ" in line}
    assert marked == {"contacts", "catalog.tenants"}
    said = place.run("backup", "drill", unequal.id, "--json")
    assert said.returncode == 1
    found = json.loads(said.stdout)
    different = {
        each["table"]: each["tenants"] - each["equal"]
        for each in found["lines"]
        if each["equal"] < each["tenants"]
    }
    assert (found["equal"], different) == (False, {"contacts": 1, "catalog.tenants": 1})
    assert not (place.folder / "drill").exists()
