"""Every field of every resource, hidden and fixed by a role: absent or unchangeable wherever it could come to light."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from tenants.http.representation import nested_of, resources_of, ruled_fields
from tenants.identity.models import Role
from tenants.isolation.door import db, inside
from tests.asking import Examples
from tests.examples import CANARY
from tests.generated.answers import sound
from tests.generated.thoroughness import both, some_of
from tests.operations import PREFIX, Document, Operation
from tests.tenants.identity.rights.people import person
from tests.workspace import Client

#: What tells most with few requests: sealed fields, money of two columns, words that are searched, references.
QUICK = {
    "contacts": ("company_id", "created_at", "custom", "email", "national_id", "phone"),
    "companies": ("bank_account", "name", "owner_id", "revenue"),
    "deals": ("amount", "company", "name", "outcome", "stage_id"),
}
#: A hidden permission or role would keep the reader of this test from asking at all.
BESIDE = frozenset({"roles"})


@dataclass
class Reader:
    """Somebody who may do whatever programs may, less the fields that a test closes to them."""

    examples: Examples
    client: Client
    role_id: UUID

    def close(self, resource: str, field: str, level: str) -> None:
        with inside(self.examples.workspace.home):
            table = Role.__table__
            db().execute(
                update(table).where(table.c.id == self.role_id).values(fields={resource: {field: level}})
            )

    def ask(self, operation: Operation, ids: Any = None, **options: Any) -> Any:
        return sound(operation, self.examples.ask(self.client, operation, ids or {}, **options))


@pytest.fixture(scope="module")
def reader(ours: Examples) -> Reader:
    workspace = ours.workspace
    rights = workspace.admin.get("/permissions").json["data"]
    body = {"name": "Reader of everything", "permissions": {each["name"]: "all" for each in rights}}
    role = workspace.admin.in_person.post("/roles", body).json["id"]
    made = person(workspace, "Rita Reader")
    answer = workspace.admin.in_person.put(f"/users/{made.user_id}/roles", {"role_ids": [role]})
    assert answer.status_code == 200
    return Reader(ours, made, UUID(role))


@pytest.fixture(scope="module")
def referring(document: Document, ours: Examples) -> None:
    """Records that refer to the examples of others, so that includes have something to show."""
    for operation in document.operations:
        if (
            operation.method != "post"
            or operation.body is None
            or operation.public
            or operation.names_in_path
        ):
            continue
        for path, resource in ours.references(operation.body, operation.resource):
            if resource in QUICK:
                body = ours.body_with(operation, path, resource, ours.some(resource))
                ours.ask(ours.workspace.admin, operation, json=body)


def closable(document: Document, *, every: bool) -> Iterator[tuple[Operation, str]]:
    """Each list with each of its fields that a role can close."""
    rules = ruled_fields()
    lists = [each for each in document.operations if each.is_page and not each.names_in_path]
    for listing in lists:
        for field in sorted(rules.get(listing.resource, ())):
            if listing.resource not in BESIDE and (every or field in QUICK.get(listing.resource, ())):
                yield listing, field


def telling(record: dict[str, Any], field: str) -> str | None:
    """A value that can be told from all others, wherever it comes to light."""
    value = record.get(field)
    unique = isinstance(value, str) and CANARY in value and value[-1].isdigit()
    return value if unique else None


def shows(answer: Any, value: str | None) -> bool:
    return value is not None and f'"{value}"' in answer.get_data(as_text=True)


def whole(ours: Examples, listing: Operation) -> dict[str, Any]:
    """The example of a list, with all that can be included, as the admin sees it."""
    query = {"id": ours.some(listing.resource), **included(listing.resource)}
    (record,) = ours.ask(ours.workspace.admin, listing, {}, query_string=query).json["data"]
    return dict(record)


def included(resource: str, closed: str = "") -> dict[str, str]:
    names = {name for each in resources_of(resource) for name in each.includable if each.name == resource}
    names = {name for name in names if closed not in (name, f"{name}_id")}
    return {"include": ",".join(sorted(names))} if names else {}


#: A change that says nothing is a new version of an invoice all the same: its lines are part of it.
CHANGED_BY_ASKING = {"version", "updated_at"}


@pytest.mark.promise("0-19", "1-26")
@both
def test_a_hidden_field_comes_to_light_nowhere(
    document: Document, ours: Examples, reader: Reader, referring: None, subtests: pytest.Subtests, every
) -> None:
    clear = {}
    for listing, field in closable(document, every=every):
        if listing not in clear:
            clear[listing] = whole(ours, listing)
        record, value = clear[listing], telling(clear[listing], field)
        with subtests.test(resource=listing.resource, field=field):
            reader.close(listing.resource, field, "none")
            _not_listed(reader, listing, record, field, value)
            _no_way_in(reader, listing, field)
            _not_single(reader, document, listing, record, field, value)
            if value:
                _not_searched(reader, listing, record, value)
                _not_nested(reader, document, listing.resource, value)
                _not_in_the_audit(reader, document, listing.resource, record["id"], value)
    reader.close("contacts", "phone", "read")


def _not_listed(
    reader: Reader, listing: Operation, record: dict[str, Any], field: str, value: str | None
) -> None:
    answer = reader.ask(listing, query_string={"id": record["id"]})
    (shown,) = answer.json["data"]
    assert field not in shown
    assert shown.keys() >= {"id", "version"} & record.keys()
    assert not shows(answer, value)
    kept = shown.keys() & record.keys() - CHANGED_BY_ASKING
    assert {name: shown[name] for name in kept} == {name: record[name] for name in kept}


def _no_way_in(reader: Reader, listing: Operation, field: str) -> None:
    for parameter in listing.parameters:
        name = parameter["name"]
        if name == field or name.startswith(f"{field}["):
            answer = reader.ask(listing, query_string={name: "1"})
            assert (answer.status_code, list(answer.json["errors"])) == (422, [name])
    assert reader.ask(listing, query_string={"sort": field}).status_code == 422
    if any(field in each.includable for each in resources_of(listing.resource)):
        assert reader.ask(listing, query_string={"include": field}).status_code == 422


def _not_single(
    reader: Reader,
    document: Document,
    listing: Operation,
    record: dict[str, Any],
    field: str,
    value: str | None,
) -> None:
    ids = {"id": record["id"]}
    for method in ("get", "patch"):
        operation = _of_one(document, listing, method)
        if operation is None:
            continue
        (name,) = operation.names_in_path
        body = {"json": {}} if method == "patch" else {}
        answer = reader.ask(operation, {name: ids["id"]}, **body)
        if answer.status_code == 200:
            assert field not in answer.json
            assert not shows(answer, value)
            assert "version" not in record or answer.headers["ETag"]


def _of_one(document: Document, listing: Operation, method: str) -> Operation | None:
    found = [each for each in document.operations if each.method == method and len(each.names_in_path) == 1]
    return next((each for each in found if each.path.rpartition("/")[0] == listing.path), None)


def _not_searched(reader: Reader, listing: Operation, record: dict[str, Any], value: str) -> None:
    if not any(each["name"] == "q" for each in listing.parameters):
        return
    query = {"q": value, "id": record["id"]}
    clear = [str(each) for name, each in record.items() if each != value and isinstance(each, str)]
    answer = reader.ask(listing, query_string=query)
    found = answer.status_code == 200 and bool(answer.json["data"])
    assert not found or all(word in " ".join(clear) for word in value.split())


def _not_nested(reader: Reader, document: Document, resource: str, value: str) -> None:
    """Lists of others that show records of this resource along with their own; the audit is asked by itself."""
    for other in document.operations:
        if not other.is_page or other.names_in_path or other.resource in (resource, "audit-events"):
            continue
        shown = {name for each in resources_of(other.resource) for name in each.resources_shown}
        if resource in shown and resources_of(other.resource):
            answer = reader.ask(other, query_string={"limit": 200, **included(other.resource)})
            assert not shows(answer, value), str(other)


def _not_in_the_audit(reader: Reader, document: Document, resource: str, record_id: str, value: str) -> None:
    """Events of other resources may show it: a credit note says again what its invoice says."""
    events = document.find("get", f"{PREFIX}audit-events")
    assert events is not None
    audited = any(each.mapper.class_.__audited__ for each in resources_of(resource))
    for query in ({"record_id": record_id}, {"resource": resource, "limit": 200}):
        answer = reader.ask(events, query_string={**query, "include": "personal"})
        assert answer.json["data"] or not audited
        assert not shows(answer, value)


@both
@pytest.mark.parametrize("level", ["read", "none"])
def test_a_closed_field_can_not_be_written(
    document: Document, ours: Examples, reader: Reader, subtests: pytest.Subtests, level: str, every
) -> None:
    for listing, field in closable(document, every=every):
        for method in ("post", "patch"):
            operation = (
                document.find("post", listing.path)
                if method == "post"
                else _of_one(document, listing, method)
            )
            if operation is None or operation.public or operation.form or operation.body is None:
                continue
            body = ours.body(operation)
            if field not in document.resolve(operation.body).get("properties", {}):
                continue
            with subtests.test(operation=str(operation), field=field, level=level):
                reader.close(listing.resource, field, level)
                ids = {name: ours.some(listing.resource) for name in operation.names_in_path}
                said = body if method == "post" else {}
                answer = reader.ask(operation, ids, json={**said, field: body.get(field)})
                if answer.status_code == 422 and field in answer.json["errors"]:
                    continue  # a value that the body has no room for says nothing about rules
                assert (answer.status_code, answer.json["code"]) == (403, "closed_field"), answer.json
                assert field in answer.json["errors"]
    reader.close("contacts", "phone", "read")


def test_a_field_that_can_only_be_read_is_read(document: Document, ours: Examples, reader: Reader) -> None:
    for listing, field in closable(document, every=False):
        if any(nested_of(each.schema.fields[field]) for each in resources_of(listing.resource)):
            continue
        reader.close(listing.resource, field, "read")
        (shown,) = reader.ask(listing, query_string={"id": ours.some(listing.resource)}).json["data"]
        assert field in shown
    reader.close("contacts", "phone", "read")


@pytest.mark.soak
@both
def test_a_report_has_no_way_in_through_a_hidden_field(
    document: Document, reader: Reader, subtests: pytest.Subtests, every
) -> None:
    rules = ruled_fields()
    reports = [each for each in document.operations if each.path.startswith(f"{PREFIX}reports/")]
    assert reports
    for report in reports:
        resource = report.path.rpartition("/")[2]
        measures = next(each["schema"]["enum"] for each in report.needed if each["name"] == "measure")
        for field in some_of(sorted(rules[resource]), every=every, first=4):
            with subtests.test(report=str(report), field=field):
                reader.close(resource, field, "none")
                asked = {"measure": "count", "group_by": "team" if field.startswith("owner") else "owner"}
                ways = [each["name"] for each in report.parameters if each["name"].partition("[")[0] == field]
                for name in some_of(ways, every=every, first=2):
                    answer = reader.ask(report, query_string={**asked, name: "1"})
                    assert (answer.status_code, list(answer.json["errors"])) == (422, [name])
                if field in measures:
                    answer = reader.ask(report, query_string={**asked, "measure": field})
                    assert (answer.status_code, list(answer.json["errors"])) == (422, ["measure"])
    reader.close("contacts", "phone", "read")


def test_whoever_does_not_see_everything_exports_nothing(
    document: Document, reader: Reader, theirs: Examples
) -> None:
    export = document.find("post", f"{PREFIX}exports")
    assert export is not None
    reader.close("contacts", "phone", "none")
    answer = reader.ask(export)
    assert (answer.status_code, answer.json["code"]) == (403, "not_everything")
    assert "contacts" in answer.json["detail"]
    reader.close("contacts", "phone", "read")
    assert reader.ask(export).status_code == 202
    assert theirs.ask(theirs.workspace.admin, export).status_code == 202
