"""What goes wrong while a file is attached leaves nothing half there: no row without its file, no file for ever."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from tenants.access.caller import act_as
from tenants.attachments.adding import Arriving, attach
from tenants.attachments.ending import BUNDLING
from tenants.attachments.jobs import sweep_attachments
from tenants.attachments.models import Attachment
from tenants.attachments.permissions import EDIT_ATTACHMENTS
from tenants.foundation.clock import now
from tenants.foundation.errors import NotFound
from tenants.foundation.identifiers import made_at, new_id
from tenants.foundation.settings import Settings
from tenants.identity.standings import standing_of
from tenants.isolation import files
from tenants.isolation.door import db, inside
from tenants.isolation.files import store_sealed
from tenants.isolation.folder import Folder
from tenants.isolation.marked_places import MarkedPlace
from tenants.isolation.storage import Storage
from tenants.isolation.turns import hold_open
from tests.attaching import CONTENT, NewWorkspace, attached, listed, purge, stored
from tests.attaching import attach as send
from tests.chores import order
from tests.jobs import RunJobs
from tests.workspace import Workspace

MEBIBYTE = 1024 * 1024


@pytest.fixture
def record(acme: Workspace) -> str:
    return str(acme.admin.post("/contacts", {"last_name": "Faults"}).json["id"])


def rows(workspace: Workspace) -> int:
    with inside(workspace.home):
        return db().scalar(select(func.count()).select_from(Attachment)) or 0


def left_untouched(workspace: Workspace, record: str, ask: Callable[[], Any]) -> Any:
    """The answer to a request that leaves neither row nor file nor event."""
    before = (rows(workspace), stored(workspace), len(events(workspace, record)))
    answer = ask()
    assert (rows(workspace), stored(workspace), len(events(workspace, record))) == before
    return answer


def events(workspace: Workspace, record: str) -> list[Any]:
    return list(workspace.admin.get("/audit-events", query_string={"record_id": record}).json["data"])


def test_an_empty_file_is_refused(acme: Workspace, neighbour: Workspace, record: str) -> None:
    answer = left_untouched(acme, record, lambda: send(acme.admin, "contacts", record, content=b""))
    assert (answer.status_code, answer.json["errors"]) == (422, {"file": ["The file is empty."]})
    assert listed(neighbour.admin, record) == []


def test_a_file_that_is_too_large_is_refused(
    acme: Workspace, neighbour: Workspace, record: str, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = app.extensions["house"]
    small = house.settings.model_copy(update={"max_attachment_bytes": 2 * MEBIBYTE})
    monkeypatch.setattr(house, "settings", small)
    fits = send(acme.admin, "contacts", record, content=b"x" * 2 * MEBIBYTE)
    assert fits.status_code == 201
    large = b"x" * (2 * MEBIBYTE + 1)
    answer = left_untouched(acme, record, lambda: send(acme.admin, "contacts", record, content=large))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert str(2 * MEBIBYTE) in answer.json["detail"]
    assert listed(neighbour.admin, record) == []


@pytest.mark.parametrize("missing", ["file", "resource", "record_id"])
def test_a_form_that_lacks_something_is_refused(
    acme: Workspace, neighbour: Workspace, record: str, missing: str
) -> None:
    fields = {"resource": "contacts", "record_id": record, "file": (io.BytesIO(CONTENT), "a.txt")}
    del fields[missing]

    def ask() -> Any:
        return acme.admin.post("/attachments", data=fields, content_type="multipart/form-data")

    answer = left_untouched(acme, record, ask)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [missing])
    assert listed(neighbour.admin, record) == []


def test_storage_that_fails_is_said_and_leaves_nothing(
    new_workspace: NewWorkspace, neighbour: Workspace, settings: Settings
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Faults"}).json["id"]
    folder = Path(unquote(urlsplit(settings.storage).path)) / f"t_{tenant.home.id.hex}"
    folder.mkdir(parents=True)
    in_the_way = folder / "attachments"
    in_the_way.write_bytes(b"no folder")
    answer = send(tenant.admin, "contacts", record)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert str(folder) not in answer.get_data(as_text=True)
    assert rows(tenant) == 0
    in_the_way.unlink()
    assert listed(tenant.admin, record) == []
    assert send(tenant.admin, "contacts", record).status_code == 201
    assert send(neighbour.admin, "contacts", record).status_code == 404


class Interrupting:
    """A file in the middle of which something happens."""

    def __init__(self, happens: Callable[[], Any]) -> None:
        self._happens, self._pieces = happens, [CONTENT, CONTENT]

    def read(self, _size: int) -> bytes:
        if len(self._pieces) == 1:
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(self._happens).result()
        return self._pieces.pop() if self._pieces else b""


def attach_while(workspace: Workspace, record: str, happens: Callable[[], Any]) -> None:
    upload = FileStorage(cast("IO[bytes]", Interrupting(happens)), "terms.txt", content_type="text/plain")
    with inside(workspace.home):
        caller = standing_of(workspace.admin.user_id, "session", None)
        assert caller
        act_as(caller, permission=EDIT_ATTACHMENTS)
        attach("contacts", UUID(record), upload, MEBIBYTE)


def test_a_record_that_is_gone_when_the_file_has_come_gets_none(
    acme: Workspace, neighbour: Workspace, record: str
) -> None:
    before = (rows(acme), stored(acme))

    def delete() -> None:
        assert acme.admin.delete(f"/contacts/{record}").status_code == 204

    with pytest.raises(NotFound):
        attach_while(acme, record, delete)
    assert (rows(acme), stored(acme)) == before
    assert neighbour.admin.get(f"/contacts/{record}").status_code == 404


def test_a_record_can_be_changed_while_a_file_is_on_its_way(
    acme: Workspace, neighbour: Workspace, record: str
) -> None:
    attach_while(
        acme, record, lambda: acme.admin.patch(f"/contacts/{record}", {"last_name": "Changed meanwhile"})
    )
    assert len(listed(acme.admin, record)) == 1
    assert acme.admin.get(f"/contacts/{record}").json["last_name"] == "Changed meanwhile"
    assert listed(neighbour.admin, record) == []


def test_a_record_is_deleted_with_the_file_that_somebody_attaches_meanwhile(
    acme: Workspace, neighbour: Workspace, record: str
) -> None:
    """The deletion waits for the one who attaches; the file goes to the bin with its record, and goes with it."""
    with ThreadPoolExecutor(1) as elsewhere:
        with inside(acme.home):
            caller = standing_of(acme.admin.user_id, "session", None)
            assert caller
            act_as(caller, permission=EDIT_ATTACHMENTS)
            upload = FileStorage(io.BytesIO(CONTENT), "terms.txt")
            made = attach("contacts", UUID(record), upload, MEBIBYTE)
            deletion = elsewhere.submit(acme.admin.delete, f"/contacts/{record}")
            waiting = (
                "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')"
            )
            while not db().connection().exec_driver_sql(waiting).scalar():
                assert not deletion.done()
        assert deletion.result().status_code == 204
    assert made.file in stored(acme)
    purge(acme, record)
    assert made.file not in stored(acme)
    with inside(acme.home):
        assert db().get(Attachment, made.id) is None
    assert neighbour.admin.get(f"/attachments/{made.id}").status_code == 404


def left(workspace: Workspace, age: timedelta) -> str:
    """The file of an attachment that was begun so long ago and never got its row."""
    moment = int((now() - age).timestamp() * 1000)
    attachment_id = UUID(int=(new_id().int & (2**80 - 1)) | moment << 80)
    assert abs(made_at(attachment_id) - (now() - age)) < timedelta(seconds=5)
    with inside(workspace.home):
        store_sealed(f"attachments/{attachment_id}", [CONTENT])
    return f"attachments/{attachment_id}"


def test_the_sweep_removes_what_a_killed_process_left_and_nothing_else(
    new_workspace: NewWorkspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Swept"}).json["id"]
    kept = attached(tenant.admin, "contacts", record)["id"]
    under_way = left(tenant, timedelta(hours=1))
    behind = [left(tenant, timedelta(days=each)) for each in (2, 30)]
    theirs = left(neighbour, timedelta(days=2))
    order(tenant.home, sweep_attachments)
    run_jobs()
    assert sorted(stored(tenant)) == sorted([f"attachments/{kept}", under_way])
    assert not [each for each in behind if each in stored(tenant)]
    assert theirs in stored(neighbour)
    assert tenant.admin.get(f"/attachments/{kept}/download").data == CONTENT


def test_nothing_is_removed_while_a_bundle_may_still_want_it(
    new_workspace: NewWorkspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Bundled"}).json["id"]
    made = attached(tenant.admin, "contacts", record)["id"]
    behind = left(tenant, timedelta(days=2))
    with ThreadPoolExecutor(1) as elsewhere, inside(tenant.home):
        hold_open(BUNDLING)
        assert elsewhere.submit(tenant.admin.delete, f"/attachments/{made}").result().status_code == 204
        elsewhere.submit(order, tenant.home, sweep_attachments).result()
        elsewhere.submit(run_jobs).result()
    assert sorted(stored(tenant)) == sorted([f"attachments/{made}", behind])
    assert tenant.admin.get(f"/attachments/{made}/download").status_code == 404
    order(tenant.home, sweep_attachments)
    run_jobs()
    assert stored(tenant) == [f"attachments/{made}"]
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404


@pytest.mark.soak
def test_memory_does_not_grow_with_the_file(acme: Workspace, neighbour: Workspace, record: str) -> None:
    length = 150 * MEBIBYTE

    class Zeros:
        left = length

        def read(self, size: int) -> bytes:
            self.left -= (taken := min(size, self.left))
            return b"\1" * taken

    def pieces(arriving: Arriving) -> Iterator[bytes]:
        yield from arriving.chunks()

    arriving, name = Arriving(cast("IO[bytes]", Zeros()), length), f"attachments/{new_id()}"
    with inside(acme.home):
        tracemalloc.start()
        try:
            store_sealed(name, pieces(arriving))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert arriving.size == length
    assert peak < 16 * MEBIBYTE
    assert name not in stored(neighbour)
    assert listed(acme.admin, record) == []


def test_what_lies_in_storage_that_is_not_mounted_is_not_gone_for_good(
    new_workspace: NewWorkspace,
    neighbour: Workspace,
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mounted, aside = tmp_path / "mounted", tmp_path / "aside"
    marked = MarkedPlace(
        f"tests-{new_id()}", str(mounted), Folder(mounted), app.extensions["house"].catalog, 0
    )
    monkeypatch.setattr(files, "_storage", [Storage(marked)])
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Faults"}).json["id"]
    sent = send(tenant.admin, "contacts", record)
    assert sent.status_code == 201
    content = f"/attachments/{sent.json['id']}/download"
    mounted.rename(aside)
    mounted.mkdir()
    for answer in (tenant.admin.get(content), send(tenant.admin, "contacts", record)):
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert str(tmp_path) not in answer.get_data(as_text=True)
    assert list(mounted.iterdir()) == []
    mounted.rmdir()
    aside.rename(mounted)
    assert tenant.admin.get(content).status_code == 200
    assert neighbour.admin.get(content).status_code == 404
