"""When a tenant was used last is known for good, whatever becomes of the row that said so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from tenants.access.caller import SYSTEM, Caller, act_as
from tenants.catalog.registry import Catalog
from tenants.foundation.afterwards import afterwards
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.identity.oauth.models import ConnectedApp
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Password, Session
from tenants.identity.signing_in.passwords import hash_of
from tenants.identity.tidying import tidy_up
from tenants.isolation.door import db, inside
from tenants.lifecycle.inactivity.looking import look
from tenants.provisioning.birth import Nursery
from tests.apps import register
from tests.jobs import RunJobs
from tests.tenants.lifecycle.letters import subjects
from tests.tenants.lifecycle.passing import days_pass
from tests.workspace import Client, Workspace, signed_in

pytestmark = pytest.mark.soak

PASSWORD = "blue kettle under seven stairs"
#: No two tests have the same: what admins were told is known by the second of the last use.
QUIET_DAYS = count(130)
TOLD = "Your workspace will be archived in 30 days"
Days = Callable[[Workspace, float], None]


@pytest.fixture
def pass_by(nursery: Nursery) -> Days:
    return lambda tenant, days: days_pass(nursery, tenant, days)


@pytest.fixture(scope="module")
def shared(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.fixture
def ours(shared: Workspace, catalog: Catalog, pass_by: Days, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Nobody used it for two years, and it is the only tenant that the rounds see: the tests share the others."""
    pass_by(shared, 730)
    monkeypatch.setattr(catalog, "homes", lambda *_: [shared.home])
    return replace(shared, clients=dict(shared.clients))


@pytest.fixture
def quiet_days() -> int:
    return next(QUIET_DAYS)


def uses(client: Client) -> None:
    assert client.get("/contacts").status_code == 200
    afterwards.settle()


def somebody_in_person(tenant: Workspace, role: str = "sales") -> Client:
    """Somebody who signed in a moment ago, which nothing but the session tells."""
    with inside(tenant.home):
        act_as(SYSTEM)
        client = tenant.clients[role]
        return replace(client, key="", session=signed_in(tenant.home, client.user_id))


def tidied(tenant: Workspace) -> None:
    with inside(tenant.home):
        act_as(SYSTEM)
        tidy_up()


def must_have_been_used(catalog: Catalog, tenant: Workspace, days_ago: float) -> None:
    """Its admins are told when nobody used it for 335 days since then, and no day sooner."""
    left = 335 - days_ago
    assert look(catalog, 365, now() + timedelta(days=left - 0.1)) == 0
    assert look(catalog, 365, now() + timedelta(days=left + 0.1)) == 1
    assert subjects(tenant)[-1] == TOLD


@pytest.mark.promise("4-20", "RET-2")
def test_a_session_that_is_forgotten_was_a_use(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, pass_by: Days, quiet_days: int
) -> None:
    uses(somebody_in_person(ours))
    pass_by(ours, quiet_days)
    tidied(ours)
    must_have_been_used(catalog, ours, quiet_days)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_of_sessions_that_are_over_the_last_stays_without_address_and_device(
    ours: Workspace, neighbour: Workspace, pass_by: Days, quiet_days: int
) -> None:
    for _ in range(2):
        somebody_in_person(ours)
        pass_by(ours, quiet_days)
    with inside(ours.home):
        last = db().scalars(select(Session).order_by(Session.last_seen_at.desc()).limit(1)).one()
        last.address, last.device, last_id = "203.0.113.7", "Firefox", last.id
    tidied(ours)
    with inside(ours.home):
        (left,) = db().scalars(select(Session)).all()
        assert (left.id, left.address, left.device) == (last_id, None, None)
    assert neighbour.admin.in_person.get("/me").status_code == 200


@pytest.mark.promise("4-20", "RET-2")
def test_a_sign_in_was_a_use_though_no_session_is_left_of_it(
    ours: Workspace,
    neighbour: Workspace,
    catalog: Catalog,
    pass_by: Days,
    quiet_days: int,
    nursery: Nursery,
) -> None:
    with inside(ours.home):
        act_as(SYSTEM)
        db().add(Password(user_id=ours.sales.user_id, hash=hash_of(PASSWORD)))
        email = db().get_one(User, ours.sales.user_id).email
    nursery.note_email(ours.home, email)
    answer = ours.sales.flask.post("/api/v1/sessions", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.json
    pass_by(ours, quiet_days)
    with inside(ours.home):
        act_as(SYSTEM)
        db().execute(delete(Session))
    must_have_been_used(catalog, ours, quiet_days)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20", "RET-2")
def test_a_key_that_was_revoked_was_a_use(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, pass_by: Days, quiet_days: int
) -> None:
    uses(ours.sales)
    pass_by(ours, 20)
    assert (
        ours.sales.flask.post("/api/v1/api-keys/leaked", json={"secret": ours.sales.key}).status_code == 204
    )
    afterwards.settle()
    pass_by(ours, quiet_days)
    tidied(ours)
    with inside(ours.home):
        revoked = select(ApiKey).where(ApiKey.user_id == ours.sales.user_id, ApiKey.revoked_at.is_not(None))
        assert len(db().scalars(revoked).all()) == 1
    must_have_been_used(catalog, ours, 20 + quiet_days)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20", "RET-2")
@pytest.mark.parametrize("deleted", [False, True])
def test_an_app_was_a_use_whether_or_not_it_is_still_registered(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, pass_by: Days, quiet_days: int, *, deleted: bool
) -> None:
    ours.clients["admin"] = somebody_in_person(ours, "admin")
    made = register(ours, "contacts:read", "contacts:create")
    tokens = made.connected(somebody_in_person(ours))
    pass_by(ours, 20)
    access = made.refresh(tokens["refresh_token"]).json["access_token"]
    assert made.get("/contacts", access).status_code == 200
    afterwards.settle()
    if deleted:
        assert somebody_in_person(ours, "admin").delete(f"/oauth-clients/{made.id}").status_code == 204
        with inside(ours.home):
            act_as(SYSTEM)
            mine = select(ConnectedApp).where(ConnectedApp.oauth_client_id == UUID(made.id))
            assert db().scalars(mine).all() == []
    pass_by(ours, quiet_days)
    tidied(ours)
    must_have_been_used(catalog, ours, quiet_days)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20", "RET-2")
def test_a_job_that_somebody_asked_for_was_a_use_and_the_houses_own_was_none(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, pass_by: Days, quiet_days: int, run_jobs: RunJobs
) -> None:
    person = Caller(kind="session", name="Sales", tenant_id=ours.home.id, user_id=ours.sales.user_id)
    for caller in (person, SYSTEM):
        with inside(ours.home):
            act_as(caller)
            tidy_up.later()
        run_jobs()
        pass_by(ours, quiet_days / 2)
    tidied(ours)
    must_have_been_used(catalog, ours, quiet_days)
    assert neighbour.admin.get("/contacts").status_code == 200
