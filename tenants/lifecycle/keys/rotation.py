"""Rotates a tenant's data key: a new version at once, then everything sealed anew, then the old version destroyed."""

import time
from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.audit.recording import record_event
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db, here
from tenants.isolation.files import files
from tenants.isolation.resealing import (
    file_version,
    holders,
    left_to_reseal,
    reseal_file,
    reseal_rows,
    sealed_tables,
)
from tenants.isolation.sealing import still_sealing
from tenants.isolation.storage import TenantStorage
from tenants.jobs.models import UNFINISHED, Job
from tenants.jobs.progress import conclude, current_job, progress, step
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.keys.versions import key_versions

KIND = "keys.reseal"
LOOK_AGAIN_SECONDS = 0.1


def begin() -> int:
    """Have the tenant at hand seal with a new version from this transaction's commit on; the version.

    A rotation that came to nothing is taken up with the version that it made. Raises Conflict while one is under way.
    """
    profile = alone()
    versions = key_versions()
    living, before = versions.living(profile.id), profile.key_version
    unfinished = living[-1] > before or len(living) > 1
    profile.key_version = living[-1] if unfinished else versions.add(profile.id)
    record_event("keys.rotated", "keys", None, {"version": [before, profile.key_version]})
    return profile.key_version


def alone() -> TenantProfile:
    """Keep others from changing the keys of the tenant at hand in this transaction.

    Raises Conflict while everything is being sealed anew.
    """
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    if db().scalar(select(Job.id).where(Job.kind == KIND, UNFINISHED)):
        raise Conflict("The key is being rotated already.", code="rotation_under_way")
    return profile


def latest_job() -> Job | None:
    """The latest job that sealed the tenant at hand anew."""
    query = select(Job).where(Job.kind == KIND).order_by(Job.created_at.desc(), Job.id.desc()).limit(1)
    return db().scalars(query).one_or_none()


def left() -> dict[str, int]:
    """How many rows of each table of the tenant at hand wait to be sealed anew."""
    living = key_versions().living(here().home.id)
    return left_to_reseal(living[-1]) if len(living) > 1 else {}


def seal_everything_anew(version: int) -> None:
    """Seal all of the tenant with this version, then destroy older ones. Everything done stays done if it is killed.

    Rows that hold sealed values for other tables come first: what is copied out of them is sealed anew by then.
    Raises Conflict when something does not open: then no version is destroyed.
    """
    tenant_id = current_job().home.id
    key_versions().note_replaced(tenant_id, version)
    work = _Resealing(tenant_id, version)
    work.wait_for_sealers()
    work.reseal_holders()
    work.wait_for_sealers()
    for name, columns in sealed_tables():
        work.reseal_table(name, columns)
    work.reseal_files()
    work.must_be_complete()
    with step():
        record_event("keys.destroyed", "keys", None, {"older_than": [None, version]})
        destroy_older(tenant_id, version)
        conclude({"version": version, "values": work.done})


def destroy_older(tenant_id: UUID, version: int) -> None:
    """Destroy every version before this one, and certify that; done again it changes nothing."""
    versions = key_versions()
    if older := [each for each in versions.living(tenant_id) if each < version]:
        certificates().begin(tenant_id, _subject(version), {"data_key_versions": older})
        versions.destroy(tenant_id, older_than=version)
    certificates().issue(
        tenant_id,
        _subject(version),
        decided_by=f"an admin of the tenant, by rotating to version {version}",
        verified={"values_left": 0},
    )


def _subject(version: int) -> str:
    return f"versions of the data key before {version}"


class _Resealing:
    """The work of one attempt, and how much of it is done."""

    def __init__(self, tenant_id: UUID, version: int) -> None:
        self.tenant_id, self.version, self.done = tenant_id, version, 0
        self.unreadable = Counter[str]()
        with step():
            self.total = sum(left_to_reseal(version).values())

    def wait_for_sealers(self) -> None:
        """Whoever began to seal before may still be doing so with an older version: they end first."""
        with step():
            before = still_sealing()
        while before:
            progress(phase="waiting")
            time.sleep(LOOK_AGAIN_SECONDS)
            with step():
                before &= still_sealing()

    def reseal_holders(self) -> None:
        for holder in holders():
            try:
                while True:
                    with step():
                        count = holder.reseal(self.version)
                    if not count:
                        break
                    self._tell(holder.table, count)
            except Unreadable:
                self.unreadable[holder.table] = 1

    def reseal_table(self, name: str, columns: list[str]) -> None:
        after: UUID | None = None
        while True:
            with step():
                came = reseal_rows(name, columns, self.version, after)
            self._tell(name, came.rows)
            if came.unreadable:
                self.unreadable[name] += came.unreadable
            if came.last is None:
                return
            after = came.last

    def reseal_files(self) -> None:
        storage, names = self._files()
        self.total += len(names)
        for name in names:
            if file_version(storage, name) not in (None, self.version):
                try:
                    reseal_file(self.tenant_id, storage, name, self.version)
                except Unreadable:
                    self.unreadable["files"] += 1
            self._tell("files", 1)

    def must_be_complete(self) -> None:
        with step():
            left: dict[str, Any] = left_to_reseal(self.version)
        storage, names = self._files()
        if older := sum(file_version(storage, name) not in (None, self.version) for name in names):
            left["files"] = older
        if left or self.unreadable:
            said = ", ".join(
                f"{count} in {name}" for name, count in sorted({**self.unreadable, **left}.items())
            )
            raise Conflict(
                f"Some sealed values could not be sealed anew ({said}), so the old version of the key is kept.",
                code="not_resealed",
            )

    def _files(self) -> tuple[TenantStorage, list[str]]:
        with step():
            storage = files()
        return storage, list(storage.list())

    def _tell(self, phase: str, count: int) -> None:
        self.done += count
        progress(self.done, max(self.done, self.total), phase)
