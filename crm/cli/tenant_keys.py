"""`freehold tenant rotate-key` and `destroy`: a tenant's data key changes, or ends, and with it all that is sealed."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from crm.cli import options
from crm.cli.opening import living_tenant, opened
from crm.cli.progress import shown_progress
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.catalog.registry import Home
    from tenants.jobs.models import Job

LOOK_SECONDS = 0.5


@click.command("rotate-key", short_help="A new version of its data key, everything sealed anew.")
@click.argument("slug")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Show how far the workers are.")
@options.data_dir
@options.as_json
def rotate_key(slug: str, data_dir: Path, *, wait: bool, as_json: bool) -> None:
    """Rotate the data key of tenant SLUG: a worker seals everything anew, then the old version is destroyed."""
    from tenants.access.caller import SYSTEM, act_as
    from tenants.isolation.door import inside
    from tenants.lifecycle.keys.jobs import reseal
    from tenants.lifecycle.keys.rotation import begin

    _, catalog = opened(data_dir)
    home = living_tenant(catalog, slug)
    with inside(home):
        act_as(SYSTEM, request_id="rotate-key")
        version = begin()
        job_id = reseal.later(version)
    state = _watched(home, job_id) if wait else "ready"
    options.answer({"tenant": slug, "version": version, "job": str(job_id), "state": state}, as_json=as_json)


@click.command("destroy", short_help="The end of a tenant that is closing.")
@click.argument("slug")
@click.option("--yes-really", "sure", is_flag=True, help="It can't be taken back, by anybody.")
@click.option(
    "--decided-by", required=True, metavar="WHO", help="By whose decision; the certificate says so."
)
@click.option("--reason", required=True, help="Why; the certificate says so.")
@click.option(
    "--certificate",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it goes.",
)
@options.data_dir
@options.as_json
def destroy_tenant(slug: str, data_dir: Path, *, as_json: bool, **said: Any) -> None:
    """Destroy tenant SLUG for good: its keys, then its files, tables and look-ups. Run it again if it was stopped.

    It has to be closing, its exit over, and under no legal hold. One that is archived is closed first, which wakes it.
    """
    from crm.app import owners_of, storage_of
    from tenants.foundation.whole_files import UnfinishedFile
    from tenants.lifecycle.keys.destruction import Destruction
    from tenants.lifecycle.keys.versions import key_versions

    if not said["sure"]:
        raise Refused(f"Nothing was done. To destroy everything of '{slug}' for good, add --yes-really.")
    settings, catalog = opened(data_dir)
    destruction = Destruction(key_versions(), storage_of(settings, catalog), owners_of(settings))
    # Where nothing can be written, nothing is destroyed; and a name is not forgotten before its certificate is there.
    unfinished = UnfinishedFile(said["file"].absolute().parent)

    def keep(made: dict[str, Any]) -> None:
        unfinished.write(json.dumps(made, indent=2).encode() + b"\n")
        unfinished.put_at(said["file"].absolute())

    try:
        destruction.destroy(slug, decided_by=said["decided_by"], reason=said["reason"], keep=keep)
    finally:
        unfinished.abandon()
    options.answer({"destroyed": slug, "certificate": str(said["file"])}, as_json=as_json)


def _watched(home: "Home", job_id: UUID) -> str:
    """Show a bar until the job has ended. Raises Refused when it failed."""
    with shown_progress() as tell:
        while not (job := _job(home, job_id)).finished_at:
            tell(job.phase or job.state, job.done or 0, job.total)
            time.sleep(LOOK_SECONDS)
    if job.error:
        raise Refused(job.error)
    return job.state


def _job(home: "Home", job_id: UUID) -> "Job":
    from tenants.isolation.door import db, inside
    from tenants.jobs.models import Job

    with inside(home):
        return db().get_one(Job, job_id)
