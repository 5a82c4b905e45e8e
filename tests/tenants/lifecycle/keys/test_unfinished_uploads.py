"""A tenant that is destroyed while a copy is on its way to its own bucket leaves nothing of it there."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.settings import Settings
from tenants.isolation.storage import storage_from
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests.jobs import RunJobs
from tests.s3 import OWN, S3
from tests.tenants.portability.test_given_up_copies import HalfThere
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.fixture
def halves(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    own_bucket: dict[str, str],
) -> Iterator[list[HalfThere]]:
    """Two tenants that use one bucket, each with a copy that was begun there."""
    run_jobs()
    yield [HalfThere(new_workspace(), s3_server, own_bucket, run_jobs, neighbour) for _ in range(2)]
    s3_server.faults.clear()


def destroyed(tenant: Workspace, settings: Settings) -> dict[str, Any]:
    slug = tenant.admin.get("/me").json["tenant"]["slug"]
    move(
        key_versions().catalog,
        owners_of(settings),
        tenant.home,
        State.CLOSING,
        Decision(Mover.PLATFORM, "It leaves."),
    )
    destruction = Destruction(key_versions(), storage_from(settings.storage), owners_of(settings))
    return destruction.destroy(slug, decided_by="ada@example.test", reason="The contract ended.")


def parts_of(half: HalfThere, s3: S3) -> int:
    return len(s3.left_open(OWN, f"{half.tenant.home.id.hex}/"))


def test_what_had_arrived_of_a_copy_goes_from_its_bucket_with_its_tenant(
    halves: list[HalfThere], settings: Settings, s3_server: S3
) -> None:
    ours, theirs = halves
    assert destroyed(ours.tenant, settings)["certificate"]["verified"]["tables_left"] == 0
    assert (parts_of(ours, s3_server), parts_of(theirs, s3_server)) == (0, 1)


def test_a_bucket_that_is_away_keeps_no_tenant_from_its_end(
    halves: list[HalfThere], settings: Settings, s3_server: S3, lines: io.BytesIO
) -> None:
    ours, _ = halves
    ours.bucket_is_away()
    assert destroyed(ours.tenant, settings)["certificate"]["verified"]["tables_left"] == 0
    assert parts_of(ours, s3_server) == 1
    assert b"upload_left_in_a_bucket" in lines.getvalue()
