"""A download that was begun in time ends, also when its export is swept meanwhile: whoever takes the only one has it."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.portability.exporting import download, expire_exports
from tenants.portability.models import UNDER_WAY, Export
from tests.attaching import attached
from tests.jobs import RunJobs
from tests.workspace import Workspace


def test_the_only_download_ends_while_its_export_is_swept(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
    attached(tenant.admin, "contacts", record)
    made = UUID(tenant.admin.post("/exports", {"downloads_left": 1}).json["id"])
    run_jobs()
    with inside(tenant.home):
        act_as(SYSTEM)
        export = db().get_one(Export, made)
        assert len(export.stored) == 2
        pieces = download(export)
    taken = [next(pieces)]
    _sweep(tenant)
    assert tenant.admin.get(f"/exports/{made}/download").json["code"] == "export_used_up"
    taken += pieces
    shown = tenant.admin.get(f"/exports/{made}").json
    assert (shown["status"], shown["sha256"]) == ("expired", hashlib.sha256(b"".join(taken)).hexdigest())
    with inside(tenant.home):
        act_as(SYSTEM)
        db().get_one(Export, made).expires_at = now() - UNDER_WAY - timedelta(seconds=1)
    _sweep(tenant)
    with inside(tenant.home):
        assert list(files().list("exports/")) == []
    assert neighbour.admin.get(f"/exports/{made}").status_code == 404


def _sweep(tenant: Workspace) -> None:
    with inside(tenant.home):
        act_as(SYSTEM)
        expire_exports()
