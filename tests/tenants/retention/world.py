"""What tests of retention do again and again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.erasure import erase_values
from tenants.audit.models import AuditEvent, AuditValues
from tenants.foundation.clock import now
from tenants.foundation.tables import Base
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tests.workspace import Client, Workspace

RunJobs = Callable[[], int]


def contact(workspace: Workspace, **said: Any) -> str:
    made = workspace.admin.post("/contacts", {"last_name": f"Kept {uuid4().hex}", **said})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def hold(workspace: Workspace, *record_ids: str, resource: str = "contacts", **said: Any) -> str:
    """A hold over these records, over everything when none is named."""
    named = {"resource": resource, "record_ids": list(record_ids)} if record_ids else {}
    body = {"matter": "Initech v Lumbergh", "reason": "The court asks for it.", **named, **said}
    made = workspace.admin.in_person.post("/legal-holds", body)
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def release(workspace: Workspace, hold_id: str) -> Any:
    return workspace.admin.in_person.put(f"/legal-holds/{hold_id}/release", {"reason": "It is over."})


def rule(workspace: Workspace, *, on: bool = True, **said: Any) -> str:
    """A rule that deletes contacts a year after they were made, unless something else is said."""
    body = {
        "name": f"Rule {uuid4().hex}",
        "resource": "contacts",
        "action": "delete",
        "trigger": "created",
        "period": "P1Y",
        "legal_source": "GDPR, article 5 (1) (e)",
        "effective_from": "2020-01-01",
        **said,
    }
    made = workspace.admin.post("/retention-rules", body)
    assert made.status_code == 201, made.json
    if on:
        switch_on(workspace, made.json["id"])
    return str(made.json["id"])


def switch_on(workspace: Workspace, rule_id: str) -> None:
    assert workspace.admin.post(f"/retention-rules/{rule_id}/preview").status_code == 200
    answer = workspace.admin.in_person.put(f"/retention-rules/{rule_id}/enablement")
    assert answer.status_code == 200, answer.json


def backdate(workspace: Workspace, table: str, record_id: str, days: int, *columns: str) -> None:
    """As if that many days had gone by since a record was made, or since what these columns say."""
    there = Base.metadata.tables[table]
    moment = now() - timedelta(days=days)
    values = dict.fromkeys(columns or ("created_at",), moment)
    with inside(workspace.home):
        db().execute(update(there).where(there.c.id == UUID(record_id)).values(values))


def run(workspace: Workspace, work: Any, run_jobs: RunJobs) -> dict[str, Any]:
    """Have a job of this tenant done now; its result."""
    with inside(workspace.home):
        act_as(SYSTEM)
        job_id = work.later()
    run_jobs()
    with inside(workspace.home):
        job = db().get_one(Job, job_id)
        assert job.state == JobState.SUCCEEDED, job.error
        return dict(job.result or {})


def in_bin(workspace: Workspace, record_id: str) -> dict[str, Any]:
    """The entry of a record that was deleted."""
    (entry,) = workspace.admin.get(f"/bin?record_id={record_id}").json["data"]
    return dict(entry)


def events(workspace: Workspace, action: str, record_id: str | None = None) -> list[dict[str, Any]]:
    query = {"action": action, "limit": 200, **({"record_id": record_id} if record_id else {})}
    answer = workspace.admin.get("/audit-events", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["data"])


def erase(workspace: Workspace, record_id: str) -> int:
    """Erase a person's values from the audit, as whoever runs the program does."""
    with inside(workspace.home):
        act_as(SYSTEM)
        return erase_values([UUID(record_id)])


def there(workspace: Workspace, *record_ids: str, resource: str = "contacts") -> list[bool]:
    return [workspace.admin.get(f"/{resource}/{each}").status_code == 200 for each in record_ids]


def delete(client: Client, path: str) -> None:
    answer = client.delete(path)
    assert answer.status_code == 204, answer.json


def restore(workspace: Workspace, record_id: str, client: Client | None = None) -> Any:
    return (client or workspace.admin).post(f"/bin/{in_bin(workspace, record_id)['id']}/restoration")


def values_left(workspace: Workspace, record_id: str) -> int:
    """How many events of a record have personal values beside them."""
    with inside(workspace.home):
        kept = (
            select(func.count())
            .select_from(AuditValues)
            .join(AuditEvent, AuditEvent.id == AuditValues.event_id)
        )
        return db().scalar(kept.where(AuditEvent.record_id == UUID(record_id))) or 0
