"""Who had a way in, or was sent things, until it was taken away does not have it again after a restore."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import db, inside
from tenants.lifecycle.backups.taking import Taken
from tenants.webhooks.models import Webhook, WebhookState
from tests.elsewhere import Elsewhere
from tests.jobs import RunJobs
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
EVERY_NIGHT = {"name": "Nightly", "cron": "0 3 * * *", "format": "csv", "keep": 3}


def ways_of(tenant: Workspace) -> dict[str, UUID]:
    """Three providers and three webhooks, all of them in use; none is asked here."""
    with inside(tenant.home):
        act_as(SYSTEM)
        made: dict[str, IdentityProvider | Webhook] = {
            name: IdentityProvider(
                name=name,
                issuer=f"https://{name}.example",
                client_id="us",
                client_secret="s3cret",
                source="system",
            )
            for name in ("deleted", "deactivated", "kept")
        }
        made |= {
            f"{name}_hook": Webhook(
                name=name,
                url="https://hook.example/",
                state=WebhookState.ACTIVE,
                secret="whsec_AA==",
                source="system",
            )
            for name in ("deleted", "deactivated", "kept")
        }
        db().add_all(made.values())
        db().flush()
        return {name: each.id for name, each in made.items()}


@pytest.mark.promise("1-47")
def test_a_provider_and_a_webhook_that_were_taken_away_stay_away(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    ours = new_workspace()
    ways, person = ways_of(ours), ours.admin.in_person
    ended, kept = (person.post("/export-schedules", EVERY_NIGHT).json["id"] for _ in range(2))
    page = take().page

    for path in (
        f"/identity-providers/{ways['deleted']}", f"/webhooks/{ways['deleted_hook']}", f"/export-schedules/{ended}",
    ):  # fmt: skip
        assert person.delete(path).status_code == 204
    with inside(ours.home):
        act_as(SYSTEM)
        db().get_one(IdentityProvider, ways["deactivated"]).state = "inactive"
        db().get_one(Webhook, ways["deactivated_hook"]).stand(WebhookState.INACTIVE, None)
        db().get_one(Webhook, ways["kept_hook"]).stand(WebhookState.INACTIVE, None)
        db().flush()
        db().get_one(Webhook, ways["kept_hook"]).stand(WebhookState.ACTIVE, None)
    run_jobs()

    place = elsewhere()
    place.restore(page.id)
    schema = ours.home.role
    shut = place.rows(
        "select changes from audit_events where action = 'tenant.shut_out_again'", schema=schema
    )
    assert shut == [({"credentials": [2, 0]},)], "a provider and a webhook; what was removed is no more"
    states = dict(place.rows("select name, state from identity_providers", schema=schema))
    assert states == {"deactivated": "inactive", "kept": "active"}
    states = dict(place.rows("select name, state from webhooks", schema=schema))
    assert states == {"deactivated": "inactive", "kept": "active"}
    assert place.rows("select id::text from export_schedules", schema=schema) == [(kept,)]
    assert place.rows("select state from tenants where id = %s", neighbour.home.id) == [("active",)]
