"""The peer as a side of the benchmark: its database, its data, its server, and how it is asked."""

import http.client
import json
import os
import random
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.cases import (
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
from bench.loading import copy_rows, one
from bench.processes import free_port, web_server
from tenants.foundation.kept_secrets import KeptSecrets

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-bench/bin/python"
DATABASE = LOGIN = "peer"
THREADS = 8


def schema_of(tenant: str) -> str:
    return tenant.replace("-", "_")


def domain_of(tenant: str) -> str:
    return f"{tenant}.test"


class Peer:
    name = "peer"

    def __init__(self, cluster: Cluster, worlds: Mapping[str, World]) -> None:
        self._cluster = cluster
        self._worlds = worlds
        self._log = cluster.data_dir / "log" / "peer.log"
        self._password = KeptSecrets(cluster.data_dir / "passwords.json").of(LOGIN)
        self._environment = {
            "PEER_DATABASE_HOST": cluster.host,
            "PEER_DATABASE_NAME": DATABASE,
            "PEER_DATABASE_USER": LOGIN,
            "PEER_DATABASE_PASSWORD": self._password,
            "PYTHONPATH": str(ROOT),
        }
        self.port = free_port()
        self.pid = 0
        self._tokens: dict[str, str] = {}

    def prepare(self) -> None:
        """Makes the database and loads it, unless that was done before."""
        if not self._make_database():
            return
        self._make_tables()
        with self._connect() as connection:
            for tenant, world in self._worlds.items():
                with connection.transaction():
                    _fill(connection, schema_of(tenant), world)
            connection.execute("vacuum analyze")

    def _make_database(self) -> bool:
        login, database = sql.Identifier(LOGIN), sql.Identifier(DATABASE)
        with self._cluster.connect() as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                return False
            create = sql.SQL("create role {} login password {}")
            connection.execute(create.format(login, sql.Literal(self._password)))
            connection.execute(sql.SQL("create database {} owner {}").format(database, login))
            return True

    def _make_tables(self) -> None:
        lines = "".join(f"{schema_of(tenant)} {domain_of(tenant)}\n" for tenant in self._worlds)
        command = [str(PYTHON), "-m", "bench.peer.build"]
        environment = {**os.environ, **self._environment}
        subprocess.run(command, input=lines, text=True, check=True, cwd=ROOT, env=environment)

    def _connect(self) -> psycopg.Connection[Any]:
        return self._cluster.connect(user=LOGIN, password=self._password, dbname=DATABASE)

    @contextmanager
    def running(self, cores: set[int]) -> Iterator[None]:
        self._tokens = self._read_tokens()
        command = [
            *(str(PYTHON), "-m", "gunicorn", "bench.peer.wsgi:app", "--bind", f"127.0.0.1:{self.port}"),
            *("--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS), "--keep-alive", "60"),
        ]
        environment = self._environment
        with web_server(command, port=self.port, environment=environment, cores=cores, log=self._log) as pid:
            self.pid = pid
            yield

    def _read_tokens(self) -> dict[str, str]:
        query = sql.SQL("select key from {}.authtoken_token limit 1")
        with self._connect() as connection:
            return {
                tenant: one(connection, query.format(sql.Identifier(schema_of(tenant))))
                for tenant in self._worlds
            }

    def requests(self, case: Case, tenant: str, count: int = QUESTIONS) -> list[bytes]:
        """So many different requests, or for records to create, twenty times as many."""
        world, headers = self._worlds[tenant], self._headers(tenant)
        match case:
            case Case.CREATE:
                bodies = new_contacts(world, count * NEW_RECORDS)
                return [request_bytes("POST", "/contacts", headers, body) for body in bodies]
            case Case.LIST:
                paths = self._pages(tenant, count)
            case Case.GET:
                paths = [f"/contacts/{each}" for each in sampled_contacts(world, count)]
            case Case.SEARCH:
                paths = [f"/search?q={words}" for words in searched_words(count)]
        return [request_bytes("GET", path, headers) for path in paths]

    def _headers(self, tenant: str) -> dict[str, str]:
        return {"Host": domain_of(tenant), "Authorization": f"Token {self._tokens[tenant]}"}

    def _pages(self, tenant: str, count: int) -> list[str]:
        """The first pages of each stage, by following their links as a client does."""
        stages = sorted(set(STAGES))
        pages: list[str] = []
        for stage in stages:
            path: str | None = f"/contacts?lifecycle={stage}"
            for _ in range(count // len(stages)):
                if path is None:
                    break
                pages.append(path)
                answer = self.ask(path, tenant)
                assert 0 < len(answer["results"]) <= PAGE, answer
                path = _path(answer["next"])
        random.Random("pages").shuffle(pages)
        return pages

    def ask(self, path: str, tenant: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers=self._headers(tenant))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, body
        return json.loads(body)

    def forget_new_contacts(self) -> None:
        """Back to the data as loaded, so that samples don't slow each other down."""
        delete = sql.SQL("delete from {} where created_at > %s")
        with self._connect() as connection:
            for tenant in self._worlds:
                schema = sql.Identifier(schema_of(tenant))
                contacts = sql.SQL("{}.contacts").format(schema)
                if connection.execute(delete.format(contacts), [FIRST_DAY + SPAN]).rowcount:
                    connection.execute(sql.SQL("truncate {}.audit_events").format(schema))
                    connection.execute(sql.SQL("vacuum analyze {}").format(contacts))


def _path(link: str | None) -> str | None:
    if link is None:
        return None
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def _fill(connection: psycopg.Connection[Any], schema: str, world: World) -> None:
    connection.execute("select set_config('search_path', %s, true)", [schema])
    copy_rows(connection, "users", ({**each, "password": "!", "is_active": True} for each in world.users))
    copy_rows(connection, "companies", world.companies)
    copy_rows(connection, "contacts", world.contacts())
    connection.execute(
        "insert into authtoken_token (key, user_id, created) values (%s, %s, now())",
        [secrets.token_hex(20), world.users[0]["id"]],
    )
