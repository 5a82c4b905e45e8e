"""The database is away or busy, or the tenant is somewhere else: said in words, wherever somebody goes in."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc
from psycopg import errors as pg

from tenants.foundation.errors import Unavailable

#: Whatever a database raises, through SQLAlchemy or by the driver itself.
DATABASE_ERRORS = (sqlalchemy.exc.SQLAlchemyError, psycopg.Error)
#: Classes of SQLSTATE: connection exceptions, and operator intervention such as a shutdown.
CONNECTION_LOST = ("08", "57P")


class Elsewhere(Unavailable):
    """The tenant is not where it was a moment ago: it was archived or moved, or another cell has it."""

    code = "tenant_elsewhere"


def is_lost(error: psycopg.OperationalError) -> bool:
    """Whether the connection itself is gone, and nothing was done."""
    return error.sqlstate is None or error.sqlstate.startswith(CONNECTION_LOST)


@contextmanager
def translated() -> Iterator[None]:
    """A database that is away is a 503 with a sentence; everything else stays what it was."""
    try:
        yield
    except pg.InvalidParameterValue as error:
        if error.diag.message_primary and error.diag.message_primary.startswith('role "t_'):
            raise Elsewhere("This workspace is not where it was. Try again in a moment.") from error
        raise
    except sqlalchemy.exc.TimeoutError as error:
        raise Unavailable("All connections to the database are busy. Try again in a moment.") from error
    except (sqlalchemy.exc.OperationalError, psycopg.OperationalError) as error:
        cause = error.orig if isinstance(error, sqlalchemy.exc.OperationalError) else error
        if isinstance(cause, pg.QueryCanceled):
            raise Unavailable("The question took too long. Narrow it and try again.") from error
        if isinstance(cause, pg.LockNotAvailable | pg.DeadlockDetected):
            raise Unavailable("Somebody else is changing the same records. Try again in a moment.") from error
        if isinstance(cause, pg.DiskFull):
            raise Unavailable("The database's disk is full. Nothing was changed; try again later.") from error
        raise Unavailable("The database can't be reached. Try again in a moment.") from error
