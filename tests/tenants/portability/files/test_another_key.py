"""With another key of keys nothing is called altered: it is said that the key is not the one."""

from pathlib import Path

import pytest
from sqlalchemy import update

from tenants.catalog.models import TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.lifecycle.keys.versions import key_versions
from tests.attaching import CONTENT, attached
from tests.jobs import RunJobs, try_again_now
from tests.other_keys import under_the_key_in
from tests.workspace import Workspace


@pytest.fixture
def catalog() -> Catalog:
    return key_versions().catalog


def outcome(tenant: Workspace, run_jobs: RunJobs) -> tuple[str, str]:
    """How an export ends that is tried as often as jobs are, and why."""
    made = tenant.admin.post("/exports", {"format": "csv"})
    assert made.status_code == 202, made.json
    while True:
        run_jobs()
        export = tenant.admin.get(f"/exports/{made.json['id']}").json
        if export["status"] in ("succeeded", "failed"):
            return export["status"], export["error"] or ""
        try_again_now(tenant.home)


def test_an_export_says_that_the_key_is_another_one_and_calls_nothing_altered(
    ours: Workspace,
    neighbour: Workspace,
    catalog: Catalog,
    settings: Settings,
    run_jobs: RunJobs,
    tmp_path: Path,
) -> None:
    record = ours.admin.post("/contacts", {"last_name": "Ng", "national_id": "sealed"}).json["id"]
    file = attached(ours.admin, "contacts", record)["id"]
    with under_the_key_in(tmp_path / "other", catalog, settings):
        for path in (f"/attachments/{file}/download", f"/contacts/{record}"):
            answer = ours.admin.get(path)
            assert (answer.status_code, answer.json["code"]) == (503, "other_key")
            assert "is not the one that wrapped" in answer.json["detail"]
            assert neighbour.admin.get(path).status_code == 404
        state, reason = outcome(ours, run_jobs)
    assert state == "failed"
    assert "is not the one that wrapped" in reason
    assert "attachment" not in reason
    assert ours.admin.get(f"/attachments/{file}/download").data == CONTENT
    assert outcome(ours, run_jobs) == ("succeeded", "")


def test_one_altered_key_is_told_apart_from_another_key_of_keys(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, settings: Settings
) -> None:
    files = {}
    for tenant in (ours, neighbour):
        record = tenant.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
        files[tenant.home.id] = attached(tenant.admin, "contacts", record)["id"]
    (_, wrapped), *_ = catalog.wrapped_keys(ours.home.id)
    with under_the_key_in(settings.key_file, catalog, settings):
        _keep(catalog, ours, wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
        try:
            answer = ours.admin.get(f"/attachments/{files[ours.home.id]}/download")
        finally:
            _keep(catalog, ours, wrapped)
        assert (answer.status_code, answer.json["code"]) == (503, "key_altered")
        assert neighbour.admin.get(f"/attachments/{files[neighbour.home.id]}/download").data == CONTENT


def _keep(catalog: Catalog, tenant: Workspace, wrapped: bytes) -> None:
    with catalog.transaction() as session:
        session.execute(
            update(TenantKey).where(TenantKey.tenant_id == tenant.home.id).values(wrapped=wrapped)
        )
