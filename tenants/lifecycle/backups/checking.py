"""Reads a backup from its first byte to its last, without any database of tenants."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tenants.lifecycle.backups.faults import BackupDamaged
from tenants.lifecycle.backups.store import CATALOG, Store, place_in
from tenants.portability.comparing import differences
from tenants.portability.verifying import verify_open

Told = Callable[[str, int], None]


def check(
    store: Store, backup: str, tell: Told = lambda _what, _rows: None, region: str | None = None
) -> dict[str, Any]:
    """How much was looked at, of all or of what lies in a region's place.

    Raises BackupDamaged that names the first file at fault, NotFound, KeyDestroyed.
    """
    index = store.index(store.page(backup))
    if region is not None:
        index = store.part(index, region)
    with store.opened(backup, CATALOG, index["catalog"]) as chunks:
        for _ in chunks:
            tell("the catalog", 0)
    rows = 0
    for tenant_id, said in index["bundles"].items():
        name = f"t_{tenant_id.replace('-', '')}"
        expected = {table: each["content"] for table, each in said["tables"].items()}
        with store.within(place_in(index, tenant_id)).bundle(backup, name, said) as bundle:
            report = verify_open(bundle, lambda _table, done, before=rows: tell("tenants", before + done))  # type: ignore[misc]
        if report.findings or (different := differences(report.content, expected)):
            fault = str(report.findings[0]) if report.findings else f"{', '.join(different)} differs."
            raise BackupDamaged(f"{name} of {backup}: {fault}")
        rows += sum(report.rows.values())
    files = sum(
        store.within(place_in(index, tenant_id)).files.check(UUID(tenant_id), named, tell)
        for tenant_id, named in index["files"].items()
    )
    return {"tenants": len(index["bundles"]), "rows": rows, "files": files}
