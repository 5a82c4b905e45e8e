"""Where on earth a network address is, as far as a database on this machine knows: no address is told to anybody."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb


def place_of(database: Path | None, address: str | None) -> str | None:
    """Town and country in English (`Vienna, Austria`), or the country alone; None where nothing is known."""
    if database is None or not address:
        return None
    try:
        found: Any = opened(database).get(address)
    except ValueError:
        return None  # a proxy may say "unknown", and a database may know nothing of IPv6
    parts = (_name(found, "city"), _name(found, "country")) if isinstance(found, dict) else ()
    return ", ".join(each for each in parts if each) or None


@lru_cache
def opened(database: Path) -> maxminddb.Reader:
    """The database, which stays open. Raises ValueError with a sentence when it is none of towns or countries."""
    try:
        reader = maxminddb.open_database(database)
    except (OSError, maxminddb.InvalidDatabaseError):
        raise ValueError("it can't be read as a database of places (MaxMind's format, `.mmdb`)") from None
    kind = reader.metadata().database_type
    if not any(word in kind.lower() for word in ("city", "country")):
        raise ValueError(f"it is a database of {kind}, and one of towns or countries is needed")
    return reader


def _name(found: dict[str, Any], what: str) -> str | None:
    """English is what every such database has."""
    name = (found.get(what) or {}).get("names", {}).get("en")
    return name if isinstance(name, str) else None
