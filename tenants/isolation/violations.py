"""What the database refused, in words: the name of a constraint says which field it was."""

import re
from typing import Any

import psycopg
import sqlalchemy.exc

from tenants.foundation.errors import Conflict, Invalid, Refusal, Unavailable
from tenants.foundation.tables import Base

SHARD = re.compile(r"_\d+$")
#: The errors that `refusal_of` knows words for.
ERRORS = (
    sqlalchemy.exc.IntegrityError,
    sqlalchemy.exc.DataError,
    sqlalchemy.exc.OperationalError,
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.OperationalError,
)


def refusal_of(error: Any) -> Refusal:
    """The refusal behind one of ERRORS."""
    driver = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if isinstance(driver, psycopg.DataError):
        return Invalid("A value can't be read or is out of range.")
    if isinstance(driver, psycopg.OperationalError):
        return Unavailable("The database can't answer at the moment. Try again.")
    return of_integrity(driver)


def of_integrity(error: Any) -> Refusal:
    """What a constraint of the database refused, in words; the constraint's name says which field it was."""
    name = SHARD.sub("", getattr(getattr(error, "diag", None), "constraint_name", None) or "")
    field = _columns_of(name, getattr(getattr(error, "diag", None), "table_name", None))
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        if "is still referenced" in str(error):
            return Conflict("Other records still refer to this one.", code="still_referenced")
        return Invalid(errors={field: ["There is no such record."]})
    if isinstance(error, psycopg.errors.UniqueViolation):
        return Conflict(
            f"There is one of these with the same {field.replace('_', ' ')} already.", code="already_exists"
        )
    if isinstance(error, psycopg.errors.NotNullViolation):
        missing = getattr(error.diag, "column_name", None) or field
        return Invalid(errors={missing: ["This can't be empty."]})
    return Invalid(f"A value breaks the rule '{name}'.")


def _columns_of(constraint: str, table: str | None) -> str:
    found = Base.metadata.tables.get(table or "")
    if found is not None:
        every: list[Any] = [*found.constraints, *found.indexes]
        for each in every:
            if each.name == constraint and len(each.columns):
                return ", ".join(column.name for column in each.columns)
    return "value"
