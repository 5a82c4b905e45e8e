"""Writes a revision from what the models have and the newest revision has not: `make revision line=tenant m="Sentence."`."""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import (
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateTableOp,
    DropConstraintOp,
    MigrateOperation,
    UpgradeOps,
)

import crm.app  # noqa: F401 - knows every model
from tenants.catalog.models import CatalogBase
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.tables import Base
from tenants.provisioning.revisions import MIGRATIONS, steps

METADATA = {"tenant": Base.metadata, "catalog": CatalogBase.metadata}


def main() -> None:
    """Compare a scratch database at the newest revision with the models, and write what is missing."""
    reading = argparse.ArgumentParser()
    reading.add_argument("line", choices=sorted(METADATA))
    reading.add_argument("message")
    asked = reading.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), fsync=False) as servers:
        engine = sa.create_engine(servers.admin_url)
        with engine.connect() as connection:
            body = _difference(connection, asked.line)
    if "op." not in body:
        sys.exit("The models and the newest revision agree: nothing to write.")
    print(_write(asked.line, asked.message, body))  # noqa: T201 - the one line of output


def _difference(connection: sa.Connection, line: str) -> str:
    schema = "catalog" if line == "catalog" else "scratch"
    connection.execute(sa.schema.CreateSchema(schema))
    connection.execute(sa.text("select set_config('search_path', :schema, false)"), {"schema": schema})
    for step in steps(line, None):
        for statement in step.statements:
            connection.exec_driver_sql(statement)
    options = {
        "include_schemas": line == "catalog",
        # Alembic calls the schema of the search path None.
        "include_name": lambda name, kind, _: (
            kind != "schema" or name == ("catalog" if line == "catalog" else None)
        ),
    }
    context = MigrationContext.configure(connection, opts={**options, "version_table": "schema_revision"})
    if line == "tenant":
        connection.dialect.default_schema_name = schema
    script = produce_migrations(context, METADATA[line])
    if script.upgrade_ops:
        _close_circles(script.upgrade_ops)
        script.upgrade_ops.ops.extend(_changed_checks(connection, line, schema))
    code = render_python_code(script.upgrade_ops, imports=set(), migration_context=context)
    return "\n".join(line for line in str(code).splitlines() if "# ###" not in line)


def _changed_checks(connection: sa.Connection, line: str, schema: str) -> Iterator[MigrateOperation]:
    """CHECK constraints that say something else than before: Alembic compares none of them."""
    connection.execute(sa.schema.CreateSchema("models"))
    METADATA[line].create_all(
        connection.execution_options(schema_translate_map={None: "models", "catalog": "models"})
    )
    before, after = _checks(connection, schema), _checks(connection, "models")
    named = "catalog" if line == "catalog" else None
    known = set(sa.inspect(connection).get_table_names(schema))
    for table, name in sorted(before.keys() | after.keys()):
        old, new = before.get((table, name)), after.get((table, name))
        if old == new or table not in known:
            continue
        if old:
            yield DropConstraintOp(name, table, type_="check", schema=named)
        if new:
            yield CreateCheckConstraintOp(name, table, sa.text(new), schema=named)


def _checks(connection: sa.Connection, schema: str) -> dict[tuple[str, str], str]:
    """What each CHECK of a schema says, by its table and name, as PostgreSQL puts it."""
    query = sa.text(
        "select r.relname, c.conname, pg_get_expr(c.conbin, c.conrelid) from pg_constraint c"
        " join pg_class r on r.oid = c.conrelid where c.contype = 'c' and c.connamespace = cast(:schema as regnamespace)"
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query, {"schema": schema})}


def _close_circles(ops: UpgradeOps) -> None:
    """Foreign keys of tables that refer to each other: left out of their table's making, they follow at the end."""
    for made in [each for each in ops.ops if isinstance(each, CreateTableOp)]:
        for key in made.columns:
            if isinstance(key, sa.ForeignKeyConstraint) and key.use_alter:
                closing = CreateForeignKeyOp.from_constraint(key)
                closing.kw.pop("use_alter")
                ops.ops.append(closing)


def _write(line: str, message: str, body: str) -> Path:
    folder = MIGRATIONS / line / "versions"
    numbers = sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))
    number = f"{int(numbers[-1]) + 1 if numbers else 1:04d}"
    path = folder / f"{number}_{re.sub(r'[^a-z0-9]+', '_', message.lower()).strip('_')}.py"
    before = repr(numbers[-1]) if numbers else None
    path.write_text(
        f'"""{message}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\nfrom sqlalchemy.dialects import postgresql\n\n'
        f'revision = "{number}"\ndown_revision = {before}\n\n\ndef upgrade() -> None:\n'
        f"    {body.strip()}\n"
    )
    return path


if __name__ == "__main__":
    main()
