"""Invitations as a way to more rights than one's own, into other mailboxes, and into what a mail says."""

import secrets
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Source
from tenants.identity.models import TeamMember, User, UserRole
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.tenants.identity.people.invited import invite, role, somebody
from tests.tenants.identity.rights.people import somebody_who_may


@pytest.mark.promise("0-19")
def test_attack_inviting_a_friend_with_more_rights_than_my_own(app, acme):
    inviter = somebody_who_may(
        acme,
        {
            "invitations:create": "all", "users:read": "all", "roles:read": "all", "teams:read": "all",
            "deals:read": "own",
        },
    )  # fmt: skip
    wider = somebody_who_may(acme, {"deals:read": "team"})
    with inside(acme.home):
        wider_role = str(db().scalar(select(UserRole.role_id).where(UserRole.user_id == wider.user_id)))
        own_role = str(db().scalar(select(UserRole.role_id).where(UserRole.user_id == inviter.user_id)))

    def tried(role_ids: list[str]) -> Any:
        return inviter.post("/invitations", {"email": somebody(), "name": "Friend", "role_ids": role_ids})

    for role_id in (role(acme, "admin"), role(acme, "sales"), wider_role):
        answer = tried([role_id])
        assert (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")
    assert tried([own_role]).status_code == 201


def test_attack_inviting_into_a_team_whose_roles_are_more_than_my_own(acme):
    inviter = somebody_who_may(
        acme, {"invitations:create": "all", "users:read": "all", "teams:read": "all", "teams:edit": "all"}
    )
    team_id = acme.admin.post("/teams", {"name": f"Chiefs {secrets.token_hex(4)}"}).json["id"]
    answer = acme.admin.in_person.put(f"/teams/{team_id}/roles", {"role_ids": [role(acme, "admin")]})
    assert answer.status_code == 200, answer.json

    invited = inviter.post("/invitations", {"email": somebody(), "name": "F", "team_ids": [team_id]})
    joined = inviter.put(f"/teams/{team_id}/members/{inviter.user_id}")
    put = inviter.put(f"/users/{inviter.user_id}/teams", {"team_ids": [team_id]})
    managing = inviter.patch(f"/teams/{team_id}", {"manager_id": str(inviter.user_id)})

    answers = [(each.status_code, each.json["code"]) for each in (invited, joined, put, managing)]
    assert answers == [(403, "beyond_own_rights")] * 4
    with inside(acme.home):
        assert not db().scalar(select(TeamMember.user_id).where(TeamMember.team_id == UUID(team_id)))


def test_attack_sending_the_way_in_of_a_stronger_user_to_my_own_mailbox(acme):
    inviter = somebody_who_may(
        acme,
        {"invitations:create": "all", "users:read": "all", "users:edit": "all", "users:readdress": "all"},
    )
    with inside(acme.home):
        act_as(SYSTEM)
        chief = User(name="Chief of an import", source=Source.IMPORT)
        db().add(chief)
        db().flush()
        db().add(UserRole(user_id=chief.id, role_id=UUID(role(acme, "admin"))))
    mine = somebody()

    invited = inviter.post(f"/users/{chief.id}/invitation", {"email": mine})
    readdressed = inviter.put(f"/users/{acme.admin.user_id}/email", {"email": mine})

    assert [(each.status_code, each.json["code"]) for each in (invited, readdressed)] == [
        (403, "beyond_own_rights")
    ] * 2
    assert posted(acme, mine) == []


def test_a_program_invites_nobody(acme):
    answer = acme.admin.post("/invitations", {"email": somebody(), "name": "X"})

    assert (answer.status_code, answer.json["code"]) == (403, "needs_session")


def test_a_name_can_not_write_a_header_or_a_link_into_the_mail(acme):
    email = somebody()

    assert invite(acme, email=email, name="Win https://evil.test\r\nBcc: all@people.test").status_code == 201

    (mail,) = posted(acme, email)
    assert "https://evil.test" not in mail.text
    assert "Bcc: all" not in mail.subject
    assert "\nBcc" not in mail.text
