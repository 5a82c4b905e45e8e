"""One attempt to take a move through its steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import State, Tenant
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import Mover
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Source
from tenants.isolation.aside import Aside
from tenants.isolation.beside import Beside
from tenants.isolation.door import inside
from tenants.isolation.turns import one_at_a_time
from tenants.lifecycle.attempts import Attempt as AttemptAt
from tenants.lifecycle.attempts import Overtaken, Told, leased
from tenants.lifecycle.changing import Decision, Owners
from tenants.lifecycle.moves.hashes import write_alike
from tenants.lifecycle.moves.models import Move
from tenants.lifecycle.moves.watermarks import Watermark

#: Short, because nobody writes there in the middle of a move; it is kept for as long as the process lives.
LEASE = timedelta(seconds=20)
SNAPSHOT = "isolation level repeatable read read only"
PATIENCE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Works:
    """What moves are made with. `head` is the revision of this program; `told` hears of each phase and its rows."""

    catalog: Catalog
    owners: Owners
    head: str
    regions: Regions
    told: Told = field(default=lambda _phase, _rows: None)


class Attempt(AttemptAt[Move]):
    """One attempt at one move. `move` is what its row said at the latest step."""

    def __init__(self, works: Works, move: Move) -> None:
        super().__init__(works.catalog, move, LEASE, works.told)
        self.works = works

    @property
    def move(self) -> Move:
        return self.row

    @property
    def old(self) -> Home:
        """Where the tenant comes from."""
        return Home(self.move.tenant_id, self.move.from_cell)

    @property
    def new(self) -> Home:
        """Where it goes."""
        return Home(self.move.tenant_id, self.move.to_cell)

    @property
    def copy(self) -> Aside:
        """What is filled where it goes, before it has the tenant's name."""
        return Aside(self.move.tenant_id, self.move.to_cell)

    @property
    def left_behind(self) -> Aside:
        """What it leaves where it was."""
        return Aside(self.move.tenant_id, self.move.from_cell)

    @property
    def decision(self) -> Decision:
        return Decision(Mover.PLATFORM, self.move.reason)

    @property
    def state_before(self) -> State:
        """What it was when it was frozen, and will be again."""
        return State(str(self.move.state_before))

    @property
    def watermark(self) -> Watermark | None:
        """The moment at which the copy was last known to be the tenant, when it may be built upon."""
        return Watermark.from_json(self.move.watermark, self.works.head)

    def owner_of(self, home: Home) -> str | None:
        return self.works.owners.get(home.cell)

    def tenant(self) -> Tenant:
        """What the catalog says of the tenant at this moment."""
        with self.catalog.transaction() as session:
            return session.get_one(Tenant, self.move.tenant_id)

    def must_be_of_this_program(self) -> None:
        """Raises Conflict when the tenant has been migrated to another revision than this program's, or not yet."""
        if self.tenant().revision != self.works.head:
            raise Conflict("This tenant is of another revision than this program: migrate, then move it.")

    def must_live(self, where: Home, *states: State) -> None:
        """Raises Conflict when the tenant is somewhere else, or something else has become of it."""
        tenant = self.tenant()
        if tenant.cell != where.cell or State(tenant.state) not in states:
            raise Conflict(
                f"This tenant is {tenant.state} in the cell '{tenant.cell}', so that it can't move now."
            )


def take(works: Works, move_id: UUID) -> Attempt:
    """Lease a move. Raises Conflict when somebody else is working on it."""
    return Attempt(works, leased(works.catalog, Move, move_id, LEASE))


@contextmanager
def read_only(home: Home) -> Iterator[None]:
    """One moment of what a cell has of a tenant, in values as every cell writes them."""
    with inside(home, isolation=SNAPSHOT, patience_seconds=PATIENCE_SECONDS):
        act_as(SYSTEM, request_id="move", source=Source.SYSTEM)
        write_alike()
        yield


@contextmanager
def both(attempt: Attempt) -> Iterator[Beside]:
    """Inside the copy, to write to it, with the tenant beside it. Of several attempts one works at a time."""
    with (
        Beside(read_only(attempt.old)) as tenant,
        inside(attempt.copy, patience_seconds=PATIENCE_SECONDS),
    ):
        act_as(SYSTEM, request_id="move", source=Source.SYSTEM)
        write_alike()
        one_at_a_time("moving")
        yield tenant


__all__ = ["Attempt", "Overtaken", "Works", "both", "read_only", "take"]
