"""Every operation of the document as every role, on one's own records, one's team's, and those of others."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from tenants.access.permissions import Reach
from tenants.access.policy import resource_of
from tenants.access.roles import built_in_roles
from tenants.foundation.tables import Base, Owned
from tenants.isolation.door import db, inside
from tests.asking import Examples
from tests.generated.answers import sound
from tests.generated.thoroughness import both, some_of
from tests.operations import OWN_AFFAIRS, Document, Operation
from tests.workspace import Client

ROLES = {
    "admin": "admin",
    "manager": "manager",
    "sales": "sales",
    "read-only": "read-only",
    "sales-elsewhere": "sales",
}
OWNERS = ("own", "team's", "other team's", "nobody's")
#: What tells most about a role, with few requests; `make soak` goes through all.
QUICK = {
    "admin": (),
    "manager": (),
    "sales": ("team's",),
    "read-only": (),
    "sales-elsewhere": ("other team's",),
}
#: These settle an invoice that the body names, and the example's is out of reach of who reaches less than all.
ON_ANOTHERS_RECORD = ("POST /api/v1/credit-notes", "POST /api/v1/payments")
#: Seen by whoever sees the record that it speaks of: the example's contact, out of reach likewise.
OF_A_RECORD = {"attachments": "contacts:read", "record-shares": "contacts:read", "bin": "contacts:read"}
#: What a change of such a record takes besides its own permission.
TAKES_ALSO = {"attachments": "contacts:edit", "bin": "contacts:delete"}
WITHIN = {
    Reach.OWN: {"own"},
    Reach.TEAM: {"own", "team's"},
    Reach.SUBTEAMS: {"own", "team's"},
    Reach.ALL: set(OWNERS),
    None: set(),
}


def owned_models() -> dict[str, Any]:
    """The model behind each resource whose records have an owner."""
    models = (mapper.class_ for mapper in Base.registry.mappers)
    return {each.__tablename__.replace("_", "-"): each for each in models if issubclass(each, Owned)}


def reach(role: str, permission: str) -> Reach | None:
    if permission in OWN_AFFAIRS:
        return Reach.ALL
    found = built_in_roles()[role].get(permission)
    return Reach(found) if found else None


def sees(role: str, resource: str) -> bool:
    """Whether the examples of a resource are within reach: they belong to nobody else's record, or all is."""
    return resource not in OF_A_RECORD or reach(role, OF_A_RECORD[resource]) is Reach.ALL


@both
def test_a_role_may_what_its_permissions_say_and_no_more(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if operation.public or (operation.names_in_path and operation.resource in owned_models()):
            continue
        for name, role in some_of(reversed(ROLES.items()), every=every, first=1):
            with subtests.test(operation=str(operation), role=name):
                answer = sound(operation, ours.ask(ours.workspace.clients[name], operation))
                reached = reach(role, operation.permission)
                out_of_reach = str(operation) in ON_ANOTHERS_RECORD and reached is not Reach.ALL
                if reached is None or out_of_reach:
                    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
                elif (operation.names_in_path or operation.form) and not sees(role, operation.resource):
                    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
                elif _on_what_is_only_seen(operation, role, reached):
                    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
                elif operation.permission not in OWN_AFFAIRS:
                    assert answer.status_code not in (401, 403, 404), answer.json


def test_whoever_may_not_put_the_tenant_away_is_told_so(
    putting_away: list[Operation], ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in putting_away:
        refused = [name for name, role in ROLES.items() if reach(role, operation.permission) is None]
        assert refused
        for name in refused:
            with subtests.test(operation=str(operation), role=name):
                answer = sound(operation, ours.ask(ours.workspace.clients[name], operation))
                assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def _on_what_is_only_seen(operation: Operation, role: str, reached: Reach | None) -> bool:
    """The example's contact is nobody's own: who sees all of them and changes some may change nothing that is on it."""
    changes = operation.resource in OF_A_RECORD and operation.method != "get"
    takes_also = reach(role, TAKES_ALSO.get(operation.resource, operation.permission))
    reaches = reached is Reach.ALL and takes_also is Reach.ALL
    return changes and sees(role, operation.resource) and not reaches


@pytest.mark.promise("0-19")
@both
@pytest.mark.parametrize("name", ROLES)
def test_reach_decides_over_every_operation_on_a_record(
    document: Document, ours: Examples, subtests: pytest.Subtests, name: str, every
) -> None:
    client = ours.workspace.clients[name]
    for operation in document.operations:
        if not operation.names_in_path or operation.resource not in owned_models():
            continue
        for owner in OWNERS if every else QUICK[name]:
            with subtests.test(operation=str(operation), role=name, record=owner):
                ids = ours.ids(operation)
                give(ours, operation.resource, ids[operation.names_in_path[0]], client, owner)
                answer = sound(operation, ours.ask(client, operation, ids))
                expected = verdict(operation, ROLES[name], owner)
                if expected is None:
                    assert answer.status_code not in (401, 403, 404), answer.json
                else:
                    assert answer.status_code == expected, answer.json


def verdict(operation: Operation, role: str, owner: str) -> int | None:
    """How the operation is refused for this role on a record of this owner; None when it is not."""
    resource = resource_of(owned_models()[operation.resource])
    right = reach(role, operation.permission)
    if right is None:
        return 403
    if owner not in WITHIN[reach(role, f"{resource}:read")]:
        return 404
    governs = operation.permission.partition(":")[0] == resource
    return 403 if governs and owner not in WITHIN[right] else None


def give(examples: Examples, resource: str, record_id: str, client: Client, owner: str) -> None:
    """Make somebody the owner of a record, as seen from a client."""
    clients = examples.workspace.clients
    elsewhere = clients[
        "sales" if client.team_id == clients["sales-elsewhere"].team_id else "sales-elsewhere"
    ]
    values = {
        "own": (client.user_id, client.team_id),
        "team's": (clients["admin"].user_id, client.team_id),
        "other team's": (elsewhere.user_id, elsewhere.team_id),
        "nobody's": (None, None),
    }[owner]
    model = owned_models()[resource]
    change = update(model.__table__).where(model.__table__.c.id == UUID(record_id))
    with inside(examples.workspace.home):
        db().execute(change.values(owner_id=values[0], team_id=values[1]))


@pytest.mark.promise("0-19")
@both
@pytest.mark.parametrize("name", ROLES)
def test_lists_show_what_is_within_reach(
    document: Document, ours: Examples, subtests: pytest.Subtests, name: str, every
) -> None:
    client = ours.workspace.clients[name]
    for operation in document.operations:
        if not every and operation.resource not in ("contacts", "deals"):
            continue
        model = owned_models().get(operation.resource)
        if not operation.is_page or operation.names_in_path or model is None:
            continue
        right = reach(ROLES[name], operation.permission)
        if right is None:
            continue
        with subtests.test(operation=str(operation), role=name):
            made = {owner: ours.make(operation.resource) for owner in OWNERS}
            for owner, each in made.items():
                give(ours, operation.resource, each, client, owner)
            query = {"id[in]": ",".join(made.values()), "limit": 200}
            answer = sound(operation, ours.ask(client, operation, query_string=query))
            shown = {each["id"] for each in answer.json["data"]}
            assert {owner for owner, each in made.items() if each in shown} == WITHIN[right]


@pytest.mark.soak
def test_programs_may_not_what_only_people_may(
    document: Document, ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if operation.people_only:
            with subtests.test(operation=str(operation)):
                path = operation.path.format(**ours.ids(operation))
                admin = ours.workspace.admin
                answer = sound(
                    operation, admin.request(operation.method.upper(), path, json=ours.body(operation))
                )
                assert (answer.status_code, answer.json["code"]) == (403, "needs_session")
