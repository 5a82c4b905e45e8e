"""Leave ends when its time is over, when it is taken back, or when the log can't be written; nothing is seen after."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tenants.foundation.settings import Settings
from tenants.isolation import memberships as gates
from tenants.isolation.bootstrap import Logins
from tenants.isolation.conninfo import conninfo
from tenants.isolation.memberships import held_by_staff
from tenants.isolation.owner import as_owner
from tests.staff import Bureau
from tests.tenants.support_access.test_nothing_without_leave import by_hand
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

#: So many looks one after the other; then a few in a second, so that a page of the log shows all.
MANY_LOOKS = 30
Later = Callable[[timedelta], None]


@pytest.mark.promise("4-13", "1-23")
def test_a_leave_lasts_for_its_hours_and_no_longer(
    bureau: Bureau, tenant: Workspace, other: Workspace, later: Later
) -> None:
    visit = bureau.visit(bureau.granted(tenant, {"hours": 1}))
    later(timedelta(minutes=59))
    assert visit.get("/contacts").status_code == 200
    later(timedelta(minutes=61))
    over = visit.get("/contacts")
    assert (over.status_code, over.json["code"]) == (403, "visit_not_open")
    bureau.settle()
    assert tenant.home.role not in held_by_staff(bureau.settings.staff_database_url)
    ended = tenant.admin.get(f"/access-visits/{visit.id}").json
    assert ended["end_reason"] == "expired"
    assert ended["receipt"]["statement"]["entries"] == 1


def test_an_ask_that_nobody_answers_expires(
    bureau: Bureau, tenant: Workspace, other: Workspace, later: Later
) -> None:
    asked = bureau.asked(tenant)
    waiting = bureau.asked(tenant)
    assert bureau.boss.put(f"/access-grants/{waiting['id']}/approval").status_code == 200
    later(timedelta(hours=12, minutes=1))
    assert bureau.ann.get(f"/access-grants/{asked['id']}").json["state"] == "expired"
    assert bureau.boss.put(f"/access-grants/{asked['id']}/approval").json["code"] == "wrong_state"
    late = f"/access-grants/{waiting['id']}"
    assert bureau.ann.get(late).json["state"] == "expired"
    refused = tenant.admin.in_person.put(f"{late}/approval", {})
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_state")


@pytest.mark.soak
@pytest.mark.promise("4-13", "1-23")
def test_revoking_takes_effect_on_the_next_request_with_requests_in_flight(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    grant = bureau.granted(tenant)
    visit = bureau.visit(grant)
    revoked, answers = threading.Event(), []

    def look(_: int) -> None:
        for turn in itertools.count():
            after = revoked.is_set() if turn < MANY_LOOKS else revoked.wait(0.2)
            answers.append((after, visit.get("/contacts").status_code))
            if after:
                return

    with ThreadPoolExecutor(4) as crew:
        looking = [crew.submit(look, number) for number in range(3)]
        assert visit.get("/contacts").status_code == 200
        answer = tenant.admin.in_person.put(f"/access-grants/{grant['id']}/revocation", {})
        revoked.set()
        assert answer.status_code == 200, answer.json
        for each in looking:
            each.result()
    assert {status for after, status in answers if after} == {403}
    assert {status for _, status in answers} <= {200, 403}
    receipt = tenant.admin.get(f"/access-visits/{visit.id}").json["receipt"]["statement"]
    entries = tenant.admin.get(f"/access-log?visit_id={visit.id}&limit=200").json["data"]
    assert receipt["entries"] == len(entries)
    bureau.settle()


def test_a_connection_that_took_the_role_by_hand_ends_with_the_visit(
    bureau: Bureau, logins: Logins, tenant: Workspace, other: Workspace
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    connection = by_hand(logins)
    role = sql.Identifier(tenant.home.role)
    connection.execute(sql.SQL("set role {}").format(role))
    visit.end()
    bureau.settle()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select count(*) from contacts")
    connection.close()
    with by_hand(logins) as again, pytest.raises(psycopg.errors.InsufficientPrivilege):
        again.execute(sql.SQL("set role {}").format(role))


class Killed(BaseException):
    """The platform worker was killed here."""


@pytest.mark.soak
@pytest.mark.parametrize(
    "moment", ["before the role is taken", "before connections end", "before it is noted"]
)
def test_a_platform_worker_that_is_killed_leaves_nothing_open_for_good(
    bureau: Bureau,
    logins: Logins,
    tenant: Workspace,
    other: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    staying = bureau.visit(bureau.granted(other))
    visit = bureau.visit(bureau.granted(tenant))
    by_then = by_hand(logins)
    by_then.execute(sql.SQL("set role {}").format(sql.Identifier(tenant.home.role)))
    visit.end()

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before connections end":
            patch.setattr(gates, "END_CONNECTIONS", None)
            _die_on_none(patch)
        else:
            step = "settle" if moment == "before the role is taken" else "_note"
            patch.setattr(f"tenants.support_access.memberships.{step}", killed)
        with pytest.raises(Killed):
            bureau.settle()
    bureau.settle()
    assert tenant.home.role not in held_by_staff(bureau.settings.staff_database_url)
    assert other.home.role in held_by_staff(bureau.settings.staff_database_url)
    with pytest.raises(psycopg.OperationalError):
        by_then.execute("select 1 from contacts")
    by_then.close()
    assert staying.get("/contacts").status_code == 200
    staying.end()
    bureau.settle()
    assert held_by_staff(bureau.settings.staff_database_url).isdisjoint({tenant.home.role, other.home.role})


def _die_on_none(patch: pytest.MonkeyPatch) -> None:
    execute = psycopg.Connection.execute

    def run(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        if query is None:
            raise Killed
        return execute(self, query, *args, **options)

    patch.setattr(psycopg.Connection, "execute", run)


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["before it is given", "before it is noted"])
def test_a_visit_opens_though_the_platform_worker_was_killed_on_the_way(
    bureau: Bureau, tenant: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    grant = bureau.granted(tenant)
    made = bureau.ann.post("/visits", {"grant_id": grant["id"]}).json

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    step = "settle" if moment == "before it is given" else "_note"
    with monkeypatch.context() as patch:
        patch.setattr(f"tenants.support_access.memberships.{step}", killed)
        with pytest.raises(Killed):
            bureau.settle()
    bureau.settle()
    assert bureau.ann.get(f"/visits/{made['id']}").json["state"] == "open"
    assert bureau.ann.request("DELETE", f"/visits/{made['id']}").status_code == 204
    bureau.settle()
    assert tenant.home.role not in held_by_staff(bureau.settings.staff_database_url)


def test_a_role_that_somebody_gave_by_hand_is_taken_away(
    bureau: Bureau, settings: Settings, tenant: Workspace, other: Workspace
) -> None:
    with as_owner(settings.owner_database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("grant {} to freehold_staff with inherit false, set true").format(
                sql.Identifier(other.home.role)
            )
        )
    bureau.settle()
    assert other.home.role not in held_by_staff(settings.staff_database_url)


@pytest.mark.promise("1-02")
@pytest.mark.parametrize(
    "fault", ["no right to insert", pytest.param("the log is locked", marks=pytest.mark.soak)]
)
def test_where_the_log_cant_be_written_nothing_is_read(
    bureau: Bureau, settings: Settings, tenant: Workspace, other: Workspace, fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    visit = bureau.visit(bureau.granted(tenant))
    role, log = sql.Identifier(tenant.home.role), sql.Identifier(tenant.home.role, "access_log")
    url = conninfo(settings.owner_database_url)
    reads: list[Any] = []
    monkeypatch.setattr("tenants.support_access.visiting._read", lambda *said: reads.append(said))
    with psycopg.connect(url) as connection:
        if fault == "no right to insert":
            connection.execute(sql.SQL("revoke insert on {} from {}").format(log, role))
            connection.commit()
        else:
            connection.execute(sql.SQL("lock table {} in access exclusive mode").format(log))
        for path in ("/contacts", "/contacts/count"):
            answer = visit.get(path)
            assert (answer.status_code, answer.json["code"]) == (503, "unavailable"), answer.json
            assert "data" not in answer.json
        connection.execute(sql.SQL("grant select, insert on {} to {}").format(log, role))
    assert reads == []
    assert tenant.admin.get("/access-log").json["data"] == []
    monkeypatch.undo()
    assert visit.get("/contacts").status_code == 200
    visit.end()
    bureau.settle()


@pytest.mark.parametrize(
    "statement",
    ["update access_log set staff_name = 'x'", "delete from access_log", "delete from access_steps"],
)
def test_the_log_refuses_to_be_changed(tenant: Workspace, other: Workspace, statement: str) -> None:
    from tenants.isolation.door import inside

    for workspace in (tenant, other):
        with inside(workspace.home) as tenancy, pytest.raises(psycopg.errors.InsufficientPrivilege):
            tenancy.ask(statement, {})


def test_whoever_leaves_us_is_out_at_once(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    from tenants.support_access.staff.accounts import deactivate

    person = bureau.hire("support", manager=bureau.boss)
    asked = person.post("/access-grants", {"tenant": tenant.admin.get("/me").json["tenant"]["slug"],
                        "resources": ["contacts"], "hours": 1, "reason": "fault", "explanation": "?"})  # fmt: skip
    bureau.boss.put(f"/access-grants/{asked.json['id']}/approval")
    tenant.admin.in_person.put(f"/access-grants/{asked.json['id']}/approval", {})
    visit = bureau.visit(asked.json, person)
    assert visit.get("/contacts").status_code == 200
    deactivate(bureau.catalog, person.made.staff.email)
    assert visit.get("/contacts").status_code == 403
    assert person.get("/me").status_code == 401
    bureau.settle()
    assert tenant.admin.get(f"/access-visits/{visit.id}").json["end_reason"] == "taken_back"
