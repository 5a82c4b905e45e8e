"""What a running Freehold stands on: servers (ours or given), logins, and the file that names them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crm.cli.opening import catalog_of
from tenants.foundation.kept_secrets import KeptSecrets, write_privately
from tenants.foundation.servers import EmbeddedServers, ServerFailed
from tenants.foundation.settings_sources import BOOTSTRAPPED_FROM, fingerprint
from tenants.isolation.bootstrap import LOGINS, Logins
from tenants.isolation.bootstrap import bootstrap as make_logins

if TYPE_CHECKING:
    from tenants.foundation.settings import Settings


def embedded_servers(data_dir: Path, environment: Mapping[str, str]) -> EmbeddedServers | None:
    """The servers that the environment does not name, not started yet; None when it names both."""
    wanted = {
        "postgresql": not environment.get("DATABASE_URL"),
        "redis": not environment.get("REDIS_URL"),
    }
    return EmbeddedServers(data_dir, **wanted) if any(wanted.values()) else None


def urls_of(
    servers: EmbeddedServers | None, data_dir: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """The settings that follow: servers of our own, and logins made with an administrator's URL."""
    urls: dict[str, str] = {}
    given = environment.get("DATABASE_URL")
    if servers is not None and not environment.get("REDIS_URL"):
        urls["REDIS_URL"] = servers.redis_url
    if servers is not None and not given:
        urls |= bootstrap_with(servers.admin_url, data_dir)
    elif given and not environment.get("FREEHOLD_CATALOG_DATABASE_URL"):
        urls |= bootstrap_with(given, data_dir) | {BOOTSTRAPPED_FROM: fingerprint(given)}
    return urls


@contextmanager
def ground_for(data_dir: Path) -> Iterator[None]:
    """Servers for one command: those that run already, or else our own for as long as it takes."""
    servers = embedded_servers(data_dir, os.environ)
    if servers is None:
        yield
        return
    try:
        servers.start()
    except ServerFailed:
        if not (data_dir / "env").exists():
            raise
        yield  # `freehold up` runs here, and its file says where they are
        return
    with servers_until_done(servers):
        leave_env(data_dir, urls_of(servers, data_dir, os.environ))
        yield


@contextmanager
def ground_as_left(settings: "Settings", data_dir: Path) -> Iterator[None]:
    """The embedded PostgreSQL for one command, where the settings name it and it isn't running. Nothing is made."""
    servers = EmbeddedServers(data_dir, redis=False)
    if not servers.are_named_by(settings.catalog_database_url):
        yield
        return
    try:
        servers.start()
    except ServerFailed:
        yield  # `freehold up` runs here, or else the command says that nothing answers
        return
    with servers_until_done(servers):
        yield


@contextmanager
def servers_until_done(servers: EmbeddedServers) -> Iterator[None]:
    """Stop servers that were started, whatever happens meanwhile."""
    try:
        yield
    finally:
        servers.stop()


def bootstrap_with(admin_url: str, data_dir: Path) -> dict[str, str]:
    """Make the logins, with passwords kept in the data folder, and say what their settings are."""
    data_dir.mkdir(parents=True, exist_ok=True)
    kept = KeptSecrets(data_dir / "passwords.json")
    logins: Logins = make_logins(admin_url, {login: kept.of(login) for login in LOGINS})
    return {
        "DATABASE_URL": _plain(logins.app),
        "FREEHOLD_CATALOG_DATABASE_URL": _plain(logins.catalog),
        "FREEHOLD_STAFF_DATABASE_URL": _plain(logins.staff),
        "FREEHOLD_OWNER_DATABASE_URL": _plain(logins.owner),
    }


def must_be_open(settings: "Settings") -> None:
    """Raises Unavailable while nobody is to be served here."""
    from crm.app import must_be_open as must_be_open_with

    with catalog_of(settings) as catalog:
        must_be_open_with(settings, catalog)


def leave_env(data_dir: Path, settings: Mapping[str, str]) -> Path:
    """Write `<data-dir>/env`, which the other commands read."""
    lines = [f"{name}='{value}'\n" for name, value in sorted(settings.items())]
    file = data_dir / "env"
    write_privately(file, "# Written by `freehold up`; it holds passwords.\n" + "".join(lines))
    return file


def environment_without(settings: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The environment of our programs: what the file says now is not said differently by a variable."""
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    if BOOTSTRAPPED_FROM in settings:
        kept.pop("DATABASE_URL", None)
    return kept | {"FREEHOLD_DATA_DIR": str(data_dir)}


def _plain(url: str) -> str:
    """Other programs, psql for one, read the file too and know no drivers."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
