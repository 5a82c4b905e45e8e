"""Says in a sentence which server can't be reached, or refused us, without showing a password."""

import psycopg
import redis
import sqlalchemy as sa


def outage(error: BaseException) -> str | None:
    """The sentence when the error came from PostgreSQL or Redis, else None."""
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        return outage(error.orig)
    if isinstance(error, sa.exc.ArgumentError) or _is_unreadable_url(error):
        return (
            "The database's URL can't be read; it should look like postgresql://login:password@host/database."
        )
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"PostgreSQL can't be reached: {_first_line(error)}"
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL refused: {_first_line(error)}"
    if isinstance(error, redis.RedisError):
        return f"Redis can't be reached: {_first_line(error)}"
    return None


def ask_redis(url: str) -> str:
    """The version of the Redis at this URL; its error when there is none that keeps what it is given."""
    with redis.Redis.from_url(url, retry=None, socket_timeout=5, socket_connect_timeout=5) as asked:
        said = asked.info()
    if said.get("maxmemory_policy", "noeviction") != "noeviction":
        raise redis.RedisError("it drops keys when memory is short (maxmemory-policy is not noeviction)")
    return str(said["redis_version"])


def _is_unreadable_url(error: BaseException) -> bool:
    """A URL that libpq can't parse comes back whole in its message, password included."""
    return isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{lines[0].rstrip('.')}." if lines else "it gave no reason."
