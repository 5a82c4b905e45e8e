"""Makes the shipped program's database in a cluster, and its tenants through the program itself."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from psycopg import sql

from bench.cluster import Cluster
from bench.data import FIRST_DAY, Row, World
from bench.loading import copy_rows
from crm.app import nursery_of, open_house
from crm.cli.migrate import migrate_all
from tenants.catalog.registry import role_of
from tenants.foundation.kept_secrets import KeptSecrets, write_privately
from tenants.foundation.settings import Settings
from tenants.identity.founding import Founder
from tenants.isolation.bootstrap import DATABASE, LOGINS, Logins, bootstrap
from tenants.isolation.owner import as_owner
from tenants.provisioning.birth import Nursery

GROWN = ("pg_class", "pg_attribute", "pg_index", "pg_constraint", "pg_depend", "pg_authid", "pg_auth_members")
FILLED = ("users", "companies", "contacts")


class OurTenants:
    """The tenants of one cluster by name: where each lives, and an API key of its admin."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._file = cluster.data_dir / "tenants.json"
        kept = KeptSecrets(cluster.data_dir / "passwords.json")
        self.logins: Logins = bootstrap(cluster.admin_url, {login: kept.of(login) for login in LOGINS})
        self._kept: dict[str, dict[str, str]] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the programs are told: where everything is."""
        return {
            "DATABASE_URL": self.logins.app,
            "REDIS_URL": self._cluster.redis_url,
            "FREEHOLD_CATALOG_DATABASE_URL": self.logins.catalog,
            "FREEHOLD_STAFF_DATABASE_URL": self.logins.staff,
            "FREEHOLD_DATA_DIR": str(self._cluster.data_dir),
        }

    def make(self, worlds: Mapping[str, World], empty: int) -> None:
        """Those that are not there yet: one for each world, and so many more that only take up room."""
        nursery = self.nursery()
        names = [*worlds, *(f"neighbour-{number}" for number in range(empty))]
        missing = [name for name in names if name not in self._kept]
        for name in missing:
            home, founding = nursery.open(name, name, Founder("Admin", api_key=True))
            assert founding.api_key is not None, "A key was asked for."
            if name in worlds:
                with as_owner(self.logins.owner) as connection:
                    _fill(connection, home.role, worlds[name])
            self._keep(name, home.id, founding.api_key)
        if missing:
            self._settle([name for name in missing if name in worlds])

    def _settle(self, filled: Iterable[str]) -> None:
        """What autovacuum would come round to: the system's tables have grown, and new ones have no statistics."""
        tables = [sql.Identifier("pg_catalog", name) for name in GROWN]
        tables += [sql.Identifier(self.role(name), table) for name in filled for table in FILLED]
        with self._cluster.connect(dbname=DATABASE) as connection:
            for table in tables:
                connection.execute(sql.SQL("vacuum analyze {}").format(table))

    def key(self, name: str) -> str:
        return self._kept[name]["key"]

    def role(self, name: str) -> str:
        return role_of(UUID(self._kept[name]["id"]))

    def _keep(self, name: str, tenant_id: UUID, key: str) -> None:
        self._kept[name] = {"id": str(tenant_id), "key": key}
        write_privately(self._file, json.dumps(self._kept))

    def settings(self, **others: str) -> Settings:
        """To run the program for a moment in this process; `others` are further environment variables."""
        with patch.dict(os.environ, self.environment | others):
            return Settings.read()

    def nursery(self) -> Nursery:
        """Where this cluster's tenants are made; from here on, the doors of this process lead into this cluster."""
        settings = self.settings(FREEHOLD_OWNER_DATABASE_URL=self.logins.owner)
        migrate_all(settings)
        return nursery_of(settings, open_house(settings).catalog, as_owner=True)


def _fill(connection: psycopg.Connection[Any], role: str, world: World) -> None:
    connection.execute("select set_config('search_path', %s, true)", [role])
    common = {"created_at": FIRST_DAY, "updated_at": FIRST_DAY, "version": 1, "source": "import"}
    users: Iterable[Row] = ({**each, **common, "state": "active"} for each in world.users)
    copy_rows(connection, "users", users)
    copy_rows(connection, "companies", world.companies)
    copy_rows(connection, "contacts", world.contacts())
