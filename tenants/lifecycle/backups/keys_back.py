"""Tenants' wrapped keys, which no backup holds, come back into the catalog from the keyring."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, DropConstraint

from tenants.catalog.models import TenantKey
from tenants.foundation.clock import now
from tenants.isolation.catalog_copying import Connection
from tenants.lifecycle.backups.keyring import Keyring

_KEYS: Any = TenantKey.__table__
_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def put_keys_back(connection: Connection, keyring: Keyring) -> None:
    """Each version as the keyring has it today; one that it has no more was destroyed, whatever the backup says."""
    for (tenant_id,) in connection.execute("select id from catalog.tenants").fetchall():
        for key_version, wrapped in keyring.wrapped_keys(tenant_id).items():
            connection.execute(
                "insert into catalog.tenant_keys (tenant_id, version, wrapped, created_at) values (%s, %s, %s, %s)"
                " on conflict (tenant_id, version) do update set wrapped = excluded.wrapped, destroyed_at = null",
                [tenant_id, key_version, wrapped, now()],
            )
    connection.execute(
        "update catalog.tenant_keys set destroyed_at = %s where wrapped is null and destroyed_at is null",
        [now()],
    )


@contextmanager
def keys_may_wait(connection: Connection) -> Iterator[None]:
    """Versions come in without their keys, which follow before the block ends."""
    (rule,) = (each for each in _KEYS.constraints if isinstance(each, CheckConstraint))
    without = DropConstraint(rule).compile(dialect=_dialect)
    again = AddConstraint(rule, isolate_from_table=False).compile(dialect=_dialect)
    connection.execute(str(without).encode())
    yield
    connection.execute(str(again).encode())
