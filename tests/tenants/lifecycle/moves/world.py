"""What the tests of moves look at: where a tenant is, and whether it is the same there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import update

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.settings import Settings
from tenants.isolation import door
from tenants.isolation.aside import Aside, is_there
from tenants.isolation.bootstrap import Logins
from tenants.isolation.cells import Cells
from tenants.isolation.door import open_doors, open_doors_to_visits
from tenants.isolation.freezing import is_frozen
from tenants.lifecycle.moves.models import Move, Step
from tenants.lifecycle.moves.moving import ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tenants.portability.bundling import snapshot
from tenants.portability.comparing import content_here
from tenants.portability.contents import tables
from tests.cells import give_up_the_second
from tests.chores import marks
from tests.jobs import RunJobs
from tests.tenants.lifecycle.archives.archived import TELLS_OF_THE_WAY
from tests.workspace import Workspace

WHY = "The first server is full."

#: The steps of a move that nothing goes wrong with, each with what comes after it.
WAY = [
    Step.COPYING, Step.FREEZING, Step.LEVELLING, Step.CHECKING, Step.ARRIVING, Step.SWITCHING, Step.LEAVING,
    Step.OPENING, Step.SETTLING, Step.CONFIRMING,
]  # fmt: skip


def at(tenant: Workspace, cell: str) -> Home:
    return Home(tenant.home.id, cell)


def content(home: Home) -> dict[str, str]:
    with snapshot(home):
        return content_here(these=tables(whole=True)) | {
            f"opened {name}": value for name, value in content_here().items()
        }


def move_of(works: Works, move_id: Any) -> Move:
    with works.catalog.transaction() as session:
        return session.get_one(Move, move_id)


def moved(works: Works, tenant: Workspace, cell: str) -> Move:
    move_id = ask_to_move(works, tenant.home.id, cell, WHY)
    go_on(works, move_id)
    return move_of(works, move_id)


def differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return names - TELLS_OF_THE_WAY - {f"opened {name}" for name in TELLS_OF_THE_WAY}


def schemas(works: Works, tenant: Workspace) -> set[str]:
    """What there is of a tenant, and where: `main` if it bears its name there, `main aside` if it does not."""
    found = set()
    for cell, owner in works.owners.items():
        found |= {cell} if is_there(owner, at(tenant, cell).role) else set()
        found |= {f"{cell} aside"} if is_there(owner, Aside(tenant.home.id, cell).role) else set()
    return found


def unleased(works: Works, move_id: Any) -> Move:
    """The move, as if its worker had died long ago."""
    with works.catalog.transaction() as session:
        session.execute(update(Move).where(Move.id == move_id).values(lease_until=None))
    return move_of(works, move_id)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.1)


def has_run(run_jobs: RunJobs, home: Home, number: int) -> bool:
    """Run what may run now. Whether this chore took effect: jobs of others may run as well."""
    run_jobs()
    return marks(home, number) > 0


def lives_once(works: Works, tenant: Workspace) -> None:
    """One cell has the tenant by the catalog's word; what bears its name elsewhere is frozen, and equal to it."""
    found = works.catalog.state_of(tenant.home.id)
    works.catalog.forget(tenant.home.id)
    home = works.catalog.home(tenant.home.id)
    assert home is not None, found
    there = {cell for cell in schemas(works, tenant) if "aside" not in cell}
    assert home.cell in there
    if len(there) > 1:
        assert all(is_frozen(works.owners[cell], home.role) for cell in there)
        assert content(at(tenant, "main")) == content(at(tenant, "second"))
    writable = [cell for cell in there if not is_frozen(works.owners[cell], home.role)]
    assert writable in ([], [home.cell])
    answer = tenant.admin.get("/contacts")
    assert answer.status_code == 200, answer.json
    tried = tenant.admin.post("/companies", {"name": "Tried"})
    assert tried.status_code in (201, 503), tried.json
    assert (tried.status_code == 201) == bool(writable)
    assert not writable or found in {State.ACTIVE, State.FROZEN}  # a freeze begins with the catalog's word


@contextmanager
def two_doors(catalog: Catalog, settings: Settings, second: Logins) -> Iterator[None]:
    """The doors of this process lead into both cells in the block. Nobody has one to the second afterwards."""
    before = door._cells[0], door._staff_cells[0]
    cells = Cells({"main": settings.database_url, "second": second.app})
    staff = Cells({"main": str(settings.staff_database_url), "second": second.staff})
    open_doors(cells)
    open_doors_to_visits(staff)
    try:
        yield
    finally:
        give_up_the_second(catalog)
        open_doors(before[0])
        open_doors_to_visits(before[1])
        for each in (cells, staff):
            each.dispose()
