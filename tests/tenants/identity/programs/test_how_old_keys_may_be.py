"""A tenant says how old API keys may be: an older one is refused with a sentence, at its next request."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from tenants.foundation.clock import now
from tenants.identity.programs.models import ApiKey
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace


def allow(workspace: Workspace, days: int | None) -> Any:
    said = {"mfa_required": False, "api_key_max_days": days}
    answer = workspace.admin.in_person.put("/sign-in-rules", said)
    assert answer.status_code == 200, answer.json
    return answer.json


def made_days_ago(workspace: Workspace, client: Client, days: int) -> None:
    with inside(workspace.home):
        table: Any = ApiKey.__table__
        mine = update(table).where(table.c.user_id == client.user_id)
        db().execute(
            mine.values(created_at=now() - timedelta(days=days)), execution_options={"audited": True}
        )


def test_an_older_key_is_refused_with_a_sentence_and_a_younger_one_is_not(
    ours: Workspace, neighbour: Workspace
) -> None:
    made_days_ago(ours, ours.sales, 31)
    made_days_ago(neighbour, neighbour.sales, 31)
    assert ours.sales.get("/contacts").status_code == 200
    assert allow(ours, 30)["api_key_max_days"] == 30
    for refused in (
        ours.sales.get("/contacts"),
        ours.sales.post("/contacts", {"last_name": "Late"}),
        ours.sales.get("/me"),
    ):
        assert (refused.status_code, refused.json["code"]) == (401, "key_too_old")
        assert refused.json["detail"].startswith("This API key is older than your workspace allows.")
    assert ours.manager.get("/contacts").status_code == 200
    assert ours.sales.in_person.get("/contacts").status_code == 200
    assert neighbour.sales.get("/contacts").status_code == 200
    allow(ours, 32)
    assert ours.sales.get("/contacts").status_code == 200
    allow(ours, None)
    made_days_ago(ours, ours.sales, 3000)
    assert ours.sales.get("/contacts").status_code == 200


def test_the_security_page_names_them(ours: Workspace, neighbour: Workspace) -> None:
    made_days_ago(ours, ours.sales, 31)
    made_days_ago(ours, ours.manager, 25)
    before = ours.admin.get("/security-overview").json
    allow(ours, 30)
    after = ours.admin.get("/security-overview").json
    assert [each["user_id"] for each in after["keys_too_old"]["data"]] == [str(ours.sales.user_id)]
    assert [each["user_id"] for each in after["keys_expiring"]["data"]] == [str(ours.manager.user_id)]
    assert before["keys_too_old"]["count"] == 0
    assert after["keys"] == before["keys"] - 1
    assert neighbour.admin.get("/security-overview").json["keys_too_old"]["count"] == 0


def test_what_is_left_unsaid_stays_and_what_changes_is_on_record(
    ours: Workspace, neighbour: Workspace
) -> None:
    allow(ours, 90)
    assert ours.admin.in_person.put("/sign-in-rules", {"mfa_required": False}).json["api_key_max_days"] == 90
    for wrong in (0, 3651, "90", 1.5):
        said = {"mfa_required": False, "api_key_max_days": wrong}
        answer = ours.admin.in_person.put("/sign-in-rules", said)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["api_key_max_days"])
    assert ours.admin.put("/sign-in-rules", {"mfa_required": False}).json["code"] == "needs_session"
    events = ours.admin.get("/audit-events?action=sign-in-rules.changed").json["data"]
    assert [each["changes"] for each in events] == [{"api_key_max_days": [None, 90]}]
    assert neighbour.admin.get("/sign-in-rules").json["api_key_max_days"] is None


def test_a_key_that_is_too_old_is_rotated_by_whom_it_acts_as(ours: Workspace, neighbour: Workspace) -> None:
    made_days_ago(ours, ours.admin, 31)
    allow(ours, 30)
    path = f"/api-keys?user_id={ours.admin.user_id}"
    (key,) = ours.admin.in_person.get(path).json["data"]
    rotation = f"/api-keys/{key['id']}/rotation"
    assert ours.admin.post(rotation, {"grace_seconds": 60}).json["code"] == "key_too_old"
    assert neighbour.admin.in_person.post(rotation, {"grace_seconds": 60}).status_code == 404
    made = ours.admin.in_person.post(rotation, {"grace_seconds": 60})
    assert made.status_code == 201, made.json
    fresh = Client(ours.admin.flask, made.json["secret"], ours.admin.user_id)
    assert fresh.get("/contacts").status_code == 200
    assert ours.admin.get("/contacts").json["code"] == "key_too_old"
