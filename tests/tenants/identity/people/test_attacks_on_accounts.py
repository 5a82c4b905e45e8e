"""Somebody with some rights over others' accounts tries to become one of those who have more."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.mails import posted
from tests.tenants.identity.people.invited import accept, somebody
from tests.tenants.identity.people.test_users import follow
from tests.tenants.identity.rights.people import person, role_id, somebody_who_may
from tests.workspace import Client, Workspace


def clerk(workspace: Workspace, *rights: str) -> Client:
    """Somebody who reads everything that `read-only` does and has these rights besides."""
    reading = workspace.admin.get(f"/roles/{role_id(workspace, 'read-only')}").json["permissions"]
    return somebody_who_may(workspace, {**reading, **dict.fromkeys(rights, "all")})


def given(workspace: Workspace, client: Client, role: str) -> None:
    body = {"role_ids": [role_id(workspace, role)]}
    assert workspace.admin.in_person.put(f"/users/{client.user_id}/roles", body).status_code == 200


def invited(workspace: Workspace, by: Client) -> str:
    """An invitation as an admin, sent by this user to an address of their own."""
    body = {"email": somebody(), "name": "Mallory Private", "role_ids": [role_id(workspace, "admin")]}
    answer = by.in_person.post("/invitations", body)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def token_of(workspace: Workspace, invitation: str) -> str:
    email = workspace.admin.get(f"/invitations/{invitation}").json["email"]
    return posted(workspace, email)[-1].token


def admins_team(workspace: Workspace, manager: Client) -> None:
    """A team whose role is the admin's, managed by somebody who is not in it."""
    made: Any = workspace.admin.post("/teams", {"name": f"Admins {somebody()}"})
    body = {"role_ids": [role_id(workspace, "admin")]}
    assert workspace.admin.in_person.put(f"/teams/{made.json['id']}/roles", body).status_code == 200
    managed = {"manager_id": str(manager.user_id)}
    assert workspace.admin.in_person.patch(f"/teams/{made.json['id']}", managed).status_code == 200
    assert manager.get("/roles").status_code == 200


def test_a_link_for_somebody_who_was_promoted_meanwhile_opens_nothing(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    victim, mallory, evil = person(acme, "Vic", "read-only"), clerk(acme, "users:readdress"), somebody()
    assert mallory.put(f"/users/{victim.user_id}/email", {"email": evil}).status_code == 202

    given(acme, victim, "admin")

    refused = follow(app, posted(acme, evil)[-1].token)
    assert (refused.status_code, refused.json["code"]) == (409, "gone")
    assert acme.admin.get(f"/users/{victim.user_id}").json["email"] != evil
    assert posted(neighbour, evil) == []


def test_what_somebody_has_by_managing_a_team_counts_when_they_are_taken_over(acme: Workspace) -> None:
    victim, mallory = person(acme, "Mona", "read-only"), clerk(acme, "users:readdress")
    admins_team(acme, victim)

    refused = mallory.put(f"/users/{victim.user_id}/email", {"email": somebody()})

    assert (refused.status_code, refused.json["code"]) == (403, "beyond_own_rights")


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
def test_nobody_comes_back_by_an_invitation_that_they_sent_before_they_were_let_go(
    app: Flask, acme: Workspace, how: str
) -> None:
    mallory = person(acme, "Mallory", "admin")
    invitation = invited(acme, mallory)
    if how == "deactivated":
        path = f"/users/{mallory.user_id}/deactivation"
        assert acme.admin.in_person.put(path, {}).status_code == 200
    else:
        given(acme, mallory, "read-only")

    refused = accept(app, token_of(acme, invitation))

    assert (refused.status_code, refused.json["code"]) == (409, "gone")


def test_whoever_sends_an_invitation_again_stands_for_it(app: Flask, acme: Workspace) -> None:
    mallory = person(acme, "Mallory", "admin")
    invitation = invited(acme, mallory)
    acme.admin.in_person.put(f"/users/{mallory.user_id}/deactivation", {})

    weak = clerk(acme, "invitations:read", "invitations:create").post(f"/invitations/{invitation}/mail")
    assert (weak.status_code, weak.json["code"]) == (403, "beyond_own_rights")

    again = acme.admin.in_person.post(f"/invitations/{invitation}/mail")
    assert again.json["invited_by_id"] == str(acme.admin.user_id)
    assert accept(app, token_of(acme, invitation)).status_code == 200


def test_the_last_admin_is_not_taken_out_of_the_team_that_makes_them_one(
    new_workspace: Callable[[], Workspace],
) -> None:
    workspace = new_workspace()
    admin = workspace.admin
    team = admin.post("/teams", {"name": "Admins"}).json["id"]
    role = {"role_ids": [role_id(workspace, "admin")]}
    assert admin.in_person.put(f"/teams/{team}/roles", role).status_code == 200
    assert admin.put(f"/teams/{team}/members/{admin.user_id}").status_code == 204
    assert admin.in_person.put(f"/users/{admin.user_id}/roles", {"role_ids": []}).status_code == 200
    mallory = clerk(workspace, "teams:edit")

    for refused in (
        mallory.delete(f"/teams/{team}/members/{admin.user_id}"),
        mallory.put(f"/users/{admin.user_id}/teams", {"team_ids": []}),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "last_admin")
    assert admin.get("/roles").status_code == 200
    assert (
        mallory.delete(f"/teams/{workspace.sales.team_id}/members/{workspace.sales.user_id}").status_code
        == 204
    )


def test_nobody_takes_away_the_second_factor_of_somebody_who_holds_more(
    acme: Workspace, neighbour: Workspace
) -> None:
    mallory = clerk(acme, "users:reset-factors")
    refused = mallory.delete(f"/users/{acme.admin.user_id}/authenticators")
    assert (refused.status_code, refused.json["code"]) == (403, "beyond_own_rights")
    reader = person(acme, "Reader", "read-only")
    assert mallory.delete(f"/users/{reader.user_id}/authenticators").status_code == 204
    assert mallory.delete(f"/users/{neighbour.read_only.user_id}/authenticators").status_code == 404
