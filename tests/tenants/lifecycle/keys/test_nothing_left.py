"""Words that stand in every text, file, export and archive of a tenant are nowhere any more when it is destroyed."""

import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from flask import Flask
from redis import Redis

from crm.app import owners_of
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.files import stored_files
from tenants.isolation.keys import KeyDestroyed
from tenants.isolation.sealing import keys
from tenants.isolation.storage import storage_from
from tenants.lifecycle.archives.keeping import ask_to_archive, go_on
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests import asking, examples
from tests.attaching import NewWorkspace, attached
from tests.jobs import RunJobs
from tests.owning import filled
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of
from tests.tenants.lifecycle.keys.copies import KeyOf, Server
from tests.tenants.lifecycle.putting_away import closed_and_never_woken
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
#: In every text that a request can send, and in those alone that are sealed.
OPEN, SEALED = "Rohrdommel", "Wiedehopf-8472"
WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that no other tenant has: they share the servers."""
    monkeypatch.setattr(asking, "CANARY", OPEN)
    monkeypatch.setattr(examples, "CANARY", OPEN)


@pytest.fixture
def server(settings: Settings, servers: EmbeddedServers, tmp_path: Path) -> Server:
    return Server(settings, servers.admin_url, tmp_path)


def files_with(word: str, folder: Path) -> list[str]:
    """The files in which these bytes stand, in whatever case."""
    found = subprocess.run(
        ["grep", "-rliaF", "--", word, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    assert found.returncode in (0, 1, 2), found.stderr
    return found.stdout.splitlines()


def kept_by(redis: Redis) -> Iterator[tuple[bytes, Any]]:
    """Every key with what it holds, read and not dumped: a dump is compressed."""
    readers = {
        b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers, b"stream": redis.xrange,
        b"list": lambda key: redis.lrange(key, 0, -1), b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }  # fmt: skip
    for key in redis.scan_iter():
        yield key, readers.get(redis.type(key), lambda _key: None)(key)


def in_redis(settings: Settings, *words: str) -> list[bytes]:
    with Redis.from_url(settings.redis_url) as redis:
        return [
            key
            for key, value in kept_by(redis)
            if any(each.lower().encode() in repr((key, value)).lower().encode() for each in words)
        ]


def key_of(workspace: Workspace) -> KeyOf:
    return lambda version: keys().version(workspace.home.id, version)


@pytest.mark.promise("TEN-2", "RET-4", "1-28", "1-47", "2-31")
def test_nothing_of_a_destroyed_tenant_is_found_anywhere(  # noqa: PLR0917 - the parts of its world
    new_workspace: NewWorkspace, neighbour: Workspace, run_jobs: RunJobs, app: Flask, works: Works, catalog: Catalog,
    settings: Settings, server: Server, lines: io.BytesIO, tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    ours = new_workspace()
    made = filled(app, ours, run_jobs)
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    contact = ours.admin.post("/contacts", {"last_name": OPEN, "national_id": SEALED}).json["id"]
    attached(ours.admin, "contacts", contact, content=SEALED.encode() * 3, name=f"{OPEN}.txt")
    assert ours.admin.post("/companies", {"name": OPEN, "bank_account": SEALED}).status_code == 201
    export = ours.admin.post("/exports", {}).json["id"]
    run_jobs()
    assert ours.admin.get(f"/exports/{export}").json["status"] == "succeeded"
    copy = server.copy_of(ours.home)
    go_on(works, ask_to_archive(catalog, ours.home.id, WHY))
    (bundle,) = bundles_of(ours)
    later = replace(copy, files=server.files_of(ours.home, "later"))
    assert {"archives", "attachments", "exports"} <= {each.name for each in later.files.iterdir()}
    assert later.file(key_of(ours), later.files / bundle).startswith(b"PK"), "it opens while there is a key"
    storage, database = (
        Path(unquote(urlsplit(settings.storage).path)),
        next(tmp_path_factory.getbasetemp().glob("servers*")),
    )
    # What is sealed was never in clear where it is kept, also not while it was used.
    assert files_with(SEALED, database) == files_with(SEALED, storage) == []
    assert files_with(OPEN, storage) == files_with(OPEN, later.files) == []
    assert files_with(OPEN, copy.dump.parent) == [str(copy.dump)], "there was something to be found"
    assert made.workspace is ours
    destruction = Destruction(key_versions(), storage_from(settings.storage), owners_of(settings))
    closed_and_never_woken(catalog, ours.home)
    destruction.destroy(slug, **WHO)
    assert list(stored_files(ours.home.id).list()) == []
    assert files_with(OPEN, storage) == files_with(SEALED, storage) == []
    dump = server.whole_dump().lower()
    assert [each for each in (OPEN, SEALED, slug) if each.lower().encode() in dump] == []
    assert in_redis(settings, OPEN, SEALED) == []
    assert files_with(SEALED, database) == []
    said = lines.getvalue().lower()
    assert [each for each in (OPEN, SEALED) if each.lower().encode() in said] == []
    assert copy.failures(key_of(ours), KeyDestroyed) > 5
    for path in later.paths():
        with pytest.raises(KeyDestroyed):
            later.file(key_of(ours), path)
    assert neighbour.admin.get("/contacts").status_code == 200
