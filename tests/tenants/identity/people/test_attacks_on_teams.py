"""Whoever may change teams gains no record by it, for themselves or for anybody else."""

import secrets
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Client, Workspace

TEAMS = {"teams:edit": "all", "teams:read": "all", "users:edit": "all", "users:read": "all"}


@dataclass
class Attack:
    """Somebody of one team who may change teams, and another team with a record that they don't reach."""

    attacker: Client
    mine: str
    other: str
    secret: str

    def sees_it(self) -> bool:
        return self.attacker.get(f"/contacts/{self.secret}").status_code == 200


def team(workspace: Workspace, **said: str | None) -> str:
    answer = workspace.admin.post("/teams", {"name": f"Team {secrets.token_hex(6)}", **said})
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def attack(acme: Workspace, reach: str) -> Attack:
    attacker = somebody_who_may(acme, TEAMS | {"contacts:read": reach, "roles:assign": "all"})
    mine, other = team(acme), team(acme)
    assert acme.admin.put(f"/teams/{mine}/members/{attacker.user_id}").status_code == 204
    secret = acme.admin.post("/contacts", {"last_name": "Secret", "team_id": other}).json["id"]
    made = Attack(attacker, mine, other, secret)
    assert not made.sees_it()
    return made


def refused(answer: TestResponse) -> bool:
    return (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")


@pytest.mark.parametrize("reach", ["team", "subteams"])
def test_nobody_reaches_a_team_by_joining_or_managing_it(
    acme: Workspace, neighbour: Workspace, reach: str
) -> None:
    made = attack(acme, reach)
    me = str(made.attacker.user_id)

    assert refused(made.attacker.put(f"/teams/{made.other}/members/{me}"))
    assert refused(made.attacker.patch(f"/teams/{made.other}", {"manager_id": me}))
    assert refused(made.attacker.put(f"/users/{me}/teams", {"team_ids": [made.mine, made.other]}))
    assert refused(made.attacker.patch(f"/users/{me}", {"team_id": made.other}))
    assert not made.sees_it()
    assert neighbour.admin.put(f"/teams/{made.other}/members/{me}").status_code == 404
    assert acme.admin.put(f"/teams/{made.other}/members/{me}").status_code == 204
    assert made.sees_it()


def test_nobody_reaches_a_team_by_moving_it_below_their_own(acme: Workspace, neighbour: Workspace) -> None:
    made = attack(acme, "subteams")
    deep = team(acme, parent_id=made.other)

    for moved in (made.other, deep):
        assert refused(made.attacker.patch(f"/teams/{moved}", {"parent_id": made.mine}))
    assert not made.sees_it()
    assert made.attacker.patch(f"/teams/{made.mine}", {"parent_id": made.other}).status_code == 200
    assert made.attacker.patch(f"/teams/{made.mine}", {"parent_id": None}).status_code == 200
    assert neighbour.admin.patch(f"/teams/{made.other}", {"parent_id": None}).status_code == 404
    assert acme.admin.patch(f"/teams/{made.other}", {"parent_id": made.mine}).status_code == 200
    assert made.sees_it()


def test_nobody_puts_an_accomplice_where_they_do_not_reach_themselves(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = attack(acme, "team")
    friend = somebody_who_may(acme, {"contacts:read": "team"})

    assert refused(made.attacker.put(f"/teams/{made.other}/members/{friend.user_id}"))
    assert made.attacker.put(f"/teams/{made.mine}/members/{friend.user_id}").status_code == 204
    assert friend.get(f"/contacts/{made.secret}").status_code == 404
    without = somebody_who_may(acme, {"products:read": "all"})
    assert made.attacker.put(f"/teams/{made.other}/members/{without.user_id}").status_code == 204
    role = acme.admin.in_person.post(
        "/roles", {"name": secrets.token_hex(6), "permissions": {"contacts:read": "team"}}
    ).json["id"]
    mine = [each["id"] for each in acme.admin.get(f"/users/{without.user_id}").json.get("roles", [])]
    assert refused(made.attacker.put(f"/users/{without.user_id}/roles", {"role_ids": [*mine, role]}))
    assert refused(made.attacker.put(f"/teams/{made.other}/roles", {"role_ids": [role]}))
    assert without.get(f"/contacts/{made.secret}").status_code == 403
    assert neighbour.admin.get(f"/users/{without.user_id}").status_code == 404


def test_nobody_gets_what_was_shared_with_a_team_by_joining_it(acme: Workspace, neighbour: Workspace) -> None:
    made = attack(acme, "own")
    share = {"resource": "contacts", "record_id": made.secret, "team_id": made.other, "level": "read"}
    assert acme.admin.in_person.post("/record-shares", share).status_code == 201

    assert refused(made.attacker.put(f"/teams/{made.other}/members/{made.attacker.user_id}"))
    assert not made.sees_it()
    assert neighbour.admin.get(f"/contacts/{made.secret}").status_code == 404


def test_whoever_reaches_everything_by_their_roles_orders_teams_as_they_like(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = attack(acme, "team")
    orderer = somebody_who_may(acme, TEAMS | {"contacts:read": "all"})

    assert orderer.put(f"/teams/{made.other}/members/{made.attacker.user_id}").status_code == 204
    assert made.sees_it()
    assert neighbour.admin.get(f"/teams/{made.other}").status_code == 404
