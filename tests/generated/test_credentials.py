"""Every operation of the document without a credential, or with one that is not good: 401, and no more."""

import secrets
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id, new_token, token_hash
from tenants.identity.founding import new_api_key
from tenants.identity.models import User
from tenants.identity.programs.models import ApiKey
from tenants.identity.recognition import csrf_token
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.asking import Examples
from tests.generated.answers import sound, words
from tests.generated.thoroughness import both, some_of
from tests.operations import Document, Operation
from tests.workspace import Client

#: What anybody may ask. Adding to it takes a reason that a reviewer believes.
PUBLIC = {
    "POST /api/v1/api-keys/leaked": "whoever finds a secret may hand it in; answers the same for everything",
    "POST /api/v1/signup": "there is no tenant yet",
    "POST /api/v1/sessions": "signing in is how a credential is come by",
    "POST /api/v1/sessions/second-factor": "its ticket is given for a password",
    "POST /api/v1/sessions/passkey-options": "random bytes to sign, and nothing else",
    "POST /api/v1/sessions/passkey": "a passkey is the credential",
    "POST /api/v1/password-resets": "who forgot the password can't sign in; answers the same for everybody",
    "POST /api/v1/password-resets/redemption": "its token came by mail",
    "POST /api/v1/email-verifications/redemption": "its token came by mail",
    "POST /api/v1/invitations/acceptance": "its token came by mail",
    "POST /api/v1/email-changes": "its token came by mail",
    "POST /api/v1/sign-in-methods": "says where a domain signs in, whoever exists",
    "GET /api/v1/single-sign-on/{provider}": "signing in is how a credential is come by",
    "GET /api/v1/single-sign-on/{provider}/callback": "likewise; the browser shows what it was given on leaving",
    "GET /api/v1/certificates/key": "whoever was given a certificate checks it with this public key",
    "GET /api/v1/export-structure": "says how bundles of this version are built, and nothing of anybody",
    "POST /api/v1/archives/links": "whoever is in an archived workspace can't sign in; answers the same for everybody",
    "POST /api/v1/archives/thaws": "its token came by mail",
    "POST /api/v1/workspace-reminders": "who forgot the workspace can't sign in; answers the same for everybody",
}
SOME_ID = "01900000-0000-7000-8000-000000000000"


def test_what_anybody_may_ask_is_on_a_reviewed_list(document: Document) -> None:
    assert {str(each) for each in document.operations if each.public} == PUBLIC.keys()


def test_every_operation_says_its_permission_and_its_own_name(document: Document) -> None:
    names = [each.raw["operationId"] for each in document.operations]
    assert len(names) == len(set(names))
    assert all(each.raw.get("x-permission") for each in document.operations)


@both
def test_nothing_is_answered_without_a_good_credential(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    bad = dict(some_of(_bad_credentials(ours, theirs).items(), every=every, first=2))
    for operation in document.operations:
        if operation.public:
            continue
        with subtests.test(operation=str(operation)):
            ids = dict.fromkeys(operation.names_in_path, SOME_ID)
            answers = {
                what: sound(operation, _ask(ours, operation, ids, headers)) for what, headers in bad.items()
            }
            assert {what for what, each in answers.items() if each.status_code != 401} == set()
            assert {each.headers["WWW-Authenticate"] for each in answers.values()} == {
                'Bearer realm="freehold"'
            }
            assert len({words(each) for each in answers.values()}) == 1, "credentials are told apart"


def _ask(examples: Examples, operation: Operation, ids: dict[str, str], headers: dict[str, str]):
    """With nothing but these headers; the admin's own key stays out of it."""
    flask: FlaskClient = examples.workspace.admin.flask
    stranger = Stranger(flask, "", examples.workspace.admin.user_id)
    body = {} if operation.body is not None else None
    return examples.ask(stranger, operation, ids, json=body, headers=headers)


class Stranger(Client):
    """Sends no credential of its own."""

    def request(self, method: str, path: str, **options):
        headers = options.pop("headers", {})
        return self.flask.open(path, method=method, headers=headers, **options)


def _bad_credentials(ours: Examples, theirs: Examples) -> dict[str, dict[str, str]]:
    our_tenant, their_tenant = ours.workspace.home.id, theirs.workspace.home.id
    key = ours.workspace.admin.key
    secret = key.rpartition(our_tenant.hex + "_")[2]
    keys = {
        "our tenant, wrong secret": new_token("fhk", our_tenant),
        "their tenant, our secret": f"fhk_{their_tenant.hex}_{secret}",
        "revoked": _key(ours, revoked_at=now()),
        "empty": "",
        "not a key": "swordfish",
        "not ASCII": "schlüssel".encode().decode("latin-1"),
        "no tenant, our secret": f"fhk_{new_id().hex}_{secret}",
        "our tenant, no secret": f"fhk_{our_tenant.hex}_",
        "tenant with injection": f"fhk_{our_tenant.hex[:-3]}'--_{secret}",
        "cut": key[:-1],
        "longer": key + secrets.token_urlsafe(8),
        "a session's kind": key.replace("fhk_", "fhs_"),
        "of support staff": key.replace("fhk_", "fht_"),
        "expired": _key(ours, expires_at=now() - timedelta(seconds=1)),
        "of a user who left": _key_of_a_user_who_left(ours),
    }
    headers = {what: {"Authorization": f"Bearer {each}"} for what, each in keys.items()}
    return {
        "nothing": {},
        **headers,
        "another scheme": {"Authorization": f"Basic {key}"},
        "ended session": _cookie(_session(ours, ended_at=now())),
        "session that ran out": _cookie(_session(ours, expires_at=now() - timedelta(seconds=1))),
        "session that nobody used": _cookie(_session(ours, last_seen_at=now() - timedelta(days=2))),
        "key as a cookie": {"Cookie": f"freehold_session={key}"},
    }


def _cookie(token: str) -> dict[str, str]:
    """With the token against forgery, which is looked at first."""
    return {"Cookie": f"freehold_session={token}", "X-CSRF-Token": csrf_token(token)}


def _key(examples: Examples, **fields) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        key = new_api_key(home, db().get_one(User, examples.workspace.admin.user_id), "Not good")
        db().flush()
        record = db().scalars(select(ApiKey).where(ApiKey.hash == token_hash(key))).one()
        for name, value in fields.items():
            setattr(record, name, value)
    return key


def _key_of_a_user_who_left(examples: Examples) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        user = User(name="Gone", state="inactive", source="system")
        db().add(user)
        db().flush()
        return new_api_key(home, user, "Left behind")


def _session(examples: Examples, **fields) -> str:
    home = examples.workspace.home
    token = new_token("fhs", home.id)
    with inside(home):
        act_as(SYSTEM)
        good = {"expires_at": now() + timedelta(days=1)}
        db().add(Session(user_id=examples.workspace.admin.user_id, hash=token_hash(token), **good | fields))
    return token
