"""What is said of users, by themselves and by admins, and the address they sign in with."""

import secrets
from typing import Any

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Source
from tenants.identity.models import User
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.workspace import Client, Workspace, signed_in

PASSWORD = "blue kettle under seven stairs"


def somebody() -> str:
    return f"{secrets.token_hex(6)}@people.test"


@pytest.fixture
def uma(acme: Workspace, nursery: Any) -> Client:
    """A user without any role, who signs in by password."""
    return user_of(acme, nursery)


def user_of(workspace: Workspace, nursery: Any) -> Client:
    email = somebody()
    nursery.note_email(workspace.home, email)
    with inside(workspace.home):
        act_as(SYSTEM)
        user = User(name="Uma User", email=email, source=Source.SYSTEM)
        db().add(user)
        db().flush()
        db().add(Password(user_id=user.id, hash=hash_of(PASSWORD)))
        return Client(workspace.admin.flask, "", user.id, session=signed_in(workspace.home, user.id))


def email_of(workspace: Workspace, user: Client) -> str:
    return str(workspace.admin.get(f"/users/{user.user_id}").json["email"])


def follow(app: Any, token: str) -> Any:
    somewhere = {"REMOTE_ADDR": f"198.51.100.{secrets.randbelow(250) + 1}"}
    return app.test_client().post("/api/v1/email-changes", json={"token": token}, environ_overrides=somewhere)


def sign_in(app: Any, email: str) -> Any:
    return app.test_client().post("/api/v1/sessions", json={"email": email, "password": PASSWORD})


def test_people_change_what_is_said_of_themselves(acme, uma):
    said = {
        "name": "Uma Usher",
        "job_title": "Chef",
        "office": "Graz",
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
    }

    answer = uma.patch("/me", said)

    assert answer.status_code == 200, answer.json
    assert said.items() <= answer.json["user"].items()
    assert said.items() <= acme.admin.get(f"/users/{uma.user_id}").json.items()
    events = acme.admin.get(f"/audit-events?record_id={uma.user_id}&action=users.changed").json["data"]
    assert {each["actor_id"] for each in events} == {str(uma.user_id)}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"time_zone": "Middle/Earth"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"locale": "x"}, "locale"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"state": "active"}, "state"),
        ({"email": "other@people.test"}, "email"),
        ({"email_verified_at": "2026-01-01T00:00:00Z"}, "email_verified_at"),
        ({"role_ids": []}, "role_ids"),
        ({"team_id": None}, "team_id"),
    ],
)
def test_attack_saying_of_myself_what_others_decide(uma, said, field):
    answer = uma.patch("/me", said)

    assert answer.status_code == 422, answer.json
    assert list(answer.json["errors"]) == [field]


def test_an_admin_changes_what_is_said_of_a_user_and_nobody_else_does(acme, neighbour, uma):
    said = {"job_title": "Cook", "time_zone": "Asia/Tokyo"}
    address = f"/users/{uma.user_id}"

    assert said.items() <= acme.admin.patch(address, said).json.items()
    assert uma.patch(address, said).status_code in (403, 404)
    assert acme.manager.patch(address, said).status_code == 403
    assert neighbour.admin.patch(address, said).status_code == 404
    for field in ("state", "email", "role_ids", "team_ids", "deactivated_at", "version"):
        assert list(acme.admin.patch(address, {field: None}).json["errors"]) == [field]


def test_who_may_change_users_may_not_put_them_into_teams(acme):
    answer = acme.admin.in_person.post(
        "/roles",
        {
            "name": f"Editor {secrets.token_hex(4)}",
            "permissions": {"users:read": "all", "users:edit": "all", "teams:read": "all"},
        },
    )
    assert answer.status_code == 201, answer.json
    with inside(acme.home):
        act_as(SYSTEM)
        user = User(name="Edi Editor", source=Source.SYSTEM)
        db().add(user)
    acme.admin.in_person.put(f"/users/{user.id}/roles", {"role_ids": [answer.json["id"]]})
    with inside(acme.home):
        edi = Client(acme.admin.flask, "", user.id, session=signed_in(acme.home, user.id))

    assert edi.patch(f"/users/{user.id}", {"office": "Rome"}).status_code == 200
    joined = edi.patch(f"/users/{user.id}", {"team_id": str(acme.sales.team_id)})
    assert (joined.status_code, joined.json["code"]) == (403, "not_allowed")


def test_an_address_changes_when_its_link_was_followed_and_not_before(app, acme, neighbour, uma):
    before, after = email_of(acme, uma), somebody()

    assert uma.put("/me/email", {"email": after}).status_code == 202

    assert email_of(acme, uma) == before
    assert posted(acme, before) == []
    (mail,) = posted(acme, after)
    assert follow(app, mail.token.replace(acme.home.id.hex, neighbour.home.id.hex)).status_code == 409
    changed = follow(app, mail.token)
    assert changed.json == {"email": after, "tenant": {"slug": "acme", "name": "Acme"}}
    assert email_of(acme, uma) == after
    assert follow(app, mail.token).status_code == 409
    (told,) = posted(acme, before)
    assert told.subject == "Your e-mail address was changed"
    assert sign_in(app, after).status_code == 201
    assert sign_in(app, before).status_code == 401


def test_the_last_link_asked_for_is_the_one_that_works(app, acme, uma):
    first, second = somebody(), somebody()
    uma.put("/me/email", {"email": first})
    uma.put("/me/email", {"email": second})

    assert follow(app, posted(acme, first)[0].token).status_code == 409
    assert follow(app, posted(acme, second)[0].token).status_code == 200


def test_an_address_that_somebody_got_meanwhile_is_not_taken_from_them(app, acme, nursery, uma):
    other, wanted = user_of(acme, nursery), somebody()
    for each in (uma, other):
        assert each.put("/me/email", {"email": wanted}).status_code == 202
    first, second = (each.token for each in posted(acme, wanted))

    assert follow(app, first).status_code == 200
    refused = follow(app, second)

    assert (refused.status_code, refused.json["code"]) == (409, "already_exists")
    taken = uma.put("/me/email", {"email": email_of(acme, other)})
    assert (taken.status_code, taken.json["code"]) == (409, "already_exists")


def test_attack_a_link_of_before_after_the_address_changed(app, acme, uma):
    """Whoever reads the old mailbox gets nothing out of what was sent there."""
    before, after = email_of(acme, uma), somebody()
    asked = app.test_client().post("/api/v1/password-resets", json={"email": before})
    assert asked.status_code == 202
    uma.put("/me/email", {"email": after})
    assert follow(app, posted(acme, after)[0].token).status_code == 200

    for mail in posted(acme, before):
        if "#" in mail.text:
            stale = app.test_client().post(
                "/api/v1/password-resets/redemption",
                json={"token": mail.token, "password": "another kettle over nine stairs"},
            )
            assert stale.status_code == 409


def test_an_admin_starts_a_change_of_address_and_its_new_owner_ends_it(app, acme, neighbour, uma):
    after = somebody()

    by_program = acme.admin.put(f"/users/{uma.user_id}/email", {"email": after})
    assert (by_program.status_code, by_program.json["code"]) == (403, "needs_session")
    assert neighbour.admin.in_person.put(f"/users/{uma.user_id}/email", {"email": after}).status_code == 404
    assert acme.admin.in_person.put(f"/users/{uma.user_id}/email", {"email": after}).status_code == 202

    assert follow(app, posted(acme, after)[0].token).status_code == 200
    with inside(acme.home):
        assert db().scalars(select(User.email).where(User.id == uma.user_id)).one() == after
