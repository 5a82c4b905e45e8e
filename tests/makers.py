"""How the tests make what can't be made by a POST with an example of its body; `tests/asking.py` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.models import User
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.tokens import connect
from tenants.identity.people.reviewing import DUE
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tenants.notices.telling import tell
from tenants.support_access.models import AccessEntry, AccessGrant, AccessVisit
from tenants.support_access.receipts import sign_off
from tenants.webhooks.models import DeliveryState, WebhookDelivery
from tests.examples import CANARY, numbers
from tests.providers import use_provider

if TYPE_CHECKING:
    from tests.asking import Examples


def _existing(resource: str) -> Callable[[Examples], str]:
    def first(examples: Examples) -> str:
        return examples.workspace.admin.get(f"/{resource}?limit=1").json["data"][0]["id"]

    return first


def _api_key(examples: Examples) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        key = new_api_key(home, db().get_one(User, examples.workspace.admin.user_id), "Example")
        db().flush()
        return str(db().query(ApiKey.id).filter(ApiKey.hash == token_hash(key)).scalar())


def _connected_app(examples: Examples) -> str:
    client_id = UUID(examples.make("oauth-clients"))
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        client = db().get_one(OAuthClient, client_id)
        user_id = examples.workspace.admin.user_id
        return str(connect(client, user_id, None, ["contacts:read"], connected_by="registration").id)


def _session(examples: Examples) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        token = new_token("fhs", home.id)
        made = Session(
            user_id=examples.workspace.admin.user_id,
            hash=token_hash(token),
            expires_at=now().replace(year=2999),
        )
        db().add(made)
        db().flush()
        return str(made.id)


def _identity_provider(examples: Examples) -> str:
    """Nobody answers there: one that does is in the tests of signing in."""
    return str(use_provider(examples.workspace, "http://127.0.0.1:9"))


def _issued_invoice(examples: Examples) -> str:
    made = examples.make("invoices")
    answer = examples.workspace.admin.put(f"/invoices/{made}/issuance", {})
    assert answer.status_code == 200, answer.json
    return made


def _invoice_line(examples: Examples) -> str:
    return examples.workspace.admin.get(f"/invoices/{examples.some('issued-invoices')}").json["lines"][0][
        "id"
    ]


def _bin_entry(examples: Examples) -> str:
    """A contact that was just deleted."""
    admin, made = examples.workspace.admin, examples.make("contacts")
    assert admin.delete(f"/contacts/{made}").status_code == 204
    return str(admin.get(f"/bin?record_id={made}").json["data"][0]["id"])


def _pipeline(examples: Examples) -> str:
    """With a stage, so that deals can be opened in it."""
    admin = examples.workspace.admin
    made = admin.post("/pipelines", {"name": f"{CANARY} {next(numbers)}"}).json["id"]
    assert admin.post("/stages", {"pipeline_id": made, "name": "First"}).status_code == 201
    return str(made)


def _job(examples: Examples) -> str:
    return examples.workspace.admin.get(f"/imports/{examples.make('imports')}").json["job_id"]


def _user(examples: Examples) -> str:
    """Somebody new, so that an example can do to them whatever it likes; they can't sign in."""
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        made = User(name=f"{CANARY} {next(numbers)}", source=Source.SYSTEM)
        db().add(made)
        db().flush()
        return str(made.id)


def _access_grant(examples: Examples) -> str:
    """An ask that the asker's manager approved."""
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessGrant(
            state="manager_approved", staff_id=uuid4(), staff_name="Staff", reason="fault", explanation="?",
            resources=["contacts"], hours=1, source="system", ends_at=now().replace(year=2999),
        )  # fmt: skip
        db().add(made)
        db().flush()
        return str(made.id)


def _access_visit(examples: Examples) -> str:
    """A visit that was signed off."""
    grant_id, home = UUID(_access_grant(examples)), examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessVisit(
            grant_id=grant_id, staff_id=uuid4(), staff_name="Staff", access="read", hash=uuid4().bytes,
            expires_at=now().replace(year=2999),
        )  # fmt: skip
        db().add(made)
        db().flush()
        sign_off(made, db().get_one(AccessGrant, grant_id), "ended")
        return str(made.id)


def _access_entry(examples: Examples) -> str:
    visit_id, home = UUID(_access_visit(examples)), examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessEntry(
            kind="read", visit_id=visit_id, grant_id=uuid4(), staff_id=uuid4(), staff_name="Staff", reason="fault",
            route="GET /staff/v1", resource="contacts", query={}, shown_fields=[], masked_fields=[], record_ids=[],
            request_id="example", visible_from=now(),
        )  # fmt: skip
        db().add(made)
        db().flush()
        return str(made.id)


def _notice(examples: Examples) -> str:
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        made = tell(DUE, f"{CANARY} {next(numbers)}", CANARY)
        assert made is not None
        return str(made.id)


def _delivery(examples: Examples) -> str:
    """One that is over, so that it can be sent again."""
    webhook_id = examples.make("webhooks")
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        made = WebhookDelivery(
            webhook_id=UUID(webhook_id), event_id=uuid4(), event=DUE.name, occurred_at=now(), resource="notices",
        )  # fmt: skip
        made.end(DeliveryState.DELIVERED)
        db().add(made)
        db().flush()
        return str(made.id)


#: What can't be made by a POST with an example of its body.
MAKERS: dict[str, Callable[[Examples], str]] = {
    "bin": _bin_entry,
    "users": _user,
    "members": _user,
    "roles": _existing("roles"),
    "audit-events": _existing("audit-events"),
    "number-series": _existing("number-series"),
    "access-grants": _access_grant,
    "access-visits": _access_visit,
    "access-log": _access_entry,
    "api-keys": _api_key,
    "identity-providers": _identity_provider,
    "single-sign-on": lambda examples: (
        f"{examples.workspace.home.id.hex}.{UUID(_identity_provider(examples)).hex}"
    ),
    "connected-apps": _connected_app,
    "sessions": _session,
    "issued-invoices": _issued_invoice,
    "invoice-lines": _invoice_line,
    "jobs": _job,
    "notices": _notice,
    "webhook-deliveries": _delivery,
    "shareable-contacts": lambda examples: examples.make("contacts"),
    "pipelines": _pipeline,
}
