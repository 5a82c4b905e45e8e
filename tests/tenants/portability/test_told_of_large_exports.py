"""All admins and the security contact hear of an export of everything, or of many rows; of small ones nobody does."""

from collections.abc import Callable, Iterator
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import Role, User, UserRole
from tenants.isolation.door import db, inside
from tenants.mail.postmen import Post, ToFolder, post_office, use_post
from tenants.portability import alerting
from tenants.portability.alerting import tell_of_large
from tenants.portability.models import Export
from tests.jobs import RunJobs
from tests.workspace import Workspace

CONTACT = "security@elsewhere.test"
CHOSEN = {"resources": [{"resource": "contacts"}]}


@pytest.fixture
def tenant(new_workspace: Callable[[], Workspace]) -> Workspace:
    """With two admins, a security contact, and three contacts."""
    workspace = new_workspace()
    with inside(workspace.home):
        act_as(SYSTEM)
        admin = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=workspace.manager.user_id, role_id=admin))
    said = {"email": CONTACT}
    assert workspace.admin.in_person.put("/security-overview/security-contact", said).status_code == 200
    for name in ("One", "Two", "Three"):
        assert workspace.admin.post("/contacts", {"last_name": name}).status_code == 201
    return workspace


def made(workspace: Workspace, run_jobs: RunJobs, said: dict[str, Any]) -> str:
    asked = workspace.admin.post("/exports", said)
    assert asked.status_code == 202, asked.json
    run_jobs()
    assert workspace.admin.get(f"/exports/{asked.json['id']}").json["status"] == "succeeded"
    return str(asked.json["id"])


def notices(workspace: Workspace) -> list[str]:
    """What was told, the newest first."""
    found = workspace.admin.get("/notices?kind=exports.large_made").json["data"]
    return [each["text"] for each in found]


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[Path]:
    """Where mails go meanwhile."""
    before = post_office()
    use_post(Post(ToFolder(tmp_path), before.sender, before.public_url))
    yield tmp_path
    use_post(before)


def who_read(folder: Path, export: str) -> list[str]:
    """The addresses to which a mail about this export left the house."""
    mails = [message_from_string(each.read_text(), policy=policy.default) for each in folder.glob("*.eml")]
    told = [each for each in mails if each["Subject"] == alerting.SUBJECT and export in each.get_content()]
    return sorted(str(each["To"]) for each in told)


@pytest.mark.promise("EXP-5")
def test_everybody_who_answers_for_the_tenant_hears_of_an_export_of_everything_once(
    tenant: Workspace, neighbour: Workspace, run_jobs: RunJobs, letters: Path
) -> None:
    before = notices(neighbour)
    said = {"purpose": "sharing", "recipient": "Auditors & Sons", "note": "Yearly audit"}
    export = made(tenant, run_jobs, said)
    (text,) = notices(tenant)
    rows = sum(tenant.admin.get(f"/exports/{export}").json["counts"].values())
    for each in ("Ada Admin", f"everything, {rows} rows", "sharing", *list(said.values())[1:], export):
        assert each in text
    with inside(tenant.home):
        admins = [db().get_one(User, each.user_id).email for each in (tenant.admin, tenant.manager)]
    assert who_read(letters, export) == sorted([*(str(each) for each in admins), CONTACT])
    with inside(tenant.home):
        act_as(SYSTEM)
        assert not tell_of_large(db().scalars(select(Export)).one()), "however often its end is said"
    assert len(notices(tenant)) == 1
    assert tenant.sales.get("/notices").status_code == 403
    assert notices(neighbour) == before


@pytest.mark.promise("EXP-5")
def test_of_chosen_records_they_hear_when_there_are_more_than_the_threshold(
    tenant: Workspace, neighbour: Workspace, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = notices(neighbour)
    assert alerting.MANY_ROWS == 1000, "as docs/exports.md says"
    monkeypatch.setattr(alerting, "MANY_ROWS", 3)
    made(tenant, run_jobs, CHOSEN)
    assert notices(tenant) == []
    assert tenant.admin.post("/contacts", {"last_name": "Four"}).status_code == 201
    made(tenant, run_jobs, CHOSEN)
    (text,) = notices(tenant)
    assert "contacts, 4 rows" in text
    made(tenant, run_jobs, {"resources": [{"resource": "contacts", "filters": {"last_name": "Four"}}]})
    assert len(notices(tenant)) == 1
    assert notices(neighbour) == before
