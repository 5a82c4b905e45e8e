"""Values of a tenant's own fields: taken by their kind, shown, changed one by one, refused by name."""

from typing import Any

import pytest

from tests.tenants.fields.defined import VALUES, define
from tests.workspace import Workspace


def test_a_record_shows_and_takes_values_of_every_kind(own: Workspace, neighbour: Workspace) -> None:
    made = own.admin.post("/contacts", {"last_name": "Own", "custom": VALUES})
    assert (made.status_code, made.json.get("custom")) == (201, VALUES)
    path = f"/contacts/{made.json['id']}"
    assert own.read_only.get(path).json["custom"] == VALUES
    (listed,) = own.admin.get(f"/contacts?id={made.json['id']}").json["data"]
    assert listed["custom"] == VALUES
    without = own.admin.post("/contacts", {"last_name": "Without"}).json
    assert without["custom"] == {}
    assert neighbour.admin.get(path).status_code == 404
    refused = neighbour.admin.post("/contacts", {"last_name": "Own", "custom": VALUES})
    assert refused.status_code == 422
    assert refused.json["errors"].keys() == {f"custom.{name}" for name in VALUES}


def test_a_change_is_laid_over_what_is_there(own: Workspace, neighbour: Workspace) -> None:
    made = own.admin.post("/contacts", {"last_name": "A", "custom": {"nickname": "Al", "vip": True}})
    path, tag = f"/contacts/{made.json['id']}", made.headers["ETag"]
    changed = own.admin.patch(
        path, {"custom": {"nickname": None, "weight": "1.50"}}, headers={"If-Match": tag}
    )
    assert changed.json["custom"] == {"vip": True, "weight": "1.5"}
    assert changed.headers["ETag"] != tag
    stale = own.admin.patch(path, {"custom": {"vip": False}}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert own.admin.patch(path, {"city": "Rome"}).json["custom"] == {"vip": True, "weight": "1.5"}
    assert own.admin.patch(path, {"custom": {}}).json["custom"] == {"vip": True, "weight": "1.5"}
    assert neighbour.admin.patch(path, {"custom": {}}).status_code == 404


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("weight", 12, "12"),
        ("weight", "-0.0", "0"),
        ("weight", "1e3", "1000"),
        ("weight", "999999999999999999.999999", "999999999999999999.999999"),
        ("weight", "0.000001", "0.000001"),
        ("last_call", "2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00.000000Z"),
        ("since", "0001-01-01", "0001-01-01"),
        ("interests", [], []),
        ("nickname", "", ""),
        ("story", "x" * 10_000, "x" * 10_000),
    ],
)
def test_values_are_kept_in_one_form(
    own: Workspace, neighbour: Workspace, name: str, value: Any, kept: Any
) -> None:
    made = own.admin.post("/contacts", {"last_name": "One form", "custom": {name: value}})
    assert (made.status_code, made.json.get("custom")) == (201, {name: kept})
    assert neighbour.admin.get(f"/contacts/{made.json['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nickname", 1),
        ("nickname", "a\0b"),
        ("nickname", "x" * 1_001),
        ("nickname", {"a": 1}),
        ("story", "x" * 10_001),
        ("weight", 1.5),
        ("weight", True),
        ("weight", "NaN"),
        ("weight", "1e18"),
        ("weight", "0.0000001"),
        ("weight", "1e999999999"),
        ("vip", "perhaps"),
        ("since", "2021-02-29"),
        ("last_call", "2026-03-01T09:30:00"),
        ("size", "XL"),
        ("interests", "art"),
        ("interests", ["art", "art"]),
        ("interests", ["cars"]),
        ("homepage", "javascript:alert(1)"),
        ("homepage", "not a url"),
        ("private_email", "nobody"),
        ("unheard_of", "x"),
        ("", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(
    own: Workspace, neighbour: Workspace, name: str, value: Any
) -> None:
    for client in (own.admin, neighbour.admin):
        refused = client.post("/contacts", {"last_name": "Wrong", "custom": {name: value}})
        assert refused.status_code == 422
        assert [each for each in refused.json["errors"] if each.startswith("custom")] == list(
            refused.json["errors"]
        )
        assert f"custom.{name}".rstrip(".") in refused.json["errors"] or name == "interests"


def test_what_is_no_object_is_refused(own: Workspace, neighbour: Workspace) -> None:
    for client in (own.admin, neighbour.admin):
        for custom in (None, [], "x", 1):
            refused = client.post("/contacts", {"last_name": "Wrong", "custom": custom})
            assert (refused.status_code, list(refused.json["errors"])) == (422, ["custom"])


@pytest.mark.parametrize("resource", ["companies", "leads", "deals", "products"])
def test_other_records_take_fields_too(own: Workspace, neighbour: Workspace, resource: str) -> None:
    define(own, resource, "colour", kind="choice", choices=["red", "blue"])
    body = {
        "last_name" if resource == "leads" else "name": f"Coloured {resource}",
        "custom": {"colour": "red"},
    }
    made = own.admin.post(f"/{resource}", body)
    assert (made.status_code, made.json.get("custom")) == (201, {"colour": "red"})
    path = f"/{resource}/{made.json['id']}"
    assert own.admin.patch(path, {"custom": {"colour": "blue"}}).json["custom"] == {"colour": "blue"}
    assert own.admin.get(f"/{resource}?custom.colour=red").json["data"] == []
    (found,) = own.admin.get(f"/{resource}?custom.colour=blue").json["data"]
    assert found["id"] == made.json["id"]
    assert neighbour.admin.post(f"/{resource}", body).json["errors"] == {
        "custom.colour": ["There is no such field."]
    }


def test_a_required_field_is_asked_of_new_records(own: Workspace, neighbour: Workspace) -> None:
    before = own.admin.post("/products", {"name": "Before"}).json["id"]
    field = define(own, "products", "shelf", required=True)
    for custom in ({}, {"custom": {}}, {"custom": {"shelf": None}}):
        refused = own.admin.post("/products", {"name": "Shelved", **custom})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["custom.shelf"])
    assert own.admin.post("/products", {"name": "Shelved", "custom": {"shelf": "A1"}}).status_code == 201
    assert own.admin.patch(f"/products/{before}", {"active": False}).status_code == 200
    assert own.admin.patch(f"/products/{before}", {"custom": {"shelf": None}}).status_code == 422
    assert neighbour.admin.post("/products", {"name": "Shelved elsewhere"}).status_code == 201
    assert own.admin.put(f"/fields/{field['id']}/archival").status_code == 200
    assert own.admin.post("/products", {"name": "No shelf"}).status_code == 201
