"""The SQL that SQLAlchemy writes, as text with `%(name)s` parameters for the driver."""

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

_dialect: Any = PGDialect_psycopg()  # type: ignore[no-untyped-call]


def compiled(statement: Any) -> SQLCompiler:
    """The statement's text in `string`, and the values it carries itself in `params`."""
    made: SQLCompiler = statement.compile(dialect=_dialect)
    return made
