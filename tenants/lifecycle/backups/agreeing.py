"""Has a catalog agree with the tenants that come back with it: it was copied after them, and they had gone on."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg import sql

from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.catalog_copying import Connection, put_into
from tenants.lifecycle.backups.catalog_file import catalog_tables
from tenants.lifecycle.moves.models import BEFORE_THE_SWITCH, ENDS, Step

#: Tenants that were nobody's: new ones are made where they are wanted.
NOBODYS = (State.MAKING, State.SPARE, State.CLAIMED)
#: Where it is a move that has frozen a tenant, and nothing else.
STANDING_STILL = (Step.FREEZING, Step.GIVING_UP)
REASON = "It was on a move when the backup was taken, and came back where its tables were."
ON_A_MOVE = """
select m.id, m.step, m.tenant_id, m.state_before, t.state
from catalog.moves m join catalog.tenants t on t.id = m.tenant_id where m.step <> all(%s)
"""
ENDED = """
update catalog.moves set step = %s, ended_at = %s, lease_until = null, phase = null, done = null where id = %s
"""


def agree(connection: Connection, cells: Mapping[UUID, str]) -> None:
    """Each tenant is in the cell that its tables come back to, and on no move: what a move leaves behind is not there."""
    for tenant_id, cell in cells.items():
        connection.execute("update catalog.tenants set cell = %s where id = %s", [cell, tenant_id])
    for move_id, step, tenant_id, before, state in connection.execute(ON_A_MOVE, [list(ENDS)]).fetchall():
        end = (
            Step.GIVEN_UP if step in (*BEFORE_THE_SWITCH, Step.GIVING_UP, Step.DISCARDING) else Step.CONFIRMED
        )
        _end(connection, move_id, end, now())
        if before is not None and (
            state == State.MOVING or (state == State.FROZEN and step in STANDING_STILL)
        ):
            _go_on(connection, tenant_id, state, before)


def _end(connection: Connection, move_id: UUID, step: Step, at: datetime) -> None:
    connection.execute(ENDED, [step.value, at, move_id])


def _go_on(connection: Connection, tenant_id: UUID, before: str, after: str) -> None:
    """What it was before the move. Its schema is told like of any other change."""
    connection.execute("update catalog.tenants set state = %s where id = %s", [after, tenant_id])
    said = {"id": new_id(), "tenant_id": tenant_id, "before": before, "after": after, "at": now()}
    put_into(connection, "state_changes", {**said, "mover": Mover.PLATFORM.value, "reason": REASON})


def remove_nobodys(connection: Connection) -> None:
    """Spares and tenants that were being made have nothing that came back."""
    listed = [state.value for state in NOBODYS]
    of_them = sql.SQL(
        "delete from {} where tenant_id in (select id from catalog.tenants where state = any(%s))"
    )
    for name, columns in reversed(list(catalog_tables())):
        if "tenant_id" in columns:
            connection.execute(of_them.format(sql.Identifier("catalog", name)), [listed])
    connection.execute("delete from catalog.tenants where state = any(%s)", [listed])
