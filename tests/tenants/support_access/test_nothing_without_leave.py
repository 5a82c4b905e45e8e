"""Without leave from a tenant, staff get nothing of it: from no route, from no table, not by hand with their login."""

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from tenants.foundation.tables import Base
from tenants.isolation.bootstrap import Logins
from tenants.isolation.conninfo import conninfo
from tests.operations import Document, document_of
from tests.staff import Bureau, slug_of
from tests.workspace import Workspace

STATEMENTS = (
    "select * from {}",
    "insert into {} default values",
    "delete from {}",
    "truncate {}",
    "drop table {}",
)


def by_hand(logins: Logins) -> psycopg.Connection:
    """The staff's login, as with psql."""
    return psycopg.connect(conninfo(logins.staff), autocommit=True)


def staff_document(app: Flask) -> Document:
    return Document(app.test_client().get("/staff/v1/openapi.json").json)


@pytest.mark.promise("1-31", "4-09", "4-10", "4-11", "0-19", "2-15", "3-29")
def test_no_table_of_any_tenant_opens_to_the_staffs_login(
    bureau: Bureau, logins: Logins, tenant: Workspace, other: Workspace, subtests: pytest.Subtests
) -> None:
    bureau.settle()
    with by_hand(logins) as connection:
        for workspace in (tenant, other):
            for table in Base.metadata.tables:
                name = sql.Identifier(workspace.home.role, table)
                for statement in STATEMENTS:
                    with (
                        subtests.test(table=table, statement=statement),
                        pytest.raises(psycopg.errors.InsufficientPrivilege),
                    ):
                        connection.execute(sql.SQL(statement).format(name))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("set role {}").format(sql.Identifier(workspace.home.role)))


@pytest.mark.promise("1-31", "4-09", "4-10", "4-11", "0-19")
def test_no_route_of_a_tenant_opens_to_a_staff_credential(
    app: Flask, bureau: Bureau, tenant: Workspace, other: Workspace, subtests: pytest.Subtests
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    client = app.test_client(use_cookies=False)
    document = document_of(app)
    for token in (bureau.ann.made.api_key, visit.token):
        for operation in document.operations:
            if operation.public:
                continue
            with subtests.test(operation=str(operation), token=str(token)[:3]):
                path = operation.path.format(
                    **dict.fromkeys(operation.names_in_path, bureau.ann.made.staff.id)
                )
                headers = {"Authorization": f"Bearer {token}", "X-Tenant": str(tenant.home.id)}
                answer = client.open(path, method=operation.method.upper(), headers=headers)
                assert answer.status_code == 401, answer.data
    visit.end()
    assert other.admin.get("/access-visits").json["data"] == []


def test_no_route_of_staff_opens_to_a_tenants_credential(
    app: Flask, tenant: Workspace, other: Workspace, bureau: Bureau, subtests: pytest.Subtests
) -> None:
    client = app.test_client(use_cookies=False)
    visit = bureau.visit(bureau.granted(tenant))
    tokens = {
        "key": tenant.admin.key,
        "session": tenant.admin.session,
        "visit": visit.token,
        "other": other.admin.key,
    }
    document = staff_document(app)
    assert document.operations
    for operation in document.operations:
        if operation.public:
            continue
        for kind, token in tokens.items():
            if kind == "visit" and operation.permission == "visit":
                continue
            with subtests.test(operation=str(operation), token=kind):
                path = operation.path.format(**dict.fromkeys(operation.names_in_path, tenant.home.id))
                answer = client.open(
                    path,
                    method=operation.method.upper(),
                    json={},
                    headers={"Authorization": f"Bearer {token}"},
                )
                assert answer.status_code == 401, answer.data
    visit.end()


@pytest.mark.promise("4-09")
def test_staff_see_of_tenants_which_there_are_and_nothing_else(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    listed = {each["slug"]: each for each in bureau.ann.get("/tenants").json["data"]}
    for workspace in (tenant, other):
        assert listed[slug_of(workspace)].keys() == {"slug", "name", "state", "cell"}


@pytest.mark.promise("4-13")
def test_an_ask_and_an_approval_by_the_manager_open_nothing(
    bureau: Bureau, logins: Logins, tenant: Workspace, other: Workspace
) -> None:
    asked = bureau.asked(tenant)
    assert bureau.boss.put(f"/access-grants/{asked['id']}/approval").json["state"] == "manager_approved"
    assert bureau.ann.post("/visits", {"grant_id": asked["id"]}).status_code == 409
    bureau.settle()
    with by_hand(logins) as connection:
        for workspace in (tenant, other):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("set role {}").format(sql.Identifier(workspace.home.role)))


def test_a_visit_opens_its_own_tenant_alone(
    bureau: Bureau, logins: Logins, tenant: Workspace, other: Workspace
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    forged = visit.token.replace(tenant.home.id.hex, other.home.id.hex)
    answer = visit.person.request("GET", "/visits/current/contacts", token=forged)
    assert (answer.status_code, answer.json["code"]) == (403, "visit_not_open")
    with by_hand(logins) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(other.home.role)))
        contacts = sql.Identifier(tenant.home.role, "contacts")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("select * from {}").format(contacts))
    visit.end()
    bureau.settle()


def test_before_the_platform_opened_it_a_visit_sees_nothing_and_is_told_to_wait(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    grant = bureau.granted(tenant)
    made = bureau.ann.post("/visits", {"grant_id": grant["id"]}).json
    assert made["state"] == "opening"
    early = bureau.ann.request("GET", "/visits/current/contacts", token=made["token"])
    assert (early.status_code, early.json["code"]) == (503, "visit_opening")
    assert "just being opened" in early.json["detail"]
    assert int(early.headers["Retry-After"]) > 0
    bureau.settle()
    assert bureau.ann.get(f"/visits/{made['id']}").json["state"] == "open"
    assert bureau.ann.request("GET", "/visits/current/contacts", token=made["token"]).status_code == 200
    assert bureau.boss.get(f"/visits/{made['id']}").status_code == 404
    assert other.admin.get("/access-grants").json["data"] == []


def test_leave_that_is_taken_back_before_the_platform_opened_the_visit_is_not_waited_for(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    grant = bureau.granted(tenant)
    made = bureau.ann.post("/visits", {"grant_id": grant["id"]}).json
    assert tenant.admin.in_person.put(f"/access-grants/{grant['id']}/revocation", {}).status_code == 200
    late = bureau.ann.request("GET", "/visits/current/contacts", token=made["token"])
    assert (late.status_code, late.json["code"]) == (403, "visit_not_open")
    assert other.admin.get("/access-log").json["data"] == []
    bureau.settle()
