"""The shipped program as a side of the benchmark: its server, and how it is asked."""

import http.client
import json
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import sql

from bench.cases import (
    HITS,
    NEW_RECORDS,
    PAGE,
    QUESTIONS,
    Case,
    new_contacts,
    request_bytes,
    sampled_contacts,
    searched_words,
)
from bench.cluster import Cluster
from bench.data import FIRST_DAY, SPAN, STAGES, World
from bench.our_tenants import OurTenants
from bench.processes import free_port, web_server
from bench.scripts import RoundTrip
from bench.statements import round_trip
from crm.app import create_app
from tenants.isolation.owner import as_owner

ROOT = Path(__file__).parent.parent
CONTACTS = "/api/v1/contacts"
EMBEDDED = "include=owner,company"
THREADS = 8
NO_LIMIT = "1000000000"
"""Requests are counted as ever, and the count is never used up."""


class Ours:
    name = "freehold"

    def __init__(
        self, cluster: Cluster, worlds: Mapping[str, World], others: Mapping[str, str] | None = None
    ) -> None:
        """`others` are further environment variables of the server."""
        self.cluster = cluster
        self._worlds = worlds
        self._log = cluster.data_dir / "log" / "freehold.log"
        self.tenants = OurTenants(cluster)
        self.port = free_port()
        self.pid = 0
        self._environment = self.tenants.environment | {
            "FREEHOLD_WEB_WORKERS": "1",
            "FREEHOLD_WEB_THREADS": str(THREADS),
            "FREEHOLD_REQUESTS_PER_MINUTE_TENANT": NO_LIMIT,
            "FREEHOLD_REQUESTS_PER_MINUTE_CALLER": NO_LIMIT,
            **(others or {}),
        }

    @contextmanager
    def running(self, cores: set[int]) -> Iterator[None]:
        command = [
            *(sys.executable, "-m", "crm.cli", "serve", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--data-dir", str(self.cluster.data_dir)),
        ]
        environment = self._environment
        with web_server(command, port=self.port, environment=environment, cores=cores, log=self._log) as pid:
            self.pid = pid
            yield

    def requests(self, case: Case, tenant: str, count: int = QUESTIONS) -> list[bytes]:
        """So many different requests, or for records to create, twenty times as many."""
        headers = self._headers(tenant)
        if case is Case.CREATE:
            bodies = new_contacts(self._worlds[tenant], count * NEW_RECORDS)
            return [request_bytes("POST", CONTACTS, headers, body) for body in bodies]
        return [request_bytes("GET", path, headers) for path in self._paths(case, tenant, count)]

    def _paths(self, case: Case, tenant: str, count: int) -> list[str]:
        match case:
            case Case.LIST:
                return self._pages(tenant, count)
            case Case.GET:
                ids = sampled_contacts(self._worlds[tenant], count)
                return [f"{CONTACTS}/{each}?{EMBEDDED}" for each in ids]
            case _:
                return [f"{CONTACTS}?q={words}&limit={HITS}&{EMBEDDED}" for words in searched_words(count)]

    def _pages(self, tenant: str, count: int) -> list[str]:
        """The first pages of each stage, by following their cursors as a client does."""
        stages = sorted(set(STAGES))
        pages: list[str] = []
        for stage in stages:
            first = f"{CONTACTS}?lifecycle={stage}&limit={PAGE}&{EMBEDDED}"
            path: str | None = first
            for _ in range(count // len(stages)):
                if path is None:
                    break
                pages.append(path)
                answer = self.ask(path, tenant)
                assert 0 < len(answer["data"]) <= PAGE, answer
                cursor = answer["next_cursor"]
                path = f"{first}&cursor={cursor}" if cursor else None
        random.Random("pages").shuffle(pages)
        return pages

    def _headers(self, tenant: str) -> dict[str, str]:
        return {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.tenants.key(tenant)}"}

    def ask(self, path: str, tenant: str) -> Any:
        return self._call("GET", path, tenant)

    def post(self, path: str, tenant: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, tenant, body)

    def delete(self, path: str, tenant: str) -> None:
        self._call("DELETE", path, tenant)

    def _call(self, method: str, path: str, tenant: str, body: dict[str, Any] | None = None) -> Any:
        headers = self._headers(tenant) | ({} if body is None else {"Content-Type": "application/json"})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status in (200, 201, 202, 204), content
        return json.loads(content) if content else None

    def statements(self, tenant: str) -> dict[Case, RoundTrip]:
        """What the program sends, from the program itself, which runs for a moment in this process."""
        settings = self.tenants.settings(**self._environment, FREEHOLD_LOG_LEVEL="error")
        client = create_app(settings).test_client()
        headers = {"Authorization": f"Bearer {self.tenants.key(tenant)}"}
        role = self.tenants.role(tenant)

        def get(path: str) -> None:
            assert client.get(path, headers=headers).status_code == 200, path

        def create(body: dict[str, Any]) -> None:
            assert client.post(CONTACTS, json=body, headers=headers).status_code == 201, body

        trips: dict[Case, RoundTrip] = {}
        for case in (Case.LIST, Case.GET, Case.SEARCH):
            paths = self._paths(case, tenant, QUESTIONS)
            get(paths[0])  # the first answer of a process asks for the caller's standing beforehand
            trips[case] = round_trip(role, [partial(get, path) for path in paths])
        bodies = new_contacts(self._worlds[tenant], QUESTIONS)
        trips[Case.CREATE] = round_trip(role, [partial(create, body) for body in bodies])
        self.forget_new_contacts()
        return trips

    def forget_new_contacts(self) -> None:
        """Back to the data as loaded, so that samples don't slow each other down."""
        delete = sql.SQL("delete from {} where created_at > %s")
        with as_owner(self.tenants.logins.owner, autocommit=True) as connection:
            for tenant in self._worlds:
                schema = sql.Identifier(self.tenants.role(tenant))
                contacts = sql.SQL("{}.contacts").format(schema)
                if connection.execute(delete.format(contacts), [FIRST_DAY + SPAN]).rowcount:
                    audit = sql.SQL("truncate {0}.audit_events, {0}.audit_values, {0}.audit_seal_members")
                    connection.execute(audit.format(schema))
                    connection.execute(sql.SQL("vacuum analyze {}").format(contacts))
