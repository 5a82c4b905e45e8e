"""An upload that is too large for memory waits on the disk of the web's machine, and nobody reads it there."""

import pytest

from tests.attaching import CONTENT, attach, attached, listed
from tests.spooled import OnDisk
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
