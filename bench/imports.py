"""Importing contacts from a CSV file, against psql's copy of the same rows into the same table with its indexes."""

import csv
import json
import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from psycopg import sql
from sqlalchemy import make_url

from bench import cluster as clusters
from bench.cluster import Cluster
from bench.data import LARGE, Size, World
from bench.limit import binaries
from bench.our_tenants import OurTenants
from bench.report import Section, against
from crm.roles import BUILT_IN
from tenants.access.roles import use_roles
from tenants.foundation.settings import Settings
from tenants.isolation.owner import as_owner

TENANT = "importing"
GOAL = 2.0
CORES = {0, 1}
HEADER = {
    "First name": "first_name", "Last name": "last_name", "E-mail": "email", "Phone": "phone", "Mobile": "mobile",
    "Job title": "job_title", "Department": "department", "Lifecycle": "lifecycle", "Street": "street",
    "City": "city", "Region": "region", "Postal code": "postal_code", "Country": "country", "Birthday": "birthday",
    "Website": "website", "Do not contact": "do_not_contact", "Tags": "tags", "Notes": "notes",
}  # fmt: skip
EMPTIED = ("jobs", "imports", "contacts", "audit_events", "audit_values", "audit_seal_members", "import_rows")


class Bench:
    """One tenant with users and companies; its contacts come and go."""

    def __init__(self, cluster: Cluster, world: World) -> None:
        self._cluster, self._world = cluster, world
        self.tenants = OurTenants(cluster)
        use_roles(BUILT_IN)
        self.tenants.make({TENANT: WithoutContacts(world)}, empty=0)
        self._role = self.tenants.role(TENANT)
        self.file, self.copied = cluster.data_dir / "people.csv", cluster.data_dir / "contacts.csv"
        self._columns = self._write_files()
        self._open()

    def copy(self) -> float:
        """Seconds that psql takes to put the rows into the table, as its owner."""
        self.empty()
        url = (
            make_url(self.tenants.logins.owner)
            .set(drivername="postgresql")
            .render_as_string(hide_password=False)
        )
        command = f"\\copy \"{self._role}\".contacts ({', '.join(self._columns)}) from '{self.copied}' csv"
        started = time.perf_counter()
        subprocess.run(
            [str(binaries() / "psql"), url, "-qX", "-v", "ON_ERROR_STOP=1", "-c", command], check=True
        )
        return time.perf_counter() - started

    def bring_in(self) -> float:
        """Seconds from the upload until the job has ended: validated, matched by e-mail, looked up, audited."""
        self.empty()
        form = {
            "resource": "contacts",
            "mode": "upsert",
            "match_on": "email",
            "mapping": json.dumps({**HEADER, "Company": "company.name", "Owner e-mail": "owner.email"}),
        }
        headers = {"Authorization": f"Bearer {self.tenants.key(TENANT)}"}
        started = time.perf_counter()
        with self.file.open("rb") as file:
            answer = self._client.post(
                "/api/v1/imports", data={**form, "file": (file, "people.csv")}, headers=headers
            )
        assert answer.status_code == 202, answer.json
        self._run_jobs()
        spent = time.perf_counter() - started
        done = self._client.get(answer.headers["Location"], headers=headers).json
        assert done["counts"]["created"] == self._world.size.contacts, done
        return spent

    def _open(self) -> None:
        """The program in this process: its web application, and what a worker does."""
        from crm.app import create_app
        from tenants.identity.standings import standing_of
        from tenants.jobs.carrier import Carrier, use_carrier
        from tenants.jobs.dispatcher import Dispatcher
        from tenants.jobs.registry import recognise_actors_with
        from tenants.jobs.worker import site_of, use_worksite

        logins, folder = self.tenants.logins, self._cluster.data_dir
        settings = Settings(
            database_url=logins.app, redis_url=self._cluster.redis_url, catalog_database_url=logins.catalog,
            staff_database_url=logins.staff, data_dir=folder, key_file=folder / "key",
            storage=(folder / "storage").absolute().as_uri(), log_level="error",
        )  # fmt: skip
        app = create_app(settings)
        catalog, carrier = app.extensions["house"].catalog, Carrier(self._cluster.redis_url, timeout=10)
        use_carrier(carrier)
        recognise_actors_with(standing_of)
        use_worksite(site_of(settings, catalog, carrier, "bench"))
        self._carrier = carrier
        self._client = app.test_client()
        self._dispatcher = Dispatcher(
            catalog, carrier, lease_seconds=settings.job_lease_seconds, cap=settings.job_in_flight_cap
        )

    def _run_jobs(self) -> None:
        from rq.job import Job as Message

        from tenants.jobs.worker import run

        while self._dispatcher.give_turn().tenant_id is not None:
            for job_id in self._carrier.queue.get_job_ids():
                message = Message.fetch(job_id, connection=self._carrier.redis, serializer="json")
                self._carrier.queue.remove(job_id)
                self._carrier.take_off(message)
                run(*message.args)

    def empty(self) -> None:
        """Nothing but users and companies, and nothing left to write for what was there."""
        tables = sql.SQL(", ").join(sql.Identifier(self._role, name) for name in EMPTIED)
        with as_owner(self.tenants.logins.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("truncate {} cascade").format(tables))
        with self._cluster.connect() as connection:
            connection.execute("checkpoint")

    def _write_files(self) -> list[str]:
        """The file that a person would send, and the same rows as the table has them."""
        users = {each["id"]: each["email"] for each in self._world.users}
        companies = {each["id"]: each["name"] for each in self._world.companies}
        columns: list[str] = []
        with self.file.open("w", newline="") as sent, self.copied.open("w", newline="") as copied:
            people, rows = csv.writer(sent), csv.writer(copied)
            people.writerow([*HEADER, "Company", "Owner e-mail"])
            for each in self._world.contacts():
                columns = columns or list(each)
                shown = {
                    **each,
                    "tags": ";".join(each["tags"]),
                    "do_not_contact": "yes" if each["do_not_contact"] else "no",
                }
                names = [companies[each["company_id"]], users[each["owner_id"]]]
                people.writerow([*(shown[name] for name in HEADER.values()), *names])
                rows.writerow([_literal(each[name]) for name in columns])
        return columns


class WithoutContacts(World):
    def __init__(self, world: World) -> None:
        super().__init__(world.size, 1)

    def contacts(self) -> Iterator[dict[str, Any]]:
        return iter(())


def _literal(value: Any) -> Any:
    return "{" + ",".join(value) + "}" if isinstance(value, list) else value


@dataclass(frozen=True)
class Round:
    """Seconds of the limit and of ours, and by how much the process has grown at its peak."""

    copied: float
    imported: float
    grown_mebibytes: float


def rounds(data_dir: Path, *, count: int, size: Size = LARGE) -> Iterator[Round]:
    """Ours and the limit in turns, on one cluster."""
    with clusters.running(data_dir / "imports", cores=CORES) as cluster:
        bench = Bench(cluster, World(size, 1))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(count):
            copied, imported = bench.copy(), bench.bring_in()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            yield Round(copied, imported, grown / 1024)


def sections(found: list[Round]) -> list[Section]:
    """One table: both in seconds, the ratio beside its goal."""
    ratio = median(each.imported / each.copied for each in found)
    row = [
        "import, validated, matched, audited",
        f"{median(each.imported for each in found):.2f} s",
        f"{median(each.copied for each in found):.2f} s",
        against(ratio, GOAL, written=f"{ratio:.2f}x", at_most=True),
        f"{max(each.grown_mebibytes for each in found):.0f} MiB",
    ]
    return [
        Section(
            "Import of 100,000 contacts", ("work", "ours", "psql \\copy", "ratio", "memory above idle"), [row]
        )
    ]
