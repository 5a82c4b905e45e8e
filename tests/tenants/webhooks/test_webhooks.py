"""Webhooks are set up by people who just confirmed who they are; secrets are shown once and turn up nowhere else."""

import io
import json
import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import token_hash
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.webhooks.models import Webhook
from tests.jobs import RunJobs
from tests.receivers import SNOWED, Receiver, deliveries, set_up, snow
from tests.tenants.identity.people.test_deactivation import colleague, deactivate
from tests.workspace import Workspace, in_both, signed_in

BODY = {"name": "Ours", "url": "http://127.0.0.1:9/"}


def test_a_program_sets_up_none_and_nobody_without_confirming(ours: Workspace, neighbour: Workspace) -> None:
    refused = ours.admin.post("/webhooks", BODY)
    assert (refused.status_code, refused.json["code"]) == (403, "needs_session")
    with inside(ours.home):
        act_as(SYSTEM)
        session = signed_in(ours.home, ours.admin.user_id)
        db().flush()
        earlier = update(Session).where(Session.hash == token_hash(session))
        db().execute(earlier.values(confirmed_at=now() - timedelta(hours=1)))
    stale = replace(ours.admin, key="", session=session).post("/webhooks", BODY)
    assert (stale.status_code, stale.json["code"]) == (403, "step_up")
    assert in_both("/webhooks", ours.admin, neighbour.admin) == []


@pytest.mark.parametrize("who", ["manager", "sales", "read_only"])
def test_who_does_not_administer_sees_none(ours: Workspace, neighbour: Workspace, who: str) -> None:
    made = set_up(ours, BODY["url"])
    client = getattr(ours, who)
    for path in ("/webhooks", f"/webhooks/{made['id']}", "/webhook-deliveries", "/notices"):
        assert client.get(path).status_code == 403, path
    assert client.in_person.post("/webhooks", BODY).status_code == 403
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404


def test_only_events_that_there_are_can_be_asked_for(ours: Workspace, neighbour: Workspace) -> None:
    refused = ours.admin.in_person.post("/webhooks", {**BODY, "events": [SNOWED.name, "deal.exploded"]})
    assert (refused.status_code, refused.json["errors"]) == (
        422,
        {"events": ["There is no event 'deal.exploded'."]},
    )
    assert ours.admin.in_person.post("/webhooks", {**BODY, "events": ["webhook.test"]}).status_code == 422
    assert ours.admin.in_person.post("/webhooks", {**BODY, "events": []}).status_code == 422
    listed = {each["name"] for each in ours.admin.get("/webhooks/events").json["data"]}
    assert {"tenant.inactivity_notice", "access-grants.asked", "secrets.leaked", SNOWED.name} <= listed
    assert "webhook.test" not in listed
    assert ours.sales.get("/webhooks/events").status_code == 403
    assert in_both("/webhooks", ours.admin, neighbour.admin) == []


def test_a_webhook_is_told_what_it_asked_for_and_nothing_while_it_is_silenced(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    other = set_up(ours, receiver.url, events=["secrets.leaked"])
    mine = set_up(ours, receiver.url, events=[SNOWED.name])
    silent = set_up(ours, receiver.url)
    path = f"/webhooks/{silent['id']}"
    assert ours.admin.in_person.patch(path, {"state": "inactive"}).json["state"] == "inactive"
    snow(ours)
    run_jobs()
    assert [len(deliveries(ours, each)) for each in (other, mine, silent)] == [0, 1, 0]
    everything = ours.admin.get(f"/webhook-deliveries?webhook_id={mine['id']}&state=delivered").json["data"]
    assert [each["event"] for each in everything] == [SNOWED.name]
    assert ours.admin.in_person.patch(path, {"state": "disabled"}).status_code == 422
    assert neighbour.admin.in_person.delete(path).status_code == 404


def test_a_secret_is_rotated_and_both_sign_for_a_while(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    path = f"/webhooks/{made['id']}/rotation"
    assert neighbour.admin.in_person.post(path, {"grace_seconds": 60}).status_code == 404
    assert ours.admin.post(path, {"grace_seconds": 60}).json["code"] == "needs_session"
    rotated = ours.admin.in_person.post(path, {"grace_seconds": 3600})
    assert rotated.status_code == 201, rotated.json
    second = rotated.json["secret"]
    assert second != made["secret"]
    snow(ours)
    run_jobs()
    assert receiver.verified(made["secret"]) == receiver.verified(second)
    assert receiver.came[0].headers["webhook-signature"].count("v1,") == 2
    with inside(ours.home):
        act_as(SYSTEM)
        db().get_one(Webhook, UUID(made["id"])).former_until = now()
    snow(ours)
    run_jobs()
    late = receiver.came[1]
    assert Verifier(second).verify(late.body, dict(late.headers.items()))
    with pytest.raises(WebhookVerificationError):
        Verifier(made["secret"]).verify(late.body, dict(late.headers.items()))


def test_a_rotation_without_grace_ends_the_secret_before(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    rotated = ours.admin.in_person.post(f"/webhooks/{made['id']}/rotation", {"grace_seconds": 0}).json
    assert rotated["former_until"] is None
    snow(ours)
    run_jobs()
    assert receiver.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        receiver.verified(made["secret"])
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404


def test_a_secret_is_shown_once_and_is_nowhere_in_clear(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs, lines: io.BytesIO
) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    answer = ours.admin.in_person.post("/webhooks", {**BODY, "url": receiver.url}, headers=key)
    made = answer.json
    rotated = ours.admin.in_person.post(f"/webhooks/{made['id']}/rotation", {"grace_seconds": 60}).json
    snow(ours)
    run_jobs()
    kept = (made["secret"], rotated["secret"])
    again = ours.admin.in_person.post("/webhooks", {**BODY, "url": receiver.url}, headers=key)
    shown = [
        again.text,
        ours.admin.get("/webhooks").text,
        ours.admin.get(f"/webhooks/{made['id']}").text,
        ours.admin.get("/webhook-deliveries").text,
        ours.admin.get(f"/audit-events?record_id={made['id']}&include=personal").text,
        ours.admin.get("/jobs?kind=webhooks.deliver").text,
        json.dumps(receiver.events()),
        lines.getvalue().decode(),
    ]
    for secret in kept:
        assert not [text for text in shown if secret in text or secret.removeprefix("whsec_") in text]
    with inside(ours.home):
        webhook = db().get_one(Webhook, UUID(made["id"]))
        assert opened(webhook, "secret") == rotated["secret"]
        assert rotated["secret"].encode() not in webhook.secret
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404


def test_a_trial_is_sent_once_even_to_one_that_is_silenced(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    ours.admin.in_person.patch(f"/webhooks/{made['id']}", {"state": "inactive"})
    assert neighbour.admin.post(f"/webhooks/{made['id']}/test").status_code == 404
    tried = ours.admin.post(f"/webhooks/{made['id']}/test")
    assert tried.status_code == 202, tried.json
    assert ours.admin.post(f"/webhooks/{made['id']}/test").json["code"] == "delivery_pending"
    path = f"/webhook-deliveries/{tried.json['id']}/redelivery"
    assert ours.admin.post(path).json["code"] == "delivery_pending"
    run_jobs()
    (event,) = receiver.verified(made["secret"])
    assert (event["type"], event["object"]) == ("webhook.test", None)
    found = ours.admin.get(tried.headers["Location"].removeprefix("/api/v1")).json
    assert (found["state"], found["status_code"]) == ("delivered", 204)
    assert neighbour.admin.post(path).status_code == 404
    assert [ours.admin.post(path).status_code for _ in range(2)] == [202, 409]


def test_a_trial_that_fails_disables_nothing(
    ours: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    made = set_up(ours, BODY["url"])
    ours.admin.post(f"/webhooks/{made['id']}/test")
    run_jobs()
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["status_code"]) == ("failed", None)
    assert ours.admin.get(f"/webhooks/{made['id']}").json["state"] == "active"
    assert neighbour.admin.get(f"/webhook-deliveries/{delivery['id']}").status_code == 404


def test_there_are_not_more_than_twenty(
    ours: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.webhooks.registering.MOST", 2)
    for _ in range(2):
        set_up(ours, BODY["url"])
    assert ours.admin.in_person.post("/webhooks", BODY).json["code"] == "too_many"
    set_up(neighbour, BODY["url"])


def test_who_leaves_has_nothing_told_any_more_until_another_admin_answers_for_it(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    leaver = colleague(ours, "admin")
    theirs = leaver.in_person.post("/webhooks", BODY | {"name": "Theirs", "url": receiver.url}).json["id"]
    kept = set_up(ours, receiver.url)["id"]
    assert neighbour.admin.in_person.put(f"/users/{leaver.user_id}/deactivation", {}).status_code == 404
    assert deactivate(ours, leaver).status_code == 200
    stopped = ours.admin.get(f"/webhooks/{theirs}").json
    assert (stopped["state"], stopped["disabled_reason"][:14]) == ("disabled", "Whoever had it")
    assert ours.admin.get(f"/webhooks/{kept}").json["state"] == "active"
    assert "webhooks.disabled" in {each["kind"] for each in ours.admin.get("/notices").json["data"]}
    run_jobs()
    assert {each["webhook_id"] for each in ours.admin.get("/webhook-deliveries").json["data"]} == {kept}
    again = ours.admin.in_person.patch(f"/webhooks/{theirs}", {"state": "active"})
    assert (again.status_code, again.json["state"]) == (200, "active")
    with inside(ours.home):
        assert db().get_one(Webhook, UUID(theirs)).active_by_id == ours.admin.user_id
