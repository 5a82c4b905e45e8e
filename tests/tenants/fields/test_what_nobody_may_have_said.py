"""Values and definitions that no request would bring, as a bundle could: lists, changes and rules go on."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.custom_fields.definitions import definitions_changed
from tenants.custom_fields.models import CustomField
from tenants.isolation.door import db, inside
from tests.tenants.fields.defined import EVERY_KIND, VALUES, define
from tests.workspace import Workspace

CONTACTS, FIELDS = Contact.__table__, CustomField.__table__
UNFIT = {
    "weight": "heavy", "vip": "perhaps", "since": "soon", "last_call": {"at": "noon"}, "size": 5,
    "interests": "boats", "nickname": ["a"], "nobody_defined": "x", "it's": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def brought(new_workspace: Callable[[], Workspace]) -> tuple[Workspace, str]:
    workspace = new_workspace()
    for name, options in EVERY_KIND.items():
        define(workspace, "contacts", name, **options)
    fits = workspace.admin.post("/contacts", {"last_name": "Fits", "custom": VALUES}).json["id"]
    unfit = workspace.admin.post("/contacts", {"last_name": "Unfit"}).json["id"]
    with inside(workspace.home):
        db().execute(sa.update(CONTACTS).where(CONTACTS.c.id == UUID(unfit)).values(custom=UNFIT))
    assert fits
    return workspace, unfit


def test_one_value_that_fits_not_fails_no_list(brought: tuple[Workspace, str], neighbour: Workspace) -> None:
    workspace, unfit = brought
    for name in EVERY_KIND:
        for question in (f"custom.{name}[is_null]=false", f"sort=custom.{name}&limit=1"):
            answer = workspace.admin.get(f"/contacts?{question}")
            assert answer.status_code == 200 or name == "interests", answer.json
    for question in ("custom.weight[gt]=1", "custom.since[lt]=2030-01-01", "custom.vip=true"):
        (found,) = workspace.admin.get(f"/contacts?{question}").json["data"]
        assert found["last_name"] == "Fits"
    shown = workspace.admin.get(f"/contacts/{unfit}").json["custom"]
    assert shown | {"weight": "heavy"} == UNFIT
    assert neighbour.admin.get(f"/contacts/{unfit}").status_code == 404


def test_a_record_with_such_values_is_changed_and_deleted(
    brought: tuple[Workspace, str], neighbour: Workspace
) -> None:
    workspace, unfit = brought
    changed = workspace.admin.patch(f"/contacts/{unfit}", {"custom": {"weight": "1"}})
    assert changed.json["custom"] == {**UNFIT, "weight": "1"}
    assert workspace.admin.patch(f"/contacts/{unfit}", {"custom": {"it's": None}}).status_code == 422
    assert neighbour.admin.delete(f"/contacts/{unfit}").status_code == 404


def test_the_database_keeps_objects_and_plain_names_only(
    brought: tuple[Workspace, str], neighbour: Workspace
) -> None:
    workspace, _ = brought
    contact = UUID(workspace.admin.post("/contacts", {"last_name": "A"}).json["id"])
    field = UUID(define(workspace, "contacts", "plain")["id"])
    tried = [(CONTACTS, contact, {"custom": each}) for each in ([], "x", 1)]
    tried += [(FIELDS, field, {"name": each}) for each in ("it's", 'a"b', "A", "")]
    tried += [(FIELDS, field, {"kind": "colour"})]
    for table, record_id, values in tried:
        with pytest.raises(IntegrityError), inside(workspace.home):
            db().execute(sa.update(table).where(table.c.id == record_id).values(values))
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


@pytest.mark.parametrize("choices", [5, {"a": 1}, [1, None, "a"]])
def test_choices_that_are_no_list_of_texts_offer_what_they_can(
    brought: tuple[Workspace, str], neighbour: Workspace, choices: object
) -> None:
    workspace, _ = brought
    name = f"from_{type(choices).__name__}"
    field = UUID(define(workspace, "contacts", name, kind="choice", choices=["a"])["id"])
    with inside(workspace.home):
        act_as(SYSTEM)
        said = sa.literal(choices, FIELDS.c.choices.type)
        db().execute(sa.update(FIELDS).where(FIELDS.c.id == field).values(choices=said))
        definitions_changed()
    status = 201 if isinstance(choices, list) else 422
    said = {"last_name": "A", "custom": {name: "a"}}
    assert workspace.admin.post("/contacts", said).status_code == status
    assert workspace.admin.get(f"/contacts?custom.{name}=a").status_code == 200
    assert neighbour.admin.get(f"/contacts?custom.{name}=a").status_code == 422
