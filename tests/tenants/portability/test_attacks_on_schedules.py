"""Attacks on scheduled exports: a bucket taken over, recipients exchanged in silence, a copy with an odd name."""

from collections.abc import Iterator

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import Role, User, UserRole
from tenants.isolation.door import db, inside
from tenants.portability.repeating import key_of
from tests.jobs import RunJobs, due_now
from tests.mails import posted
from tests.s3 import S3
from tests.strict_s3 import TAKEN_OVER
from tests.workspace import Workspace, in_both

NIGHTLY = {"name": "Nightly", "cron": "0 2 * * *"}
OTHERS = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


@pytest.fixture
def bucket(s3_server: S3) -> Iterator[dict[str, str]]:
    """A bucket of the tenant's own, of its account."""
    there = {"LocationConstraint": "eu-central-1"}
    s3_server.client.create_bucket(Bucket="soon-theirs", CreateBucketConfiguration=there)
    yield {
        "name": "soon-theirs", "region": "eu-central-1", "endpoint": s3_server.url, "prefix": ".a/../",
        "access_key_id": "theirs", "secret_access_key": "not to be shown", "account_id": DEFAULT_ACCOUNT_ID,
    }  # fmt: skip
    TAKEN_OVER.clear()
    for each in _there(s3_server):
        s3_server.client.delete_object(Bucket="soon-theirs", Key=each)
    s3_server.client.delete_bucket(Bucket="soon-theirs")


def _there(s3: S3) -> list[str]:
    return [each["Key"] for each in s3.client.list_objects_v2(Bucket="soon-theirs").get("Contents", [])]


def test_nothing_is_written_to_a_bucket_whose_name_somebody_else_took(
    ours: Workspace,
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    bucket: dict[str, str],
) -> None:
    made = ours.admin.post("/export-schedules", {**NIGHTLY, "bucket": bucket})
    assert (made.status_code, made.json["bucket"]["account_id"]) == (201, DEFAULT_ACCOUNT_ID)
    TAKEN_OVER["soon-theirs"] = "666666666666"
    due_now(ours.home, key_of(made.json["id"]))
    run_jobs()
    (copy,) = ours.admin.get("/exports").json["data"]
    assert (copy["status"], copy["finished_at"]) == ("queued", None)
    assert _there(s3_server) == []
    refused = ours.admin.post("/export-schedules", {**NIGHTLY, "bucket": bucket})
    assert "another account" in refused.json["errors"]["bucket"][0]
    assert in_both("/exports", ours.admin, neighbour.admin) == []


def test_a_copy_in_a_folder_of_any_name_is_forgotten_and_stays_where_it_is(
    ours: Workspace,
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    bucket: dict[str, str],
) -> None:
    made = ours.admin.post("/export-schedules", {**NIGHTLY, "bucket": bucket}).json["id"]
    due_now(ours.home, key_of(made))
    run_jobs()
    (copy,) = ours.admin.get("/exports").json["data"]
    assert copy["status"] == "succeeded"
    assert neighbour.admin.delete(f"/exports/{copy['id']}").status_code == 404
    assert ours.admin.delete(f"/exports/{copy['id']}").status_code == 204
    assert ours.admin.get("/exports").json["data"] == []
    assert len(_there(s3_server)) == 1


def test_no_admin_changes_or_ends_a_schedule_unseen_by_the_others(
    ours: Workspace, neighbour: Workspace
) -> None:
    with inside(ours.home):
        act_as(SYSTEM)
        admin = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=ours.manager.user_id, role_id=admin))
        other = db().get_one(User, ours.manager.user_id).email or ""
    path = f"/export-schedules/{ours.admin.post('/export-schedules', NIGHTLY).json['id']}"
    assert ours.admin.patch(path, {"name": "Every night", "keep": 3}).status_code == 200
    assert ours.admin.patch(path, {"encrypt_to": [OTHERS], "zone": "Asia/Tokyo"}).status_code == 200
    assert neighbour.admin.delete(path).status_code == 404
    assert ours.admin.delete(path).status_code == 204
    told = [each for each in posted(ours, other) if "scheduled export" in each.subject]
    words = [each.subject.removeprefix("A scheduled export was ") for each in told]
    assert words == ["set up", "changed", "ended"]
    assert "Changed: encrypt_to, zone." in told[1].text
