"""People come in by a link in a mail: once, for a week, and with no more rights than whoever invited them."""

from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.models import OneTimeToken, Team, User
from tenants.identity.one_time import GONE
from tenants.identity.people.models import Invitation
from tenants.identity.signing_in.models import Password
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.persons import AT_ONCE, wins
from tests.tenants.identity.people.invited import PASSWORD, accept, invite, role, sign_in, somebody


@pytest.mark.promise("1-33")
def test_somebody_who_was_invited_chooses_a_password_and_signs_in(app, acme, neighbour):
    email, team_id = somebody(), str(acme.sales.team_id)

    made = invite(acme, email=email, role_ids=[role(acme, "sales")], team_ids=[team_id])

    assert made.status_code == 201, made.json
    assert made.json["state"] == "pending"
    user = acme.admin.get(f"/users/{made.json['user_id']}").json
    assert (user["state"], user["team_id"], user["team_ids"]) == ("invited", team_id, [team_id])
    assert user["role_ids"] == [role(acme, "sales")]
    assert sign_in(app, email).status_code == 401
    (mail,) = posted(acme, email)
    assert mail.subject == "Ada Admin invites you to Acme"
    assert posted(neighbour, email) == []

    accepted = accept(app, mail.token, name="Nora Newmann")

    assert accepted.status_code == 200, accepted.json
    assert accepted.json == {"email": email, "tenant": {"slug": "acme", "name": "Acme"}}
    user = acme.admin.get(f"/users/{made.json['user_id']}").json
    assert (user["state"], user["name"]) == ("active", "Nora Newmann")
    assert user["email_verified_at"]
    assert acme.admin.get(f"/invitations/{made.json['id']}").json["state"] == "accepted"
    assert sign_in(app, email).status_code == 201
    assert neighbour.admin.get(f"/invitations/{made.json['id']}").status_code == 404


def test_every_step_is_on_record_with_whoever_took_it(app, acme):
    email = somebody()
    made = invite(acme, email=email, role_ids=[role(acme, "sales")]).json
    accept(app, posted(acme, email)[0].token)

    def acts(record_id: str) -> list[tuple[str, str]]:
        events = acme.admin.get(f"/audit-events?record_id={record_id}&sort=at").json["data"]
        return [(each["action"], each["actor_id"]) for each in events]

    admin, user = str(acme.admin.user_id), made["user_id"]
    assert ("invitations.created", admin) in acts(made["id"])
    assert ("invitations.changed", user) in acts(made["id"])
    assert ("users.created", admin) in acts(user)
    assert ("users.roles_changed", admin) in acts(user)
    assert ("users.changed", user) in acts(user)


@pytest.mark.parametrize(
    "tries", [pytest.param(3, id="some"), pytest.param(50, id="fifty", marks=pytest.mark.soak)]
)
@pytest.mark.timeout(600)
def test_parallel_acceptance_of_one_invitation_lets_one_in(app, acme, neighbour, tries):
    for _ in range(tries):
        email = somebody()
        made = invite(acme, email=email).json
        token = posted(acme, email)[0].token
        statuses: list[int] = []

        def follow(number: int) -> bool:
            answer = accept(app, token, password=f"{PASSWORD} {number}")  # noqa: B023 - used at once
            statuses.append(answer.status_code)  # noqa: B023
            return answer.status_code == 200

        assert wins(follow) == 1
        assert sorted(statuses) == [200, *[409] * (AT_ONCE - 1)]
        with inside(acme.home):
            assert db().scalar(select(func.count()).where(Password.user_id == UUID(made["user_id"]))) == 1
            assert db().get_one(User, UUID(made["user_id"])).state == "active"
        assert posted(neighbour, email) == []


def test_a_link_that_was_used_withdrawn_replaced_or_never_was_is_refused_in_the_same_words(
    app, acme, neighbour
):
    used, withdrawn, replaced, late = (somebody() for _ in range(4))
    made = {email: invite(acme, email=email).json for email in (used, withdrawn, replaced, late)}
    tokens = {email: posted(acme, email)[0].token for email in made}
    assert accept(app, tokens[used]).status_code == 200
    assert acme.admin.delete(f"/invitations/{made[withdrawn]['id']}").status_code == 204
    assert acme.admin.in_person.post(f"/invitations/{made[replaced]['id']}/mail").status_code == 200
    with inside(acme.home):
        mine = OneTimeToken.user_id == UUID(made[late]["user_id"])
        db().execute(update(OneTimeToken).where(mine).values(expires_at=now()))
    elsewhere = tokens[used].replace(acme.home.id.hex, neighbour.home.id.hex)
    never = ["fho_x_y", "nonsense", f"fho_{acme.home.id.hex}_{'x' * 43}", elsewhere]

    answers = [accept(app, token) for token in (*tokens.values(), *never)]

    assert {each.status_code for each in answers} == {409}
    assert {(each.json["code"], each.json["detail"]) for each in answers} == {("gone", GONE)}
    assert accept(app, posted(acme, replaced)[-1].token).status_code == 200


def test_a_weak_password_is_refused_and_does_not_use_up_the_link(app, acme):
    email = somebody()
    invite(acme, email=email)
    token = posted(acme, email)[0].token

    weak = accept(app, token, password="password1")

    assert weak.status_code == 422
    assert weak.json["errors"]["password"]
    assert accept(app, token).status_code == 200


def test_an_address_that_somebody_has_is_not_invited_again(acme, neighbour):
    email = somebody()
    assert invite(acme, email=email).status_code == 201

    again = invite(acme, email=email.upper())

    assert (again.status_code, again.json["code"]) == (409, "already_exists")
    assert invite(neighbour, email=email).status_code == 201


def test_a_withdrawn_invitation_frees_its_address_and_leaves_nobody_who_can_sign_in(acme):
    email = somebody()
    first = invite(acme, email=email).json
    acme.admin.delete(f"/invitations/{first['id']}")

    second = invite(acme, email=email)

    assert second.status_code == 201, second.json
    left = acme.admin.get(f"/users/{first['user_id']}").json
    assert (left["state"], left["email"]) == ("inactive", None)
    again = acme.admin.delete(f"/invitations/{first['id']}")
    assert (again.status_code, again.json["code"]) == (409, "invitation_over")


def test_a_user_whom_an_import_brought_is_invited_and_keeps_what_they_own(app, acme, neighbour):
    with inside(acme.home):
        act_as(SYSTEM)
        user = User(name="Imre Imported", source=Source.IMPORT)
        db().add(user)
        db().flush()
    contact = acme.admin.post("/contacts", {"last_name": "Owned", "owner_id": str(user.id)}).json
    email = somebody()

    nowhere = acme.admin.in_person.post(f"/users/{user.id}/invitation", {})
    assert (nowhere.status_code, nowhere.json["code"]) == (409, "no_address")
    made = acme.admin.in_person.post(f"/users/{user.id}/invitation", {"email": email})
    assert made.status_code == 201, made.json
    elsewhere = neighbour.admin.in_person.post(f"/users/{user.id}/invitation", {"email": email})
    assert elsewhere.status_code == 404

    assert accept(app, posted(acme, email)[0].token).status_code == 200
    assert sign_in(app, email).status_code == 201
    assert acme.admin.get(f"/contacts/{contact['id']}").json["owner_id"] == str(user.id)
    twice = acme.admin.in_person.post(f"/users/{user.id}/invitation", {"email": somebody()})
    assert (twice.status_code, twice.json["code"]) == (409, "not_to_be_invited")


def test_inviting_a_known_user_to_another_address_ends_the_link_to_the_first(app, acme):
    with inside(acme.home):
        act_as(SYSTEM)
        user = User(name="Imre Imported", source=Source.IMPORT)
        db().add(user)
        db().flush()
    first, second = somebody(), somebody()
    for email in (first, second):
        acme.admin.in_person.post(f"/users/{user.id}/invitation", {"email": email})

    assert accept(app, posted(acme, first)[0].token).status_code == 409
    assert accept(app, posted(acme, second)[0].token).json["email"] == second
    with inside(acme.home):
        states = db().scalars(select(Invitation.state).where(Invitation.user_id == user.id)).all()
        assert sorted(states) == ["accepted", "withdrawn"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.test\r\nBcc: c@d.test"}, "email"),
        ({"name": ""}, "name"),
        ({"role_ids": ["not an id"]}, "role_ids.0"),
        ({"role_ids": ["00000000-0000-7000-8000-000000000000"]}, "role_ids"),
        ({"team_ids": ["00000000-0000-7000-8000-000000000000"]}, "team_ids"),
        ({"locale": "Klingon"}, "locale"),
        ({"state": "active"}, "state"),
        ({"made_user": True}, "made_user"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_by_field(acme, said, field):
    answer = invite(acme, **said)

    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]) == [field]


def test_a_team_that_people_are_invited_into_is_there(acme, neighbour):
    theirs = invite(acme, team_ids=[str(neighbour.sales.team_id)])
    their_role = invite(acme, role_ids=[role(neighbour, "sales")])

    assert [each.status_code for each in (theirs, their_role)] == [422, 422]
    with inside(acme.home):
        assert (
            db().scalar(select(func.count()).select_from(Team).where(Team.id == neighbour.sales.team_id)) == 0
        )
