"""What happens to a tenant reaches its webhooks: signed, once or again, and nobody else's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.webhooks.delivering import body_of
from tenants.webhooks.jobs import deliver, tidy_deliveries
from tenants.webhooks.models import PAUSES, WebhookDelivery
from tenants.webhooks.signing import new_secret, signed
from tests.jobs import RunJobs
from tests.mails import posted
from tests.receivers import SNOWED, Receiver, deliveries, set_up, snow, wait_no_longer
from tests.strangers import replying
from tests.workspace import Workspace


def test_an_event_is_signed_and_thin(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url, events=[SNOWED.name])
    notice = snow(ours)
    snow(neighbour)
    run_jobs()
    (event,) = receiver.verified(made["secret"])
    assert event == {
        "id": str(notice.id),
        "type": "weather.snowed",
        "occurred_at": f"{notice.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "api_version": "v1",
        "object": {"resource": "notices", "id": str(notice.id), "url": f"/api/v1/notices/{notice.id}"},
    }
    assert receiver.came[0].headers["webhook-id"] == str(notice.id)
    told = ours.admin.get(event["object"]["url"]).json
    assert (told["kind"], told["subject"]) == ("weather.snowed", "It snowed on your roof")
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["status_code"], delivery["attempts"]) == ("delivered", 204, 1)
    assert delivery["milliseconds"] >= 0
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404
    assert neighbour.admin.get(f"/webhooks/{made['id']}/deliveries").status_code == 404
    assert neighbour.admin.get(f"/webhook-deliveries/{delivery['id']}").status_code == 404
    assert neighbour.admin.get(event["object"]["url"]).status_code == 404


def test_what_was_altered_or_is_of_another_secret_does_not_verify() -> None:
    secret, body, at = new_secret(), b'{"id": 1}', now()
    headers = dict(signed(str(uuid4()), at, body, [secret]))
    assert Verifier(secret).verify(body, headers) == {"id": 1}
    for wrong in (
        lambda: Verifier(secret).verify(b'{"id": 2}', headers),
        lambda: Verifier(new_secret()).verify(body, headers),
        lambda: Verifier(secret).verify(body, headers | {"webhook-id": "msg_other"}),
        lambda: Verifier(secret).verify(body, headers | {"webhook-timestamp": str(int(at.timestamp()) - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            wrong()


def test_it_signs_as_the_published_example_says() -> None:
    """The example that the libraries of Standard Webhooks are tested with."""
    at = datetime.fromtimestamp(1614265330, UTC)
    secret, name = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert signed(name, at, b'{"test": 2432232314}', [secret]) == {
        "webhook-id": name,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_failed_attempt_is_made_again_under_the_same_id_with_the_same_words(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    receiver.answer = replying(500, b"<b>out of order\n\x00</b>" + b"x" * 500)
    notice = snow(ours)
    run_jobs()
    (failed,) = deliveries(ours, made)
    assert (failed["state"], failed["status_code"], failed["attempts"]) == ("pending", 500, 1)
    assert failed["error"] == "The receiver answered 500."
    assert failed["excerpt"].startswith("<b>out of order </b>xxx")
    assert len(failed["excerpt"]) == 200
    run_jobs()
    assert len(receiver.came) == 1, "the next attempt waits"
    receiver.answer = replying(200, b"thanks")
    wait_no_longer(ours)
    run_jobs()
    (taken,) = deliveries(ours, made)
    assert (taken["state"], taken["attempts"], taken["excerpt"]) == ("delivered", 2, "thanks")
    assert {each.headers["webhook-id"] for each in receiver.came} == {str(notice.id)}
    assert receiver.came[0].body == receiver.came[1].body
    assert len(receiver.verified(made["secret"])) == 2
    assert deliveries(neighbour, set_up(neighbour, receiver.url)) == []


def test_after_three_days_of_silence_a_webhook_is_disabled_and_the_admins_are_told_otherwise(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    ours = new_workspace()
    address = ours.admin.get("/me").json["user"]["email"]
    made = set_up(ours, receiver.url)
    receiver.answer = replying(503)
    snow(ours)
    run_jobs()
    for _ in PAUSES:
        assert ours.admin.get(f"/webhooks/{made['id']}").json["state"] == "active"
        wait_no_longer(ours)
        run_jobs()
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=3, hours=6)
    found = ours.admin.get(f"/webhooks/{made['id']}").json
    assert found["state"] == "disabled"
    assert "three days" in found["disabled_reason"]
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["attempts"]) == ("failed", 10)
    (notice,) = ours.admin.get("/notices?kind=webhooks.disabled").json["data"]
    assert made["id"] in notice["text"]
    snow(ours)
    run_jobs()
    assert len(receiver.came) == 10, "nothing is sent there any more"
    with inside(ours.home):
        mails = db().scalars(select(Job.id).where(Job.kind == "mail.send")).all()
    assert len(mails) == 3, "two of snow, one of the webhook"
    again = ours.admin.post(f"/webhook-deliveries/{delivery['id']}/redelivery")
    assert (again.status_code, again.json["code"]) == (409, "webhook_inactive")
    receiver.answer = replying(204)
    assert (
        ours.admin.in_person.patch(f"/webhooks/{made['id']}", {"state": "active"}).json["state"] == "active"
    )
    again = ours.admin.post(f"/webhook-deliveries/{delivery['id']}/redelivery")
    assert again.status_code == 202, again.json
    run_jobs()
    assert [each["state"] for each in deliveries(ours, made)] == ["failed", "delivered"]
    assert receiver.events()[-1]["id"] == delivery["event_id"]
    assert posted(neighbour, address) == []


def test_a_webhook_that_takes_other_events_is_not_disabled_by_one(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    receiver.answer = replying(400)
    snow(ours)
    run_jobs()
    receiver.answer = replying(200)
    snow(ours)
    run_jobs()
    receiver.answer = replying(400)
    for _ in PAUSES:
        wait_no_longer(ours)
        run_jobs()
    assert [each["state"] for each in deliveries(ours, made)] == ["failed", "delivered"]
    assert ours.admin.get(f"/webhooks/{made['id']}").json["state"] == "active"
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404


def test_who_answers_410_hears_nothing_more(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    receiver.answer = replying(410)
    snow(ours)
    run_jobs()
    assert ours.admin.get(f"/webhooks/{made['id']}").json["state"] == "disabled"
    assert [each["attempts"] for each in deliveries(ours, made)] == [1]
    assert neighbour.admin.get("/notices?kind=webhooks.disabled").json["data"] == []


def test_a_worker_that_dies_after_sending_sends_the_same_event_again_and_notes_it_once(
    ours: Workspace,
    neighbour: Workspace,
    receiver: Receiver,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = set_up(ours, receiver.url)
    with monkeypatch.context() as dying:

        def die(*_: object) -> None:
            raise ZeroDivisionError("as if the process had ended here")

        dying.setattr("tenants.webhooks.jobs.note", die)
        notice = snow(ours)
        run_jobs()
    (waiting,) = deliveries(ours, made)
    assert (waiting["state"], waiting["attempts"]) == ("pending", 0)
    wait_no_longer(ours)
    run_jobs()
    (taken,) = deliveries(ours, made)
    assert (taken["state"], taken["attempts"]) == ("delivered", 1)
    assert [each["id"] for each in receiver.events()] == [str(notice.id)] * 2
    assert neighbour.admin.get(f"/webhook-deliveries/{taken['id']}").status_code == 404


def test_what_waits_without_a_job_is_found_and_what_is_old_goes(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    snow(ours)
    run_jobs()
    snow(ours)
    long_ago = now() - timedelta(days=31)
    with inside(ours.home):
        act_as(SYSTEM)
        first, second = db().scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == made["id"])
            .order_by(WebhookDelivery.id)
        )
        first.finished_at, second.next_attempt_at = long_ago, now() - timedelta(hours=2)
        lost = update(Job).where(Job.kind == deliver.name, Job.state == "ready")
        db().execute(lost.values(state="cancelled", finished_at=now()))
        db().flush()
        tidy_deliveries()
    run_jobs()
    (left,) = deliveries(ours, made)
    assert (left["id"], left["state"]) == (str(second.id), "delivered")
    assert neighbour.admin.get(f"/webhook-deliveries/{left['id']}").status_code == 404


def test_the_body_says_nothing_of_what_a_notice_says(ours: Workspace, neighbour: Workspace) -> None:
    with inside(ours.home):
        act_as(SYSTEM)
        body = json.loads(
            body_of(WebhookDelivery(event_id=ours.home.id, event="webhook.test", occurred_at=now()))
        )
    assert body.keys() == {"id", "type", "occurred_at", "api_version", "object"}
    assert body["object"] is None
    assert neighbour.home.id != ours.home.id
