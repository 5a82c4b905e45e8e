"""The audit says who did what, can't be changed, and shows it when somebody changed it all the same."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.erasure import erase_values
from tenants.audit.models import AuditEvent, AuditValues
from tenants.audit.seals import copy_heads, seal_events, seal_everywhere
from tenants.audit.verification import Report, verify_log
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.conninfo import conninfo
from tenants.isolation.door import db, inside
from tests.workspace import Workspace


@pytest.fixture
def busy(new_workspace: Callable[[], Workspace], neighbour: Workspace) -> Workspace:
    """A tenant where a contact was made and changed, beside one that was busy too."""
    workspace = new_workspace()
    made = workspace.admin.post("/contacts", {"last_name": "Lumbergh", "email": "bill@initech.test"}).json
    workspace.admin.patch(f"/contacts/{made['id']}", {"last_name": "Smith", "lifecycle": "customer"})
    neighbour.admin.post("/contacts", {"last_name": "Nextdoor"})
    return workspace


def _seal(workspace: Workspace, catalog: Catalog) -> int:
    with inside(workspace.home):
        act_as(SYSTEM)
        count = seal_events()
    copy_heads(catalog, workspace.home)
    return count


def _as_owner(settings: Settings, workspace: Workspace, statement: str) -> None:
    """What only somebody with the owner's password could do."""
    with psycopg.connect(conninfo(str(settings.owner_database_url))) as connection:
        connection.execute(sql.SQL("set search_path = {}").format(sql.Identifier(workspace.home.role)))
        connection.execute(statement.encode())


@pytest.mark.promise("1-16")
def test_an_event_says_who_what_when_and_keeps_personal_values_apart(
    busy: Workspace, neighbour: Workspace
) -> None:
    events = busy.admin.get("/audit-events?resource=contacts&include=personal").json["data"]
    changed, created = events[0], events[1]
    assert (created["action"], changed["action"]) == ("contacts.created", "contacts.changed")
    assert changed["actor_id"] == str(busy.admin.user_id)
    assert changed["changes"] == {"lifecycle": ["lead", "customer"]}
    assert changed["personal_fields"] == ["last_name"]
    assert changed["personal"] == {"values": {"last_name": ["Lumbergh", "Smith"]}}
    assert "Lumbergh" not in str(created["changes"])
    assert busy.sales.get("/audit-events").status_code == 403
    assert neighbour.admin.get(f"/audit-events/{created['id']}").status_code == 404


def test_a_refused_request_leaves_no_event(busy: Workspace, neighbour: Workspace) -> None:
    theirs = neighbour.admin.post("/companies", {"name": "Theirs"}).json["id"]
    before = len(busy.admin.get("/audit-events?limit=200").json["data"])
    assert busy.admin.post("/contacts", {"last_name": "X", "company_id": theirs}).status_code == 422
    assert len(busy.admin.get("/audit-events?limit=200").json["data"]) == before


def test_a_sealed_log_verifies_and_a_second_seal_follows_the_first(
    busy: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    assert _seal(busy, catalog) >= 2
    busy.admin.post("/companies", {"name": "Later"})
    assert verify_log(catalog, busy.home).unsealed == 1
    assert _seal(busy, catalog) == 1
    _seal(neighbour, catalog)
    for workspace in (busy, neighbour):
        report = verify_log(catalog, workspace.home)
        assert report.holds, report.wrong
    assert verify_log(catalog, busy.home).seals == 2
    assert _seal(busy, catalog) == 0


@pytest.mark.soak
def test_the_round_seals_where_something_happened_and_nowhere_else(
    busy: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    seal_everywhere(catalog)
    for workspace in (busy, neighbour):
        report = verify_log(catalog, workspace.home)
        assert (report.holds, report.unsealed) == (True, 0)
    seals = verify_log(catalog, busy.home).seals
    seal_everywhere(catalog)
    assert verify_log(catalog, busy.home).seals == seals


@pytest.mark.promise("0-23")
def test_a_persons_values_are_erased_and_the_log_still_verifies(
    busy: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    _seal(busy, catalog)
    with inside(busy.home):
        act_as(SYSTEM)
        contact = (
            db().scalars(select(AuditEvent.record_id).where(AuditEvent.action == "contacts.created")).one()
        )
        assert contact is not None
        assert erase_values([contact]) == 2
    with inside(busy.home):
        left = [str(row.values) for row in db().scalars(select(AuditValues))]
    assert not any("Lumbergh" in text or "Smith" in text for text in left)
    report = verify_log(catalog, busy.home)
    assert report.holds, report.wrong
    assert report.erased == 2
    assert verify_log(catalog, neighbour.home).erased == 0


@pytest.mark.promise("3-29")
@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("update audit_events set actor_id = null", "An event under seal 1 was changed"),
        ("""update audit_values set values = '{"last_name": [null, "Nobody"]}'""", "The personal values of event"),
        ("delete from audit_seal_members where leaf = 0", "events, and"),
        ("update audit_seals set sealed_at = now()", "The signature of seal 1 does not fit"),
        ("delete from audit_seal_members; delete from audit_seals", "in the catalog and no longer in the log"),
    ],
)  # fmt: skip
def test_whoever_gets_round_the_rights_is_found_out(
    busy: Workspace,
    neighbour: Workspace,
    catalog: Catalog,
    settings: Settings,
    statement: str,
    complaint: str,
) -> None:
    _seal(busy, catalog)
    _as_owner(settings, busy, statement)
    report: Report = verify_log(catalog, busy.home)
    assert any(complaint in sentence for sentence in report.wrong), report.wrong
    assert verify_log(catalog, neighbour.home).holds


def test_an_event_says_from_where_and_by_which_credential(acme: Workspace, neighbour: Workspace) -> None:
    somewhere = {"REMOTE_ADDR": "203.0.113.77"}
    made = acme.admin.request("POST", "/companies", json={"name": "Far off"}, environ_overrides=somewhere)
    (event,) = acme.admin.get(f"/audit-events?record_id={made.json['id']}").json["data"]
    assert event["address"] == "203.0.113.77"
    assert event["request_id"] == made.headers["X-Request-Id"]
    assert (event["actor_kind"], event["actor_id"]) == ("api_key", str(acme.admin.user_id))
    assert event["credential_id"] in {
        each["id"] for each in acme.admin.get("/api-keys?limit=200").json["data"]
    }
    assert neighbour.admin.get(f"/audit-events?record_id={made.json['id']}").json["data"] == []
