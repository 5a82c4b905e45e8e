"""A worker that is killed in the middle of an import: the import still ends once, and is whole."""

import time
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from crm.contacts.models import Contact
from tenants.audit.models import AuditEvent, AuditValues
from tenants.foundation.children import Child
from tenants.isolation.door import db, inside
from tests.uploads import upload
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROWS = 120_000
WITHIN_SECONDS = 500


@pytest.mark.usefixtures("app")
def test_an_import_whose_worker_is_killed_ends_once_and_whole(
    new_workspace: Callable[[], Workspace], processes: dict[str, Child]
) -> None:
    ours, neighbour = new_workspace(), new_workspace()
    text = "Surname,Email\n" + "".join(f"Person {n},p{n}@many.test\n" for n in range(ROWS))
    accepted = upload(ours.admin, text, "contacts", mode="upsert", match_on="email")
    path, killed, seen = accepted.headers["Location"], Counter(), {}
    until = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < until:
        seen = ours.admin.get(path).json
        phase = seen["progress"]["phase"]
        if seen["status"] in ("succeeded", "failed"):
            break
        if phase in ("reading", "applying") and not killed[phase]:
            killed[phase] += 1
            processes["worker"].kill()
            processes["worker"].start()
        time.sleep(0.05)
    assert set(killed) == {"reading", "applying"}, killed
    assert seen["status"] == "succeeded", seen
    assert seen["counts"] == {"rows": ROWS, "created": ROWS, "updated": 0, "skipped": 0, "rejected": 0}
    assert _stored(ours) == [ROWS, ROWS, ROWS, ROWS]
    assert _stored(neighbour)[0] == 0


def _stored(workspace: Workspace) -> list[int]:
    """Contacts, different addresses of contacts, events of their making, and values beside those."""
    made = AuditEvent.action == "contacts.created"
    questions = (
        select(func.count()).select_from(Contact),
        select(func.count(Contact.email.distinct())),
        select(func.count()).where(made),
        select(func.count())
        .select_from(AuditValues)
        .join(AuditEvent, AuditEvent.id == AuditValues.event_id)
        .where(made),
    )
    with inside(workspace.home, patience_seconds=60):
        return [db().scalar(each) or 0 for each in questions]
