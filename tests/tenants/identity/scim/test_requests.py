"""Requests of directories: filters, pages, versions, bulk, and what is no request at all."""

import secrets

import pytest

from tests.tenants.identity.scim.directories import BULK, Directory, listed, new_user, said
from tests.workspace import Workspace


def test_filters_sorts_and_pages(acme: Workspace, directory: Directory, neighbour: Workspace) -> None:
    mark = secrets.token_hex(5)
    made = [directory.add_user(title=f"{mark} {n}", externalId=f"{mark}-{n}") for n in range(3)]
    by_title = listed(
        directory, "/Users", filter=f'title sw "{mark}"', sortBy="title", sortOrder="descending"
    )
    assert [each["id"] for each in by_title] == [each["id"] for each in reversed(made)]
    one = listed(directory, "/Users", filter=f'externalId eq "{mark}-1" and active eq true')
    assert [each["id"] for each in one] == [made[1]["id"]]
    first = directory.ask("GET", "/Users", query_string={"count": 2, "startIndex": 1}).get_json(force=True)
    second = directory.ask("GET", "/Users", query_string={"count": 2, "startIndex": 3}).get_json(force=True)
    assert (len(first["Resources"]), first["totalResults"]) == (2, second["totalResults"])
    assert not {each["id"] for each in first["Resources"]} & {each["id"] for each in second["Resources"]}


@pytest.mark.parametrize(
    "filtered",
    [
        "userName eq \"x' or '1'='1\"",
        'userName eq "x\\" or userName pr or userName eq \\"x"',
        'userName eq "%"',
        'externalId eq "\'); drop table users; --"',
        'id eq "00000000-0000-0000-0000-000000000000\' or true --"',
    ],
)
def test_a_filter_is_a_question_and_never_a_statement(
    directory: Directory, neighbour: Workspace, filtered: str
) -> None:
    assert listed(directory, "/Users", filter=filtered) == []


@pytest.mark.parametrize(
    "filtered", ["userName", "userName eq", 'nonsense eq "x"', "(" * 3000, 'userName eq "a\0b"']
)
def test_what_is_no_filter_is_refused_in_the_words_of_the_standard(
    directory: Directory, neighbour: Workspace, filtered: str
) -> None:
    answer = directory.ask("GET", "/Users", query_string={"filter": filtered})
    assert answer.status_code == 400
    assert said(answer)["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_a_parameter_given_twice_is_refused_and_nobody_guesses_which_was_meant(
    directory: Directory, theirs: Directory
) -> None:
    made = directory.add_user()
    for path in ("/Users", "/Groups", f"/Users/{made['id']}", "/Schemas", "/ResourceTypes"):
        for who in (directory, theirs):
            answer = who.ask("GET", f"{path}?count=1&attributes=id&count=2&attributes=id")
            found = said(answer)
            assert (answer.status_code, found["scimType"]) == (400, "invalidValue")
            assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert "count" in found["detail"]
            assert "attributes" in found["detail"]
    changed = directory.ask("DELETE", f"/Users/{made['id']}?excludedAttributes=id&excludedAttributes=")
    assert (changed.status_code, said(changed)["scimType"]) == (400, "invalidValue")
    assert said(directory.ask("GET", f"/Users/{made['id']}?nonsense=1"))["active"] is True


@pytest.mark.parametrize(
    "body",
    [
        b'{"schemas": [], "active": true, "active": false}',
        b'{"schemas": [], "active": true, "ACTIVE": false}',
        b'{"schemas": [], "name": {"familyName": "A", "familyname": "B"}}',
        '{"schemas": []}'.encode("utf-16-le"),
        b'{"schemas": ["\xff"]}',
        b"[" * 30_000,
        b"{",
    ],
)
def test_a_body_of_two_meanings_or_none_is_refused_in_the_words_of_the_standard(
    directory: Directory, theirs: Directory, body: bytes
) -> None:
    made = directory.add_user()
    for who in (directory, theirs):
        for method, path in (
            ("POST", "/Users"),
            ("PUT", f"/Users/{made['id']}"),
            ("PATCH", f"/Users/{made['id']}"),
        ):
            answer = who.ask(method, path, data=body, content_type="application/scim+json")
            assert (answer.status_code, said(answer)["scimType"]) == (400, "invalidSyntax")
    assert said(directory.ask("GET", f"/Users/{made['id']}"))["meta"]["version"] == made["meta"]["version"]


def test_a_version_that_is_no_longer_the_current_one_changes_nothing(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user()
    path, tag = f"/Users/{made['id']}", made["meta"]["version"]
    renaming = {"op": "replace", "path": "displayName", "value": "New"}
    assert directory.patch(path, renaming, headers={"If-Match": tag}).status_code == 204
    assert directory.patch(path, {**renaming, "value": "Newer"}, headers={"If-Match": tag}).status_code == 412
    assert directory.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_in_bulk_what_fails_leaves_nothing_behind(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    taken = directory.add_user()["userName"]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": new_user()},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": new_user(userName=taken)},
        {"method": "POST", "path": "/Groups", "bulkId": "c", "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": secrets.token_hex(6),
            "members": [{"value": "bulkId:a"}],
        }},
    ]  # fmt: skip
    answer = directory.ask("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})
    assert [each["status"] for each in said(answer)["Operations"]] == ["201", "409", "201"]
    group = said(answer)["Operations"][2]["location"].rpartition("/")[2]
    assert len(said(directory.ask("GET", f"/Groups/{group}"))["members"]) == 1
    events = acme.admin.get("/audit-events?resource=users&action=users.created&limit=200").json["data"]
    made = said(answer)["Operations"][0]["location"].rpartition("/")[2]
    assert [each["record_id"] for each in events].count(made) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Users", b"{", 400),
        ("POST", "/Users", b"[]", 400),
        ("POST", "/Users", b'{"userName": "a\\u0000b@example.org"}', 400),
        ("POST", "/Users", b'{"userName": "\\ud800"}', 400),
        ("POST", "/Users", b"{}", 400),
        ("PUT", "/Users", b"{}", 405),
        ("GET", "/Nonsense", b"", 404),
        ("GET", "/Me", b"", 501),
        ("POST", "/Users", b"x" * 2_000_000, 413),
        ("PATCH", "/Users/not-an-id", b'{"Operations": []}', 400),
    ],
)
def test_bad_requests_are_refused_in_the_words_of_the_standard(
    directory: Directory, neighbour: Workspace, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {directory.key}", "Content-Type": "application/scim+json"}
    answer = directory.flask.open(f"/scim/v2{path}", method=method, data=body, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert said(answer)["status"] == str(status)
    assert "psycopg" not in answer.get_data(as_text=True)
