"""A visit sees what its grant says: these resources, records and fields, masked by the database itself."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tenants.http.selects import MASK
from tenants.isolation.door import Tenancy, db, inside
from tenants.support_access.visitable import personal_fields, visitable, visitable_names
from tests.staff import Bureau
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every row that the database gave to a visit."""
    brought: list[Any] = []
    ask = Tenancy.ask

    def overheard(self: Tenancy, statement: str, values: Any) -> Any:
        rows = ask(self, statement, values)
        if self.visit:
            brought.append(rows)
        return rows

    monkeypatch.setattr(Tenancy, "ask", overheard)
    return brought


def contact_of(workspace: Workspace) -> dict[str, Any]:
    body = {"last_name": "Geheim", "email": "geheim@example.test", "national_id": "X-99", "notes": "Likes tea.",
            "birthday": "1980-01-01", "department": "Sales"}  # fmt: skip
    made = workspace.admin.post("/contacts", body)
    assert made.status_code == 201, made.json
    return dict(made.json)


@pytest.mark.promise("4-09", "4-13")
def test_clear_values_never_leave_the_database_where_they_are_masked(
    bureau: Bureau, tenant: Workspace, other: Workspace, wire: list[Any]
) -> None:
    contact = contact_of(tenant)
    visit = bureau.visit(bureau.granted(tenant))
    one = visit.get(f"/contacts/{contact['id']}")
    listed = visit.get("/contacts")
    assert (one.status_code, listed.status_code) == (200, 200)
    for shown in (one.json, next(each for each in listed.json["data"] if each["id"] == contact["id"])):
        assert (shown["last_name"], shown["email"], shown["national_id"]) == (MASK, MASK, MASK)
        assert (shown["birthday"], shown["department"]) == (None, "Sales")
    assert wire
    for word in ("Geheim", "geheim@", "Likes tea", "1980", "Clearname", "X-99"):
        assert word not in repr(wire)
    visit.end()
    bureau.settle()
    assert other.admin.get("/access-log").json["data"] == []


@pytest.mark.parametrize("name", ["contacts", "companies", "leads", "invoices", "payments"])
def test_every_personal_column_is_masked(name: str, bureau: Bureau) -> None:
    found = visitable(name)
    assert found is not None
    table = found.resource.mapper.local_table
    for field in found.resource.schema.fields:
        column = table.c.get(field)
        if column is not None and column.info["data"].personal and not column.info.get("sealed"):
            assert field in personal_fields(found.resource)


def test_masked_fields_are_neither_filtered_nor_sorted_nor_searched(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    for query in ("last_name=Clearname1", "email[contains]=clear", "sort=last_name", "q=clear"):
        for path in ("/contacts", "/contacts/count") if "sort" not in query else ("/contacts",):
            assert visit.get(f"{path}?{query}").status_code == 422, query
    assert visit.get("/contacts?department=D1").json["data"][0]["department"] == "D1"
    assert visit.get("/contacts/count?department=D1").json == {"count": 1}
    kinds = [each["kind"] for each in tenant.admin.get("/access-log").json["data"]]
    assert kinds == ["aggregate", "read"]
    visit.end()


def test_in_clear_it_is_only_where_the_tenant_agreed_and_sealed_values_stay_sealed(
    bureau: Bureau, tenant: Workspace, other: Workspace, wire: list[Any]
) -> None:
    contact = contact_of(tenant)
    visit = bureau.visit(bureau.granted(tenant, masked=False))
    shown = visit.get(f"/contacts/{contact['id']}").json
    assert (shown["last_name"], shown["national_id"]) == ("Geheim", MASK)
    assert "X-99" not in repr(wire)
    visit.end()
    masked = bureau.visit(bureau.granted(tenant, {"masked": True}, masked=False))
    assert masked.get(f"/contacts/{contact['id']}").json["last_name"] == MASK
    masked.end()


@pytest.mark.promise("4-13", "1-23")
def test_only_the_records_and_fields_in_scope_are_seen(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    scope = {"resources": ["contacts"], "record_ids": ids[:1], "only_fields": {"contacts": ["department"]}}
    visit = bureau.visit(bureau.granted(tenant, scope))
    (seen,) = visit.get("/contacts").json["data"]
    assert seen.keys() == {"id", "version", "created_at", "updated_at", "department"}
    assert seen["id"] == ids[0]
    assert visit.get(f"/contacts/{ids[1]}").status_code == 404
    assert visit.get("/contacts/count").json == {"count": 1}
    assert visit.get("/contacts?include=company").status_code == 422
    assert visit.get("/companies").json["code"] == "out_of_scope"
    assert visit.get(f"/contacts/{ids[1]}").status_code == 404
    logged = tenant.admin.get("/access-log").json["data"]
    assert {record for each in logged for record in each["record_ids"]} == {ids[0]}
    visit.end()


@pytest.mark.promise("1-02", "0-19")
def test_every_record_that_a_visit_returned_is_in_the_log(
    bureau: Bureau, tenant: Workspace, other: Workspace, subtests: pytest.Subtests
) -> None:
    tenant.admin.post("/companies", {"name": "Firm"})
    names = visitable_names()
    visit = bureau.visit(bureau.granted(tenant, resources=names))
    for name in names:
        with subtests.test(resource=name):
            returned, cursor = [], ""
            while cursor is not None:
                page = visit.get(f"/{name}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
                assert page.status_code == 200, page.json
                returned += [each["id"] for each in page.json["data"]]
                cursor = page.json["next_cursor"]
            assert len(returned) == len(tenant.admin.get(f"/{name}").json["data"])
            entries = tenant.admin.get(f"/access-log?resource={name}").json["data"]
            assert sorted(each for entry in entries for each in entry["record_ids"]) == sorted(returned)
    visit.end()
    bureau.settle()


def test_what_governs_rights_is_out_of_reach_whatever_is_asked(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    for name in ("users", "roles", "api-keys", "exports", "audit-events", "access-log", "sessions"):
        asked = bureau.ann.post("/access-grants", {"tenant": "acme", "resources": [name], "hours": 1,
                                "reason": "fault", "explanation": "?"})  # fmt: skip
        assert asked.status_code in (404, 422), asked.json
    assert not set(visitable_names()) & {
        "users",
        "teams",
        "roles",
        "api-keys",
        "exports",
        "audit-events",
        "imports",
    }


def test_a_reading_visit_can_neither_write_nor_load_records_as_objects(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    from crm.contacts.models import Contact

    visit = bureau.visit(bureau.granted(tenant))
    contact = tenant.admin.get("/contacts").json["data"][0]["id"]
    assert visit.patch(f"/contacts/{contact}", {"department": "X"}).json["code"] == "read_only"
    with (
        pytest.raises(RuntimeError, match="loads no records"),
        inside(tenant.home, visit="read", isolation="read only"),
    ):
        db().query(Contact).all()
    with (
        pytest.raises(Exception, match="read-only transaction"),
        inside(tenant.home, visit="read", isolation="read only") as tenancy,
    ):
        tenancy.ask("update contacts set department = 'X' returning 1", {})
    visit.end()


def test_a_writing_visit_says_what_for_and_changes_what_it_sees(
    bureau: Bureau, tenant: Workspace, other: Workspace, new_workspace: Callable[[], Workspace]
) -> None:
    ids = [each["id"] for each in tenant.admin.get("/contacts").json["data"]]
    grant = bureau.granted(tenant, access="write", record_ids=ids[:1])
    assert bureau.ann.post("/visits", {"grant_id": grant["id"], "access": "write"}).status_code == 422
    reading = bureau.visit(grant)
    assert reading.patch(f"/contacts/{ids[0]}", {"department": "Y"}).json["code"] == "read_only"
    visit = bureau.visit(grant, access="write", intent="Mend the department.")
    changed = visit.patch(f"/contacts/{ids[0]}", {"department": "Mended"})
    assert (changed.status_code, changed.json["department"], changed.json["last_name"]) == (
        200,
        "Mended",
        MASK,
    )
    assert visit.patch(f"/contacts/{ids[1]}", {"department": "Mended"}).status_code == 404
    assert visit.patch(f"/contacts/{ids[0]}", {"email": "new@example.test"}).status_code == 422
    assert visit.patch(f"/contacts/{ids[0]}", {"owner_id": str(tenant.manager.user_id)}).status_code in (
        403,
        422,
    )
    assert (
        visit.person.request("DELETE", f"/visits/current/contacts/{ids[0]}", token=visit.token).status_code
        == 405
    )
    entries = tenant.admin.get("/access-log?kind=change").json["data"]
    assert [each["record_ids"] for each in entries if each["shown_fields"] == ["department"]] == [
        [],
        [ids[0]],
    ]
    event = tenant.admin.get(f"/audit-events?record_id={ids[0]}&actor_kind=staff").json["data"][0]
    assert (event["action"], event["actor_id"]) == ("contacts.changed", str(bureau.ann.made.staff.id))
    assert tenant.admin.get(f"/access-visits/{visit.id}").json["intent"] == "Mend the department."
    assert "Mend" not in json.dumps(other.admin.get("/audit-events").json)
    visit.end()
    bureau.settle()


def test_parameter_pollution_of_a_visit(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    for visited in (tenant, other):
        visit = bureau.visit(bureau.granted(visited))
        for twice, name in (("limit=1&limit=200", "limit"), ("sort=id&sort=-id", "sort"), ("q=a&q=b", "q")):
            answer = visit.get(f"/contacts?{twice}")
            assert (answer.status_code, list(answer.json["errors"])) == (422, [name])
        visit.end()
