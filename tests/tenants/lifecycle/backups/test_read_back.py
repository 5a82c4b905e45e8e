"""A tenant's part of a backup waits on the disk of the machine that reads it, and nobody reads it there."""

from collections.abc import Callable

import pytest

from tenants.foundation import sealed_spools
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.backups.taking import Taken
from tests.spooled import OnDisk
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.promise("SEC-2")]


def test_what_is_read_back_lies_nowhere_in_clear(
    take: Callable[[], Taken], store: Store, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch,
    on_disk: OnDisk,
) -> None:  # fmt: skip
    page = take().page
    bundles = store.index(page)["bundles"]
    monkeypatch.setattr(sealed_spools, "IN_MEMORY", 0)
    for each in (acme, neighbour):
        part = (page.id, each.home.role, bundles[str(each.home.id)])
        with store.opened(*part) as chunks:
            clear = b"".join(chunks)
        with store.bundle(*part) as bundle:
            names = [table.file.path.encode() for table in bundle.described.tables]
            waits = on_disk()[-1]
        assert all(name in clear for name in names), "a zip names its files in clear"
        assert len(waits) == len(clear)
        assert not any(name in waits for name in names)
    assert len(on_disk()) == 2
