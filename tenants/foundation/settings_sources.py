"""Where settings come from, and the sentence for each that is wrong."""

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError

#: In `<data-dir>/env`: which administrator's URL the logins in that file were made with.
KMS_KEY = re.compile(
    r"aws-kms://(alias/[A-Za-z0-9/_-]{1,250}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[A-Za-z0-9/_-]{1,250})\Z"
)
BOOTSTRAPPED_FROM = "FREEHOLD_BOOTSTRAPPED_FROM"


class SettingsError(Exception):
    """A setting is wrong; the message is a plain sentence per setting."""


def fingerprint(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def app_url_of_bootstrap(file: Path, given: str | None) -> str | None:
    """The application's own URL, where `given` is the administrator's that made its login.

    Whoever starts `freehold up` with an administrator's DATABASE_URL keeps it set for the next command.
    """
    if not given or not file.is_file():
        return None
    kept = dotenv_values(file, encoding="utf-8")
    return kept.get("DATABASE_URL") if kept.get(BOOTSTRAPPED_FROM) == fingerprint(given) else None


def refuse_unknown_names(environment: Iterable[str], known: Iterable[str]) -> None:
    """A misspelt setting would otherwise be ignored in silence."""
    names = {*known, BOOTSTRAPPED_FROM}
    for name in sorted(environment):
        if name.startswith("FREEHOLD_") and name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise SettingsError(f"{name} is not a setting{hint}")


def sentences(error: ValidationError, file: Path) -> str:
    """A sentence for each setting that is wrong, after one for all that are not set."""
    found = error.errors(include_url=False, include_context=False)
    unset = [_variable(str(one["loc"][0])) for one in found if _is_unset(one)]
    # A default that follows from another setting can't be worked out when that one is wrong: no news.
    wrong = [one for one in found if one["type"] != "default_factory_not_called" and not _is_unset(one)]
    missing = [f"{_together(unset)} not set, neither in the environment nor in {file}."] if unset else []
    return "\n".join([*missing, *map(_sentence, wrong)])


def _is_unset(detail: Mapping[str, Any]) -> bool:
    return detail["type"] == "missing" and len(detail["loc"]) == 1


def _together(names: list[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last} are" if before else f"{last} is"


def _sentence(detail: Mapping[str, Any]) -> str:
    where = [str(part) for part in detail["loc"]]
    complaint = detail["msg"].removeprefix("Value error, ").partition(", unable to")[0].rstrip(".")
    if not where:
        return f"{complaint}."
    name = _variable(where[0])
    complaint = complaint.replace("Input should", "it should").replace("Field required", "it is missing")
    if where[1:]:
        return f"{name} is wrong at {'.'.join(where[1:])}: {complaint}."
    # The value is shown only where it can hold no password.
    value = "is wrong" if name.endswith("_URL") else f"is {detail['input']!r}"
    return f"{name} {value}, {complaint}."


def _variable(field: str) -> str:
    name = field.upper()
    return name if name in {"DATABASE_URL", "REDIS_URL"} else f"FREEHOLD_{name}"


def postgresql_url(url: object) -> object:
    """Our spelling of a PostgreSQL URL: SQLAlchemy, psycopg and psql all read `postgresql://`."""
    if not isinstance(url, str):
        return url
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not separator or not rest:
        raise ValueError("it should look like postgresql://login:password@host/database")
    return f"postgresql://{rest}"


def redis_url(url: object) -> object:
    if isinstance(url, str) and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("it should look like redis://:password@host:6379/0")
    return url


def storage_url(url: object) -> object:
    if not isinstance(url, str):
        return url
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return url.rstrip("/")
    if parts.scheme == "s3" and parts.netloc:
        return url.rstrip("/")
    raise ValueError("it should look like file:///path or s3://bucket/prefix")


def key_wrapper_url(url: object) -> object:
    """What may wrap keys: a key file of this machine, or a key of AWS KMS. Raises ValueError."""
    if not isinstance(url, str):
        return url
    if KMS_KEY.match(url):
        return url
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return url
    raise ValueError("it should look like file:///path, aws-kms://alias/NAME or aws-kms://arn:aws:kms:…")


def smtp_url(url: object) -> object:
    """A password goes over an encrypted connection, or to this very machine."""
    if not isinstance(url, str):
        return url
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("it should look like smtps://login:password@host:465")
    if parts.scheme == "smtp" and parts.password and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("a password needs smtps:// or smtp+starttls://")
    return url


def places_file(file: Path | str) -> Path:
    """Raises ValueError when it is no database of places."""
    from tenants.foundation.geography import opened  # most have none, and need not load what reads it

    found = Path(file).absolute()
    opened(found)
    return found


def mail_sender(sender: object) -> object:
    if not isinstance(sender, str):
        return sender
    name, address = parseaddr(sender)
    if "@" not in address or not sender.isprintable() or "@" in name:
        raise ValueError("it should look like Freehold <freehold@example.com>")
    return sender


def web_url(url: object) -> object:
    if not isinstance(url, str):
        return url
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("it should look like https://crm.example.com")
    return url.rstrip("/")
