"""No credential is in any export: every column that is declared as one gets a value that is looked for in the bundle."""

import secrets
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Connection, Table
from sqlalchemy.dialects import postgresql

from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.encryption import Context
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.tables import Base, DataClass
from tenants.isolation.bootstrap import Logins
from tenants.isolation.door import inside
from tenants.isolation.sealing import sealed_text
from tenants.portability.contents import WORDS, tables
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tests.workspace import Workspace

KNOWN = {"passwords.hash", "sessions.hash", "api_keys.hash", "authenticators.secret", "webhooks.secret"}
#: What a row has to have besides, by the type of the column; the first that fits.
FILLERS: tuple[tuple[type[Any], Callable[[], Any]], ...] = (
    (sa.Boolean, lambda: False),
    (sa.Integer, lambda: 1),
    (sa.Uuid, uuid4),
    (sa.DateTime, now),
    (sa.LargeBinary, lambda: secrets.token_bytes(16)),
    (postgresql.JSONB, dict),
    (sa.ARRAY, list),
    (sa.String, lambda: secrets.token_hex(8)),
)


class Canaries:
    """A row in every table that has credentials, with a value of its own in each of these."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.rows: dict[str, UUID] = {}
        self.said: dict[str, str] = {}
        self._stored: dict[str, bytes] = {}

    def plant(self, connection: Connection) -> None:
        for table in Base.metadata.sorted_tables:
            if any(_is_credential(each) for each in table.columns):
                connection.execute(sa.insert(table).values(self._row(table)))

    def found_in(self, content: bytes) -> list[str]:
        """The columns whose canary is there: as it is, in hexadecimal, or as it is stored."""
        return [
            name
            for name, said in self.said.items()
            if said.encode() in content
            or said.encode().hex().encode() in content
            or self._stored[name].hex().encode() in content
        ]

    def _row(self, table: Table) -> dict[str, Any]:
        (key,) = table.primary_key
        row_id = self.rows[table.name] = uuid4()
        row = {each.name: _filler(each) for each in table.columns if _is_asked_for(each)}
        credentials = {
            each.name: self._canary(each, row_id) for each in table.columns if _is_credential(each)
        }
        return {**row, **credentials, key.name: row_id}

    def _canary(self, column: Column[Any], row_id: UUID) -> str | bytes:
        name = f"{column.table.name}.{column.name}"
        said = self.said[name] = f"canary-{secrets.token_hex(12)}"
        place = Context(self._home.id, str(column.table.name), column.name, row_id)
        stored = sealed_text(said, place) if column.info["sealed"] else said.encode()
        self._stored[name] = stored
        return stored if isinstance(column.type, sa.LargeBinary) else said


def _is_credential(column: Column[Any]) -> bool:
    return column.info["data"] is DataClass.CREDENTIAL


def _is_asked_for(column: Column[Any]) -> bool:
    given = column.default is not None or column.server_default is not None or column.computed is not None
    return not column.nullable and not given


def _filler(column: Column[Any]) -> Any:
    for each in column.table.constraints:
        text = str(each.sqltext) if isinstance(each, CheckConstraint) else ""
        if text.startswith(f"{column.name} in ("):
            return WORDS.findall(text)[0]
    return next(made() for type_, made in FILLERS if isinstance(column.type, type_))


@contextmanager
def anything_goes(servers: EmbeddedServers, logins: Logins, home: Home) -> Iterator[Connection]:
    """A connection that no reference and no trigger stops."""
    database = sa.make_url(logins.owner).database
    url = sa.make_url(servers.admin_url).set(drivername="postgresql+psycopg", database=database)
    options = f"-c search_path={home.role} -c session_replication_role=replica"
    engine = sa.create_engine(url, connect_args={"options": options})
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def canaries(
    servers: EmbeddedServers, logins: Logins, new_workspace: Callable[[], Workspace],
    leave_alone: Callable[[Workspace], None],
) -> tuple[Home, Canaries]:  # fmt: skip
    """In a tenant that nobody can work with any more: these credentials are good for nothing."""
    tenant = new_workspace()
    assert tenant.admin.post("/contacts", {"last_name": "Zilpzalp"}).status_code == 201
    leave_alone(tenant)
    made = Canaries(tenant.home)
    with inside(tenant.home), anything_goes(servers, logins, tenant.home) as connection:
        made.plant(connection)
    return tenant.home, made


@pytest.mark.parametrize("format_", [Format.CSV, Format.JSONL, Format.SQLITE])
def test_no_credential_is_in_an_export(
    canaries: tuple[Home, Canaries], neighbour: Workspace, tmp_path: Path, format_: Format
) -> None:
    (home, planted), file = canaries, tmp_path / "bundle.zip"
    assert planted.said.keys() >= KNOWN
    take_out(home, file, format_)
    with zipfile.ZipFile(file) as bundle:
        content = b"".join(map(bundle.read, bundle.namelist()))
    assert planted.found_in(content) == []
    # The rest of these rows is there, so it was looked for in the right place.
    held = planted.rows.keys() & {each.name for each in tables()}
    assert len(held) > 3
    assert [name for name in held if str(planted.rows[name]).encode() not in content] == []
    assert b"Zilpzalp" in content
    assert neighbour.admin.get("/contacts").status_code == 200
