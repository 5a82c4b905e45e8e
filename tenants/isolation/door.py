"""The one door to a tenant's data: `with inside(home)` is one transaction in that tenant's role."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import psycopg
import sqlalchemy.exc
from psycopg import errors as pg
from sqlalchemy import Connection, RootTransaction, event
from sqlalchemy.orm import ORMExecuteState, Session

from tenants.catalog.models import State
from tenants.catalog.registry import Home
from tenants.catalog.states import STATE_HERE, refusal_of
from tenants.foundation.errors import NotAllowed, Unavailable
from tenants.isolation.away import is_lost, translated
from tenants.isolation.cells import Cells, Entrance, entering
from tenants.isolation.trips import Statement

#: What one of our people came for, when it isn't the tenant's own work.
Visit: TypeAlias = Literal["read", "write"] | None


class Shut(NotAllowed):
    """The staff's login gets into this tenant by no visit at this moment."""

    code = "visit_not_open"


class TenantSession(Session):
    """The session of a tenancy. It refuses bulk statements on audited tables: their changes would go unrecorded."""


@dataclass(slots=True)
class Tenancy:
    """The transaction at hand: whose it is, on whose behalf, and what follows once it has committed."""

    home: Home
    connection: Connection
    session: Session
    first_answer: list[Any] = field(default_factory=list)
    caller: Any = None
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    pending: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    visit: Visit = None

    def send_along(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run a statement whose answer nobody needs with the next `ask`, or before the commit at the latest."""
        self.pending.append((statement, values))

    def ask(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement with `%(name)s` parameters; what was to be sent along goes before it, in one trip."""
        self.session.flush()
        return self.ask_within_flush(statement, values)

    def ask_within_flush(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """As `ask`, for whoever is called while records are being written and can't have them written first."""
        return self._exchange([*self.pending, (statement, values)])

    def send_pending(self) -> None:
        """Run what was to be sent along, now."""
        if self.pending:
            self._exchange(self.pending)

    def _exchange(self, statements: list[tuple[str, Mapping[str, Any]]]) -> list[tuple[Any, ...]]:
        self.pending = []
        role = self.home.role
        *_, answer = self.connection.info["trips"].go(*(Statement(*each, role) for each in statements))
        return answer  # type: ignore[no-any-return]


_here: ContextVar[Tenancy | None] = ContextVar("tenancy", default=None)
_cells: list[Cells] = []
_staff_cells: list[Cells] = []


def open_doors(cells: Cells) -> None:
    """Say once, at start-up, over which connections the doors of this process lead."""
    _cells[:] = [cells]


def open_doors_to_visits(cells: Cells) -> None:
    """Say once, at start-up, over which connections staff come in on a visit."""
    _staff_cells[:] = [cells]


def here() -> Tenancy:
    """The transaction at hand; a RuntimeError outside of one."""
    tenancy = _here.get()
    if tenancy is None:
        message = "This runs inside a tenant only: use inside(home)."
        raise RuntimeError(message)
    return tenancy


def db() -> Session:
    """The session of the transaction at hand."""
    return here().session


def is_inside() -> bool:
    return _here.get() is not None


def engine_of(home: Home, *, visit: Visit = None) -> Any:
    """What leads to a tenant's cell. Raises Unavailable for a cell, or for visits, that this process does not serve."""
    if visit and not _staff_cells:
        raise Unavailable("Visits are not served here: FREEHOLD_STAFF_DATABASE_URL is not set.")
    return (_staff_cells if visit else _cells)[0].engine(home.cell)


@contextmanager
def inside(
    home: Home,
    *,
    first: tuple[str, Mapping[str, Any]] | None = None,
    patience_seconds: float | None = None,
    isolation: str = "",
    visit: Visit = None,
) -> Iterator[Tenancy]:
    """Do everything in the block in one transaction of this tenant; effects follow after the commit.

    `first` is a statement that goes along with the switch of role, in one trip; its rows are
    `tenancy.first_answer`. `patience_seconds` lengthens the time-outs, for jobs. `isolation` is for instance
    `isolation level repeatable read read only`. A `visit` goes in by the staff's login, which gets in only while the
    platform lets it (Shut otherwise); one that reads loads no records as objects. Raises Unavailable when the
    database can't be reached, and RuntimeError when the block is inside another tenant already.
    """
    if _here.get() is not None:
        message = "A door was opened inside another tenant's transaction."
        raise RuntimeError(message)
    patience = None if patience_seconds is None else int(patience_seconds * 1000)
    entrance = Entrance(home.role, first, patience, isolation)
    with (
        _frozen_said(home, visit=visit),
        translated(),
        _connection(engine_of(home, visit=visit), entrance, visit=visit) as connection,
        TenantSession(connection, expire_on_commit=False, autoflush=True) as session,
    ):
        tenancy = Tenancy(home, connection, session, entrance.answer, visit=visit)
        token = _here.set(tenancy)
        try:
            yield tenancy
            session.flush()
            tenancy.send_pending()
        finally:
            _here.reset(token)
    for effect in tenancy.after_commit:
        effect()


@contextmanager
def _frozen_said(home: Home, *, visit: Visit) -> Iterator[None]:
    """In a frozen tenant the database refuses every change: whoever tried is told of the state."""
    try:
        yield
    except (sqlalchemy.exc.ProgrammingError, pg.InsufficientPrivilege) as error:
        cause = error.orig if isinstance(error, sqlalchemy.exc.ProgrammingError) else error
        if visit or not isinstance(cause, pg.InsufficientPrivilege):
            raise
        with inside(home, first=(STATE_HERE, {})) as tenancy:
            state = State(tenancy.first_answer[0][0]) if tenancy.first_answer else State.ACTIVE
        if state is not State.FROZEN:
            raise
        raise refusal_of(state) from error


@event.listens_for(TenantSession, "before_flush")
def _keep_the_order(_session: Session, _context: object, _instances: object) -> None:
    """What was to be sent along may be what the flush refers to."""
    here().send_pending()


@event.listens_for(TenantSession, "do_orm_execute")
def _refuse_unrecorded(state: ORMExecuteState) -> None:
    changing = state.is_insert or state.is_update or state.is_delete
    mapper = state.bind_mapper
    if changing and mapper and mapper.class_.__audited__ and not state.execution_options.get("audited"):
        message = (
            f"Bulk changes of {mapper.class_.__name__} would leave no audit event: use the audited form."
        )
        raise RuntimeError(message)


@event.listens_for(TenantSession, "do_orm_execute")
def _refuse_records_to_visits(state: ORMExecuteState) -> None:
    """An object has every column of its row in clear; a visit that reads gets what its grant shows, made by SQL."""
    if here().visit != "read" or not state.is_select:
        return
    whole = [each for each in state.statement.column_descriptions if each["expr"] is each["entity"]]  # type: ignore[attr-defined]
    if whole or state.is_column_load or state.is_relationship_load:
        raise RuntimeError("A visit that reads loads no records as objects: select what it may see.")


@contextmanager
def _connection(engine: Any, entrance: Entrance, *, visit: Visit) -> Iterator[Connection]:
    token = entering.set(entrance)
    try:
        connection, transaction = _begun_anew(engine)
    except pg.InsufficientPrivilege as error:
        if not visit:
            raise
        raise Shut("No visit to this workspace is open at this moment.") from error
    finally:
        entering.reset(token)
    with connection, transaction:
        yield connection


def _begun_anew(engine: Any) -> tuple[Connection, RootTransaction]:
    try:
        return _begun(engine)
    except psycopg.OperationalError as error:
        if not is_lost(error):
            raise
        # The server was started again: every connection of the pool is dead, and nothing has happened yet.
        engine.dispose()
        return _begun(engine)


def _begun(engine: Any) -> tuple[Connection, RootTransaction]:
    connection: Connection = engine.connect()
    try:
        return connection, connection.begin()
    except BaseException:
        connection.close()
        raise
