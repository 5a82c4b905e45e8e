"""Every operation on an owned record, as roles of the tenant's own: down to sub-teams, and over single shared records."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from tenants.access.caller import SYSTEM, act_as
from tenants.access.permissions import Reach
from tenants.access.policy import resource_of
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.identity.models import RecordShare, Team, TeamMember, User
from tenants.isolation.door import db, inside
from tests.asking import Examples
from tests.generated.answers import sound
from tests.generated.test_roles import owned_models
from tests.generated.thoroughness import both
from tests.operations import OWN_AFFAIRS, Document, Operation
from tests.tenants.identity.rights.people import person
from tests.workspace import Client

RECORDS = ("own", "team's", "sub-team's", "team's above", "nobody's", "shared to read", "shared to edit")
WITHIN = {
    Reach.OWN: {"own"},
    Reach.TEAM: {"own", "team's"},
    Reach.SUBTEAMS: {"own", "team's", "sub-team's"},
    Reach.ALL: set(RECORDS),
}
#: `make soak` goes through all.
QUICK = {
    Reach.OWN: (),
    Reach.TEAM: (),
    Reach.SUBTEAMS: ("sub-team's",),
    Reach.ALL: (),
}
#: A bundle holds everything, so it is for those alone who see everything.
FOR_WHO_SEES_ALL = {
    "GET /api/v1/exports/{export_id}/download",
    "PUT /api/v1/exports/{export_id}/approval",
    "PATCH /api/v1/export-schedules/{schedule_id}",
}


@dataclass
class Standing:
    """Somebody in the middle one of three teams, whose only role gives every permission with one reach."""

    examples: Examples
    client: Client
    reach: Reach
    teams: dict[str, UUID]
    others: UUID

    def give(self, resource: str, record_id: str, whose: str) -> None:
        """Make the record somebody's, as seen by this caller."""
        owner, team = {
            "own": (self.client.user_id, None),
            "team's": (self.others, self.teams["middle"]),
            "sub-team's": (self.others, self.teams["below"]),
            "team's above": (self.others, self.teams["above"]),
        }.get(whose, (None, None))
        table = owned_models()[resource].__table__
        with inside(self.examples.workspace.home):
            change = update(table).where(table.c.id == UUID(record_id))
            db().execute(change.values(owner_id=owner, team_id=team))
            if whose.startswith("shared"):
                self._share(resource_of(owned_models()[resource]), UUID(record_id), whose.rpartition(" ")[2])

    def _share(self, resource: str, record_id: UUID, level: str) -> None:
        row = {
            "id": new_id(), "resource": resource, "record_id": record_id, "user_id": self.client.user_id,
            "level": level, "source": "system", "created_at": now(), "updated_at": now(),
        }  # fmt: skip
        db().execute(insert(RecordShare.__table__).values(row))

    def reaches(self, permission: str, resource: str, whose: str) -> bool:
        lent = {
            "shared to read": {f"{resource}:read"},
            "shared to edit": {f"{resource}:read", f"{resource}:edit"},
        }
        return whose in WITHIN[self.reach] or permission in lent.get(whose, set())


@pytest.fixture(scope="module", params=list(Reach), ids=lambda each: each.value)
def standing(request: pytest.FixtureRequest, ours: Examples) -> Standing:
    workspace, reach, mark = ours.workspace, request.param, uuid4().hex[:8]
    known = workspace.admin.get("/permissions").json["data"]
    permissions = {each["name"]: reach.value if reach in each["reaches"] else "all" for each in known}
    body = {"name": f"All with {reach.value} {mark}", "permissions": permissions}
    role = workspace.admin.in_person.post("/roles", body).json["id"]
    client = person(workspace, f"Reaches {reach.value}")
    given = workspace.admin.in_person.put(f"/users/{client.user_id}/roles", {"role_ids": [role]})
    assert given.status_code == 200, given.json
    teams: dict[str, UUID] = {}
    with inside(workspace.home):
        act_as(SYSTEM)
        path: list[UUID] = []
        for name in ("above", "middle", "below"):
            team = Team(
                name=f"{name} {mark}",
                parent_id=path[-1] if path else None,
                path=list(path),
                source=Source.SYSTEM,
            )
            db().add(team)
            db().flush()
            teams[name] = team.id
            path.append(team.id)
        other = User(name=f"Somebody else {mark}", source=Source.SYSTEM)
        db().add(other)
        db().flush()
        db().add(TeamMember(team_id=teams["middle"], user_id=client.user_id))
        return Standing(ours, client, reach, teams, other.id)


@pytest.mark.promise("0-19", "1-26")
@both
def test_reach_and_shares_decide_over_every_operation_on_a_record(
    document: Document, ours: Examples, standing: Standing, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if not operation.names_in_path or operation.resource not in owned_models():
            continue
        for whose in RECORDS if every else QUICK[standing.reach]:
            with subtests.test(operation=str(operation), record=whose):
                ids = ours.ids(operation)
                standing.give(operation.resource, ids[operation.names_in_path[0]], whose)
                answer = sound(operation, ours.ask(standing.client, operation, ids))
                expected = verdict(standing, operation, whose)
                if expected is None:
                    assert answer.status_code not in (401, 403, 404), answer.json
                else:
                    assert answer.status_code == expected, answer.json


def verdict(standing: Standing, operation: Operation, whose: str) -> int | None:
    """How the operation is refused; None when it is not."""
    resource = resource_of(owned_models()[operation.resource])
    if not standing.reaches(f"{resource}:read", resource, whose):
        return 404
    if str(operation) in FOR_WHO_SEES_ALL and standing.reach is not Reach.ALL:
        return 403
    governs = operation.permission.partition(":")[0] == resource and operation.permission not in OWN_AFFAIRS
    return 403 if governs and not standing.reaches(operation.permission, resource, whose) else None


@both
def test_lists_and_searches_show_what_reach_and_shares_give(
    document: Document, ours: Examples, standing: Standing, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if not operation.is_page or operation.names_in_path or operation.resource not in owned_models():
            continue
        if not every and operation.resource not in ("contacts", "deals"):
            continue
        resource = resource_of(owned_models()[operation.resource])
        with subtests.test(operation=str(operation)):
            made: dict[str, Any] = {whose: ours.make(operation.resource) for whose in RECORDS}
            for whose, each in made.items():
                standing.give(operation.resource, each, whose)
            expected = {whose for whose in RECORDS if standing.reaches(f"{resource}:read", resource, whose)}
            searched = (
                [{"q": "Zilpzalp"}] if any(each["name"] == "q" for each in operation.parameters) else []
            )
            for more in ({}, *searched):
                query = {"id[in]": ",".join(made.values()), "limit": 200, **more}
                answer = sound(operation, ours.ask(standing.client, operation, query_string=query))
                shown = {each["id"] for each in answer.json["data"]}
                assert {whose for whose, each in made.items() if each in shown} == expected, more
