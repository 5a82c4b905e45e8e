"""What libpq, and so psycopg, connects with: a URL without the name of SQLAlchemy's driver."""

from sqlalchemy import URL, make_url


def conninfo(url: str | URL) -> str:
    """The same address for psycopg, password included."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
