"""An upload that is too large for memory waits on the disk of the web's machine, and nobody reads it there."""

import tempfile

import pytest

from tests.attaching import CONTENT, attach, attached, listed, stored
from tests.spooled import OnDisk
from tests.tenants.lifecycle.faults import FULL
from tests.workspace import Workspace

LARGE = CONTENT * (2 * 1024 * 1024 // len(CONTENT))


@pytest.mark.promise("1-28", "2-15", "3-29")
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "it is read twice"}], ids=["once", "read twice"])
def test_a_file_on_its_way_lies_nowhere_in_clear(
    acme: Workspace, neighbour: Workspace, on_disk: OnDisk, headers: dict[str, str]
) -> None:
    record = str(acme.admin.post("/contacts", {"last_name": "On the way"}).json["id"])
    made = attached(acme.admin, "contacts", record, content=LARGE, headers=headers)
    (waited,) = on_disk()
    assert len(waited) == len(LARGE)
    assert CONTENT[:16] not in waited
    assert acme.admin.get(f"/attachments/{made['id']}/download").data == LARGE
    assert listed(neighbour.admin, record) == []
    assert attach(neighbour.admin, "contacts", record, content=LARGE).status_code == 404
    assert not any(CONTENT[:16] in each for each in on_disk())


def test_a_disk_without_room_for_it_is_said_and_nothing_is_kept(
    acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = str(acme.admin.post("/contacts", {"last_name": "On the way"}).json["id"])
    before = stored(acme)
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryFile", lambda **_said: FULL.open("w+b", buffering=0))
        refused = attach(acme.admin, "contacts", record, content=LARGE)
        assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
        assert attach(neighbour.admin, "contacts", record, content=CONTENT).status_code == 404
        attached(acme.admin, "contacts", record, content=CONTENT)
    assert len(stored(acme)) == len(before) + 1
