"""One pool of connections per cell and login, and the one place that gives a transaction its role.

Outside the door a connection can read nothing: the login has no right on any tenant's schema, and a transaction
that no door opened is refused before it begins.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util.queue import Queue

from tenants.foundation.errors import Unavailable
from tenants.isolation.trips import Statement, Trips

BECOME = "select set_config('role', %(role)s, true)"
BECOME_PATIENTLY = (
    "select set_config('role', %(role)s, true), set_config('statement_timeout', %(patience)s, true),"
    " set_config('lock_timeout', %(patience)s, true),"
    " set_config('idle_in_transaction_session_timeout', %(patience)s, true)"
)


#: What our statements and their answers rest on, said by each connection: a login's defaults can be changed with its
#: password, for good.
SETTLED = {
    "role": "none",
    "search_path": '"$user"',
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
}
SETTLE = "select " + ", ".join(f"set_config('{name}', %({name})s, false)" for name in SETTLED)


@dataclass(slots=True)
class Entrance:
    """What the next transaction begins with: a role, and a first statement that goes along in the same trip."""

    role: str
    first: tuple[str, Mapping[str, Any]] | None = None
    patience_ms: int | None = None
    isolation: str = ""
    answer: list[Any] = field(default_factory=list)


entering: ContextVar[Entrance | None] = ContextVar("entering", default=None)


class StickyQueue(Queue[Any]):
    """Hands a tenant the idle connection that served it last: its statements are prepared there already."""

    def _get(self) -> Any:
        entrance = entering.get()
        if entrance is not None:
            for position, entry in enumerate(self.queue):
                if entry.info.get("role") == entrance.role:
                    del self.queue[position]
                    return entry
        return super()._get()


class StickyPool(QueuePool):
    """A pool that also closes what comes back to it after it was disposed of: nobody would take it out again."""

    _queue_class = StickyQueue
    _disposed = False

    def dispose(self) -> None:
        self._disposed = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._disposed:
            record.close()
        else:
            super()._do_return_conn(record)


class Cells:
    """The engines of every cell, for one login (`app`, `owner` or `staff`)."""

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        pool_size: int = 8,
        max_age_seconds: int = 1800,
        prepare: bool = True,
    ) -> None:
        """`prepare=False` for a pooler that doesn't know which of its connections has a statement prepared."""
        self._engines = {name: self._engine(url, pool_size, max_age_seconds) for name, url in urls.items()}
        if not prepare:
            for engine in self._engines.values():
                event.listen(engine, "connect", _never_prepare)

    def engine(self, cell: str) -> Engine:
        """Raises Unavailable for a cell that is not in the settings."""
        try:
            return self._engines[cell]
        except KeyError:
            raise Unavailable(f"The cell '{cell}' is not known to this process.") from None

    def names(self) -> list[str]:
        return list(self._engines)

    def dispose(self, *, close: bool = True) -> None:
        """Let go of every connection; `close=False` after a fork, where they belong to the parent."""
        for engine in self._engines.values():
            engine.dispose(close=close)

    @staticmethod
    def _engine(url: str, pool_size: int, max_age_seconds: int) -> Engine:
        engine = create_engine(
            url,
            poolclass=StickyPool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_recycle=max_age_seconds,
            pool_use_lifo=True,
        )
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        event.listen(engine, "before_cursor_execute", _name_the_tenant, retval=True)
        event.listen(engine, "rollback", _rolled_back)
        event.listen(engine, "rollback_savepoint", _rolled_back)
        event.listen(engine, "reset", _given_back)
        return engine


def _set_up(driver: psycopg.Connection, entry: ConnectionPoolEntry) -> None:
    # BEGIN is ours to send, in one trip with the role; SQLAlchemy's COMMIT and ROLLBACK work as ever.
    driver.autocommit = True
    driver.execute(SETTLE.encode(), SETTLED, prepare=False)
    driver.prepared_max = 1000
    entry.info["trips"] = Trips(driver)


def _never_prepare(driver: psycopg.Connection, _entry: ConnectionPoolEntry) -> None:
    driver.prepare_threshold = None


def _begin(connection: Connection) -> None:
    entrance = entering.get()
    if entrance is None:
        message = "A transaction began outside the door: use inside(home)."
        raise RuntimeError(message)
    role = connection.info["role"] = entrance.role
    begin = Statement(f"begin {entrance.isolation}", {})
    if entrance.patience_ms is None:
        become = Statement(BECOME, {"role": role})
    else:
        become = Statement(BECOME_PATIENTLY, {"role": role, "patience": str(entrance.patience_ms)})
    first = [Statement(*entrance.first, role)] if entrance.first else []
    *_, answer = connection.info["trips"].go(begin, become, *first)
    if first:
        entrance.answer = answer


def _name_the_tenant(
    connection: Connection, _cursor: object, statement: str, parameters: Any, _context: object, _many: object
) -> tuple[str, Any]:
    """Each tenant gets prepared statements of its own: one shared by schemas is planned again at every switch."""
    return f"/*{connection.info['role']}*/{statement}", parameters


def _rolled_back(connection: Connection, *_savepoint: object) -> None:
    if not connection.invalidated:  # with a lost connection all that was prepared is gone
        connection.info["trips"].forget()


def _given_back(driver: psycopg.Connection, entry: ConnectionPoolEntry, _state: object) -> None:
    """The pool rolls back what is open, without any event."""
    if driver.info.transaction_status is not TransactionStatus.IDLE:
        entry.info["trips"].forget()
