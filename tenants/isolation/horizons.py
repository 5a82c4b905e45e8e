"""What was written in the tenant at hand since a moment, by the transaction that wrote each version of a row (`xmin`).

Why no row is missed. Every transaction below a snapshot's `xmin` had ended when the snapshot was taken, so that a
version which it does not show, and which is there later, was written by that transaction or by a later one; a
savepoint's number is higher than its transaction's. A frozen row keeps its number, and so does one that VACUUM FULL or
CLUSTER writes anew; whatever else writes a table anew (ALTER TABLE, a dump that is restored) is a later transaction.
Numbers are compared as PostgreSQL does it, around a circle of 2^32: that is exact for what is younger than 2^31
transactions, which the horizon is made sure to be, and a row that is older may look young. So more is found than was
written, never less.

Not found are rows that were deleted. A column that is added with a default changes rows without writing them: moments
of two revisions are not to be compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from tenants.isolation.door import here

#: A run of a server: nothing that is set back to an earlier state, by whatever means, goes on in the same run.
SERVER = """
select system_identifier || '/' || extract(epoch from pg_postmaster_start_time()) from pg_control_system()
"""
NUMBERS = """
select pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint from pg_current_snapshot() now
"""
#: Not `off`, whatever the server says.
FLUSHED = "select set_config('synchronous_commit', 'local', true)"
WRITTEN = "select pg_logical_emit_message(true, 'freehold', 'horizon')"
CIRCLE = 2**32
OLDEST = 2**30


class _Xid(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "xid"


XMIN: ColumnElement[Any] = sa.column("xmin", _Xid())


@dataclass(frozen=True)
class Horizon:
    """A moment of a server: what is not yet visible then comes from transaction `xid` or a later one.

    `known` are later ones whose rows were visible all the same.
    """

    server: str
    xid: int
    known: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        return cls(found["server"], found["xid"], tuple(found["known"]))


def horizon_here() -> Horizon:
    """That of the snapshot at hand, which has to be one for the whole transaction.

    It holds once `outlive_a_crash` was committed there.
    """
    connection = here().connection
    return Horizon(connection.scalar(sa.text(SERVER)) or "", connection.execute(sa.text(NUMBERS)).one()[0])


def knowing(horizon: Horizon, tables: Sequence[Table]) -> Horizon:
    """The same moment, knowing whose rows are visible in these tables already; by the snapshot that it is of."""
    number, late = sa.cast(sa.cast(XMIN, sa.Text), sa.BigInteger), written_since(horizon)
    writers = sa.union(*(select(number).select_from(each).where(late) for each in tables))
    return replace(horizon, known=tuple(sorted(here().connection.scalars(writers))))


def holds_here(horizon: Horizon) -> bool:
    """Whether the server at hand is the one that it was, not set back, and not too far ahead to compare."""
    connection = here().connection
    ahead: int = connection.execute(sa.text(NUMBERS)).one()[1] - horizon.xid
    return bool(connection.scalar(sa.text(SERVER)) == horizon.server) and 0 <= ahead < OLDEST


def written_since(horizon: Horizon) -> ColumnElement[bool]:
    """Of the rows of the one table that is selected from: whether they may have been written after this moment."""
    values = parameters(horizon)
    number = sa.cast(sa.bindparam("horizon_xid", values["horizon_xid"], sa.Text), _Xid())
    known = sa.cast(sa.bindparam("horizon_known", values["horizon_known"], sa.Text), ARRAY(_Xid()))
    border = select(func.age(number)).scalar_subquery()  # looked at once, and not for each row
    return sa.and_(func.age(XMIN) <= border, sa.all_(known) != XMIN)


def parameters(horizon: Horizon) -> dict[str, str]:
    """What `written_since` is given, for whoever keeps a statement that has it."""
    known = ",".join(str(each % CIRCLE) for each in horizon.known)
    return {"horizon_xid": str(horizon.xid % CIRCLE), "horizon_known": "{" + known + "}"}


def outlive_a_crash() -> None:
    """Have the commit at hand write to disk that all transaction numbers before its own are taken.

    What a server that crashed has not yet written is lost, and with it that a number was taken. It would give it
    again, to somebody whose rows were then older than a horizon that was read before the crash.
    """
    here().connection.execute(sa.text(FLUSHED))
    here().connection.execute(sa.text(WRITTEN))
